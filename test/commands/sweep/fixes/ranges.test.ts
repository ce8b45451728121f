/** Fixes of ranges and scales on fixtures with known faults: what is proposed, and what it really gives. */
import { describe, expect, it } from 'vitest';
import { effectOf, restoredOf } from '../../../../src/commands/sweep/effects.js';
import { asymmetricFixes } from '../../../../src/commands/sweep/fixes/asymmetric.js';
import { clippingFixes } from '../../../../src/commands/sweep/fixes/clipping.js';
import { int16Fixes } from '../../../../src/commands/sweep/fixes/int16.js';
import { observerFixes } from '../../../../src/commands/sweep/fixes/observer.js';
import { perAxisFixes } from '../../../../src/commands/sweep/fixes/per-axis.js';
import { splitConcatFixes } from '../../../../src/commands/sweep/fixes/split-concat.js';
import type { FixGround, LaneFix } from '../../../../src/commands/sweep/fixes/lane-fix.js';
import { overrideScheme, SCHEMES } from '../../../../src/quant/presets.js';
import type { Scheme } from '../../../../src/quant/scheme.js';
import type { Report } from '../../../../src/report/report.js';
import { withExtents } from '../../../../src/run/samples.js';
import { tensorNamed } from '../../../support/graph-builder.js';
import {
  analyzed,
  DIGITS,
  fixture,
  outputSqnr,
  sweptGround,
  type Asked,
  type SweptGround,
} from '../swept-ground.js';

const ORT = SCHEMES['ort']!;
const TFLITE = SCHEMES['tflite']!;
const RESCALED: Asked = { ...DIGITS, model: fixture('digits/digits_rescaled.onnx') };

function groundOf({ prepared }: SweptGround): FixGround {
  const { simulated, layers, ends, calib, extents } = prepared;
  const { edges } = simulated.simulation;
  return { simulated, layers, ends, edges, samples: withExtents(calib, extents), threads: 1 };
}

async function gains(
  swept: SweptGround,
  fixes: readonly LaneFix[],
): Promise<Map<string, number | undefined>> {
  const { lane } = swept.prepared.simulated;
  const trials = fixes.map((fix) => ({ id: fix.id, lane: fix.apply(lane) }));
  const outcomes = await swept.trials.run(trials, { noise: true, score: false });
  return new Map(outcomes.map((outcome) => [outcome.id, restoredOf(outcome, swept.basis).gainDb]));
}

const ids = (fixes: readonly LaneFix[]): string[] => fixes.map(({ id }) => id);
const lastOf = ({ tensors }: Report): string => tensors.findLast(({ role }) => role === 'output')!.tensor;

describe('per-axis weights', () => {
  it('give what analyze measures with --per-axis, to the fifth digit', async () => {
    const swept = await sweptGround({ ...RESCALED, scheme: ORT });
    const fixes = perAxisFixes(groundOf(swept));
    const [all] = fixes;
    expect(all).toMatchObject({ id: 'per-axis:all', kind: 'per-axis' });
    expect(all).not.toHaveProperty('cost');
    const found = await gains(swept, fixes);
    const [before, after] = [
      await analyzed(RESCALED, { scheme: ORT }),
      await analyzed(RESCALED, { scheme: overrideScheme(ORT, { granularity: 'per-axis' }) }),
    ];
    const [was, is] = [before, after].map((report) => outputSqnr(report, lastOf(report))) as [number, number];
    expect(is - was).toBeGreaterThan(5);
    expect(found.get('per-axis:all')).toBeCloseTo(is - was, 5);
  });

  it('have nothing to offer where weights have them, or are asymmetric', async () => {
    expect(perAxisFixes(groundOf(await sweptGround({ ...RESCALED, scheme: TFLITE })))).toEqual([]);
    const unsigned = overrideScheme(ORT, { weights: 'uint8' });
    expect(perAxisFixes(groundOf(await sweptGround({ ...RESCALED, scheme: unsigned })))).toEqual([]);
  });
});

describe('ranges', () => {
  const outliers: Asked = {
    model: fixture('doctor/act.outlier-range/model.onnx'),
    calib: fixture('doctor/act.outlier-range/data.npy'),
  };

  it('that cut too much are widened by the observer that the histograms speak for', async () => {
    const swept = await sweptGround({ ...outliers, scheme: overrideScheme(ORT, { observer: 'entropy' }) });
    const ground = groundOf(swept);
    const [best] = observerFixes(ground);
    expect(best).toMatchObject({
      id: 'observer:best',
      title: 'the best observer for each of 2 activations: 2 minmax',
    });
    const found = await gains(swept, [best!]);
    const [before, after] = [
      await analyzed(outliers, { scheme: overrideScheme(ORT, { observer: 'entropy' }) }),
      await analyzed(outliers, { scheme: ORT }),
    ];
    const [was, is] = [before, after].map((report) => outputSqnr(report, lastOf(report))) as [number, number];
    expect(found.get('observer:best')).toBeGreaterThan(30);
    expect(found.get('observer:best')).toBeCloseTo(is - was, 4);
  });

  it('that rare values take are cut, and keep the others on more levels', async () => {
    const swept = await sweptGround({ ...outliers, scheme: ORT });
    const ground = groundOf(swept);
    const fix = clippingFixes(ground).find(({ id }) => id.startsWith('clipping:rare-values'))!;
    const { lane } = swept.prepared.simulated;
    const [tensor] = fix.tensors;
    const [was, is] = [lane, fix.apply(lane)].map(({ tensors }) => tensors.get(tensor!)!.scale[0]!) as [
      number,
      number,
    ];
    expect(was / is).toBeGreaterThan(500);
    // Applied twice there is nothing left to change.
    const once = fix.apply(lane);
    expect(fix.apply(once)).toBe(once);
  });
});

describe('zero points', () => {
  const skewed: Asked = {
    model: fixture('doctor/act.skewed-symmetric/model.onnx'),
    calib: fixture('doctor/act.skewed-symmetric/data.npy'),
    scheme: overrideScheme(ORT, { activations: 'int8', symmetric: true, granularity: 'per-axis' }),
  };

  it('gain where values lie on one side', async () => {
    const swept = await sweptGround(skewed);
    const ground = groundOf(swept);
    const fixes = asymmetricFixes(ground);
    expect(ids(fixes)[0]).toMatch(/^asymmetric:/);
    const found = await gains(swept, fixes);
    expect(found.get(fixes[0]!.id)).toBeGreaterThan(0.5);
    const { lane } = swept.prepared.simulated;
    const changed = fixes[0]!.apply(lane);
    const tensor = fixes[0]!.tensors.find((id) => lane.tensors.get(id)!.dtype === 'int8')!;
    expect(changed.tensors.get(tensor)!.zeroPoint[0]).not.toBe(0);
    expect(changed.tensors.get(tensor)!.scale[0]).toBeLessThan(lane.tensors.get(tensor)!.scale[0]!);
  });

  it('are no choice where the target has none, or has them', async () => {
    expect(asymmetricFixes(groundOf(await sweptGround({ ...skewed, scheme: SCHEMES['tensorrt']! })))).toEqual(
      [],
    );
    expect(asymmetricFixes(groundOf(await sweptGround({ ...skewed, scheme: ORT })))).toEqual([]);
  });
});

describe('16 bits', () => {
  it('cost the layers that read them, and with TensorFlow Lite those that write them', async () => {
    const layersAt = async (scheme: Asked['scheme']): Promise<string[]> => {
      const fixes = int16Fixes(
        groundOf(await sweptGround({ ...DIGITS, ...(scheme === undefined ? {} : { scheme }) })),
      );
      const fix = fixes.find(({ id }) => id === 'int16:block2/depthwise_relu6:out')!;
      return fix.cost!.layers!.map(({ name }) => name);
    };
    const titleIn = async (scheme: Scheme): Promise<string> =>
      int16Fixes(groundOf(await sweptGround({ ...DIGITS, scheme }))).find(
        ({ id }) => id === 'int16:block2/depthwise_relu6:out',
      )!.title;
    expect(await titleIn(ORT)).toBe(
      '16 bits for block2/depthwise_relu6:out; block2/project computes with them',
    );
    expect(await titleIn(TFLITE)).toBe(
      '16 bits for block2/depthwise_relu6:out; 2 layers compute with them, with a QUANTIZE on every 8-bit edge to and from',
    );
    expect(await layersAt(ORT)).toEqual(['block2/project']);
    expect(await layersAt(TFLITE)).toEqual(['block2/depthwise', 'block2/project']);
  });

  it('for the worst together gain more than any alone; TensorRT has none', async () => {
    const asked: Asked = {
      model: fixture('doctor/act.skewed-symmetric/model.onnx'),
      calib: fixture('doctor/act.skewed-symmetric/data.npy'),
    };
    const swept = await sweptGround({ ...asked, scheme: ORT });
    const fixes = int16Fixes(groundOf(swept));
    expect(fixes.at(-1)!.id).toBe('int16:worst');
    const found = [...(await gains(swept, fixes)).values()] as number[];
    expect(Math.max(...found)).toBe(found.at(-1));
    expect(int16Fixes(groundOf(await sweptGround({ ...asked, scheme: SCHEMES['tensorrt']! })))).toEqual([]);
  });
});

describe('a shared scale', () => {
  it.each([ORT, TFLITE])('in $name is given up where the output of a Concat can be float', async (scheme) => {
    const asked: Asked = {
      model: fixture('doctor/act.concat-shared-scale/model.onnx'),
      calib: fixture('doctor/act.concat-shared-scale/data.npy'),
      scheme,
    };
    const swept = await sweptGround(asked);
    const fixes = splitConcatFixes(groundOf(swept));
    expect(ids(fixes)).toContain('split-concat:float y');
    const fix = fixes.find(({ id }) => id === 'split-concat:float y')!;
    expect(fix.cost?.layers?.map(({ name }) => name)).toEqual(['y']);
    const { lane, simulation } = swept.prepared.simulated;
    const edited = fix.apply(lane);
    const scale = (name: string): number =>
      edited.tensors.get(tensorNamed(simulation.graph, name).id)!.scale[0]!;
    expect(edited.tensors.has(tensorNamed(simulation.graph, 'y').id)).toBe(false);
    expect(scale('boxes') / scale('scores')).toBeGreaterThan(100);
    expect((await gains(swept, [fix])).get(fix.id)).toBeGreaterThan(0);
  });
});

describe('ranges that cost answers, not decibels', () => {
  it('are cut to what most values need: answers come back, at one fix for one range', async () => {
    const swept = await sweptGround({
      model: fixture('sweep/ranges/outliers.onnx'),
      calib: fixture('sweep/ranges/outliers.npy'),
      scheme: TFLITE,
    });
    const ground = groundOf(swept);
    const fixes = [...observerFixes(ground), ...clippingFixes(ground)];
    const ofActive = fixes.filter(({ places }) => places.includes('active'));
    expect(ids(ofActive)).toEqual(['clipping:rare-values active']);
    expect(ofActive[0]!.title).toMatch(/: 0 to 3\.6\d* instead of 0 to 240$/);
    const { lane } = swept.prepared.simulated;
    const trial = { id: 'cut', lane: ofActive[0]!.apply(lane) };
    const [cut] = await swept.trials.run([trial], { noise: true, score: false });
    const [before, after] = [swept.basis.quantized, cut!].map(
      (outcome) => effectOf(outcome).changedShare!,
    ) as [number, number];
    expect(before).toBeGreaterThan(0.25);
    // The scores keep their coarse step: the class that is never the answer takes their range.
    expect(before - after).toBeGreaterThan(0.1);
  });
});

describe('an own scale in front of a Concat', () => {
  it('gives the other reader its precision back, and leaves the Concat what it had', async () => {
    const swept = await sweptGround({
      model: fixture('sweep/ranges/branches.onnx'),
      calib: fixture('sweep/ranges/branches.npy'),
      scheme: TFLITE,
    });
    const fixes = splitConcatFixes(groundOf(swept));
    expect(ids(fixes)).toEqual(['split-concat:small']);
    expect(fixes[0]!.title).toContain('must requantize it in front of joined/concat');
    expect((await gains(swept, fixes)).get('split-concat:small')).toBeGreaterThan(8);
    const { lane, simulation } = swept.prepared.simulated;
    const edited = fixes[0]!.apply(lane);
    const small = tensorNamed(simulation.graph, 'small').id;
    const [shared, own] = [lane, edited].map(({ tensors }) => tensors.get(small)!.scale[0]!) as [
      number,
      number,
    ];
    expect(shared / own).toBeGreaterThan(20);
    // What the Concat reads is not finer than before: its codes are still those of the result.
    const atConcat = [...edited.uses].filter(([key]) => !lane.uses.has(key));
    expect(atConcat.map(([, { scale }]) => scale[0])).toEqual([shared]);
    // Rounding to the own scale first, as a target does, adds (own / shared)^2 of the noise there: less than 0.02 dB.
    expect(10 * Math.log10(1 + (own / shared) ** 2)).toBeLessThan(0.02);
  });
});
