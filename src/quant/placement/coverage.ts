/** How much of a quantized file computes with integers, in operators and in multiply-accumulates, and its float islands. */
import { elementCount } from '../../ir/elements.js';
import { nodeOf, type Graph, type NodeId } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { macsOf } from '../../ir/macs.js';
import { weightsOf } from '../../ir/weights.js';
import { operatorForms, type FloatCauseKind } from './float-operators.js';
import { islandsOf, type FloatIsland } from './lane-islands.js';

/** Of operators that compute with numbers; conversions between float and integer are none. */
export interface Share {
  readonly ops: number;
  /** Elements of their constant weights: what tells how much they compute where extents are open. */
  readonly weights: number;
  readonly macs: number;
}

export interface CoveredIsland extends FloatIsland {
  readonly macs: number;
}

export interface LaneCoverage {
  readonly total: Share;
  /** All floating-point edges have quantizers. */
  readonly quantized: Share;
  /** Integers are multiplied, made of float activations while the operator runs. */
  readonly hybrid: Share;
  /** Weights are integers in the file and floats when the operator computes. */
  readonly weightsOnly: Share;
  readonly islands: readonly CoveredIsland[];
  /** Whether extents are fixed where operators multiply: else `macs` are those that could be counted. */
  readonly isCounted: boolean;
}

/** @param graph with its shapes */
export function laneCoverage(graph: Graph, lane: Lane): LaneCoverage {
  const forms = operatorForms(graph, lane);
  const weights = new Map<NodeId, number>();
  for (const { node, data } of weightsOf(graph)) {
    weights.set(node.id, (weights.get(node.id) ?? 0) + elementCount(data.dims));
  }
  const macs = (nodes: readonly NodeId[]): number =>
    nodes.reduce((sum, id) => sum + (macsOf(graph, nodeOf(graph, id)) ?? 0), 0);
  const shareOf = (includes: (cause: FloatCauseKind | undefined) => boolean): Share => {
    const nodes = forms.filter(({ cause }) => includes(cause?.kind)).map(({ operator }) => operator.main.id);
    return {
      ops: nodes.length,
      weights: nodes.reduce((sum, id) => sum + (weights.get(id) ?? 0), 0),
      macs: macs(nodes),
    };
  };
  return {
    total: shareOf(() => true),
    quantized: shareOf((cause) => cause === undefined),
    hybrid: shareOf((cause) => cause === 'hybrid' || cause === 'dynamic'),
    weightsOnly: shareOf((cause) => cause === 'weights-only'),
    isCounted: forms.every(({ operator: { main } }) => macsOf(graph, main) !== undefined),
    islands: islandsOf(graph, lane).map((island) => ({ ...island, macs: macs(island.nodes) })),
  };
}
