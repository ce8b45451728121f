import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import { bitsOf } from '../../../quant/affine.js';
import { FEW_LEVELS } from '../../../quant/weight-spread.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Severity } from '../../finding.js';
import { isHarmless } from '../../harm.js';
import { remedy } from '../../remedy.js';
import { subjectOf } from '../../subject.js';
import { areOthers } from './not-same-model.js';
import { rule } from '../../rule.js';

/** Share of such channels from which the layer is broken rather than worn. */
const MANY_CHANNELS = 0.05;
/** Local SQNR, dB. */
const BROKEN_DB = 15;
/** What scales per channel would add, dB, from which a float model is better not quantized without. */
const FORECAST_GAIN_DB = 10;
/** The converter of TensorFlow 1 names what quantization-aware training has made so. */
const TRAINED = /FakeQuant/;

export const perTensorSpread = rule({
  id: 'w.per-tensor-spread',
  title: 'One scale serves weight channels of very unlike range',
  severity: 'error',
  needs: ['lane', 'constants'],
  limits: [
    {
      quantity:
        'channels of a weight that keep fewer than 16 levels, in a simulation that is not close to float',
      unit: 'share',
      warning: 0,
      error: MANY_CHANNELS,
      worse: 'higher',
    },
    {
      quantity: 'local SQNR of such a layer beside a reference',
      unit: 'dB',
      error: BROKEN_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'Weights with one scale whose channels differ so much that some keep fewer than 16 levels. Of a float model without data this is a forecast of what one scale would do.',
    why: 'BatchNorm that was folded in, and depthwise convolutions, leave channels whose ranges differ a hundredfold. The widest takes the range; the others are rounded to a few levels, or to zero.',
    instead:
      'One scale per output channel (per_channel=True). Where the target cannot: cross-layer equalization, 16-bit weights for the layer, quantization-aware training.',
    see: ['https://arxiv.org/abs/1906.04721', 'w.no-bn-reparam', 'w.opset-per-channel'],
  },
  check,
});

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
  const isLossy = !isHarmless(evidence.edges ?? []);
  return spreadOf(evidence).flatMap((finding): Diagnosed[] => {
    if (broken.has(finding.subject.node)) return [finding];
    // Its error may show one layer later first: many poor channels in a network that loses are worth a look.
    return isLossy && finding.severity !== 'note' ? [{ ...finding, severity: 'warning' }] : [];
  });
}

function spreadOf(evidence: Spread): Diagnosed[] {
  const { graph, lane, constants, edges } = evidence;
  const harmless = isHarmless(edges);
  const isForecast = edges === undefined && lane.codes === undefined;
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
    // Of a finished file the values are what one scale has left of them.
    const gainDb =
      lane.codes !== undefined || sqnr.perTensorDb === undefined || sqnr.perAxisDb === undefined
        ? undefined
        : sqnr.perAxisDb - sqnr.perTensorDb;
    return [
      {
        rule: 'w.per-tensor-spread',
        severity: isForecast
          ? forecast(share, gainDb)
          : lane.codes === undefined
            ? simulated(share, harmless)
            : finished(share, TRAINED.test(tensorOf(graph, tensor).name)),
        subject: { node: label, tensor: tensorOf(graph, tensor).name },
        message:
          messageOf(stats.channels.length, wide, poor.length, isForecast) +
          ` of ${2 ** bitsOf(quant.dtype)} levels` +
          (gainDb === undefined
            ? ''
            : `; one scale per channel ${isForecast ? 'would give' : 'gives'} the weights ${gainDb.toFixed(1)} dB`),
        args: {
          channels: stats.channels.length,
          poorChannels: poor.length,
          wideChannels: wide.join(' '),
          ...(sqnr.perTensorDb === undefined ? {} : { perTensorSqnrDb: sqnr.perTensorDb }),
          ...(sqnr.perAxisDb === undefined ? {} : { perAxisSqnrDb: sqnr.perAxisDb }),
          ...(gainDb === undefined ? {} : { gainDb }),
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

/** "one scale serves all 20 channels, but channels 3, 11 take the range: 18 channels keep fewer than 16". */
function messageOf(channels: number, wide: readonly number[], poor: number, isForecast: boolean): string {
  const which = `channel${wide.length === 1 ? '' : 's'} ${listed(wide)}`;
  const few = `fewer than ${FEW_LEVELS}`;
  return isForecast
    ? `one scale for all ${channels} channels would let ${which} take the range: ${poor} would keep ${few}`
    : `one scale serves all ${channels} channels, but ${which} take${wide.length === 1 ? 's' : ''} the range: ` +
        `${poor} channel${poor === 1 ? ' keeps' : 's keep'} ${few}`;
}

/** What is lost is no harm while the whole network stays close to float. */
function simulated(share: number, harmless: boolean): Severity {
  if (harmless) return 'note';
  return share >= MANY_CHANNELS ? 'error' : 'warning';
}

/** Of a float model, before anything is quantized: a forecast is no damage. */
function forecast(share: number, gainDb = 0): Severity {
  return share >= MANY_CHANNELS && gainDb >= FORECAST_GAIN_DB ? 'warning' : 'note';
}

/** Without the float model nobody can tell: training may have grown used to it. */
function finished(share: number, isTrained: boolean): Severity {
  return share >= MANY_CHANNELS && !isTrained ? 'warning' : 'note';
}

const MOST_LISTED = 6;

function listed(channels: readonly number[]): string {
  const shown = channels.slice(0, MOST_LISTED).join(', ');
  return channels.length > MOST_LISTED ? `${shown} and ${channels.length - MOST_LISTED} more` : shown;
}
