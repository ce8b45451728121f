/** How much of a quantized file computes with integers, and its float islands. */
import { nodeOf, tensorOf, type Graph, type NodeId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { macsOf } from '../ir/macs.js';
import { operatorForms } from '../quant/placement/float-operators.js';
import { islandsOf, labelsOf } from '../quant/placement/lane-islands.js';
import type { QuantPlan } from '../quant/placement/plan.js';
import { coverageOf } from './assemble.js';
import type { InspectedCoverage } from './inspect-report.js';

/** @param graph with its shapes */
export function inspectedCoverage(graph: Graph, lane: Lane, plan: QuantPlan): InspectedCoverage {
  const macs = (nodes: readonly NodeId[]): number =>
    nodes.reduce((sum, id) => sum + (macsOf(graph, nodeOf(graph, id)) ?? 0), 0);
  const hybrid = operatorForms(graph, lane)
    .filter(({ cause }) => cause?.kind === 'hybrid' || cause?.kind === 'dynamic')
    .map(({ operator }) => operator.main.id);
  return {
    ...coverageOf(graph, plan),
    hybrid: { ops: hybrid.length, macs: macs(hybrid) },
    islands: islandsOf(graph, lane).map(({ nodes, entries, exits, cause, reason }) => ({
      nodes: labelsOf(graph, nodes),
      reason,
      cause,
      entries: entries.map((id) => tensorOf(graph, id).name),
      exits: exits.map((id) => tensorOf(graph, id).name),
      macs: macs(nodes),
    })),
  };
}
