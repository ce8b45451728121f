import { toFloat32 } from '../../../ir/elements.js';
import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import { correlationOf } from '../../../diff/alignment/correlation.js';
import type { ChannelComparison, ConstantComparison } from '../../../diff/compared-constants.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { writersOf } from '../../subject.js';
import { listed, short } from '../../wording.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';

/** Another network has other values everywhere. */
const FOLLOWERS = [
  ...['act.clipped', 'act.wide-range', 'act.shifted-range', 'act.outlier-channel', 'act.bias-shift'],
  ...['cal.stale', 'out.constant'],
];

export const notSameModel = rule({
  id: 'w.not-same-model',
  title: 'The weights are not those of the reference',
  severity: 'error',
  needs: ['reference', 'compared'],
  text: {
    what: 'Every weight of the candidate beside that of the reference: rounding moves none by more than half a step.',
    why: 'Another checkpoint, averaged weights, a converter that scaled or exchanged something: then the difference between the two networks is not what quantization cost.',
    instead:
      'Export both from the same checkpoint. After quantization-aware training compare with the trained float weights.',
    see: ['base.double-quantized', 'w.coarse-scale'],
  },
  check,
});

type OtherWeights = With<'reference' | 'compared'>;
type MeasuredWeights = With<'edges' | 'reference' | 'compared' | 'suspects'>;

/** Rounding to codes moves no value further than half a step; some exporters cut off the last one. */
const ROUNDING_STEPS = 1.05;
/** Σe²/Σx² below which a difference is no other weight: 20 dB. */
const SAME_NOISE = 0.01;
/** Above it a scale is too coarse for the weight: 10 dB. */
export const COARSE_NOISE = 0.1;
/** Local SQNR, dB, above which a bias is too small beside the layer's output to matter; and for one that is nothing like it. */
const HARMLESS_DB = 10;
const HARMLESS_NOISE_DB = 20;
const RELATED = 0.9;
/** Correlation of values that differ by a factor alone. */
const ALIKE = 0.99;
/** Correlation below which weights are others for sure, though nothing was run; a search for a better rounding moves them, too. */
const UNRELATED = 0.5;
/** Factors between which a channel counts as unscaled. */
const GAINS: readonly [number, number] = [0.8, 1.25];
/** Magnitude, as a share of the reference's, below which a channel is zero. */
const DEAD_LEVEL = 0.02;
/** A correlation over fewer values says little. */
const FEWEST_VALUES = 8;

/**
 * Weights that are not the reference's own, rounded. Where most differ, the two are other checkpoints, or one was trained further;
 * that is said once, and only layers that differ more than the rest are named.
 */
function check(evidence: OtherWeights): Diagnosed[] {
  const { weights, others, trained } = comparedWeights(evidence);
  const usual = trained ? median(weights.map(({ correlation = 0 }) => correlation)) : 1;
  const whole: Diagnosed[] = trained
    ? [
        {
          rule: 'w.not-same-model',
          severity: usual < 0.5 ? 'error' : 'note',
          subject: {},
          message:
            usual < 0.5
              ? `the weights of ${others.length} of ${weights.length} layers are not those of the reference (median correlation ${short(usual)}): these are two different checkpoints`
              : `the weights of ${others.length} of ${weights.length} layers differ from the reference's by more than rounding (median correlation ${short(usual)}): one was trained further, as in quantization-aware training`,
          args: { layers: others.length, of: weights.length, correlation: usual },
          overshadows: FOLLOWERS,
        },
      ]
    : [];
  const named = weights.flatMap((weight): Finding[] => {
    if (!isOther(weight)) return [];
    const fault = faultOf(evidence, weight, usual, trained);
    if (fault === undefined) return [];
    const found = finding(evidence, weight, fault);
    return [isMeasured(evidence) || isCertain(weight) ? found : { ...found, severity: 'warning' }];
  });
  // Bias correction and training change biases a little, and rightly so.
  const biases = isMeasured(evidence) ? faultyBiases(evidence, trained) : [];
  return [...whole, ...named, ...biases];
}

function isMeasured(evidence: OtherWeights): evidence is MeasuredWeights {
  return evidence.edges !== undefined && evidence.suspects !== undefined;
}

/** Whether the file alone says that the layer computes something else: an equalization may scale channels on purpose. */
function isCertain({ correlation = 0, error }: ConstantComparison): boolean {
  return correlation < UNRELATED || (error?.nonFinite ?? 0) > 0;
}

/** What a bias may be is seen in what its layer computes. */
function faultyBiases(evidence: MeasuredWeights, trained: boolean): Diagnosed[] {
  return (
    evidence.compared
      .filter((one) => one.role === 'bias' && noiseOf(one) > COARSE_NOISE)
      // Steps as coarse as the scales of input and weight make them are no other bias.
      .filter(({ channels }) => !channels.every(isRounded))
      .flatMap((bias): Diagnosed[] => {
        const harms = doesHarm(evidence, bias);
        const factor = uniformGain(bias);
        if (factor === undefined ? trained || !harms : false) return [];
        const found: Diagnosed = {
          ...finding(evidence, bias, biasFault(bias, factor)),
          yieldsTo: ['w.bias-overflow', 'base.graph-changed'],
        };
        return [harms ? found : { ...found, severity: 'warning' }];
      })
  );
}

/** Whether most weights are others than the reference's: of another checkpoint, or trained further. */
export function areOthers(evidence: With<'compared'>): boolean {
  return comparedWeights(evidence).trained;
}

export interface ComparedWeights {
  readonly weights: readonly ConstantComparison[];
  readonly others: readonly ConstantComparison[];
  readonly trained: boolean;
}

export function comparedWeights(evidence: With<'compared'>): ComparedWeights {
  const weights = evidence.compared.filter(
    (one) => one.role === 'weight' && sizeOf(evidence, one) >= FEWEST_VALUES,
  );
  const others = weights.filter(isOther);
  return { weights, others, trained: weights.length >= 3 && others.length > weights.length / 2 };
}

interface Fault {
  readonly message: string;
  readonly args: Finding['args'];
  readonly yieldsTo?: readonly string[];
}

function finding(evidence: OtherWeights, { candidate, node }: ConstantComparison, fault: Fault): Diagnosed {
  const { graph } = evidence;
  const line = "export this layer again, with the reference's values";
  return {
    rule: 'w.not-same-model',
    severity: 'error',
    subject: { node: nodeLabel(nodeOf(graph, node)), tensor: tensorOf(graph, candidate).name },
    ...fault,
    ...remedy(evidence, {
      title: "put the reference's values in their place",
      onnx: line,
      tflite: line,
      change: { constants: [{ tensor: candidate }] },
    }),
  };
}

function sizeOf({ graph }: With<'compared'>, { candidate }: ConstantComparison): number {
  return (tensorOf(graph, candidate).data?.dims ?? []).reduce((size, dim) => size * dim, 1);
}

/** Σe²/Σx²; of a reference without energy infinite where anything differs. */
export function noiseOf({ error }: ConstantComparison): number {
  if (error === undefined || error.exact === true) return 0;
  return error.sqnrDb === undefined ? Infinity : 10 ** (-error.sqnrDb / 10);
}

export function isRounded({ steps = Infinity }: ChannelComparison): boolean {
  return steps <= ROUNDING_STEPS;
}

export function isOther(constant: ConstantComparison): boolean {
  const { channels, error } = constant;
  if ((error?.nonFinite ?? 0) > 0) return true;
  return !channels.every(isRounded) && (noiseOf(constant) > SAME_NOISE || wrongChannels(channels).length > 0);
}

/** Channels that are the reference's times another factor, or nothing of it. */
function wrongChannels(channels: readonly ChannelComparison[]): number[] {
  const [low, high] = GAINS;
  return channels.flatMap((channel, index) => {
    const { gain = 1, correlation = 1, level = 1 } = channel;
    const isScaled = level < DEAD_LEVEL || ((gain < low || gain > high) && correlation > RELATED);
    return isScaled && !isRounded(channel) ? [index] : [];
  });
}

function faultOf(
  evidence: OtherWeights,
  weight: ConstantComparison,
  usual: number,
  trained: boolean,
): Fault | undefined {
  const others = weight.error?.nonFinite ?? 0;
  if (others > 0)
    return { message: `${others} of the weights are NaN or infinite`, args: { nonFinite: others } };
  const { correlation = 0, channels } = weight;
  if (correlation < -RELATED) {
    return {
      message: `the weights are the reference's with the sign turned (correlation ${short(correlation)})`,
      args: { correlation },
    };
  }
  const wrong = wrongChannels(channels);
  const gains = channels.flatMap(({ gain }) => (gain === undefined ? [] : [gain]));
  if (!trained && wrong.length > 0) {
    const gain = median(wrong.map((channel) => channels[channel]?.gain ?? 1));
    const which =
      wrong.length === channels.length
        ? 'the weights are'
        : `${listed('channel', wrong)} of the weights ${wrong.length === 1 ? 'is' : 'are'}`;
    const what =
      Math.abs(gain) < DEAD_LEVEL
        ? `${wrong.length === channels.length ? 'the weights are' : listed('channel', wrong) + (wrong.length === 1 ? ' is' : ' are')} zero, in the reference not`
        : `${which} ${short(gain)} times the reference's: the scale does not fit`;
    // At a scale that is too small all values of a channel are next to nothing, and its bias is cut off.
    const yields = Math.abs(gain) < DEAD_LEVEL ? { yieldsTo: ['w.bias-overflow'] } : {};
    return { message: what, args: { channels: wrong.length, gain }, ...yields };
  }
  if (trained && correlation > usual - 0.3) return undefined;
  if (correlation >= RELATED && noiseOf(weight) <= COARSE_NOISE) return undefined;
  const origin = originOf(evidence, weight);
  return {
    message: `the weights are not those of the reference (correlation ${short(correlation)})${origin}`,
    args: { correlation, gain: median(gains) },
  };
}

/** The factor that all values are off by; undefined where they do not agree on one, or it is 1. */
export function uniformGain({ correlation = 0, gain = 0 }: ConstantComparison): number | undefined {
  return correlation > ALIKE && gain > 0 && Math.abs(gain - 1) > 0.2 ? gain : undefined;
}

function biasFault({ correlation = 0 }: ConstantComparison, gain: number | undefined): Fault {
  return gain === undefined
    ? {
        message: `the bias is not that of the reference (correlation ${short(correlation)})`,
        args: { correlation },
      }
    : { message: `the bias is ${short(gain)} times the reference's: its scale does not fit`, args: { gain } };
}

/** Whether the layer, on the right inputs, gives something else than the reference. */
function doesHarm({ suspects, graph, edges }: MeasuredWeights, bias: ConstantComparison): boolean {
  const { node } = bias;
  const least = noiseOf(bias) > 1 ? HARMLESS_NOISE_DB : HARMLESS_DB;
  const measured = new Set(edges.map(({ edge }) => edge.tensor));
  const label = nodeLabel(nodeOf(graph, node));
  return suspects.some(
    ({ tensor, kind, db }) =>
      kind === 'operator' && db < least && writersOf(graph, tensor, measured).has(label),
  );
}

/** Where the weights may come from: another layer of the reference, or this one with its axes exchanged. */
function originOf({ reference, graph, compared }: OtherWeights, weight: ConstantComparison): string {
  const found = tensorOf(graph, weight.candidate).data;
  if (found === undefined) return '';
  const values = toFloat32(found);
  const own = tensorOf(reference.graph, weight.reference).data;
  for (const transposed of own === undefined ? [] : transpositions(toFloat32(own), own.dims)) {
    if ((correlationOf(transposed, values) ?? 0) > RELATED)
      return ', but they are with the axes of the kernel exchanged';
  }
  for (const other of compared) {
    const data =
      other.reference === weight.reference ? undefined : tensorOf(reference.graph, other.reference).data;
    if (data?.dims.join() !== found.dims.join()) continue;
    if ((correlationOf(toFloat32(data), values) ?? 0) > RELATED) {
      return `, but those of ${tensorOf(reference.graph, other.reference).name}`;
    }
  }
  return '';
}

/** The values with two axes of the same extent exchanged, each way that is possible. */
function transpositions(values: Float32Array, dims: readonly number[]): Float32Array[] {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((size, dim) => size * dim, 1));
  const pairs = dims.flatMap((extent, a) =>
    dims.flatMap((other, b) => (b > a && other === extent && extent > 1 ? [[a, b] as const] : [])),
  );
  return pairs.map(([a, b]) =>
    values.map((_, i) => {
      const [stepA = 1, stepB = 1, extent = 1] = [strides[a], strides[b], dims[a]];
      const atA = Math.floor(i / stepA) % extent;
      const atB = Math.floor(i / stepB) % extent;
      return values[i + (atB - atA) * stepA + (atA - atB) * stepB] as number;
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
