/** What attributes and constant inputs say about one node, where a placement rule depends on it. */
import { toFloat32 } from '../../ir/elements.js';
import type { Graph, Node, Tensor, TensorId } from '../../ir/graph.js';
import { floatAttr, intAttr, isFloat, stringAttr, tensorOf } from '../../ir/graph.js';
import type { WeightInput } from './rules.js';

/** Modes of Pad that put in values which the input has. */
const PAD_MODES_WITHIN_INPUT: ReadonlySet<string> = new Set(['reflect', 'edge', 'wrap']);

/** Exporters write the largest float32 for "no limit". */
const NO_LIMIT = 3e38;

/** Whether a Relu or Clip clips to one of the known pairs of limits (Infinity: none). */
export function clipsTo(graph: Graph, node: Node, known: readonly (readonly [number, number])[]): boolean {
  const limits = node.op === 'Relu' ? ([0, Infinity] as const) : clipLimits(graph, node);
  return limits !== undefined && known.some(([low, high]) => low === limits[0] && high === limits[1]);
}

/** Limits of a Clip, as attributes (to opset 10) or inputs; undefined where the model computes them. */
export function clipLimits(graph: Graph, node: Node): readonly [number, number] | undefined {
  const limit = (slot: number, name: string, none: number): number | undefined => {
    const tensor = node.inputs[slot];
    const value = tensor == null ? (floatAttr(node, name) ?? none) : floatScalar(graph, tensor);
    return value !== undefined && Math.abs(value) >= NO_LIMIT ? none : value;
  };
  const low = limit(1, 'min', -Infinity);
  const high = limit(2, 'max', Infinity);
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** Whether a Pad puts in only values that are in the input, or zero, which every quantizer represents. */
export function padsWithinInput(graph: Graph, node: Node): boolean {
  const mode = stringAttr(node, 'mode') ?? 'constant';
  if (mode !== 'constant') return PAD_MODES_WITHIN_INPUT.has(mode);
  const value = node.inputs[2];
  return (value == null ? (floatAttr(node, 'value') ?? 0) : floatScalar(graph, value)) === 0;
}

/** Dimension of the weight with one scale per index; undefined where it has no such dimension. */
export function weightAxis(node: Node, weight: Tensor, input: WeightInput): number | undefined {
  const axis = input.axis === 'transB' ? ((intAttr(node, 'transB') ?? 0) > 0 ? 0 : 1) : input.axis;
  const rank = weight.data?.dims.length ?? 0;
  return axis < rank && (input.rank ?? rank) === rank ? axis : undefined;
}

function floatScalar(graph: Graph, tensor: TensorId): number | undefined {
  const { data } = tensorOf(graph, tensor);
  return data !== undefined && isFloat(data.dtype) ? toFloat32(data)[0] : undefined;
}
