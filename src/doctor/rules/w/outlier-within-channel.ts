import { toFloat32 } from '../../../ir/elements.js';
import { nodeLabel, tensorOf, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { weightsOf } from '../../../ir/weights.js';
import { axisLayout, bitsOf, fakeQuantize, paramsFromRange } from '../../../quant/affine.js';
import { weightRanges } from '../../../quant/weight-ranges.js';
import type { Evidence, LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { isHarmless } from '../../harm.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { short } from '../../wording.js';

/** SQNR, dB, that 8 bits over the range of a channel leave it, below which its outliers take too much: |w| up to 24.7 times the rms. */
const POOR_DB = 25;
/** What a scale of least squared error instead of the largest weight's has to give the layer to be worth it, dB. */
const GAIN_DB = 2;
/** Share of the channels from which it is the layer that is worn. */
const MANY_CHANNELS = 0.05;

export const outlierWithinChannel = rule({
  id: 'w.outlier-within-channel',
  title: 'Single large weights take the range of their own channel',
  severity: 'warning',
  needs: ['lane'],
  limits: [
    {
      quantity: 'SQNR that 8 bits leave to a channel of weights',
      unit: 'dB',
      warning: POOR_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'Channels of weights whose largest value is 25 times their root mean square or more, and what a smaller scale that clips it would give.',
    why: 'A scale per channel does not help a channel with an outlier of its own: all other weights of it share the codes around zero. Eight bits over r times the rms leave 20 log10(440 / r) dB.',
    instead:
      'Set the scale by least squared error or a percentile of the weights instead of their maximum, round with AdaRound, or give the layer 16 bits.',
    see: ['https://arxiv.org/abs/2106.08295', 'https://arxiv.org/abs/2004.10568', 'w.per-tensor-spread'],
  },
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane, edges } = evidence;
  const originals = referenceWeights(evidence);
  return weightsOf(graph).flatMap(({ tensor, node, data, axis }): Diagnosed[] => {
    const params = lane.tensors.get(tensor);
    if (params === undefined || bitsOf(params.dtype) !== 8 || params.granularity.kind !== 'per-axis')
      return [];
    // What a finished file has left of the weights does not tell what clipping would have saved.
    const values = lane.codes?.has(tensor) === true ? originals.get(tensor)?.() : toFloat32(data);
    if (values === undefined || values.length !== data.dims.reduce((size, dim) => size * dim, 1)) return [];
    const poor = poorChannels(values, data.dims, params.granularity.axis);
    const [worst] = [...poor].sort((a, b) => b.crest - a.crest);
    if (worst === undefined) return [];
    const gainDb = gainOf(values, data.dims, params, params.granularity.axis);
    const share = poor.length / (data.dims[axis] ?? 1);
    return [
      {
        rule: 'w.outlier-within-channel',
        severity: edges === undefined || isHarmless(edges) || share < MANY_CHANNELS ? 'note' : 'warning',
        subject: { node: nodeLabel(node), tensor: tensorOf(graph, tensor).name },
        message:
          `${poor.length === 1 ? `channel ${worst.channel} has` : `${poor.length} channels, channel ${worst.channel} first, have`} ` +
          `a weight ${short(worst.crest)} times their rms: its scale leaves them ${dbOf(worst.crest).toFixed(1)} dB; ` +
          (gainDb < GAIN_DB
            ? 'clipping it would cost as much as it saves'
            : `scales of least squared error would give the layer ${gainDb.toFixed(1)} dB more`),
        args: { channels: poor.length, worstChannel: worst.channel, crest: worst.crest, gainDb },
        ...remedy(evidence, {
          title: 'give the weights a scale that clips, or 16 bits',
          ...(evidence.scheme?.placement === 'ort'
            ? { flags: '--weights int16', overrides: { weights: 'int16' as const } }
            : {}),
          onnx: 'AdaRound (AIMET, PPQ), or a weight scale of least squared error, for this layer',
          tflite:
            'mct.ptq.keras_post_training_quantization(...), whose weight ranges have least squared error',
        }),
      },
    ];
  });
}

/** 8 symmetric bits, 254 steps of 2 absmax / 254, on a channel whose largest value is `crest` times its rms. */
function dbOf(crest: number): number {
  return 20 * Math.log10((254 * Math.sqrt(12)) / (2 * crest));
}

interface PoorChannel {
  readonly channel: number;
  readonly crest: number;
}

function poorChannels(values: Float32Array, dims: readonly number[], axis: number): PoorChannel[] {
  const { outer, channels, inner } = axisLayout(values.length, dims, axis);
  const found: PoorChannel[] = [];
  for (let channel = 0; channel < channels; channel++) {
    let energy = 0;
    let absmax = 0;
    for (let o = 0; o < outer; o++) {
      const start = (o * channels + channel) * inner;
      for (let i = start; i < start + inner; i++) {
        const value = values[i]!;
        energy += value * value;
        absmax = Math.max(absmax, Math.abs(value));
      }
    }
    const crest = absmax / Math.sqrt(energy / (outer * inner));
    if (dbOf(crest) < POOR_DB) found.push({ channel, crest });
  }
  return found;
}

/** SQNR of the layer's weights under scales of least squared error, above that under the lane's own, dB. */
function gainOf(values: Float32Array, dims: readonly number[], params: QuantParams, axis: number): number {
  const { dtype, granularity } = params;
  const scheme = { dtype, symmetric: true, narrowRange: true };
  const { rmin, rmax } = weightRanges(values, dims, axis, { ...scheme, observer: { kind: 'mse' } });
  const best = paramsFromRange(rmin, rmax, scheme, granularity, 'observer');
  return 10 * Math.log10(noiseOf(values, dims, params) / noiseOf(values, dims, best));
}

function noiseOf(values: Float32Array, dims: readonly number[], params: QuantParams): number {
  const quantized = fakeQuantize(values, dims, params);
  return values.reduce((sum, value, i) => sum + (value - (quantized[i] ?? 0)) ** 2, 0);
}

/** The weights that a file's codes were made from, where a reference has them; computed when asked for. */
function referenceWeights({
  alignment,
}: Pick<Evidence, 'alignment'>): ReadonlyMap<TensorId, () => Float32Array | undefined> {
  return new Map(
    (alignment?.operators ?? []).flatMap(({ constants }) =>
      constants.map((constant) => [constant.candidate, () => constant.values()] as const),
    ),
  );
}
