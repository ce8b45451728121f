/** How much of a quantized file computes with integers, and its float islands. */
import { tensorOf, type Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { laneCoverage } from '../quant/placement/coverage.js';
import { labelsOf } from '../quant/placement/lane-islands.js';
import type { QuantPlan } from '../quant/placement/plan.js';
import { coverageOf } from './assemble.js';
import type { InspectedCoverage } from './inspect-report.js';

/** @param graph with its shapes */
export function inspectedCoverage(graph: Graph, lane: Lane, plan: QuantPlan): InspectedCoverage {
  const { hybrid, islands } = laneCoverage(graph, lane);
  return {
    ...coverageOf(graph, plan),
    hybrid: { ops: hybrid.ops, macs: hybrid.macs },
    islands: islands.map(({ nodes, entries, exits, cause, reason, macs }) => ({
      nodes: labelsOf(graph, nodes),
      reason,
      cause,
      entries: entries.map((id) => tensorOf(graph, id).name),
      exits: exits.map((id) => tensorOf(graph, id).name),
      macs,
    })),
  };
}
