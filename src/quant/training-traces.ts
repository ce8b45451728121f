/** What a quantized file shows of quantization-aware training: names that it leaves, and scales that are not the extremes of the weights. */
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane, QuantParams } from '../ir/lane.js';
import { weightsOf } from '../ir/weights.js';
import { axisLayout } from './affine.js';

/** Names that fake quantization leaves on tensors: TensorFlow's and Keras', PyTorch's, NVIDIA's toolkits'. */
const FAKE_QUANTIZED =
  /fake_?quant|LastValueQuant|MovingAvg(?:erage)?Quant|_(?:weight|input|output)_quantizer|(?:^|\/)quant_[a-z]/i;

/** Largest code of a channel over the end of its type. A scale that is a tenth wider than its weights is none of their extremes. */
const REACHED = 1 / 1.1;

export interface TrainingTraces {
  /** Tensors named after fake quantization. */
  readonly named: number;
  /** FAKE_QUANT operators that are still there: an unfinished conversion. */
  readonly operators: number;
}

export function trainingTraces({ tensors, nodes }: Graph): TrainingTraces {
  return {
    named: tensors.filter(({ name }) => FAKE_QUANTIZED.test(name)).length,
    operators: nodes.filter(({ origin }) => origin.op === 'FAKE_QUANT').length,
  };
}

/** Weights with 8-bit codes, by whether their scales are their extremes. */
export interface WeightScales {
  /** Codes reach the end of the type, or that of 7 bits. */
  readonly minMax: number;
  readonly narrower: number;
  readonly total: number;
}

/**
 * Whether scales are the extremes of the weights that they scale: then the code of the largest weight of each channel is the last one.
 * Undefined when no weight has 8-bit codes.
 */
export function weightScales(graph: Graph, lane: Lane): WeightScales | undefined {
  let [minMax, narrower, total] = [0, 0, 0];
  for (const { tensor } of weightsOf(graph)) {
    const params = lane.tensors.get(tensor);
    const reached = params === undefined ? undefined : reachOf(graph, lane, tensor, params);
    if (reached === undefined) continue;
    total++;
    if (reached >= REACHED || isReduced(reached)) minMax++;
    else narrower++;
  }
  return total === 0 ? undefined : { minMax, narrower, total };
}

/** Weights of 7 bits, as `reduce_range=True` of ONNX Runtime's quantizer makes them: their largest code is 63 or 64 of 127. */
function isReduced(reached: number): boolean {
  return Math.abs(127 * reached - 63.5) <= 1;
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
