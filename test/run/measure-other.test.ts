/** The measuring pass beside another network, and the ranges seen on the way, against plain loops. */
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { ERROR_KINDS } from '../../src/compile/measurement-program.js';
import type { ReferenceNetwork } from '../../src/compile/reference.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { measure } from '../../src/run/measure.js';
import { Random } from '../quant/samples.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { ONE_THREAD, quarters, samplesOf, UNWATCHED } from '../support/measured-networks.js';

/** 1x1 convolution of two channels into three, in front of it a product that only the candidate has. */
const KERNEL = [1, -2, 0.5, 3, -1, 0.25];
const conv = (changed: readonly number[], doubled: boolean) => {
  const builder = graph().input('x', 'float32', [1, 2, 2, 2]).constant('w', 'float32', [3, 2, 1, 1], changed);
  if (doubled)
    builder
      .constant('two', 'float32', [], [2])
      .node('Mul', { name: 'double', inputs: ['x', 'two'], outputs: ['twice'] });
  return inferShapes(
    builder
      .node('Conv', { name: 'conv', inputs: [doubled ? 'twice' : 'x', 'w'], outputs: ['y'] })
      .output('y')
      .build(),
  );
};

const reference = conv(KERNEL, false);
const OTHER = [1, -2, 0.5, 2, -1, 0.25];
const candidate = conv(OTHER, true);

function convolved(x: readonly number[], kernel: readonly number[]): number[] {
  return Array.from({ length: 12 }, (_, i) => {
    const [k, at] = [Math.floor(i / 4), i % 4];
    return kernel[2 * k]! * x[at]! + kernel[2 * k + 1]! * x[4 + at]!;
  });
}

const other: ReferenceNetwork = {
  graph: reference,
  lane: FLOAT_LANE,
  counterparts: new Map(
    ['x', 'y'].map((name) => [tensorNamed(candidate, name).id, { tensor: tensorNamed(reference, name).id }]),
  ),
};

const random = new Random(3);
const data = Array.from({ length: 4 }, () => quarters(random, 8, 3));
const step = 0.5;
const rounded = (x: number): number => {
  const code = x / step;
  return step * (Math.abs(code % 1) === 0.5 ? 2 * Math.round(code / 2) : Math.round(code));
};

async function measured() {
  const { edges } = edgesOf(candidate, new Set());
  return measure(
    candidate,
    laneOf(candidate, { x: perTensor('int8', step), y: perTensor('int16', 1 / 16) }),
    edges.filter(({ tensor }) => other.counterparts.has(tensor)),
    new Set(),
    samplesOf('x', [1, 2, 2, 2], data),
    { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set(), other, ranges: true },
    UNWATCHED,
  );
}

describe('measured beside another network', () => {
  it("errors are those to the other network's values; local goes across what it does not have", async () => {
    const [x, y] = await measured();
    const sums = { self: [0, 0, 0], local: [0, 0, 0], energy: 0, input: 0 };
    for (const values of data) {
      const should = convolved(values, KERNEL);
      const is = convolved(
        values.map((value) => 2 * rounded(value)),
        OTHER,
      );
      values.forEach((value) => (sums.input += (rounded(value) - value) ** 2));
      should.forEach((value, i) => {
        sums.energy += value * value;
        sums.local[Math.floor(i / 4)]! += (is[i]! - value) ** 2;
      });
    }
    expect(x!.errors.get('self')!.sumEE.reduce((a, b) => a + b, 0)).toBeCloseTo(sums.input, 6);
    expect(x!.errors.has('local')).toBe(false);
    expect(y!.value.sumXX).toBeCloseTo(sums.energy, 3);
    // All values are multiples of 1/16.
    expect([...y!.errors.get('self')!.sumEE]).toEqual(sums.self);
    for (const kind of ['local', 'cumulative'] as const)
      y!.errors.get(kind)!.sumEE.forEach((sum, k) => expect(sum).toBeCloseTo(sums.local[k]!, 3));
  });

  it('the ranges of every channel are those of the reference over all samples', async () => {
    const [x, y] = await measured();
    const channels = (values: readonly (readonly number[])[], of: number) =>
      Array.from({ length: of }, (_, c) => values.flatMap((list) => list.slice(4 * c, 4 * c + 4)));
    const expectSeen = (seen: NonNullable<typeof y>['seen'], wanted: readonly (readonly number[])[]) => {
      expect([...seen!.min]).toEqual(wanted.map((list) => Math.min(...list)));
      expect([...seen!.max]).toEqual(wanted.map((list) => Math.max(...list)));
      seen!.sumXX.forEach((sum, c) =>
        expect(sum).toBeCloseTo(
          wanted[c]!.reduce((total, value) => total + value * value, 0),
          3,
        ),
      );
    };
    const outputs = data.map((values) => convolved(values, KERNEL));
    expectSeen(y!.seen, channels(outputs, 3));
    expectSeen(x!.seen, x!.edge.channels === 2 ? channels(data, 2) : [data.flat()]);
  });

  it('values that are not finite are left out of the ranges and counted', async () => {
    const { edges } = edgesOf(candidate, new Set());
    const broken = data.map((values, i) => (i === 1 ? values.map((x, at) => (at === 5 ? NaN : x)) : values));
    const [, y] = await measure(
      candidate,
      FLOAT_LANE,
      edges.filter(({ tensor }) => other.counterparts.has(tensor)),
      new Set(),
      samplesOf('x', [1, 2, 2, 2], broken),
      { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set(), other, ranges: true },
      UNWATCHED,
    );
    const finite = broken.map((values) => convolved(values, KERNEL));
    const firsts = finite.flatMap((values) => values.slice(0, 4)).filter(Number.isFinite);
    expect(firsts).toHaveLength(15);
    expect(y!.value.nonFinite).toBe(3);
    expect([y!.seen!.min[0], y!.seen!.max[0]]).toEqual([Math.min(...firsts), Math.max(...firsts)]);
  });
});
