/** Inputs of two networks: by name where that fits, else by extents, else by position. */
import { tensorOf, type Graph, type TensorId } from '../../ir/graph.js';
import { extentsKey, sizeOf } from './members.js';
import type { Matching } from './matching.js';

export function joinInputs(matching: Matching): void {
  const { reference, candidate } = matching;
  const [left, right] = [reference.graph.inputs, candidate.graph.inputs];
  const join = (a: number, b: number): void => {
    const [one, other] = [reference.units[a], candidate.units[b]];
    if (one !== undefined && other !== undefined) matching.join(one, other, 'input');
  };
  const settle = (fits: (a: TensorId, b: TensorId) => boolean, isUnique: boolean): void => {
    right.forEach((b, at) => {
      if (matching.ofCandidate(at) !== undefined) return;
      const open = left.flatMap((a, i) => (matching.ofReference(i) === undefined && fits(a, b) ? [i] : []));
      const [first] = open;
      if (first === undefined || (isUnique && open.length > 1)) return;
      join(first, at);
    });
  };
  const names = (graph: Graph, id: TensorId): string => tensorOf(graph, id).name;
  const couldBe = (a: TensorId, b: TensorId): boolean => {
    const [size, other] = [sizeOf(reference.graph, a), sizeOf(candidate.graph, b)];
    return size === undefined || other === undefined || size === other;
  };
  const isAlike = (a: TensorId, b: TensorId): boolean =>
    couldBe(a, b) && extentsKey(reference.graph, a) === extentsKey(candidate.graph, b);
  settle((a, b) => names(reference.graph, a) === names(candidate.graph, b) && couldBe(a, b), false);
  settle(isAlike, true);
  settle((a, b) => isAlike(a, b) && left.indexOf(a) === right.indexOf(b), false);
  settle(isAlike, false);
  settle(couldBe, false);
}
