/** The layers of a quantized network: what can be kept in float, or quantized, as one. */
import { nodeLabel, nodeOf, type Graph, type NodeId, type TensorId } from '../ir/graph.js';
import { operatorsOf } from '../ir/operators.js';
import type { QuantPlan } from './placement/plan.js';

/** An operator of the file that the plan computes with integers, with what is fused into it. */
export interface Layer {
  /** As the user's file calls its first operator. */
  readonly name: string;
  /** Operators of the file in it, such as `Conv+Relu`. */
  readonly op: string;
  /** In graph order, those that only bring a tensor into another order of axes left out. */
  readonly nodes: readonly NodeId[];
  /** What it writes. */
  readonly output: TensorId;
}

/** In graph order. */
export function layersOf(graph: Graph, plan: QuantPlan): Layer[] {
  const fused = new Set(plan.fusedAway);
  const quantized = new Set(plan.quantizedNodes);
  /** Writers of tensors inside a fused operator, until the operator that closes it. */
  const open = new Map<TensorId, NodeId[]>();
  const layers: Layer[] = [];
  for (const { main, nodes } of operatorsOf(graph)) {
    const before = nodes.flatMap(({ inputs }) =>
      inputs.flatMap((id) => {
        const chain = id === null ? undefined : open.get(id);
        if (id !== null) open.delete(id);
        return chain ?? [];
      }),
    );
    const all = [...before, ...nodes.map(({ id }) => id)];
    const output = (nodes.at(-1) ?? main).outputs.find((id) => id !== null);
    if (output === undefined || output === null) continue;
    if (fused.has(output) && graph.inner?.has(output) !== true) {
      open.set(output, all);
      continue;
    }
    if (!all.some((node) => quantized.has(node))) continue;
    const mains = all.map((id) => nodeOf(graph, id)).filter(({ origin }) => origin.part === undefined);
    const [first = main] = mains;
    const op = (mains.length > 0 ? mains : [main]).map(({ origin }) => origin.op).join('+');
    layers.push({ name: nodeLabel(first), op, nodes: all, output });
  }
  return layers;
}
