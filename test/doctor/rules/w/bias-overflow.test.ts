import { describe, expect, it } from 'vitest';
import { constantMeasurements } from '../../../../src/diff/weight-measurements.js';
import { biasOverflow } from '../../../../src/doctor/rules/w/bias-overflow.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { buildLane } from '../../../../src/quant/lane.js';
import { planQuantization } from '../../../../src/quant/placement/planner.js';
import { overrideScheme, SCHEMES } from '../../../../src/quant/presets.js';
import { NO_SELECTION } from '../../../../src/quant/select.js';
import { evidence } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';

/** A convolution of four channels, the second of which has weights of this magnitude; biases of 1. */
function found(
  magnitude: number,
  weights: 'int8' | 'uint8',
  perAxis: boolean,
): ReturnType<typeof biasOverflow.check> {
  const g = inferShapes(
    graph()
      .input('x', 'float32', [1, 2, 3, 3])
      .constant('w', 'float32', [4, 2, 1, 1], [1, -1, magnitude, -magnitude, 1, 0.5, 0.7, -1])
      .constant('b', 'float32', [4], [1, 1, 1, 1])
      .node('Conv', { name: 'conv', inputs: ['x', 'w', 'b'], outputs: ['y'] })
      .output('y')
      .build(),
  );
  const scheme = overrideScheme(SCHEMES['ort']!, {
    weights,
    granularity: perAxis ? 'per-axis' : 'per-tensor',
  });
  const plan = planQuantization(g, scheme, NO_SELECTION);
  const lane = buildLane(g, plan, () => ({ rmin: 0, rmax: 1 }), 'test');
  return biasOverflow.check({ ...evidence(g, [], constantMeasurements(g, lane, plan.quantizers)), lane });
}

describe('w.bias-overflow, before anything is stored', () => {
  it('notes a channel of next to nothing, whose scale has to grow for its bias', () => {
    expect(found(1e-9, 'int8', true)).toMatchObject([
      {
        severity: 'note',
        subject: { node: 'conv', tensor: 'w' },
        message:
          'the weights of channel 1 are next to nothing (1e-9, the median channel 1): the scale of 1 grew so that the bias fits into int32',
      },
    ]);
  });

  it('says nothing of channels with weights, nor of zeros', () => {
    expect(found(0.1, 'int8', true)).toEqual([]);
    expect(found(0, 'int8', true)).toEqual([]);
  });

  it('is an error where the bias has no code at the scale that the lane has', () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 2])
        .constant('b', 'float32', [2], [1, 1])
        .node('Add', { name: 'add', inputs: ['x', 'b'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const tensor = g.tensors.find(({ name }) => name === 'b')!.id;
    const quant = (scale: readonly number[]) => ({
      dtype: 'int32' as const,
      qmin: -(2 ** 31),
      qmax: 2 ** 31 - 1,
      granularity: { kind: 'per-axis' as const, axis: 0 },
      scale: Float32Array.from(scale),
      zeroPoint: new Int32Array(2),
      source: 'derived' as const,
    });
    const said = (scale: readonly number[]) =>
      biasOverflow.check(
        evidence(
          g,
          [],
          [
            {
              tensor,
              node: g.nodes[0]!.id,
              role: 'bias',
              quant: quant(scale),
              self: undefined,
              axis: undefined,
            },
          ],
        ),
      );
    expect(said([1e-3, 2 ** -33])).toMatchObject([
      {
        severity: 'error',
        subject: { node: 'add', tensor: 'b' },
        message:
          'the bias of channel 1 does not fit into int32: 1 is 8590000000 steps of 1.164e-10, and 75 % of the largest is cut off',
      },
    ]);
    expect(said([1e-3, 2 ** -30])).toEqual([]);
  });
});
