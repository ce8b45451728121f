import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import { bitsOf } from '../../../quant/affine.js';
import { FEW_LEVELS } from '../../../quant/weight-spread.js';
import type { Evidence } from '../../evidence.js';
import type { Finding, Severity } from '../../finding.js';

/** Share of such channels from which the layer is broken rather than worn. */
const MANY_CHANNELS = 0.05;
/** While every tensor keeps this much cumulative SQNR (dB), the channels that are lost were hardly used. */
const HARMLESS_DB = 20;

/**
 * One scale for all output channels of a weight although their ranges differ: the widest channel takes the range and leaves
 * the others a handful of levels, or none.
 */
export function perTensorSpread({ graph, lane, constants, edges }: Evidence): Finding[] {
  const measured = edges.flatMap(({ errors }) => errors.get('cumulative')?.sqnrDb ?? []);
  const isHarmless = measured.length > 0 && measured.every((db) => db >= HARMLESS_DB);
  return constants.flatMap(({ tensor, node, quant, spread }): Finding[] => {
    if (spread === undefined || node === undefined || quant.granularity.kind !== 'per-tensor') return [];
    const { stats, sqnr } = spread;
    const absmax = stats.channels.map((channel) => channel?.absmax ?? 0);
    const poor = sqnr.levels.flatMap((levels, c) => (levels > 0 && levels < FEW_LEVELS ? [c] : []));
    if (poor.length === 0 || bitsOf(quant.dtype) < 8) return [];
    const share = poor.length / stats.channels.length;
    const wide =
      stats.outlierChannels.length > 0 ? stats.outlierChannels : [absmax.indexOf(Math.max(...absmax))];
    const label = nodeLabel(nodeOf(graph, node));
    return [
      {
        rule: 'w.per-tensor-spread',
        severity: lane.codes === undefined ? simulated(share, isHarmless) : finished(share),
        subject: { node: label, tensor: tensorOf(graph, tensor).name },
        message:
          `one scale serves all ${stats.channels.length} channels, but channel${wide.length === 1 ? '' : 's'} ` +
          `${listed(wide)} take${wide.length === 1 ? 's' : ''} the range: ${poor.length} channel${poor.length === 1 ? ' keeps' : 's keep'} ` +
          `fewer than ${FEW_LEVELS} of ${2 ** bitsOf(quant.dtype)} levels`,
        args: {
          channels: stats.channels.length,
          poorChannels: poor.length,
          wideChannels: wide.join(' '),
          ...(sqnr.perTensorDb === undefined ? {} : { perTensorSqnrDb: sqnr.perTensorDb }),
          ...(sqnr.perAxisDb === undefined ? {} : { perAxisSqnrDb: sqnr.perAxisDb }),
        },
        fix: { title: 'give every output channel its own scale', edit: '--per-axis' },
      },
    ];
  });
}

function simulated(share: number, isHarmless: boolean): Severity {
  return share >= MANY_CHANNELS && !isHarmless ? 'error' : 'warning';
}

/** Without the float model nobody can tell: training may have grown used to it. */
function finished(share: number): Severity {
  return share >= MANY_CHANNELS ? 'warning' : 'note';
}

const MOST_LISTED = 6;

function listed(channels: readonly number[]): string {
  const shown = channels.slice(0, MOST_LISTED).join(', ');
  return channels.length > MOST_LISTED ? `${shown} and ${channels.length - MOST_LISTED} more` : shown;
}
