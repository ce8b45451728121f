import { describe, expect, it } from 'vitest';
import type { Operand } from '../../../src/compile/integer/affine.js';
import type { OperatorCall } from '../../../src/compile/integer/kernel.js';
import { lookUp, lookUpPair, type Formula, type PairFormula } from '../../../src/compile/integer/tables.js';
import { ModelWriter, type Value } from '../../../src/compile/model-writer.js';
import type { TensorId } from '../../../src/ir/graph.js';
import { openSession } from '../../../src/run/runtime.js';
import { compiled } from '../../support/compiled.js';
import { graph } from '../../support/graph-builder.js';

function operand(tensor: number, dtype: 'int8' | 'uint8' | 'int16'): Operand {
  const [lowest, highest] = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] }[dtype] as [
    number,
    number,
  ];
  return { tensor: tensor as TensorId, dtype, scale: 1, zeroPoint: 0, lowest, highest };
}

/** A call whose tensors 0 and 1 have these codes. */
function callOn(
  a: readonly number[],
  b: readonly number[] = [],
  dims: readonly number[][] = [],
): OperatorCall {
  const writer = new ModelWriter(new Map([['', 20]]), 9);
  const codes = [a, b].map((values, i) => writer.literal('float32', values, dims[i] ?? [values.length]));
  return {
    writer,
    graph: graph().build(),
    codes: (tensor: TensorId): Value => codes[tensor]!,
  } as OperatorCall;
}

async function valuesOf({ writer }: OperatorCall, value: Value | undefined): Promise<number[]> {
  const session = await openSession(writer.encode([value!]), { threads: 1 });
  const [found] = await session.run(new Map());
  await session.close();
  return Array.from(found as Float32Array);
}

const squared: Formula<{ plus: number }> =
  ({ plus }) =>
  (x) =>
    x * x + plus;
const mixed: PairFormula<{ by: number }> =
  ({ by }) =>
  (x, y) =>
    (x * by - y) % 100;

describe('a function of one code', () => {
  it.each(['int8', 'uint8', 'int16'] as const)('is looked up for every %s code', async (dtype) => {
    const input = operand(0, dtype);
    const codes = [input.lowest, input.lowest + 1, 0, 1, 100, input.highest];
    const call = callOn(codes);
    const found = await valuesOf(call, lookUp(call, input, squared, { plus: 0.5 }));
    expect(found).toEqual(Array.from(Float32Array.from(codes, (x) => x * x + 0.5)));
  });

  it('is not tabulated for types of more codes', () => {
    const wide = { ...operand(0, 'int16'), highest: 2 ** 31 - 1 };
    expect(lookUp(callOn([0]), wide, squared, { plus: 0 })).toBeUndefined();
  });

  it('has one table for all that ask for it with the same numbers', () => {
    const call = callOn([1, 2]);
    const input = operand(0, 'int8');
    const [first, again, other] = [0, 0, 1].map((plus) => lookUp(call, input, squared, { plus }));
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    const { initializers } = compiled(call.writer.encode([first!, again!, other!]));
    // Two tables, the codes and the offset of the index.
    expect(initializers).toHaveLength(4);
  });
});

describe('a function of two codes', () => {
  it.each([
    ['int8', 'int8'],
    ['uint8', 'int8'],
    ['uint8', 'uint8'],
  ] as const)('is looked up for every pair of %s and %s, broadcast', async (first, second) => {
    const [a, b] = [operand(0, first), operand(1, second)];
    const [left, right] = [
      [a.lowest, 3, a.highest],
      [b.lowest, 0, 77, b.highest],
    ];
    const call = callOn(left, right, [
      [3, 1],
      [1, 4],
    ]);
    const found = await valuesOf(call, lookUpPair(call, a, b, mixed, { by: 3 }));
    expect(found).toEqual(left.flatMap((x) => right.map((y) => (x * 3 - y) % 100)));
  });

  it('is not tabulated for types of more pairs', () => {
    const call = callOn([0], [0]);
    expect(lookUpPair(call, operand(0, 'int16'), operand(1, 'int8'), mixed, { by: 1 })).toBeUndefined();
  });
});
