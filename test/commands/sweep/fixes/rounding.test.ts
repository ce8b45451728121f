/** Weights rounded for the output of their layer. */
import { beforeAll, describe, expect, it } from 'vitest';
import { roundingFixes } from '../../../../src/commands/sweep/fixes/rounding.js';
import type { FixGround, LaneFix } from '../../../../src/commands/sweep/fixes/lane-fix.js';
import { schemeFrom } from '../../../../src/commands/scheme-request.js';
import { toFloat32 } from '../../../../src/ir/elements.js';
import { tensorOf } from '../../../../src/ir/graph.js';
import type { Lane } from '../../../../src/ir/lane.js';
import { dequantize, quantize } from '../../../../src/quant/affine.js';
import { digitsGround, graphOf, outputDb } from '../../../support/fix-ground.js';

let ground: FixGround;
let fix: LaneFix;
let lane: Lane;

beforeAll(async () => {
  ground = await digitsGround('digits.onnx', schemeFrom('ort', { weights: 'int4', granularity: 'per-axis' }));
  [fix] = (await roundingFixes(ground)) as [LaneFix];
  lane = ground.simulated.lane;
}, 60_000);

describe('rounding of digits with 4-bit weights', () => {
  it('helps, and is of every layer', async () => {
    const [plain, rounded] = await outputDb(ground, [lane, fix.apply(lane)]);
    expect(rounded).toBeGreaterThan(plain! + 2);
    expect(fix.places).toContain('block1/depthwise');
    expect(fix.places).toContain('head/classifier');
  });

  it('gives values that the quantizer makes those very codes of, one step from the nearest at most', () => {
    const { values } = fix.apply(lane);
    let moved = 0;
    for (const [tensor, data] of values!) {
      const params = lane.tensors.get(tensor)!;
      const own = tensorOf(graphOf(ground), tensor).data!;
      const codes = quantize(toFloat32(data), data.dims, params);
      const nearest = quantize(toFloat32(own), own.dims, params);
      expect(dequantize(codes, data.dims, params)).toEqual(toFloat32(data));
      codes.forEach((code, i) => {
        expect(Math.abs(code - nearest[i]!)).toBeLessThanOrEqual(1);
        if (code !== nearest[i]) moved++;
      });
    }
    expect(moved).toBeGreaterThan(20);
  });

  it('leaves quantizers as they are, and weights with other ones', () => {
    const once = fix.apply(lane);
    expect(once.tensors).toBe(lane.tensors);
    expect(fix.apply(once)).toBe(once);
    const [weight] = fix.tensors;
    const tensors = new Map(lane.tensors);
    const own = tensors.get(weight!)!;
    tensors.set(weight!, { ...own, scale: own.scale.map((scale) => 2 * scale) });
    expect(fix.apply({ ...lane, tensors }).values?.has(weight!)).toBe(false);
  });
});
