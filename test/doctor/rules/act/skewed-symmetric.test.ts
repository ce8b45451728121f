import { describe, expect, it } from 'vitest';
import type { EdgeMeasurement } from '../../../../src/diff/edge-measurements.js';
import { skewedSymmetric } from '../../../../src/doctor/rules/act/skewed-symmetric.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { binGrid, Histogram } from '../../../../src/quant/histogram.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';
import { perTensor } from '../../../support/lanes.js';

const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 4])
    .node('Relu', { name: 'first', inputs: ['x'], outputs: ['y'] })
    .node('Relu', { name: 'second', inputs: ['y'], outputs: ['z'] })
    .output('z')
    .build(),
);

const edge = (name: string, quant: QuantParams, min: number, max: number, db = 20): EdgeMeasurement =>
  edgeMeasurement(
    NET,
    name,
    { self: errorOf(db, { noise: { clip: 0, round: 1 } }) },
    { quant, range: { min, max } },
  );

const SYMMETRIC = perTensor('int8', 1 / 127);

describe('act.skewed-symmetric', () => {
  it('warns of the bit that codes around zero lose on values of one side, where it is wanted', () => {
    expect(skewedSymmetric.check(evidence(NET, [edge('y', SYMMETRIC, 0, 1)]))).toMatchObject([
      {
        severity: 'warning',
        subject: { node: 'first', tensor: 'y' },
        message:
          'the codes lie around zero, the values are 0 to 1: 128 of 256 codes are never used, which costs 6.1 dB',
        args: { unusedCodes: 128 },
        fix: { edit: '--asymmetric' },
      },
    ]);
  });

  it('is one note for all tensors that are good enough', () => {
    const edges = [edge('y', SYMMETRIC, 0, 1, 40), edge('z', SYMMETRIC, 0, 1, 35)];
    const findings = skewedSymmetric.check(evidence(NET, edges));
    expect(findings).toMatchObject([{ severity: 'note', subject: { tensor: 'z' }, args: { others: 1 } }]);
    expect(findings[0]?.message).toMatch(/; 1 more tensor has the same$/);
  });

  it('is a note, without a fix, for kernels that have no zero points', () => {
    const tensorrt = { ...evidence(NET, [edge('y', SYMMETRIC, 0, 1)]), scheme: SCHEMES['tensorrt']! };
    expect(skewedSymmetric.check(tensorrt).map(({ severity, fix }) => [severity, fix])).toEqual([
      ['note', undefined],
    ]);
  });

  it.each([
    ['values on both sides', SYMMETRIC, -0.2, 1],
    ['a zero point', perTensor('int8', 1 / 255, -128), 0, 1],
    ['16 bits', perTensor('int16', 1 / 32767), 0, 1],
    ['a prescribed scale', { ...SYMMETRIC, source: 'fixed' as const }, 0, 1],
    ['a range that is too wide anyway', SYMMETRIC, 0, 0.2],
  ])('says nothing of %s', (_, quant, min, max) => {
    expect(skewedSymmetric.check(evidence(NET, [edge('y', quant, min, max)]))).toEqual([]);
  });

  it('says nothing of values that are cut off', () => {
    const cut = edgeMeasurement(
      NET,
      'y',
      { self: errorOf(5, { noise: { clip: 0.9, round: 0.1 } }) },
      { quant: SYMMETRIC, range: { min: 0, max: 9 } },
    );
    expect(skewedSymmetric.check(evidence(NET, [cut]))).toEqual([]);
  });

  it('tells of a tail with how many values, levels and dB it has', () => {
    const quant = perTensor('uint8', 0.05, 1);
    const histogram = new Histogram(binGrid(-0.05, 12));
    // Half of the values at -0.02, which rounds to 0; half at 6.
    const codes = [-0.02, 6].map((x) => Math.round(x / histogram.grid.scale) + histogram.grid.zeroPoint);
    histogram.add(Uint16Array.from({ length: 1000 }, (_, i) => codes[i % 2]!));
    const statistics = new Map([
      [
        tensorNamed(NET, 'y').id,
        {
          min: -0.05,
          max: 12,
          count: 1000,
          histogram,
          channels: { min: new Float64Array(), max: new Float64Array(), sumXX: new Float64Array() },
          nonFinite: 0,
          nonFiniteIn: undefined,
        },
      ],
    ]);
    const seen = { ...evidence(NET, [edge('y', quant, -0.05, 12)]), statistics };
    expect(skewedSymmetric.check(seen)).toMatchObject([
      {
        severity: 'note',
        message: 'the negative values, 50 % of all, have 1.0 levels in steps of 0.05 and keep 0.0 dB',
        fix: { edit: '--activations int16' },
      },
    ]);
  });
});
