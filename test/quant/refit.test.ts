/** Quantizers made again for other values: what an 8-bit range of them would be, in the form that the old one has. */
import { describe, expect, it } from 'vitest';
import { refittedConstant, refittedRange } from '../../src/quant/refit.js';
import { constantData } from '../support/graph-builder.js';
import { perAxis, perTensor } from '../support/lanes.js';

const listed = (of: { scale: Float32Array; zeroPoint: Int32Array }) => ({
  scale: Array.from(of.scale, (scale) => Number(scale.toPrecision(6))),
  zeroPoint: Array.from(of.zeroPoint),
});

describe('an activation', () => {
  it('gets the range of the values in its own type', () => {
    const refitted = refittedRange(perTensor('uint8', 0.001, 7), { min: -1, max: 4.1 });
    expect(listed(refitted)).toEqual({ scale: [0.02], zeroPoint: [50] });
    expect(refitted).toMatchObject({
      dtype: 'uint8',
      qmin: 0,
      qmax: 255,
      granularity: { kind: 'per-tensor' },
    });
  });

  it('stays symmetric where it was', () => {
    expect(listed(refittedRange(perTensor('uint8', 1, 128), { min: 0, max: 12.75 }))).toEqual({
      scale: [0.1],
      zeroPoint: [128],
    });
    expect(listed(refittedRange(perTensor('int8', 1, 0), { min: -3, max: 12.7 }))).toEqual({
      scale: [0.1],
      zeroPoint: [0],
    });
  });

  it('has zero in its range, as every quantizer', () => {
    expect(listed(refittedRange(perTensor('uint8', 1, 3), { min: 2, max: 5.1 }))).toEqual({
      scale: [0.02],
      zeroPoint: [0],
    });
  });
});

describe('a weight', () => {
  const data = constantData('float32', [2, 3], [1.27, -0.5, 0.2, -12.7, 3, 0]);

  it('gets one scale from its largest value', () => {
    expect(listed(refittedConstant(perTensor('int8', 5), data)!)).toEqual({ scale: [0.1], zeroPoint: [0] });
  });

  it('gets one scale for each index of the axis, also where it had one for all', () => {
    const refitted = refittedConstant(perTensor('int8', 5), data, 0)!;
    expect(listed(refitted)).toEqual({ scale: [0.01, 0.1], zeroPoint: [0, 0] });
    expect(refitted.granularity).toEqual({ kind: 'per-axis', axis: 0 });
    expect(refittedConstant(perAxis('int8', 0, [1, 1]), data, 1)!.scale).toHaveLength(3);
  });

  it.each([[[1, NaN, 2]], [[Infinity, 0, 0]], [[]]])('of %j gets none', (values) => {
    const broken = constantData('float32', [values.length], values);
    expect(refittedConstant(perTensor('int8', 5), broken)).toBeUndefined();
  });
});
