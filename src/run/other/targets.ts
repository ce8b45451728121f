/** Which tensors of a network can be set beside those of another implementation, and what their codes are. */
import { edgesOf } from '../../compile/edges.js';
import { uncomputed } from '../../compile/evaluation-order.js';
import { quantizerOf } from '../../compile/measurement-program.js';
import { elementCount } from '../../ir/elements.js';
import { isFloat, nodeLabel, nodeOf, tensorOf, topologyOf, type TensorId } from '../../ir/graph.js';
import { hasSameCodes, useKey, type QuantParams } from '../../ir/lane.js';
import type { Candidate, OtherRun } from '../other-run.js';

export interface Target {
  readonly tensor: TensorId;
  readonly name: string;
  /** Label and operator of the node that writes it; '' for inputs. */
  readonly node: string;
  readonly op: string;
  readonly dims: readonly number[];
  readonly count: number;
  /** Absent for tensors without codes. */
  readonly coding?: Coding;
}

/** How values of a tensor and codes stand for each other. */
export interface Coding {
  /** From a simulated value to its code. */
  readonly encode: QuantParams;
  /** From a code to its value, as those that read it have it. */
  readonly decode: QuantParams;
}

type Skipped = OtherRun['skipped'];

/**
 * Activations of fixed shape in graph order, inputs first, and outputs of any number type.
 *
 * @returns `skipped`: tensors of the file that cannot be compared
 */
export function targetsOf(candidate: Candidate): { targets: Target[]; skipped: Skipped } {
  const { graph } = candidate;
  const { edges, unmeasured } = edgesOf(graph, new Set());
  const { producer } = topologyOf(graph);
  const missing = uncomputed(graph);
  const dimsOf = new Map(edges.map(({ tensor, dims }) => [tensor, dims]));
  for (const id of graph.outputs) {
    const { dtype, shape, data } = tensorOf(graph, id);
    if (dtype === undefined || isFloat(dtype) || data !== undefined || missing.has(id)) continue;
    if (!/^(?:u?int\d+|bool)$/.test(dtype) || graph.inner?.has(id) === true) continue;
    const dims = shape?.filter((dim) => typeof dim === 'number');
    if (dims?.length === shape?.length && dims !== undefined && elementCount(dims) > 0) dimsOf.set(id, dims);
  }
  const order = [...graph.inputs, ...graph.nodes.flatMap(({ outputs }) => outputs)];
  const targets = order.flatMap((tensor): Target[] => {
    const dims = tensor === null ? undefined : dimsOf.get(tensor);
    if (tensor === null || dims === undefined) return [];
    const made = producer[tensor];
    const node = made === undefined ? undefined : nodeOf(graph, made);
    const coding = codingOf(candidate, tensor);
    return [
      {
        tensor,
        name: tensorOf(graph, tensor).name,
        node: node === undefined ? '' : nodeLabel(node),
        op: node?.origin.op ?? '',
        dims,
        count: elementCount(dims),
        ...(coding === undefined ? {} : { coding }),
      },
    ];
  });
  const skipped = unmeasured.map(({ tensor, reason }) => ({ subject: tensorOf(graph, tensor).name, reason }));
  return { targets, skipped };
}

/** Undefined where the tensor has no codes, or several kinds of them. */
export function codingOf({ graph, lane }: Candidate, tensor: TensorId): Coding | undefined {
  const params = quantizerOf(graph, lane, tensor);
  if (params === undefined || params.granularity.kind === 'per-block' || params.dtype === 'int64')
    return undefined;
  const decode: QuantParams = params.read === undefined ? params : { ...params, ...params.read };
  // Simulated are the values that codes stand for, or, where only readers quantize, what these read.
  if (lane.tensors.has(tensor)) return { encode: decode, decode };
  const uses = topologyOf(graph).uses[tensor] ?? [];
  const kinds = uses.flatMap(({ node, slot }) => lane.uses.get(useKey(node, slot)) ?? []);
  return kinds.every((other) => hasSameCodes(other, params)) ? { encode: params, decode } : undefined;
}
