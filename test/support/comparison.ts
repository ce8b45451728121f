/** Evidence of a comparison written by hand, and constants of two small networks compared for real. */
import type { AlignedConstant, Alignment } from '../../src/diff/alignment/alignment.js';
import { comparedConstants, type ConstantComparison } from '../../src/diff/compared-constants.js';
import type { Suspect } from '../../src/diff/suspects.js';
import type { ComparisonEvidence } from '../../src/doctor/evidence.js';
import { toFloat32 } from '../../src/ir/elements.js';
import { tensorOf, type Graph, type NodeId } from '../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { tensorNamed } from './graph-builder.js';

export function alignmentOf(rest: Partial<Alignment> = {}): Alignment {
  return {
    inputs: [],
    edges: [],
    operators: [],
    outputs: [],
    unmatched: { reference: [], candidate: [] },
    coverage: { matched: 1, total: 1 },
    ...rest,
  };
}

export function comparison(graph: Graph, rest: Partial<ComparisonEvidence> = {}): ComparisonEvidence {
  return {
    graph,
    lane: FLOAT_LANE,
    edges: [],
    constants: [],
    jumps: [],
    reference: { graph, lane: FLOAT_LANE },
    alignment: alignmentOf(),
    compared: [],
    suspects: [],
    ...rest,
  };
}

export function suspect(graph: Graph, name: string, kind: Suspect['kind'], db: number): Suspect {
  return { tensor: tensorNamed(graph, name).id, kind, db };
}

/** Tensors of the same names, those that both have. */
export function edgesByName(reference: Graph, candidate: Graph): Alignment['edges'] {
  return candidate.tensors.flatMap(({ id, name, data }) => {
    const twin = reference.tensors.find((tensor) => tensor.name === name);
    return twin === undefined || data !== undefined
      ? []
      : [{ reference: twin.id, candidate: id, ground: 'name' as const }];
  });
}

/** Operators by their position, constants by their slot: weight, then bias. The networks have the same nodes. */
export function operatorsByPosition(reference: Graph, candidate: Graph): Alignment['operators'] {
  return candidate.nodes.map(({ id, inputs }, at) => ({
    reference: [at as NodeId],
    candidate: [id],
    ground: 'structure' as const,
    constants: inputs.flatMap((own, slot): AlignedConstant[] => {
      const twin = reference.nodes[at]?.inputs[slot];
      if (own === null || twin === null || twin === undefined) return [];
      const data = tensorOf(reference, twin).data;
      if (data === undefined) return [];
      return [
        {
          reference: twin,
          candidate: own,
          role: slot === 1 ? 'weight' : 'bias',
          values: () => toFloat32(data),
        },
      ];
    }),
  }));
}

export function comparedByPosition(
  reference: Graph,
  candidate: Graph,
  lane: Lane = FLOAT_LANE,
): ConstantComparison[] {
  const operators = operatorsByPosition(reference, candidate);
  return comparedConstants({ candidate, lane, alignment: alignmentOf({ operators }) });
}
