/** Several lanes beside a reference, summed by the program and by plain loops. */
import { describe, expect, it } from 'vitest';
import type { Edge } from '../../src/compile/edges.js';
import type { ReferenceNetwork } from '../../src/compile/reference.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { Ladder } from '../../src/run/ladder.js';
import { Random } from '../quant/samples.js';
import { constantData, graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import { ONE_THREAD, quarters, samplesOf } from '../support/measured-networks.js';

const DIMS = [1, 3, 2, 5];
const COUNT = 30;

/** x * factor, by channel. */
function network(factor: readonly number[], op = 'Mul', dims: readonly number[] = DIMS): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', dims)
      .constant('factor', 'float32', dims.length === 4 ? [1, 3, 1, 1] : [1, dims[1]!], factor)
      .node(op, { inputs: ['x', 'factor'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

function edgeOf(g: Graph, channelAxis: number | undefined, dims = DIMS): Edge {
  const { id } = tensorNamed(g, 'y');
  const count = dims.reduce((product, dim) => product * dim, 1);
  const channels = channelAxis === undefined ? 1 : dims[channelAxis]!;
  return { tensor: id, producer: producerOf(g, 'y').id, dims, count, channelAxis, channels };
}

function besides(candidate: Graph, reference: Graph): ReferenceNetwork {
  const twins = ['x', 'y'].map(
    (name) => [tensorNamed(candidate, name).id, { tensor: tensorNamed(reference, name).id }] as const,
  );
  return { graph: reference, lane: FLOAT_LANE, counterparts: new Map(twins) };
}

const REFERENCE = network([1, 2, 1]);
const CANDIDATE = network([1, -0.5, 4]);
const OTHER_VALUES = [0.5, 2, 1];
const lanes = [
  FLOAT_LANE,
  {
    ...FLOAT_LANE,
    values: new Map([
      [tensorNamed(CANDIDATE, 'factor').id, constantData('float32', [1, 3, 1, 1], OTHER_VALUES)],
    ]),
  },
];

function times(x: readonly number[], factor: readonly number[]): number[] {
  return x.map((value, i) => value * factor[Math.floor(i / 10)]!);
}

/** Position of the largest element, the first of equal ones. */
function largest(row: readonly number[]): number {
  return row.reduce((best, value, i) => (value > row[best]! ? i : best), 0);
}

function rowsOf(y: readonly number[], axis: 1 | 3): number[][] {
  return axis === 3
    ? Array.from({ length: 6 }, (_, r) => y.slice(5 * r, 5 * r + 5))
    : Array.from({ length: 10 }, (_, r) => [0, 1, 2].map((c) => y[10 * c + r]!));
}

describe('the sums of a ladder', () => {
  const random = new Random(4);
  const data = Array.from({ length: 3 }, () => quarters(random, COUNT, 4));

  it.each([
    ['along the channels of a picture', 1],
    ['along the last axis where there are no channels', 3],
  ] as const)('are those of a loop over the outputs of every lane, with rows %s', async (_, axis) => {
    const edge = edgeOf(CANDIDATE, axis === 1 ? 1 : undefined);
    const ladder = new Ladder(CANDIDATE, lanes, [edge], besides(CANDIDATE, REFERENCE), ONE_THREAD);
    for await (const sample of samplesOf('x', DIMS, data).samples()) await ladder.add(sample);
    await ladder.close();
    expect(ladder.samples).toBe(3);
    const wanted = [[1, -0.5, 4], OTHER_VALUES].map((factor) => {
      const sums = { sumXX: 0, sumEE: 0, moved: 0, rows: 0, nonFinite: 0 };
      for (const x of data) {
        const [should, is] = [times(x, [1, 2, 1]), times(x, factor)];
        should.forEach((value, i) => {
          sums.sumXX += value * value;
          sums.sumEE += (is[i]! - value) ** 2;
        });
        const rows = rowsOf(is, axis);
        rowsOf(should, axis).forEach((row, r) => {
          sums.rows++;
          if (largest(row) !== largest(rows[r]!)) sums.moved++;
        });
      }
      return sums;
    });
    expect(ladder.sums.map(([sums]) => sums)).toEqual(wanted);
    expect(wanted.some(({ moved, rows }) => moved > 0 && moved < rows)).toBe(true);
  });

  it('have no rows where an output has one element to choose from', async () => {
    const one = network([3], 'Mul', [4, 1]);
    const edge = edgeOf(one, undefined, [4, 1]);
    const ladder = new Ladder(one, [FLOAT_LANE], [edge], besides(one, one), ONE_THREAD);
    for await (const sample of samplesOf('x', [4, 1], [[1, 2, 3, 4]]).samples()) await ladder.add(sample);
    await ladder.close();
    expect(ladder.sums[0]![0]).toEqual({ sumXX: 9 * 30, sumEE: 0, moved: 0, rows: 0, nonFinite: 0 });
  });
});

describe('values that are not finite', () => {
  it('on either side are counted and in no sum, and samples without them are summed whole', async () => {
    const reference = network([1, 2, 1]);
    // Divided by zero, channel 1 is infinite, and NaN where x is 0.
    const candidate = network([1, 0, 0.5], 'Div');
    const ladder = new Ladder(
      candidate,
      [
        FLOAT_LANE,
        {
          ...FLOAT_LANE,
          values: new Map([
            [tensorNamed(candidate, 'factor').id, constantData('float32', [1, 3, 1, 1], [2, 1, 1])],
          ]),
        },
      ],
      [edgeOf(candidate, 1)],
      besides(candidate, reference),
      ONE_THREAD,
    );
    const whole = Array.from({ length: COUNT }, (_, i) => (i % 7) - 3);
    const broken = whole.map((value, i) => (i === 4 ? Infinity : value));
    for await (const sample of samplesOf('x', DIMS, [whole, broken]).samples()) await ladder.add(sample);
    await ladder.close();
    const wanted = [
      [1, 0, 0.5],
      [2, 1, 1],
    ].map((divisor) => {
      const sums = { sumXX: 0, sumEE: 0, nonFinite: 0 };
      for (const x of [whole, broken]) {
        const should = times(x, [1, 2, 1]);
        x.forEach((value, i) => {
          const is = value / divisor[Math.floor(i / 10)]!;
          const e = is - should[i]!;
          if (Number.isFinite(should[i]!)) sums.sumXX += should[i]! ** 2;
          if (Number.isFinite(is) && Number.isFinite(should[i]!)) sums.sumEE += e * e;
          else sums.nonFinite++;
        });
      }
      return sums;
    });
    expect(wanted.map(({ nonFinite }) => nonFinite)).toEqual([21, 1]);
    expect(ladder.sums.map(([sums]) => sums)).toMatchObject(wanted);
  });
});
