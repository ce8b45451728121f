/**
 * Operators whose float constants ONNX Runtime would quantize by itself.
 *
 * Its WeightBiasQuantization, part of the default optimizations, gives every Conv, ConvTranspose and Gemm between a DequantizeLinear
 * and a QuantizeLinear 8-bit weights with one scale, and an int32 bias: a layer that a lane keeps in float would be integers again,
 * and worse ones. (onnxruntime/core/optimizer/qdq_transformer/weight_bias_quantization.cc)
 */
import { toFloat32 } from '../ir/elements.js';
import { tensorOf, topologyOf, type Graph, type Node, type TensorId } from '../ir/graph.js';
import { QRANGE, useKey, type Lane, type QuantParams } from '../ir/lane.js';

/** With a constant weight in slot 1. MatMul with an Add behind it becomes Gemm. */
const PRODUCTS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);
/** Operators through which quantizers are moved, or that are merged with a product: what is behind them counts as beside it. */
const PASSED: ReadonlySet<string> = new Set([
  'Add',
  'BatchNormalization',
  'Cast',
  'Clip',
  'Div',
  'Dropout',
  'Expand',
  'Flatten',
  'Identity',
  'MaxPool',
  'Mul',
  'Pad',
  'Relu',
  'Reshape',
  'Slice',
  'Squeeze',
  'Sub',
  'Transpose',
  'Unsqueeze',
]);

/** Nodes whose input has to be kept apart from the quantizer before it, for their constants to stay as the lane has them. */
export function guardedNodes(graph: Graph, lane: Lane): Node[] {
  return graph.nodes.filter(
    (node) =>
      node.domain === '' &&
      PRODUCTS.has(node.op) &&
      isHarmed(graph, lane, node) &&
      readsQuantized(graph, lane, node) &&
      leadsToQuantizer(graph, lane, node),
  );
}

/**
 * Whether integers in the place of a float constant would be seen: always those of a weight; those of a bias where they overflow, or
 * where the model could not be loaded.
 */
function isHarmed(graph: Graph, lane: Lane, node: Node): boolean {
  const [input, weight, bias] = node.inputs;
  if (input === undefined || input === null || weight === undefined || weight === null) return false;
  if (tensorOf(graph, weight).data === undefined) return false;
  const params = quantizerOf(lane, node, 1, weight);
  if (params === undefined) return tensorOf(graph, weight).dtype === 'float32';
  if (bias === undefined || bias === null || quantizerOf(lane, node, 2, bias) !== undefined) return false;
  const data = lane.values?.get(bias) ?? tensorOf(graph, bias).data;
  // The bias gets one scale per channel, which DequantizeLinear of ai.onnx does not have before.
  if (data !== undefined && params.granularity.kind === 'per-axis' && (graph.opsets.get('') ?? 0) < 13)
    return true;
  const scale = quantizerOf(lane, node, 0, input)?.scale[0];
  if (data === undefined || scale === undefined) return false;
  const [, most] = QRANGE.int32;
  return toFloat32(data).some((value, at) => {
    const step = scale * (params.scale[at % params.scale.length] ?? 1);
    return Math.abs(value) > most * step;
  });
}

function quantizerOf(lane: Lane, node: Node, slot: number, tensor: TensorId): QuantParams | undefined {
  return lane.uses.get(useKey(node.id, slot)) ?? lane.tensors.get(tensor);
}

function readsQuantized(graph: Graph, lane: Lane, node: Node): boolean {
  const { producer } = topologyOf(graph);
  const seen = new Set<Node>();
  for (let at: Node | undefined = node; at !== undefined && !seen.has(at);) {
    seen.add(at);
    const input: TensorId | null | undefined = at.inputs[0];
    if (input === undefined || input === null) return false;
    if (quantizerOf(lane, at, 0, input) !== undefined) return true;
    const writer: Node | undefined = graph.nodes[producer[input] ?? -1];
    at = writer !== undefined && PASSED.has(writer.op) ? writer : undefined;
  }
  return false;
}

function leadsToQuantizer(graph: Graph, lane: Lane, { outputs }: Node): boolean {
  const { uses } = topologyOf(graph);
  const pending = [outputs[0] ?? null];
  const seen = new Set<TensorId>();
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (tensor === null || seen.has(tensor)) continue;
    seen.add(tensor);
    if (lane.tensors.has(tensor)) return true;
    for (const { node: id, slot } of uses[tensor] ?? []) {
      if (lane.uses.has(useKey(id, slot))) return true;
      const reader = graph.nodes[id];
      if (reader !== undefined && PASSED.has(reader.op)) pending.push(reader.outputs[0] ?? null);
    }
  }
  return false;
}
