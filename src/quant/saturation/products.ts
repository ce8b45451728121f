/**
 * Which products of a quantized network ONNX Runtime computes on x86 with its kernels for uint8 activations and int8 weights.
 *
 * Integer operators of a file do so when their operands have these types. Float operators between QuantizeLinear and DequantizeLinear
 * do when the runtime makes an integer operator of them; it has none for int8 activations on x86, and first makes those uint8 whose
 * codes one DequantizeLinear reads. What it leaves in float does not saturate. Depthwise kernels multiply in 16 bits and add in 32;
 * ConvInteger has its weights on the left, in a kernel that widens both operands. Products of two activations, and weights in batches,
 * are not looked at.
 *
 * Source: onnxruntime/core/optimizer/qdq_transformer, qdq_s8_to_u8.cc, relu_quantizelinear.cc, clip_quantizelinear.cc and
 * selectors_actions/qdq_selectors.cc; onnxruntime/core/providers/cpu/quantization/qlinearconv.cc. fixtures/saturation has a case of each.
 */
import { toFloat32 } from '../../ir/elements.js';
import {
  floatAttr,
  intAttr,
  isFloat,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../../ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../../ir/lane.js';
import { sourceOf } from '../../ir/operators.js';
import { weightAxis } from '../../ir/weights.js';

/** Between codes of the file and those that the kernel multiplies: 128 where the runtime makes uint8 of int8. */
export interface ByteCoding {
  readonly params: QuantParams;
  readonly shift: 0 | 128;
}

export interface SaturableProduct {
  readonly node: Node;
  readonly input: TensorId;
  /** Undefined where DynamicQuantizeLinear takes scale and zero point from the values at hand. */
  readonly coding: ByteCoding | undefined;
  readonly weight: TensorId;
  readonly weights: QuantParams;
  /** Undefined where sums leave the operator as float. */
  readonly output: ByteCoding | undefined;
}

const INTEGER_OPERATORS: ReadonlySet<string> = new Set([
  'QLinearConv',
  'QLinearMatMul',
  'QGemm',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
]);
const FLOAT_OPERATORS: ReadonlySet<string> = new Set(['Conv', 'MatMul', 'Gemm']);

/** In graph order. Empty for TFLite files, which ONNX Runtime does not run, and for lanes without int8 weights. */
export function saturableProducts(graph: Graph, lane: Lane): SaturableProduct[] {
  if (graph.format !== 'onnx') return [];
  return graph.nodes.flatMap((node) => {
    const product = productOf(graph, lane, node);
    return product === undefined ? [] : [product];
  });
}

function productOf(graph: Graph, lane: Lane, node: Node): SaturableProduct | undefined {
  const [input, weight] = node.inputs;
  if (input == null || weight == null || node.domain !== '') return undefined;
  const isInteger = INTEGER_OPERATORS.has(node.origin.op);
  if (!FLOAT_OPERATORS.has(node.op) || (!isInteger && !FLOAT_OPERATORS.has(node.origin.op))) return undefined;
  const weights = weightCoding(graph, lane, node, weight);
  if (weights === undefined || isDepthwise(graph, node, weight)) return undefined;
  if (!isInteger && node.op === 'Gemm' && isScaled(node)) return undefined;
  const isDynamic = lane.dynamic?.has(useKey(node.id, 0)) === true;
  const coding = isDynamic ? undefined : readCoding(graph, lane, node, input, isInteger);
  if (!isDynamic && coding === undefined) return undefined;
  const written = isDynamic ? 'float' : writtenCoding(graph, lane, node, isInteger);
  if (written === undefined) return undefined;
  return { node, input, coding, weight, weights, output: written === 'float' ? undefined : written };
}

function weightCoding(graph: Graph, lane: Lane, node: Node, weight: TensorId): QuantParams | undefined {
  const { data, dtype } = tensorOf(graph, weight);
  const params = lane.uses.get(useKey(node.id, 1)) ?? lane.tensors.get(weight);
  if (data === undefined || !isFloat(dtype) || params?.dtype !== 'int8') return undefined;
  const axis = weightAxis(node, 1, data.dims.length);
  if (axis === undefined || (node.op !== 'Conv' && data.dims.length !== 2)) return undefined;
  const { granularity } = params;
  const fits =
    granularity.kind === 'per-tensor' || (granularity.kind === 'per-axis' && granularity.axis === axis);
  return fits ? params : undefined;
}

/** One input channel for each output channel: kernels of their own. */
function isDepthwise(graph: Graph, node: Node, weight: TensorId): boolean {
  const [channels, inputs] = tensorOf(graph, weight).data?.dims ?? [];
  return node.op === 'Conv' && inputs === 1 && channels === (intAttr(node, 'group') ?? 1);
}

/** The runtime's integer Gemm for float ones takes no factors. */
function isScaled(node: Node): boolean {
  return (floatAttr(node, 'alpha') ?? 1) !== 1 || (floatAttr(node, 'beta') ?? 1) !== 1;
}

function readCoding(
  graph: Graph,
  lane: Lane,
  node: Node,
  input: TensorId,
  isInteger: boolean,
): ByteCoding | undefined {
  const use = lane.uses.get(useKey(node.id, 0));
  const own = lane.tensors.get(input) ?? lane.tensors.get(sourceOf(graph, input));
  const params = use ?? (own?.read === undefined ? own : { ...own, ...own.read });
  return byteCoding(params, !isInteger && (use !== undefined || isMadeUint8(graph, lane, input)));
}

function byteCoding(params: QuantParams | undefined, isMade: boolean): ByteCoding | undefined {
  if (params?.granularity.kind !== 'per-tensor') return undefined;
  if (params.dtype === 'uint8') return { params, shift: 0 };
  return params.dtype === 'int8' && isMade ? { params, shift: 128 } : undefined;
}

/** One QuantizeLinear writes the codes and one DequantizeLinear reads them; each reader gets one of its own. */
function isMadeUint8(graph: Graph, lane: Lane, tensor: TensorId): boolean {
  const readers = (topologyOf(graph).uses[tensor] ?? []).length + (graph.outputs.includes(tensor) ? 1 : 0);
  const stored = lane.stored?.get(tensor);
  if (readers !== 1) return false;
  if (stored === undefined) return lane.stored === undefined;
  const isFed = graph.inputs.includes(tensor) && stored.codes.includes(tensorOf(graph, tensor).name);
  return stored.values.length > 0 && !isFed;
}

/** Undefined where the runtime computes the operator in float. */
function writtenCoding(
  graph: Graph,
  lane: Lane,
  node: Node,
  isInteger: boolean,
): ByteCoding | 'float' | undefined {
  const [output] = node.outputs;
  if (output == null) return undefined;
  const own = quantizerAfter(graph, lane, output);
  if (isInteger) return (own && byteCoding(own.params, false)) ?? 'float';
  if (own !== undefined) return byteCoding(own.params, isMadeUint8(graph, lane, own.tensor));
  const next = onlyReader(graph, output);
  if (next !== undefined && (next.op === 'Relu' || next.op === 'Clip') && next.outputs[0] != null) {
    const behind = quantizerAfter(graph, lane, next.outputs[0]);
    if (behind !== undefined) {
      const coding = byteCoding(behind.params, isMadeUint8(graph, lane, behind.tensor));
      return coding !== undefined && isNoChange(graph, next, coding.params) ? coding : undefined;
    }
  }
  return node.op === 'Conv' ? undefined : 'float';
}

function quantizerAfter(
  graph: Graph,
  lane: Lane,
  tensor: TensorId,
): { readonly params: QuantParams; readonly tensor: TensorId } | undefined {
  const own = lane.tensors.get(tensor);
  if (own !== undefined) return { params: own, tensor };
  const uses = topologyOf(graph).uses[tensor] ?? [];
  const [only] = uses;
  const params = uses.length === 1 && only ? lane.uses.get(useKey(only.node, only.slot)) : undefined;
  return params === undefined ? undefined : { params, tensor };
}

function onlyReader(graph: Graph, tensor: TensorId): Node | undefined {
  const uses = topologyOf(graph).uses[tensor] ?? [];
  const [only] = uses;
  if (only === undefined || uses.length > 1 || graph.outputs.includes(tensor)) return undefined;
  return nodeOf(graph, only.node);
}

/** FLT_EPSILON. */
const EPSILON = 2 ** -23;

/** Whether the quantizer cuts values off where the activation function would: only then do both become one operator. */
function isNoChange(graph: Graph, node: Node, { qmin, qmax, scale, zeroPoint }: QuantParams): boolean {
  const step = scale[0] ?? 0;
  const point = zeroPoint[0] ?? 0;
  if (node.op === 'Relu') return point === qmin;
  const low = limit(graph, node, 1) ?? -Infinity;
  const high = limit(graph, node, 2) ?? Infinity;
  // In float32: the limits often are these very products.
  const lowest = Math.fround((qmin - point) * step);
  const highest = Math.fround((qmax - point) * step);
  return low - lowest <= EPSILON && highest - high <= EPSILON;
}

/** Undefined without one, NaN for one that is no constant. */
function limit(graph: Graph, node: Node, slot: number): number | undefined {
  const named = floatAttr(node, slot === 1 ? 'min' : 'max');
  const id = node.inputs[slot];
  if (id == null) return named;
  const { data } = tensorOf(graph, id);
  return data === undefined ? NaN : (toFloat32(data)[0] ?? NaN);
}
