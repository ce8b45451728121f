/** What a quantized file shows of how it was made: only what stands in it. */
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane, QuantParams } from '../ir/lane.js';
import { weightsOf } from '../ir/weights.js';
import { axisLayout } from '../quant/affine.js';
import { plural } from './format.js';
import type { QuantizationOrigin } from './inspect-report.js';

/** Names that fake quantization leaves on tensors: TensorFlow's and Keras', PyTorch's, NVIDIA's toolkits'. */
const FAKE_QUANTIZED =
  /fake_?quant|LastValueQuant|MovingAvg(?:erage)?Quant|_(?:weight|input|output)_quantizer|(?:^|\/)quant_[a-z]/i;

/** Largest code of a channel over the end of its type. A scale that is a tenth wider than its weights is none of their extremes. */
const REACHED = 1 / 1.1;

export function originOf(graph: Graph, lane: Lane): QuantizationOrigin {
  const scales = weightScales(graph, lane);
  const named = graph.tensors.filter(({ name }) => FAKE_QUANTIZED.test(name)).length;
  const rounded = graph.nodes.filter(({ origin }) => origin.op === 'FAKE_QUANT').length;
  return {
    evidence: [
      ...producerEvidence(graph, lane),
      ...(rounded === 0
        ? []
        : [`${plural(rounded, 'FAKE_QUANT operator')} left in the graph: an unfinished conversion`]),
      ...(named === 0
        ? ['no trace of quantization-aware training: no tensor is named after fake quantization']
        : [
            `${plural(named, 'tensor')} named after fake quantization: the graph was trained or calibrated with it before the export`,
          ]),
      ...(scales === undefined ? [] : [scalesEvidence(scales)]),
    ],
    ...(scales === undefined ? {} : { weightScales: scales }),
  };
}

function producerEvidence({ producer, format, metadata }: Graph, lane: Lane): string[] {
  const types = new Set([...lane.tensors.values()].map(({ dtype }) => dtype));
  if (format === 'tflite' && /^TOCO/.test(producer)) {
    return types.has('uint8')
      ? [
          "TensorFlow 1's converter (TOCO) wrote uint8: it has no calibration of its own, so ranges come from fake quantization in the " +
            'training graph, or from --default_ranges',
        ]
      : ["TensorFlow 1's converter (TOCO)"];
  }
  if (format === 'tflite' && /^MLIR/.test(producer))
    return ["TensorFlow 2's converter (MLIR); it takes trained and calibrated ranges alike"];
  if (/^onnx\.quantize/.test(producer) || metadata.get('onnx.infer') === 'onnxruntime.quant') {
    return ["ONNX Runtime's quantizer, which works after training"];
  }
  return [];
}

/**
 * Whether scales are the extremes of the weights that they scale: then the code of the largest weight of each channel is the last one.
 * Undefined when no weight has 8-bit codes.
 */
function weightScales(graph: Graph, lane: Lane): QuantizationOrigin['weightScales'] {
  let [minMax, narrower, total] = [0, 0, 0];
  for (const { tensor } of weightsOf(graph)) {
    const params = lane.tensors.get(tensor);
    const reached = params === undefined ? undefined : reachOf(graph, lane, tensor, params);
    if (reached === undefined) continue;
    total++;
    if (reached >= REACHED) minMax++;
    else narrower++;
  }
  return total === 0 ? undefined : { minMax, narrower, total };
}

/** Median over the channels of the share of the type's codes that is used. */
function reachOf(graph: Graph, lane: Lane, tensor: TensorId, params: QuantParams): number | undefined {
  const codes = lane.codes?.get(tensor);
  const { dtype, granularity, zeroPoint } = params;
  if (codes?.dtype !== dtype || (dtype !== 'int8' && dtype !== 'uint8') || granularity.kind === 'per-block')
    return undefined;
  const bytes = codes.bytes();
  const values = dtype === 'int8' ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
  if (values.length === 0) return undefined;
  const axis = granularity.kind === 'per-axis' ? granularity.axis : undefined;
  const { outer, channels, inner } = axisLayout(
    values.length,
    tensorOf(graph, tensor).data?.dims ?? [],
    axis,
  );
  const shares: number[] = [];
  for (let c = 0; c < channels; c++) {
    let [low, high] = [Infinity, -Infinity];
    for (let o = 0; o < outer; o++) {
      const start = (o * channels + c) * inner;
      for (let i = start; i < start + inner; i++) {
        const value = values[i] ?? 0;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const point = zeroPoint[c] ?? 0;
    // A channel of zeros has any scale.
    if (low === point && high === point) continue;
    shares.push(dtype === 'int8' ? Math.max(point - low, high - point) / 127 : (high - low) / 254);
  }
  return shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)];
}

function scalesEvidence({ minMax, total }: NonNullable<QuantizationOrigin['weightScales']>): string {
  if (minMax === total) {
    return 'the scales of all weights are their extremes (min-max), as calibration and most training leave them';
  }
  const others = total - minMax;
  return (
    `the scales of ${others} of ${plural(total, 'weight')} are wider than the weights need: ranges that were trained or averaged ` +
    '(quantization-aware training), or widened for a bias'
  );
}
