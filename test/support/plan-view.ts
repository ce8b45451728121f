/** Plans in words, for tests. */
import type { Graph } from '../../src/ir/graph.js';
import { nodeLabel, nodeOf, tensorOf } from '../../src/ir/graph.js';
import type { PlannedQuantizer, QuantPlan } from '../../src/quant/placement/plan.js';

/** The graph with every tensor of unknown type taken as float32: the graph builder infers no types. */
export function withFloatTensors(graph: Graph): Graph {
  const tensors = graph.tensors.map((tensor) => ({ ...tensor, dtype: tensor.dtype ?? ('float32' as const) }));
  return { ...graph, tensors };
}

/**
 * Tensor name (with `@node` when only that node reads it so) -> where its parameters come from: 'own', 'like T',
 * 'range of T', '[0, 1]', '1/256 -128', 'bias x*w'; with `/axis` when per-axis.
 */
export function planView(graph: Graph, plan: QuantPlan): Record<string, string> {
  return Object.fromEntries(plan.quantizers.map((one) => [keyView(graph, one), rangeView(graph, one)]));
}

function keyView(graph: Graph, { tensor, use }: PlannedQuantizer): string {
  const { name } = tensorOf(graph, tensor);
  return use === undefined ? name : `${name}@${nodeLabel(nodeOf(graph, use.node))}`;
}

function rangeView(graph: Graph, { tensor, range, axis }: PlannedQuantizer): string {
  const at = axis === undefined ? '' : ` /${axis}`;
  switch (range.kind) {
    case 'observed':
      return (range.tensor === tensor ? 'own' : `range of ${tensorOf(graph, range.tensor).name}`) + at;
    case 'limits':
      return `[${range.rmin}, ${range.rmax}]`;
    case 'fixed':
      return `1/${1 / range.scale} ${range.zeroPoint}`;
    case 'same-as':
      return `like ${tensorOf(graph, range.tensor).name}`;
    case 'bias':
      return `bias ${tensorOf(graph, range.input).name}*${tensorOf(graph, range.weight).name}${at}`;
  }
}

export function nodeNames(graph: Graph, nodes: QuantPlan['quantizedNodes']): string[] {
  return nodes.map((node) => nodeLabel(nodeOf(graph, node)));
}

export function tensorNames(graph: Graph, tensors: QuantPlan['fusedAway']): string[] {
  return tensors.map((tensor) => tensorOf(graph, tensor).name);
}

export function floatReasons(graph: Graph, plan: QuantPlan): Record<string, string> {
  return Object.fromEntries(
    plan.floatNodes.map(({ node, reason }) => [nodeLabel(nodeOf(graph, node)), reason]),
  );
}
