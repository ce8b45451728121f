/** The activation function that TFLite fuses into an operator, as the range of codes that its kernel clamps to. */
import { tensorOf, type Graph, type Node, type TensorId } from '../../ir/graph.js';
import { toFloat64 } from '../../ir/elements.js';
import type { Affine } from './affine.js';
import { roundHalfAway } from './fixed-point.js';
import type { OperatorCall } from './kernel.js';

/** Real limits of the nodes behind the main one: Relu, or Clip with constant bounds. */
function realRange({ graph, nodes, main }: OperatorCall): readonly [lowest: number, highest: number] {
  let [lowest, highest] = [-Infinity, Infinity];
  for (const node of nodes.slice(nodes.indexOf(main) + 1)) {
    if (node.op === 'Relu') lowest = Math.max(lowest, 0);
    if (node.op !== 'Clip') continue;
    lowest = Math.max(lowest, boundOf(graph, node, 1) ?? -Infinity);
    highest = Math.min(highest, boundOf(graph, node, 2) ?? Infinity);
  }
  return [lowest, highest];
}

function boundOf(graph: Graph, node: Node, slot: number): number | undefined {
  const tensor: TensorId | null | undefined = node.inputs[slot];
  const data = tensor === null || tensor === undefined ? undefined : tensorOf(graph, tensor).data;
  return data === undefined ? undefined : toFloat64(data)[0];
}

/**
 * CalculateActivationRangeQuantized (tensorflow/lite/kernels/kernel_util.cc): codes of the limits, within those of the type. A
 * function with other limits (tanh) is not known to TFLite's integer kernels, which leave it out.
 */
export function activationRange(
  call: OperatorCall,
  { scale, zeroPoint, lowest, highest }: Affine,
): readonly [lowest: number, highest: number] {
  const [from, to] = realRange(call);
  const codeOf = (real: number): number => zeroPoint + roundHalfAway(Math.fround(real / scale));
  return [
    from === -Infinity ? lowest : Math.max(lowest, codeOf(from)),
    to === Infinity ? highest : Math.min(highest, codeOf(to)),
  ];
}
