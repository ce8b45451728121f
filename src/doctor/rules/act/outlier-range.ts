import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import { bitsOf } from '../../../quant/affine.js';
import type { Evidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';

const ERROR_LEVELS = 8;
const WARNING_LEVELS = 32;
/** Share of values off by more than a quarter of themselves: healthy 8-bit activations have a few per cent. */
const ERROR_LOST = 0.8;
const WARNING_LOST = 0.5;

/** Rare large values set the range of an activation; the bulk of the values gets a few levels, and SQNR does not show it. */
export function outlierRange({ graph, edges }: Evidence): Finding[] {
  return edges.flatMap(({ edge, quant, range, levels, lostShare, errors }): Finding[] => {
    const self = errors.get('self');
    if (quant === undefined || levels === undefined || lostShare === undefined || self?.sqnrDb === undefined)
      return [];
    // A type of few bits has few levels by itself.
    if (bitsOf(quant.dtype) < 8 || (levels >= WARNING_LEVELS && lostShare < WARNING_LOST)) return [];
    const node = edge.producer === undefined ? undefined : nodeLabel(nodeOf(graph, edge.producer));
    return [
      {
        rule: 'act.outlier-range',
        severity: levels < ERROR_LEVELS || lostShare >= ERROR_LOST ? 'error' : 'warning',
        subject: { ...(node === undefined ? {} : { node }), tensor: tensorOf(graph, edge.tensor).name },
        message:
          `${self.sqnrDb.toFixed(1)} dB self SQNR hides that ${Math.round(100 * lostShare)} % of the values other than 0 are off by ` +
          `more than a quarter of themselves: rare values set the range ${range.min.toPrecision(3)} to ` +
          `${range.max.toPrecision(3)}, and 98 % of the values share ${levels.toFixed(levels < 10 ? 1 : 0)} of ${2 ** bitsOf(quant.dtype)} levels`,
        args: { lostShare, levels, min: range.min, max: range.max },
        fix: { title: 'cut the rare values, or give the tensor 16 bits', edit: '--observer mse' },
      },
    ];
  });
}
