/** Where another implementation first departs from the simulation: differences travel on to everything behind them. */
import { topologyOf, type Graph, type TensorId } from '../../ir/graph.js';
import type { OtherTensor } from '../other-run.js';
import type { OtherSums } from './sums.js';

/**
 * Results in graph order, each with whether something before it differs already, and the first that differs though nothing does.
 *
 * @param read how the values of a tensor were taken, where that is not plain
 */
export function resultsOf(
  graph: Graph,
  sums: readonly OtherSums[],
  read: (tensor: TensorId) => string | undefined = () => undefined,
): { readonly tensors: OtherTensor[]; readonly firstDeparture?: string } {
  const compared = new Map(sums.map((sum) => [sum.target.tensor, sum]));
  const tensors: OtherTensor[] = [];
  let firstDeparture: string | undefined;
  const upstream = differingUpstream(graph, compared);
  for (const sum of sums) {
    const { tensor, name } = sum.target;
    const inputsDiffer = upstream(tensor);
    tensors.push(sum.result(inputsDiffer, read(tensor)));
    if (sum.differs && !inputsDiffer) firstDeparture ??= name;
  }
  return { tensors, ...(firstDeparture === undefined ? {} : { firstDeparture }) };
}

/** Whether a tensor that was compared and differs is read, directly or through tensors that were not compared. */
function differingUpstream(
  graph: Graph,
  compared: ReadonlyMap<TensorId, OtherSums>,
): (tensor: TensorId) => boolean {
  const { producer } = topologyOf(graph);
  /** By tensor: whether it differs, or would, because of what it is computed from. */
  const differing = new Map<TensorId, boolean>();
  const inputsDiffer = new Map<TensorId, boolean>();
  for (const id of graph.inputs) differing.set(id, compared.get(id)?.differs === true);
  for (const node of graph.nodes) {
    const captured = [...node.attrs.values()].flatMap((attr) =>
      attr.type === 'graph' ? attr.value.captures : [],
    );
    const reads = [...node.inputs, ...captured];
    const any = reads.some((id) => id !== null && differing.get(id) === true);
    for (const id of node.outputs) {
      if (id === null || producer[id] !== node.id) continue;
      inputsDiffer.set(id, any);
      differing.set(id, compared.get(id)?.differs ?? any);
    }
  }
  return (tensor) => inputsDiffer.get(tensor) === true;
}
