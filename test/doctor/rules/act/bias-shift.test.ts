import { describe, expect, it } from 'vitest';
import { biasShift } from '../../../../src/doctor/rules/act/bias-shift.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import type { ErrorMeasurement } from '../../../../src/diff/measurement.js';
import type { NodeId } from '../../../../src/ir/graph.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';

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

  it('is no cause where something else is said of the layer, or of what it reads', () => {
    const shifted = edgeMeasurement(NET, 'y', { local: errorOf(12, { biasShare: 0.9 }) });
    const edges = [edgeMeasurement(NET, 'x'), shifted];
    const severity = (about: Finding['subject'], of: Finding['severity']): (string | undefined)[] =>
      biasShift
        .check(evidence(NET, edges), [
          { rule: 'act.clipped', severity: of, subject: about, message: '', args: {} },
        ])
        .map((finding) => finding.severity);
    expect(severity({ tensor: 'x' }, 'error')).toEqual(['note']);
    expect(severity({ node: 'conv', tensor: 'w' }, 'warning')).toEqual(['note']);
    expect(severity({ tensor: 'x' }, 'note')).toEqual(['warning']);
    expect(severity({ node: 'sigmoid', tensor: 'z' }, 'error')).toEqual(['warning']);
  });

  it('is not about functions with a range of their own, though nothing before them was measured', () => {
    const seen = edgeMeasurement(NET, 'z', { local: errorOf(12, { biasShare: 0.9 }) });
    expect(biasShift.check(evidence(NET, [edgeMeasurement(NET, 'x'), seen]))).toEqual([]);
  });

  it('says nothing of weights that were moved by more than rounding, as training does', () => {
    const shifted = edgeMeasurement(NET, 'y', { local: errorOf(12, { biasShare: 0.9 }) });
    const of = (steps: number): number => {
      const weight = {
        ...{
          reference: tensorNamed(NET, 'w').id,
          candidate: tensorNamed(NET, 'w').id,
          role: 'weight' as const,
          node: 0 as NodeId,
          quant: undefined,
        },
        ...{ error: errorOf(26), correlation: 0.999, gain: 1 },
        channels: Array.from({ length: 4 }, () => ({ correlation: 0.999, gain: 1, level: 1, steps })),
      };
      const compared = [weight, weight, weight];
      return biasShift.check({ ...evidence(NET, [edgeMeasurement(NET, 'x'), shifted]), compared }).length;
    };
    expect(of(0.5)).toBe(1);
    expect(of(4)).toBe(0);
  });
});
