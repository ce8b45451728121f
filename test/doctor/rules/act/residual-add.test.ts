import { describe, expect, it } from 'vitest';
import type { EdgeMeasurement } from '../../../../src/diff/edge-measurements.js';
import { residualAdd } from '../../../../src/doctor/rules/act/residual-add.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { perTensor } from '../../../support/lanes.js';

const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 4, 8, 8])
    .node('Relu', { name: 'stream', inputs: ['x'], outputs: ['large'] })
    .node('Tanh', { name: 'block', inputs: ['x'], outputs: ['small'] })
    .node('Add', { name: 'add', inputs: ['large', 'small'], outputs: ['sum'] })
    .node('Sigmoid', { name: 'reader', inputs: ['sum'], outputs: ['y'] })
    .output('y')
    .build(),
);

/** Energy of the small branch is 0.01 of its largest value squared; the sum has steps of 1. */
function found(reach: number, readerDb: number, scale = 1): ReturnType<typeof residualAdd.check> {
  const power = 0.01 * reach ** 2;
  const edges: EdgeMeasurement[] = [
    edgeMeasurement(NET, 'large', { self: errorOf(45, { mse: 0.1 }) }, { range: { min: 0, max: 250 } }),
    edgeMeasurement(
      NET,
      'small',
      { self: errorOf(40, { mse: power / 1e4 }) },
      { range: { min: -reach, max: reach } },
    ),
    edgeMeasurement(NET, 'sum', { self: errorOf(45) }, { quant: perTensor('uint8', scale) }),
    edgeMeasurement(NET, 'y', { local: errorOf(readerDb), self: errorOf(45) }),
  ];
  return residualAdd.check(evidence(NET, edges));
}

describe('act.residual-add', () => {
  it('is an error where the branch is lost and the reader of the sum is broken, with both', () => {
    expect(found(1, 5)).toMatchObject([
      {
        severity: 'error',
        subject: { node: 'add', tensor: 'small' },
        message:
          'the sum has steps of 1: the values of this branch span 2 of them, which leaves 0 dB of them, those of the other 250; ' +
          'reader, which reads the sum, keeps 5 dB (local)',
        fix: { edit: "--skip 'add'" },
      },
    ]);
  });

  it('is a warning where no reader shows the damage, and a note while the branch has more than rounding', () => {
    expect(found(1, 30).map(({ severity }) => severity)).toEqual(['warning']);
    // 14 steps: power 0.49, error 1/12, 7.7 dB; but more than 8 levels.
    expect(found(7, 5).map(({ severity }) => severity)).toEqual(['note']);
  });

  it('computes what is left of the branch as its energy over an error of step^2 / 12', () => {
    const [finding] = found(3, 30);
    expect(finding?.args['branchDb']).toBeCloseTo(10 * Math.log10((12 * 0.01 * 9) / 1), 9);
  });

  it('says nothing of branches that are alike, or that keep their levels', () => {
    expect(found(20, 5)).toEqual([]);
    expect(found(1, 5, 0.01)).toEqual([]);
  });

  it('is not about a bias that is added everywhere', () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 4, 8, 8])
        .input('b', 'float32', [1, 4, 1, 1])
        .node('Add', { name: 'add', inputs: ['x', 'b'], outputs: ['sum'] })
        .output('sum')
        .build(),
    );
    const edges = [
      edgeMeasurement(g, 'x', {}, { range: { min: 0, max: 250 } }),
      edgeMeasurement(g, 'b', {}, { range: { min: 0, max: 1 } }),
      edgeMeasurement(g, 'sum', { self: errorOf(45) }, { quant: perTensor('uint8', 1) }),
    ];
    expect(residualAdd.check(evidence(g, edges))).toEqual([]);
  });
});
