/** Equalization of a whole network: the function stays, and one scale per tensor is enough again. */
import { beforeAll, describe, expect, it } from 'vitest';
import { equalizationFixes } from '../../../../src/commands/sweep/fixes/equalization.js';
import type { FixGround, LaneFix } from '../../../../src/commands/sweep/fixes/lane-fix.js';
import type { Lane } from '../../../../src/ir/lane.js';
import { exactGraph } from '../../../../src/quant/edits/constant-values.js';
import { buildLane } from '../../../../src/quant/lane.js';
import { observe } from '../../../../src/quant/observers/index.js';
import { observedTensors } from '../../../../src/quant/placement/plan.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import { calibrate } from '../../../../src/run/calibrate.js';
import { digitsGround, graphOf, outputDb, withoutQuantizers } from '../../../support/fix-ground.js';

let ground: FixGround;
let fixes: LaneFix[];
let lane: Lane;

beforeAll(async () => {
  ground = await digitsGround('digits_rescaled.onnx');
  fixes = await equalizationFixes(ground);
  lane = ground.simulated.lane;
}, 60_000);

describe('equalization of digits_rescaled, one scale per tensor', () => {
  it('is offered for weights and for activations', () => {
    expect(fixes.map(({ id }) => id)).toEqual(['equalization:weights', 'equalization:activations']);
    expect(fixes[0]!.places).toContain('block1/depthwise');
    expect(fixes.every(({ cost }) => cost === undefined)).toBe(true);
  });

  it('leaves the function as it is', async () => {
    const bare = fixes.map((fix) => withoutQuantizers(fix.apply(lane)));
    for (const db of await outputDb(ground, bare)) expect(db).toBeGreaterThan(100);
  });

  it('gives back what the rescaling of channels took', async () => {
    const [before, after] = await outputDb(ground, [lane, fixes[0]!.apply(lane)]);
    expect(before).toBeLessThan(5);
    expect(after).toBeGreaterThan(25);
  });

  it('quantizes as the target would the equalized network', async () => {
    const equalized = fixes[0]!.apply(lane);
    const { plan, observed } = ground.simulated.simulation;
    const graph = exactGraph(graphOf(ground), equalized);
    const passes = { threads: 1, histograms: false, momentum: 0.9 };
    const { edges } = await calibrate(graph, observed, ground.samples, passes, () => undefined);
    const schemes = observedTensors(graph, plan);
    const ranges = (tensor: Parameters<Parameters<typeof buildLane>[2]>[0]) =>
      observe(schemes.get(tensor)!.observer, edges.get(tensor)!, schemes.get(tensor)!);
    const wanted = buildLane(graph, plan, ranges, 'wanted');
    expect(equalized.tensors.size).toBe(wanted.tensors.size);
    for (const [tensor, { scale, zeroPoint }] of wanted.tensors) {
      const found = equalized.tensors.get(tensor)!;
      expect([...found.zeroPoint]).toEqual([...zeroPoint]);
      found.scale.forEach((value, i) => expect(value / scale[i]!).toBeCloseTo(1, 4));
    }
  });

  it('is done once, whatever its kind', () => {
    const once = fixes[0]!.apply(lane);
    expect(fixes[0]!.apply(once)).toBe(once);
    expect(fixes[1]!.apply(once)).toBe(once);
    expect(fixes[0]!.apply(lane).values).toEqual(once.values);
  });

  it('changes a range that was edited by as much as the observed one', () => {
    const tensors = new Map(lane.tensors);
    const moved = fixes[0]!.tensors.find((id) => tensors.get(id)?.dtype === 'uint8')!;
    const own = tensors.get(moved)!;
    tensors.set(moved, { ...own, scale: own.scale.map((scale) => scale / 2) });
    const plain = fixes[0]!.apply(lane).tensors.get(moved)!;
    const edited = fixes[0]!.apply({ ...lane, tensors }).tensors.get(moved)!;
    expect(edited.scale[0]! / plain.scale[0]!).toBeCloseTo(0.5, 2);
  });

  it('leaves a layer that the lane has in float without a quantizer', async () => {
    const tensors = new Map([...lane.tensors].filter(([, { dtype }]) => dtype === 'uint8'));
    const found = fixes[0]!.apply({ ...lane, tensors });
    expect([...found.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    const [db] = await outputDb(ground, [found]);
    expect(db).toBeGreaterThan(25);
  });
});

describe('equalization where weights have a scale per channel', () => {
  it('is of activations only, observed anew with any observer', async () => {
    const scheme = SCHEMES.ort!;
    const perAxis = await digitsGround(
      'digits.onnx',
      {
        ...scheme,
        weights: { ...(scheme.weights as Exclude<typeof scheme.weights, 'float'>), granularity: 'per-axis' },
        activations: {
          ...(scheme.activations as Exclude<typeof scheme.activations, 'float'>),
          observer: { kind: 'percentile', percentile: 99.9 },
        },
      },
      16,
    );
    const found = await equalizationFixes(perAxis);
    expect(found.map(({ id }) => id)).toEqual(['equalization:activations']);
    const [db] = await outputDb(perAxis, [found[0]!.apply(perAxis.simulated.lane)]);
    expect(db).toBeGreaterThan(12);
  }, 60_000);
});
