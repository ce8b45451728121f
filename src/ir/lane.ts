/**
 * Quantization annotations: which edges of a graph are quantized in one run, and how.
 *
 * Affine quantization, ONNX QuantizeLinear: q = clamp(roundHalfEven(x / scale) + zeroPoint, qmin, qmax),
 * x' = (q - zeroPoint) * scale. https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
 */
import type { ConstantData, NodeId, TensorId } from './graph.js';

export type QDType = 'int2' | 'int4' | 'uint4' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'int64';

export type Granularity =
  | { readonly kind: 'per-tensor' }
  | { readonly kind: 'per-axis'; readonly axis: number }
  /** One scale for every `blockSize` consecutive indices of `axis`, for each index of all other axes, in row-major order. */
  | { readonly kind: 'per-block'; readonly axis: number; readonly blockSize: number };

export interface QuantParams {
  readonly dtype: QDType;
  /** Integer limits in use: [-127, 127] for narrow-range int8, else the dtype's own. */
  readonly qmin: number;
  readonly qmax: number;
  readonly granularity: Granularity;
  /** float32 values: one per tensor, one per index of the axis, or one per block. */
  readonly scale: Float32Array;
  /** Same length as `scale`. */
  readonly zeroPoint: Int32Array;
  readonly source: 'file' | 'observer' | 'fixed' | 'derived' | 'edit';
  /**
   * Where a file reads codes with other parameters than it writes them with: those that the reader has. x' is then
   * (q - read.zeroPoint) * read.scale. Same lengths as above.
   */
  readonly read?: { readonly scale: Float32Array; readonly zeroPoint: Int32Array };
}

/** Whether a code of one stands for the same value as that code of the other. */
export function hasSameCodes(a: QuantParams, b: QuantParams): boolean {
  return (
    a === b || (a.dtype === b.dtype && isSameList(a.scale, b.scale) && isSameList(a.zeroPoint, b.zeroPoint))
  );
}

function isSameList(a: Float32Array | Int32Array, b: Float32Array | Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** Integer range of each storage type. */
export const QRANGE: Readonly<Record<QDType, readonly [qmin: number, qmax: number]>> = {
  int2: [-2, 1],
  int4: [-8, 7],
  uint4: [0, 15],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
  // What a double holds exactly: accumulators of 16-bit activations stay far below.
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** Key of one input of one node, for quantizers that only that consumer sees. */
export type UseKey = `${number}:${number}`;
export function useKey(node: NodeId, slot: number): UseKey {
  return `${node}:${slot}`;
}

/** Parameters of a file that its runtime would read in another way than they are written, or refuse. They are kept as they are. */
export interface LaneFault {
  readonly tensor: TensorId;
  readonly kind: 'axis' | 'axis-extent' | 'scale-count' | 'zero-point-count' | 'zero-point-type';
  /** The values met and those wanted, in the file's terms. */
  readonly message: string;
}

/**
 * How a hybrid kernel, which multiplies stored codes of its weights with a float activation, brings the activation to 8 bits: with
 * parameters from the values at hand, each time it runs. 'symmetric': codes of -127 to 127 around 0. 'asymmetric': codes of -128
 * to 127 around a zero point. 'packed': symmetric, in the kernel for two 4-bit weights a byte.
 */
export type HybridInput = 'symmetric' | 'asymmetric' | 'packed';

/**
 * A quantizer whose parameters come from the values at hand, each time it runs. DynamicQuantizeLinear: uint8, from the smallest and
 * largest value and 0, one pair for the tensor. https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
 */
export interface DynamicQuantizer {
  readonly kind: 'dynamic-quantize-linear';
}

/** What a file calls a quantized tensor of the graph: where it has its codes, and where values read back from them. */
export interface StoredNames {
  readonly codes: readonly string[];
  readonly values: readonly string[];
}

/** Quantizing or dequantizing that stays a node of the graph because it could not become a quantizer of an edge. */
export interface Unfolded {
  readonly node: NodeId;
  readonly reason: string;
}

/** Which edges of a graph are quantized in one run, and how. The empty lane is the float run. */
export interface Lane {
  readonly name: string;
  /** Quantizers right after the value exists: every consumer (and a graph output) reads the quantized value. Weights and biases too. */
  readonly tensors: ReadonlyMap<TensorId, QuantParams>;
  /** Quantizers on one input of one node; they replace the tensor's own for that use. */
  readonly uses: ReadonlyMap<UseKey, QuantParams>;
  /** Of a lane that a file came with: the codes of its constants as stored, axes in the IR's order. The constants are their values. */
  readonly codes?: ReadonlyMap<TensorId, ConstantData>;
  /**
   * Whose integer kernels compute operators with quantized inputs and outputs, those that the file itself has as integer operators; the
   * others, and all when absent, are float operators between quantizers.
   */
  readonly arithmetic?: 'tflite' | 'onnxruntime';
  /** Operators that hybrid kernels of that arithmetic compute, by the node that stands for each. */
  readonly hybrid?: ReadonlyMap<NodeId, HybridInput>;
  /** What is wrong with the parameters of a lane that came from a file. */
  readonly faults?: readonly LaneFault[];
  /** Inputs of nodes that are quantized with parameters from the data. */
  readonly dynamic?: ReadonlyMap<UseKey, DynamicQuantizer>;
  /** Constants that have other values in this lane than in the graph: same type and dims. */
  readonly values?: ReadonlyMap<TensorId, ConstantData>;
  /** Of a lane that an ONNX file came with, for each tensor that has codes in it. In TFLite a tensor is its codes. */
  readonly stored?: ReadonlyMap<TensorId, StoredNames>;
  readonly unfolded?: readonly Unfolded[];
}

export const FLOAT_LANE: Lane = { name: 'float', tensors: new Map(), uses: new Map() };
