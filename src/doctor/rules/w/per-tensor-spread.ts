import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import { bitsOf } from '../../../quant/affine.js';
import { FEW_LEVELS } from '../../../quant/weight-spread.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Severity } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { subjectOf } from '../../subject.js';
import { areOthers } from './not-same-model.js';
import { rule } from '../../rule.js';

export const perTensorSpread = rule({
  id: 'w.per-tensor-spread',
  title: 'One scale serves weight channels of very unlike range',
  severity: 'error',
  needs: ['lane', 'constants'],
  text: {
    what: 'Weights with one scale whose channels differ so much that some keep fewer than 16 levels.',
    why: 'BatchNorm that was folded in, and depthwise convolutions, leave channels whose ranges differ a hundredfold. The widest takes the range; the others are rounded to a few levels, or to zero.',
    instead:
      'One scale per output channel (per_channel=True). Where the target cannot: cross-layer equalization, 16-bit weights for the layer, quantization-aware training.',
    see: ['https://arxiv.org/abs/1906.04721', 'w.no-bn-reparam', 'w.opset-per-channel'],
  },
  check,
});

/** Share of such channels from which the layer is broken rather than worn. */
const MANY_CHANNELS = 0.05;
/** While every tensor keeps this much cumulative SQNR (dB), the channels that are lost were hardly used. */
const HARMLESS_DB = 20;

/**
 * One scale for all output channels of a weight although their ranges differ: the widest channel takes the range and leaves
 * the others a handful of levels, or none.
 */
function check(evidence: Spread): Diagnosed[] {
  return evidence.reference === undefined ? spreadOf(evidence) : spreadOfBroken(evidence);
}

type Spread = With<'lane' | 'constants'>;

/** Beside a reference, one scale is a cause where the layer is broken by itself. */
function spreadOfBroken(evidence: Spread): Diagnosed[] {
  const { graph, suspects, compared } = evidence;
  // Weights that were trained to live with their scale are no cause.
  if (suspects === undefined || (compared !== undefined && areOthers({ ...evidence, compared }))) return [];
  const broken = new Set(
    suspects.flatMap(({ tensor, kind, db, lostIn }) => [
      ...(kind === 'operator' && db < BROKEN_DB ? [subjectOf(graph, tensor).node] : []),
      ...(lostIn === undefined ? [] : [subjectOf(graph, lostIn.tensor).node]),
    ]),
  );
  return spreadOf(evidence).filter(({ subject }) => broken.has(subject.node));
}

/** Local SQNR, dB. */
const BROKEN_DB = 15;

function spreadOf(evidence: Spread): Diagnosed[] {
  const { graph, lane, constants, edges = [] } = evidence;
  const measured = edges.flatMap(({ errors }) => errors.get('cumulative')?.sqnrDb ?? []);
  const isHarmless = measured.length > 0 && measured.every((db) => db >= HARMLESS_DB);
  return constants.flatMap(({ tensor, node, quant, spread }): Diagnosed[] => {
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
        ...remedy(evidence, {
          title: 'give every output channel its own scale',
          flags: '--per-axis',
          overrides: { granularity: 'per-axis' },
          onnx: 'quantize_static(..., per_channel=True)',
          tflite: 'converter._experimental_disable_per_channel = False',
          change: { constants: [{ tensor, perAxis: true }] },
        }),
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
