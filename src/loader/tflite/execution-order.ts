/** Whether the operators of a subgraph can run one after the other: tensors exist, are written once, and before they are read. */
import type { Problems } from '../problems.js';
import type { TfliteOperator, TfliteTensor } from './model.js';
import { operatorLabel } from './read-operators.js';
import { tensorLabel } from './read-tensors.js';

/** A subgraph whose operators are not yet trusted. */
export interface UncheckedSubgraph {
  readonly index: number;
  readonly tensors: readonly TfliteTensor[];
  /** Indices of tensors that have bytes in the file. */
  readonly constants: ReadonlySet<number>;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly TfliteOperator[];
}

/** Notes tensor indices beyond the subgraph's tensors; only inputs of operators may be left out (-1). Whether all are there. */
export function checkIndices(subgraph: UncheckedSubgraph, problems: Problems): boolean {
  const { index: at, tensors, inputs, outputs, operators } = subgraph;
  let sound = true;
  const check = (indices: readonly number[], lowest: number, owner: () => string): void => {
    for (const index of indices) {
      if (index >= lowest && index < tensors.length) continue;
      problems.add(`${owner()} ${index}; the subgraph has tensors 0 to ${tensors.length - 1}`);
      sound = false;
    }
  };
  check(inputs, 0, () => `subgraph ${at} has input tensor`);
  check(outputs, 0, () => `subgraph ${at} has output tensor`);
  for (const { index, op, inputs: reads, outputs: writes } of operators) {
    check(reads, -1, () => `${operatorLabel(index, op, at)} reads tensor`);
    check(writes, 0, () => `${operatorLabel(index, op, at)} writes tensor`);
  }
  return sound;
}

/** Notes tensors that are read before they are written or never, and those written more than once. Indices are those of tensors. */
export function checkOrder(subgraph: UncheckedSubgraph, problems: Problems): void {
  const { index: at, tensors, constants, inputs, outputs, operators } = subgraph;
  const tensor = (index: number): string => tensorLabel(index, tensors[index]?.name ?? '', at);
  const operator = ({ index, op }: TfliteOperator): string => operatorLabel(index, op, at);
  const given = new Set(inputs);
  const available = new Set([...inputs, ...constants]);
  for (const { index, isVariable, data } of tensors)
    if (isVariable || data !== undefined) available.add(index);
  if (given.size < inputs.length) problems.add(`subgraph ${at} lists an input twice`);
  const writers = writersOf(operators);
  const writtenBy = new Map<number, TfliteOperator>();
  for (const current of operators) {
    for (const index of current.inputs) {
      if (index < 0 || available.has(index)) continue;
      const writer = writers.get(index);
      problems.add(
        `${operator(current)} reads ${tensor(index)}, ${writer === undefined ? 'which nothing writes' : `which ${operator(writer)} writes`}`,
      );
      available.add(index); // noted once
    }
    for (const index of current.outputs) {
      const before = writtenBy.get(index);
      const fixed = given.has(index) ? 'an input' : constants.has(index) ? 'a constant' : undefined;
      if (before !== undefined) {
        problems.add(`${operator(current)} writes ${tensor(index)}, which ${operator(before)} has written`);
      } else if (fixed !== undefined) {
        problems.add(`${operator(current)} writes ${tensor(index)}, which is ${fixed}`);
      }
      writtenBy.set(index, current);
      available.add(index);
    }
  }
  for (const index of outputs) {
    if (!available.has(index)) problems.add(`the output ${tensor(index)} is written by nothing`);
  }
}

function writersOf(operators: readonly TfliteOperator[]): ReadonlyMap<number, TfliteOperator> {
  return new Map(operators.flatMap((operator) => operator.outputs.map((index) => [index, operator])));
}
