import { nodeOf, tensorOf, topologyOf, type Graph, type NodeId, type TensorId } from '../../ir/graph.js';
import type { FloatNode, PlannedQuantizer, QuantPlan } from './plan.js';

/**
 * The plan without the quantizers whose range would have to be observed at one of `tensors`, and without those that take their
 * parameters from one that is gone; nodes that read or write such a tensor compute in float. `dropped` lists the tensors that
 * stay in float because of it.
 */
export function withoutObserving(
  graph: Graph,
  plan: QuantPlan,
  tensors: ReadonlySet<TensorId>,
): { readonly plan: QuantPlan; readonly dropped: readonly TensorId[] } {
  const dropped = new Set<TensorId>();
  let kept: readonly PlannedQuantizer[] = plan.quantizers;
  for (;;) {
    const quantized = new Set(kept.map(({ tensor }) => tensor));
    const next = kept.filter(({ range }) => {
      if (range.kind === 'observed') return !tensors.has(range.tensor);
      if (range.kind === 'same-as') return quantized.has(range.tensor);
      return range.kind !== 'bias' || (quantized.has(range.input) && quantized.has(range.weight));
    });
    if (next.length === kept.length) break;
    const left = new Set(next);
    for (const quantizer of kept) if (!left.has(quantizer)) dropped.add(quantizer.tensor);
    kept = next;
  }
  const float = floatNodes(graph, plan, dropped);
  const isFloat = new Set(float.map(({ node }) => node));
  return {
    plan: {
      ...plan,
      quantizers: kept,
      quantizedNodes: plan.quantizedNodes.filter((node) => !isFloat.has(node)),
      floatNodes: [...plan.floatNodes, ...float].sort((a, b) => a.node - b.node),
    },
    dropped: [...dropped],
  };
}

/** Nodes of the plan that read or write one of the tensors, and those fused into them. */
function floatNodes(graph: Graph, plan: QuantPlan, tensors: ReadonlySet<TensorId>): FloatNode[] {
  const { uses } = topologyOf(graph);
  const fused = new Set(plan.fusedAway);
  const culprits = new Map<NodeId, TensorId>();
  // Readers come later than what they read: from the back, a fused operator is known before those in front of it.
  for (const id of plan.quantizedNodes.toReversed()) {
    const { inputs, outputs } = nodeOf(graph, id);
    for (const tensor of [...inputs, ...outputs]) {
      if (tensor === null) continue;
      const reader = fused.has(tensor) ? uses[tensor]?.[0]?.node : undefined;
      const culprit = tensors.has(tensor) ? tensor : reader === undefined ? undefined : culprits.get(reader);
      if (culprit !== undefined) culprits.set(id, culprit);
    }
  }
  return [...culprits].map(([node, tensor]) => ({
    node,
    reason: `'${tensorOf(graph, tensor).name}' is not quantized`,
  }));
}
