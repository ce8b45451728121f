/** One scale for unlike channels, before anything is quantized: a forecast, by what it would cost. */
import { describe, expect, it } from 'vitest';
import { constantMeasurements } from '../../../../src/diff/weight-measurements.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import { perTensorSpread } from '../../../../src/doctor/rules/w/per-tensor-spread.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { buildLane } from '../../../../src/quant/lane.js';
import { planQuantization } from '../../../../src/quant/placement/planner.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { Scheme } from '../../../../src/quant/scheme.js';
import { NO_SELECTION } from '../../../../src/quant/select.js';
import { graph } from '../../../support/graph-builder.js';

const KERNEL = [1, -0.5, 0.3];

/** A depthwise convolution whose channels have these magnitudes; nothing was run. */
function forecast(magnitudes: readonly number[]): readonly Finding[] {
  const channels = magnitudes.length;
  const g = inferShapes(
    graph()
      .input('x', 'float32', [1, channels, 1, 5])
      .constant(
        'w',
        'float32',
        [channels, 1, 1, 3],
        magnitudes.flatMap((size) => KERNEL.map((value) => size * value)),
      )
      .node('Conv', { name: 'dw', inputs: ['x', 'w'], outputs: ['y'], attrs: { group: channels } })
      .output('y')
      .build(),
  );
  const scheme = SCHEMES['ort'] as Scheme;
  const plan = planQuantization(g, scheme, NO_SELECTION);
  const lane = buildLane(g, plan, () => ({ rmin: -1, rmax: 1 }), 'test');
  const constants = constantMeasurements(g, lane, plan.quantizers);
  return perTensorSpread.check({ graph: g, lane, scheme, constants });
}

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

describe('w.per-tensor-spread of a float model alone', () => {
  it('warns where scales per channel would give much, in the words of a forecast', () => {
    // The small channels have two fifths of the energy, and a step of the large one is a quarter of them.
    const [finding, ...more] = forecast([30, ...ones(600)]);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'warning',
      subject: { node: 'dw', tensor: 'w' },
      args: { channels: 601, poorChannels: 600, wideChannels: '0' },
      fix: { edit: '--per-axis' },
    });
    expect(finding?.args['gainDb']).toBeGreaterThan(10);
    expect(finding?.message).toMatch(
      /^one scale for all 601 channels would let channel 0 take the range: 600 would keep fewer than 16 of 256 levels; one scale per channel would give the weights \d+\.\d dB$/,
    );
  });

  it('notes where little would be gained, however many channels are poor', () => {
    const halves = [...ones(10), ...ones(10).map(() => 0.05)];
    const [finding] = forecast(halves);
    expect(finding).toMatchObject({ severity: 'note', args: { poorChannels: 10 } });
    expect(finding?.args['gainDb']).toBeLessThan(10);
  });

  it('is never an error, and silent on even channels', () => {
    expect(forecast([1000, ...ones(20)]).map(({ severity }) => severity)).not.toContain('error');
    expect(forecast(ones(20))).toEqual([]);
  });
});
