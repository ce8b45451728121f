/** Comparisons, logic, and choices made by conditions. */
import type { DType, TensorId } from '../../../ir/graph.js';
import { Unlowerable, type Layout, type Lowering, type Rule } from './lowering.js';
import {
  cast,
  CHOSEN_TYPES,
  computedIn,
  operandsOf,
  withoutCodes,
  writeFrom,
  type Operands,
} from './operands.js';

const NUMBERS: ReadonlySet<DType> = new Set<DType>([
  ...(['float32', 'float16', 'float64'] as const),
  ...(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const),
]);
const NUMBERS_AND_BOOLS: ReadonlySet<DType> = new Set([...NUMBERS, 'bool']);

/** @throws Unlowerable for strings and complex numbers */
function comparable(lowering: Lowering, types: ReadonlySet<DType>): Operands {
  const dtype = lowering.dtype(0);
  if (!types.has(dtype)) throw new Unlowerable(`its elements are ${dtype}`);
  return operandsOf(lowering, [0, 1]);
}

function comparison(op: string, types = NUMBERS): Rule {
  return (lowering) => {
    const { layout, inputs } = comparable(lowering, types);
    lowering.write(0, layout, op, inputs);
  };
}

const notEqual: Rule = (lowering) => {
  const { layout, inputs } = comparable(lowering, NUMBERS_AND_BOOLS);
  lowering.write(0, layout, 'Not', [lowering.main('Equal', inputs)]);
};

function logical(op: string): Rule {
  return (lowering) => {
    const slots = lowering.op.inputs.map((_, slot) => slot);
    const { layout, inputs } = operandsOf(lowering, slots);
    lowering.write(0, layout, op, inputs);
  };
}

/** All three inputs broadcast. */
const selectV2: Rule = (lowering) => {
  const { layout, inputs } = operandsOf(lowering, [0, 1, 2]);
  const [condition, ...choices] = inputs as [TensorId, TensorId, TensorId];
  writeChoice(lowering, layout, condition, choices);
};

/** A condition of rank 1 decides on whole entries of the first axis, which is the first in every layout. */
const select: Rule = (lowering) => {
  const rank = lowering.shape(1).length;
  if (lowering.shape(0).length !== 1 || rank <= 1) {
    selectV2(lowering);
    return;
  }
  const { layout, inputs } = operandsOf(lowering, [1, 2]);
  const column = lowering.ints([-1, ...Array<number>(rank - 1).fill(1)]);
  const condition = lowering.step('Reshape', [lowering.input(0, 'file'), column]);
  writeChoice(lowering, layout, condition, inputs);
};

function writeChoice(
  lowering: Lowering,
  layout: Layout,
  condition: TensorId,
  choices: readonly TensorId[],
): void {
  const dtype = lowering.dtype(1);
  const computed = computedIn(dtype, CHOSEN_TYPES);
  const wide = choices.map((choice) => cast(lowering, choice, dtype, computed));
  writeFrom(lowering, computed, layout, 'Where', [condition, ...wide]);
}

export const COMPARE_RULES: Readonly<Record<string, Rule>> = {
  EQUAL: comparison('Equal', NUMBERS_AND_BOOLS),
  GREATER: comparison('Greater'),
  GREATER_EQUAL: comparison('GreaterOrEqual'),
  LESS: comparison('Less'),
  LESS_EQUAL: comparison('LessOrEqual'),
  LOGICAL_AND: logical('And'),
  LOGICAL_NOT: logical('Not'),
  LOGICAL_OR: logical('Or'),
  NOT_EQUAL: notEqual,
  SELECT: select,
  SELECT_V2: selectV2,
  STABLEHLO_SELECT: withoutCodes(selectV2),
};
