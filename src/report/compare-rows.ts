/** Alignment and measurements -> the parts of the comparison's document, in the user's names. */
import type { AlignedEdge, Alignment, Ground } from '../diff/alignment/alignment.js';
import type { ConstantComparison } from '../diff/compared-constants.js';
import { nodeLabel, nodeOf, tensorOf, type Graph, type NodeId, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { sourceOf } from '../ir/operators.js';
import { storedParams } from '../ir/stored.js';
import { layoutText } from './compare-layout.js';
import type { ComparedConstant, ComparedTensor, ReportedAlignment, UnmatchedNode } from './compare-report.js';
import type { ReportedTensor } from './report.js';

/** Rows of the candidate's tensors with the reference's beside them; rows of constants are left out, they have a part of their own. */
export function comparedRows(
  reference: Graph,
  candidate: Graph,
  { edges }: Alignment,
  rows: readonly ReportedTensor[],
): ComparedTensor[] {
  const twins = new Map(edges.map((edge) => [tensorOf(candidate, edge.candidate).name, edge]));
  return rows.flatMap((row): ComparedTensor[] => {
    const edge = twins.get(row.tensor);
    if (edge === undefined || row.role === 'weight' || row.role === 'bias') return [];
    const layout = edgeLayout(reference, candidate, edge);
    return [
      {
        ...row,
        reference: tensorOf(reference, edge.reference).name,
        ...(layout === undefined ? {} : { layout }),
      },
    ];
  });
}

export function constantRows(
  reference: Graph,
  candidate: Graph,
  compared: readonly ConstantComparison[],
): ComparedConstant[] {
  return compared.map(({ reference: twin, candidate: tensor, node, role, correlation, error }) => ({
    tensor: tensorOf(candidate, tensor).name,
    reference: tensorOf(reference, twin).name,
    node: nodeLabel(nodeOf(candidate, node)),
    role,
    ...(correlation === undefined ? {} : { correlation }),
    ...(error === undefined ? {} : { error }),
  }));
}

export interface AlignedShare {
  readonly matched: number;
  readonly total: number;
}

/** `tensors`: how many of the candidate's measurable tensors have a counterpart. */
export function reportedAlignment(
  reference: Graph,
  candidate: Graph,
  lane: Lane,
  alignment: Alignment,
  tensors: AlignedShare,
): ReportedAlignment {
  const grounds: Partial<Record<Ground, number>> = {};
  for (const { ground } of alignment.edges) grounds[ground] = (grounds[ground] ?? 0) + 1;
  const unmatched = (graph: Graph, nodes: readonly NodeId[]): UnmatchedNode[] =>
    nodes.map((id) => {
      const node = nodeOf(graph, id);
      const output = node.outputs.find((tensor) => tensor !== null);
      return {
        node: nodeLabel(node),
        op: node.origin.op,
        tensor: output === null || output === undefined ? '' : tensorOf(graph, output).name,
      };
    });
  return {
    operators: alignment.coverage,
    tensors,
    grounds,
    inputs: alignment.inputs.map((edge) => {
      const layout = edgeLayout(reference, candidate, edge);
      return {
        candidate: tensorOf(candidate, edge.candidate).name,
        reference: tensorOf(reference, edge.reference).name,
        ...(layout === undefined ? {} : { layout }),
      };
    }),
    outputs: alignment.outputs.map((output) => {
      const tensor = candidate.outputs[output.candidate] as TensorId;
      const twin = output.reference === undefined ? undefined : reference.outputs[output.reference];
      return {
        candidate: tensorOf(candidate, tensor).name,
        position: output.candidate,
        type: portType(candidate, lane, tensor),
        ...(twin === undefined
          ? {}
          : { reference: tensorOf(reference, twin).name, referencePosition: output.reference as number }),
      };
    }),
    unmatched: {
      reference: unmatched(reference, alignment.unmatched.reference),
      candidate: unmatched(candidate, alignment.unmatched.candidate),
    },
  };
}

function edgeLayout(reference: Graph, candidate: Graph, edge: AlignedEdge): string | undefined {
  return layoutText(edge.view, tensorOf(reference, edge.reference), tensorOf(candidate, edge.candidate));
}

function portType(graph: Graph, lane: Lane, tensor: TensorId): string {
  const params = storedParams(graph, lane, tensor) ?? storedParams(graph, lane, sourceOf(graph, tensor));
  if (params === undefined) return tensorOf(graph, tensor).dtype ?? 'unknown';
  const [scale = 0] = params.scale;
  const [point = 0] = params.zeroPoint;
  const code = point === 0 ? 'code' : `(code ${point < 0 ? '+' : '-'} ${Math.abs(point)})`;
  return `${params.dtype}, value = ${code} * ${Number(scale.toPrecision(7))}`;
}
