import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const preproc = rule({
  id: 'io.preproc',
  title: 'The quantizer of an input does not fit the data: another preprocessing',
  severity: 'error',
  needs: ['lane', 'edges', 'reference'],
  text: {
    what: 'The range of an input quantizer is a fingerprint of the preprocessing of the calibration. It is held against the data that are fed.',
    why: 'Pixels of 0 to 255 in a network made for -1 to 1 saturate, pixels of 0 to 1 in one made for 0 to 255 have one code. It is the most frequent cause of all, and has nothing to do with 8 bits.',
    instead:
      'Use one function for calibration, evaluation and the application. Where the graph normalizes its input itself, feed raw pixels.',
    see: ['https://github.com/pytorch/QNNPACK/issues/73', 'io.int-input'],
  },
  check,
});

/** Self SQNR, dB, of an input below which its quantizer was made for other data. */
const ERROR_DB = 10;
const WARNING_DB = 15;

/** A quantizer of an input that does not fit the data that the reference takes: other preprocessing, or codes taken for values. */
function check({ graph, edges }: With<'edges'>): Finding[] {
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
