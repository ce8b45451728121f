import { describe, expect, it } from 'vitest';
import { comparedConstants } from '../../src/diff/compared-constants.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { Random } from '../quant/samples.js';
import { alignmentOf, comparedByPosition, operatorsByPosition } from '../support/comparison.js';
import { graph } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';
import { bells } from '../support/measured-networks.js';

/** One convolution of 3 output channels of 8 values. */
function conv(weight: readonly number[], bias: readonly number[]): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', [1, 2, 4, 4])
      .constant('w', 'float32', [3, 2, 2, 2], weight)
      .constant('b', 'float32', [3], bias)
      .node('Conv', { name: 'conv', inputs: ['x', 'w', 'b'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

const random = new Random(21);
const W = bells(random, 24);
const B = bells(random, 3);
const rows = (values: readonly number[]): number[][] => [0, 1, 2].map((c) => values.slice(8 * c, 8 * c + 8));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((x, i) => x * b[i]!));

/** Pearson's, by its definition: means first. */
function pearson(a: readonly number[], b: readonly number[]): number {
  const [da, db] = [a, b].map((list) => list.map((x) => x - sum(list) / list.length)) as [number[], number[]];
  return dot(da, db) / Math.sqrt(dot(da, da) * dot(db, db));
}

describe('constants beside those of the reference', () => {
  const Y = W.map((x, i) => Math.fround([2, -1, 0.9][Math.floor(i / 8)]! * x + ((i * 7) % 5) / 20));
  const [weight, bias] = comparedByPosition(conv(W, B), conv(Y, B));

  it('have correlation, gain, level and noise by output channel, as their definitions give them', () => {
    weight!.channels.forEach((channel, c) => {
      const [x, y] = [rows(W)[c]!, rows(Y)[c]!];
      const e = y.map((value, i) => value - x[i]!);
      expect(channel.correlation).toBeCloseTo(pearson(x, y), 9);
      expect(channel.gain).toBeCloseTo(dot(x, y) / dot(x, x), 9);
      expect(channel.level).toBeCloseTo(Math.sqrt(dot(y, y) / dot(x, x)), 9);
      expect(channel.relativeNoise).toBeCloseTo(dot(e, e) / dot(x, x), 9);
      expect(channel).not.toHaveProperty('steps');
    });
    expect(weight!.channels).toHaveLength(3);
    expect(weight!.correlation).toBeCloseTo(pearson(W, Y), 9);
    const e = Y.map((value, i) => value - W[i]!);
    expect(weight!.error!.sqnrDb).toBeCloseTo(10 * Math.log10(dot(W, W) / dot(e, e)), 6);
  });

  it('that are the same are exact', () => {
    expect(bias).toMatchObject({ role: 'bias', error: { exact: true } });
    expect(bias!.channels.map(({ gain, level }) => [gain, level])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  it('have no gain or correlation in a channel of zeros', () => {
    const [zeros] = comparedByPosition(
      conv(
        W.map((x, i) => (i < 8 ? 0 : x)),
        B,
      ),
      conv(W, B),
    );
    expect(zeros!.channels[0]).toEqual({});
    expect(Object.keys(zeros!.channels[1]!).sort()).toEqual([
      'correlation',
      'gain',
      'level',
      'relativeNoise',
    ]);
  });

  it('leave values that are not finite out of the sums and count them', () => {
    const broken = W.map((x, i) => (i === 3 ? NaN : i === 9 ? Infinity : x));
    const [found] = comparedByPosition(conv(W, B), conv(broken, B));
    expect(found!.error!.nonFinite).toBe(2);
    expect(found!.channels[0]!.correlation).toBeCloseTo(1, 12);
    expect(found!.correlation).toBeCloseTo(1, 12);
  });

  it('of other size, or without values to stand in their place, are left out', () => {
    const candidate = conv(W, B);
    const operators = operatorsByPosition(conv(W, B), candidate);
    const withValues = (values: () => Float32Array | undefined) =>
      comparedConstants({
        candidate,
        lane: FLOAT_LANE,
        alignment: alignmentOf({
          operators: operators.map((one) => ({
            ...one,
            constants: one.constants.map((constant) => ({ ...constant, values })),
          })),
        }),
      });
    expect(withValues(() => undefined)).toEqual([]);
    expect(withValues(() => new Float32Array(5))).toEqual([]);
    expect(withValues(() => new Float32Array(24)).map(({ role }) => role)).toEqual(['weight']);
  });
});

describe("distances in steps of the candidate's own quantizer", () => {
  const moved = (at: number, by: number): Graph =>
    conv(
      W.map((x, i) => (i === at ? x + by : x)),
      B,
    );
  const stepsOf = (candidate: Graph, quant: Parameters<typeof laneOf>[1][string]): number[] => {
    const [found] = comparedByPosition(conv(W, B), candidate, laneOf(candidate, { w: quant }));
    return found!.channels.map(({ steps }) => steps!);
  };
  const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 4) as number);

  it('use one scale for a tensor, and one for each channel', () => {
    expect(stepsOf(moved(10, 0.75), perTensor('int8', 0.25))).toEqual(close([0, 3, 0]));
    expect(stepsOf(moved(10, 0.75), perAxis('int8', 0, [1, 0.5, 0.25]))).toEqual(close([0, 1.5, 0]));
    expect(stepsOf(moved(20, -0.75), perAxis('int8', 0, [1, 0.5, 0.25]))).toEqual(close([0, 0, 3]));
    // Along the input channels: value 13 is of the second.
    expect(stepsOf(moved(13, 0.75), perAxis('int8', 1, [1, 0.25]))).toEqual(close([0, 3, 0]));
  });

  it('use the scale of the block that a value lies in', () => {
    // [3, 2, 2, 2], blocks of 1 along axis 1: scale (o, i, h, w) in row-major order, one for each value.
    const scale = Float32Array.from({ length: 24 }, (_, i) => (i + 1) / 8);
    const blocks = {
      ...perTensor('int4', 1),
      granularity: { kind: 'per-block' as const, axis: 1, blockSize: 1 },
      scale,
      zeroPoint: new Int32Array(24),
    };
    expect(stepsOf(moved(14, 0.75), blocks)).toEqual(close([0, 0.75 / scale[14]!, 0]));
    // Blocks of 2 hold both input channels: (o, h, w).
    const pairs = {
      ...blocks,
      granularity: { ...blocks.granularity, blockSize: 2 },
      scale: scale.slice(0, 12),
      zeroPoint: new Int32Array(12),
    };
    // Value 14 is (1, 1, 1, 0): block (1, 0, 1, 0), which is scale 4 + 2.
    expect(stepsOf(moved(14, 0.75), pairs)).toEqual(close([0, 0.75 / scale[6]!, 0]));
  });
});
