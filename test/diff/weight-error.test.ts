import { describe, expect, it } from 'vitest';
import { constantError, limitsOf } from '../../src/diff/weight-error.js';
import { Random } from '../quant/samples.js';
import { indexAlong, throughQuantizer } from '../support/float64-network.js';
import { perAxis, perTensor } from '../support/lanes.js';
import type { QuantParams } from '../../src/ir/lane.js';

const DIMS = [3, 4, 2];

function values(seed: number, count = 24): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.bell());
}

describe('the error of a constant', () => {
  it.each<[string, QuantParams, number | undefined]>([
    ['per tensor', perTensor('int8', 0.03), 0],
    ['per tensor without channels', perTensor('int8', 0.03), undefined],
    ['clipping', { ...perTensor('int8', 0.01), qmin: -127 }, 1],
    ['per axis, its own', perAxis('int4', 1, [0.2, 0.3, 0.1, 0.5]), 1],
    ['per axis, reported along another', perAxis('int8', 2, [0.02, 0.001]), 0],
    ['with zero points', { ...perTensor('uint8', 0.02), zeroPoint: Int32Array.of(100) }, 2],
    ['16 bits', perTensor('int16', 1e-4), 0],
    ['a bias', perTensor('int32', 1e-3), 0],
  ])('has the sums of every channel: %s', (_, params, axis) => {
    const data = values(4);
    const { value, error, channelXX } = constantError(data, DIMS, params, axis);
    const channels = axis === undefined ? 1 : DIMS[axis]!;
    const zeros = (): number[] => Array.from({ length: channels }, () => 0);
    const wanted = { xx: zeros(), ee: zeros(), e: zeros(), max: zeros(), clipped: 0, clipEE: 0 };
    data.forEach((x, i) => {
      const scaleAxis = params.granularity.kind === 'per-axis' ? params.granularity.axis : undefined;
      const { y, clipped } = throughQuantizer(
        x,
        params,
        scaleAxis === undefined ? 0 : indexAlong(DIMS, scaleAxis, i),
      );
      const e = y - x;
      const c = axis === undefined ? 0 : indexAlong(DIMS, axis, i);
      wanted.xx[c]! += x * x;
      wanted.ee[c]! += e * e;
      wanted.e[c]! += e;
      wanted.max[c] = Math.max(wanted.max[c]!, Math.abs(e));
      if (clipped) {
        wanted.clipped++;
        wanted.clipEE += e * e;
      }
    });
    const near = (found: Float64Array, list: readonly number[]): void =>
      list.forEach((number, c) => expect(found[c]).toBeCloseTo(number, 6));
    near(channelXX, wanted.xx);
    near(error.sumEE, wanted.ee);
    near(error.sumE, wanted.e);
    near(error.maxAbsE, wanted.max);
    expect(error.sumEE).toHaveLength(channels);
    expect(value).toMatchObject({ count: 24, nonFinite: 0, clipped: wanted.clipped });
    expect(value.sumXX).toBeCloseTo(
      wanted.xx.reduce((a, b) => a + b, 0),
      5,
    );
    expect(error.clipEE).toBeCloseTo(wanted.clipEE, 6);
  });

  it('counts what is not finite and leaves it out', () => {
    const data = Float32Array.of(1, NaN, Infinity, 0.5);
    const { value, error } = constantError(data, [4], perTensor('int8', 1), undefined);
    expect(value).toEqual({ count: 4, nonFinite: 2, sumXX: 1.25, clipped: 0 });
    expect(error.nonFinite).toBe(2);
    expect([...error.sumEE]).toEqual([0.25]);
  });

  it('is nothing for an empty constant', () => {
    const { value, error } = constantError(new Float32Array(0), [0, 3], perTensor('int8', 1), 0);
    expect(value.count).toBe(0);
    expect(error.sumEE).toHaveLength(0);
  });
});

describe('the limits of a quantizer', () => {
  it('lie half a step beyond its lowest and highest code', () => {
    const params = { ...perAxis('uint8', 0, [0.5, 2]), zeroPoint: Int32Array.of(10, 0), qmax: 200 };
    const { low, high } = limitsOf(params);
    expect([...low]).toEqual([-5.25, -1]);
    expect([...high]).toEqual([95.25, 401]);
  });
});
