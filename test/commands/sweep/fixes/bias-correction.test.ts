/** Biases that take back the mean error of their layers. */
import { beforeAll, describe, expect, it } from 'vitest';
import { biasCorrectionFixes } from '../../../../src/commands/sweep/fixes/bias-correction.js';
import { equalizationFixes } from '../../../../src/commands/sweep/fixes/equalization.js';
import type { FixGround, LaneFix } from '../../../../src/commands/sweep/fixes/lane-fix.js';
import { edgesOf } from '../../../../src/compile/edges.js';
import type { Lane } from '../../../../src/ir/lane.js';
import { biasedLayers } from '../../../../src/quant/edits/bias-correction.js';
import { SCHEMES, type SchemeOverrides } from '../../../../src/quant/presets.js';
import { schemeFrom } from '../../../../src/commands/scheme-request.js';
import { measure } from '../../../../src/run/measure.js';
import { digitsGround, graphOf, outputDb } from '../../../support/fix-ground.js';

const INT4: SchemeOverrides = { weights: 'int4', granularity: 'per-axis' };

let ground: FixGround;
let fixes: LaneFix[];
let lane: Lane;

beforeAll(async () => {
  ground = await digitsGround('digits.onnx', schemeFrom('ort', INT4));
  fixes = await biasCorrectionFixes(ground);
  lane = ground.simulated.lane;
}, 60_000);

/** Largest |mean error| of a channel of each layer, in steps of its bias. */
async function meanErrorSteps(of: Lane, kind: 'local' | 'cumulative'): Promise<number[]> {
  const graph = { ...graphOf(ground), inner: new Set<never>() };
  const edges = new Map(edgesOf(graph, new Set()).edges.map((edge) => [edge.tensor, edge]));
  const layers = biasedLayers(graph);
  const measured = layers.map(({ output }) => edges.get(output)!);
  const options = { threads: 1, kinds: [kind], clipping: new Set<never>() };
  const sums = await measure(graph, of, measured, new Set(), ground.samples, options, () => undefined);
  return sums.map(({ edge, value, errors }, i) => {
    const { scale } = of.tensors.get(layers[i]!.bias)!;
    const steps = errors
      .get(kind)!
      .sumE.map((sum, c) => Math.abs(sum / (value.count / edge.channels)) / (scale[c] ?? scale[0]!));
    return Math.max(...steps);
  });
}

describe('bias correction of digits with 4-bit weights', () => {
  it('leaves every layer hardly more mean error than its bias was and is rounded by', async () => {
    const before = await meanErrorSteps(lane, 'local');
    const after = await meanErrorSteps(fixes[0]!.apply(lane), 'local');
    expect(Math.max(...before)).toBeGreaterThan(10);
    // Sums in float32 leave some of it where a step is very small.
    after.forEach((steps, i) => expect(steps).toBeLessThan(1.01 + 0.02 * before[i]!));
  });

  it('in order leaves none that arrives from layers before, either', async () => {
    const after = await meanErrorSteps(fixes[1]!.apply(lane), 'cumulative');
    const local = await meanErrorSteps(fixes[0]!.apply(lane), 'cumulative');
    // Of half the samples each: the rest is what the other half differs by.
    expect(Math.max(...after)).toBeLessThan(Math.max(...local) / 2);
  });

  it('helps', async () => {
    const [plain, local, inOrder] = await outputDb(ground, [lane, ...fixes.map((fix) => fix.apply(lane))]);
    expect(local).toBeGreaterThan(plain! + 1);
    expect(inOrder).toBeGreaterThan(plain! + 1);
  });

  it('is done once, and changes nothing but biases', () => {
    const once = fixes[0]!.apply(lane);
    expect(fixes[0]!.apply(once)).toBe(once);
    expect(fixes[1]!.apply(once)).toBe(once);
    expect(once.tensors).toBe(lane.tensors);
    expect([...once.values!.keys()].sort()).toEqual([...fixes[0]!.tensors].sort());
  });

  it('leaves layers alone that have other codes than those measured', () => {
    const { weight, bias } = biasedLayers(graphOf(ground))[1]!;
    const tensors = new Map(lane.tensors);
    const own = tensors.get(weight)!;
    tensors.set(weight, { ...own, scale: own.scale.map((scale) => 2 * scale) });
    const other = { ...lane, tensors };
    expect(fixes[0]!.apply(other).values?.has(bias)).toBe(false);
    expect(fixes[0]!.apply(other).values?.size).toBe(fixes[0]!.tensors.length - 1);
    expect(fixes[1]!.apply(other)).toBe(other);
  });
});

describe('bias correction of an equalized lane', () => {
  it('measures against the equalized network, not against the scales that it had', async () => {
    const rescaled = await digitsGround('digits_rescaled.onnx', SCHEMES.ort);
    const [equalization] = await equalizationFixes(rescaled);
    const equalized = equalization!.apply(rescaled.simulated.lane);
    const [local] = await biasCorrectionFixes(rescaled, equalized, ['local']);
    const corrected = local!.apply(equalized);
    const [before, after] = await outputDb(rescaled, [equalized, corrected]);
    expect(after).toBeGreaterThan(before! + 1);
  }, 60_000);
});
