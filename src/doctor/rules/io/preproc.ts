import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

/** Self SQNR, dB, of an input below which its quantizer was made for other data. */
const ERROR_DB = 10;
const WARNING_DB = 15;

/** A quantizer of an input that does not fit the data that the reference takes: other preprocessing, or codes taken for values. */
export function preproc({ graph, edges }: ComparisonEvidence): Finding[] {
  return edges.flatMap(({ edge, quant, errors, range }): Finding[] => {
    const self = errors.get('self');
    if (edge.producer !== undefined || quant?.granularity.kind !== 'per-tensor' || self === undefined)
      return [];
    const db = self.exact === true ? Infinity : (self.sqnrDb ?? -Infinity);
    if (db >= WARNING_DB) return [];
    const [scale = 0] = quant.scale;
    const [zeroPoint = 0] = quant.zeroPoint;
    const [low, high] = [quant.qmin, quant.qmax].map((code) => short((code - zeroPoint) * scale));
    const isRaw = scale === 1;
    return [
      {
        rule: 'io.preproc',
        severity: db < ERROR_DB ? 'error' : 'warning',
        subject: subjectOf(graph, edge.tensor),
        message:
          `the input's quantizer is made for ${low} to ${high} (scale ${short(scale)}, zero point ${zeroPoint}); the data that the ` +
          `reference takes are ${short(range.min)} to ${short(range.max)}` +
          (isRaw ? ': it takes raw pixels for values' : ''),
        args: { scale, zeroPoint, min: range.min, max: range.max },
      },
    ];
  });
}
