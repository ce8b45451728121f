import { describe, expect, it } from 'vitest';
import { biasShift } from '../../../../src/doctor/rules/act/bias-shift.js';
import type { ErrorMeasurement } from '../../../../src/diff/measurement.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';

const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 4, 8, 8])
    .constant('w', 'float32', [4, 4, 1, 1])
    .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['c'] })
    .node('Relu', { name: 'relu', inputs: ['c'], outputs: ['y'] })
    .node('Sigmoid', { name: 'sigmoid', inputs: ['y'], outputs: ['z'] })
    .output('z')
    .build(),
);

function found(tensor: string, db: number, rest: Partial<ErrorMeasurement>): (string | undefined)[] {
  const seen = edgeMeasurement(NET, tensor, { local: errorOf(db, rest) });
  const others = ['x', 'y'].filter((name) => name !== tensor).map((name) => edgeMeasurement(NET, name));
  return biasShift
    .check(evidence(NET, [...others, seen]))
    .map(({ severity, message }) => `${severity}: ${message}`);
}

describe('act.bias-shift', () => {
  it('tells what a corrected bias would give: 90 % of the error is 10 dB', () => {
    expect(found('y', 12, { biasShare: 0.9 })).toEqual([
      'warning: 90 % of the error of this layer is a constant shift: a corrected bias would raise its local SQNR from 12.0 to 22.0 dB',
    ]);
  });

  it('counts shifts of either sign, which cancel in the mean of the whole layer', () => {
    expect(found('y', 12, { biasShare: 0.02, channelBiasShare: 0.99 })).toEqual([
      'warning: 99 % of the error of this layer is a constant shift: a corrected bias would raise its local SQNR from 12.0 to 32.0 dB',
    ]);
    expect(found('y', 12, { biasShare: 0.02, channelBiasShare: 0.49 })).toEqual([]);
  });

  it('says nothing where the layer is good enough, or the gain below 3 dB', () => {
    expect(found('y', 30, { biasShare: 0.9 })).toEqual([]);
    expect(found('y', 12, { biasShare: 0.49 })).toEqual([]);
  });

  it('is about layers with weights, and not about clipping', () => {
    expect(found('z', 12, { biasShare: 0.9 })).toEqual([]);
    expect(found('y', 12, { biasShare: 0.9, noise: { clip: 0.8, round: 0.2 } })).toEqual([]);
  });
});
