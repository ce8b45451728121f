/** The search on networks that are really run. */
import { describe, expect, it } from 'vitest';
import { calibratedLane, planSimulation } from '../../../src/commands/simulation.js';
import { effectBasis, effectOf } from '../../../src/commands/sweep/effects.js';
import { meetingLayers } from '../../../src/commands/sweep/search/layer-neighbours.js';
import { LocalRunner } from '../../../src/commands/sweep/trials/local-runner.js';
import { searchPrecision, type SearchRequest } from '../../../src/commands/sweep/search/search.js';
import { sweptUnits } from '../../../src/commands/sweep/units/swept-units.js';
import { unitsOf } from '../../../src/commands/sweep/units/units.js';
import { edgesOf } from '../../../src/compile/edges.js';
import { UsageError } from '../../../src/errors.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { layersOf } from '../../../src/quant/layers.js';
import { overrideScheme, SCHEMES } from '../../../src/quant/presets.js';
import { NO_SELECTION } from '../../../src/quant/select.js';
import type { ReportedSearch } from '../../../src/report/sweep-report.js';
import { calibrate } from '../../../src/run/calibrate.js';
import { Random } from '../../quant/samples.js';
import { graph, tensorNamed } from '../../support/graph-builder.js';
import { bells, ONE_THREAD, samplesOf, UNWATCHED } from '../../support/measured-networks.js';
import { fixture, sweptGround } from './swept-ground.js';

const typed = (text: string): SearchRequest['target'] => ({ text, source: 'command line' });
const TOP1 = { metric: 'top1', unit: '%', better: 'higher' } as const;

const chosenOf = (report: ReportedSearch): ReportedSearch['points'][number] => report.points[report.chosen!]!;

describe('a network that one scale for all weights of a layer breaks', async () => {
  const ground = await sweptGround({
    model: fixture('digits/digits_rescaled.onnx'),
    calib: fixture('digits/calib'),
    eval: fixture('digits/eval'),
    scheme: SCHEMES['ort']!,
    samples: 64,
  });
  const { simulated, layers } = ground.prepared;
  const { graph: network } = simulated.simulation;
  const kinds = new Set(['alone', 'restored'] as const);
  const units = { simulated, units: unitsOf(network, layers, new Map()), kinds, basis: ground.basis };
  const request: SearchRequest = {
    simulated,
    layers,
    to: 'float',
    target: typed('2pt'),
    metric: { ...TOP1, reference: 100 },
    basis: ground.basis,
    units: (await sweptUnits({ ...units, score: 'all' }, ground.trials)).layers,
    groups: [],
  };

  it.each(['float', 'int16'] as const)('needs that layer in %s, and little more', async (to) => {
    const found = await searchPrecision({ ...request, to }, ground.trials);
    const chosen = chosenOf(found.report);
    expect(chosen.layers).toContain('block1/depthwise');
    expect(chosen.layers.length).toBeLessThanOrEqual(2);
    expect(chosen.macsShare).toBeLessThan(0.4);
    expect(chosen.extraBytes).toBeGreaterThan(0);
    expect(chosen).toMatchObject({ meetsTarget: true, isPareto: true, effect: found.effect });
    expect(chosen.drop).toBeLessThanOrEqual(2);
    expect(found.report).toMatchObject({
      to,
      target: '2pt',
      stopped: expect.stringMatching(/^target met/) as string,
    });
    // Of the lane that exports get.
    const [again] = await ground.trials.run([{ id: 'again', lane: found.lane }], {
      noise: true,
      score: true,
    });
    expect(effectOf(again!)).toEqual(found.effect);
    expect(found.layers.map(({ name }) => name)).toEqual(chosen.layers);
    expect(found.report.points[0]).toMatchObject({
      layers: [],
      macsShare: 0,
      extraBytes: 0,
      meetsTarget: false,
    });
  });

  it('finds it where nothing is known of single layers', async () => {
    const found = await searchPrecision({ ...request, units: [] }, ground.trials);
    expect(chosenOf(found.report).layers).toContain('block1/depthwise');
    expect(found.meetsTarget).toBe(true);
  });

  it('takes one per cent of what float scores, or points without labels', async () => {
    const relative = await searchPrecision({ ...request, target: typed('2%') }, ground.trials);
    expect(relative.report.points[relative.report.chosen!]!.drop).toBeLessThanOrEqual(2);
    const { metric: scored, ...unscored } = request;
    expect(scored).toBeDefined();
    const agreeing = await searchPrecision({ ...unscored, target: typed('2pt') }, ground.trials);
    expect(agreeing.effect.changedShare).toBeLessThanOrEqual(0.02);
    expect(agreeing.meetsTarget).toBe(true);
  });

  it('refuses a bare number, a unit that the metric has not, and 16 bits where there are none', async () => {
    const refused = async (changes: Partial<SearchRequest>): Promise<unknown> =>
      searchPrecision({ ...request, ...changes }, ground.trials).catch((error: unknown) => error);
    const bare = await refused({ target: typed('1') });
    expect(bare).toBeInstanceOf(UsageError);
    expect(bare).toMatchObject({
      message: expect.stringContaining('--target-drop 1 has no unit') as string,
      hint: '--target-drop 1pt or --target-drop 1%',
    });
    expect(await refused({ target: typed('3dB') })).toMatchObject({
      message: '--target-drop 3dB: top1 is in %, it cannot drop by dB',
      hint: '--target-drop 3pt or --target-drop 3%',
    });
    const { simulation } = simulated;
    const tensorrt = { ...simulated, simulation: { ...simulation, scheme: SCHEMES['tensorrt']! } };
    expect(await refused({ to: 'int16', simulated: tensorrt })).toMatchObject({
      message: '--to int16: scheme tensorrt has nothing wider to move a layer to',
      hint: '--to float',
    });
  });
});

describe('a network that loses all in one activation', async () => {
  const random = new Random(3);
  const weights = Array.from({ length: 4 }, () => bells(random, 64));
  // The second layer writes one large channel, which the third does not read.
  for (let row = 0; row < 8; row++) weights[1]![8 * row] = 300;
  for (let column = 0; column < 8; column++) weights[2]![column] = 0;
  const names = ['one', 'two', 'three', 'four'];
  let builder = graph().input('x', 'float32', [1, 8]);
  names.forEach((name, at) => {
    builder = builder.constant(`${name}.weight`, 'float32', [8, 8], weights[at]);
    const input = at === 0 ? 'x' : `${names[at - 1]}:out`;
    builder = builder.node('MatMul', { name, inputs: [input, `${name}.weight`], outputs: [`${name}:out`] });
  });
  const network = inferShapes(builder.output('four:out').build());
  const samples = samplesOf(
    'x',
    [1, 8],
    Array.from({ length: 12 }, () => bells(random, 8)),
  );
  const scheme = overrideScheme(SCHEMES['ort']!, { granularity: 'per-axis' });
  const simulation = { ...planSimulation(network, scheme, NO_SELECTION), scheme };
  const passes = { ...ONE_THREAD, histograms: true, momentum: 0.99 };
  const calibration = await calibrate(network, edgesOf(network, new Set()).edges, samples, passes, UNWATCHED);
  const lane = calibratedLane(simulation, calibration);
  const simulated = { simulation, calibration, selection: NO_SELECTION, lane };
  const layers = layersOf(network, simulation.plan);
  const ends = simulation.edges.filter(({ tensor }) => tensor === tensorNamed(network, 'four:out').id);
  const runner = new LocalRunner({ graph: network, ends, samples, threads: 1 });
  const [quantized] = await runner.run([{ id: 'everything', lane }], { noise: true, score: false });
  const basis = effectBasis(quantized!);
  const request: SearchRequest = {
    simulated,
    layers,
    to: 'float',
    target: typed('25dB'),
    basis,
    units: [],
    groups: [],
  };

  it('needs both layers beside it in float, which give nothing apart', async () => {
    const alone = await searchPrecision({ ...request, budget: 0 }, runner);
    const found = await searchPrecision(request, runner);
    expect(alone.effect.outputSqnrDb).toBeLessThan(15);
    expect(chosenOf(found.report).layers).toEqual(['two', 'three']);
    expect(found.effect.outputSqnrDb).toBeGreaterThan(25);
    for (const { layers: moved, effect } of found.report.points)
      if (moved.length === 1) expect(effect.outputSqnrDb, moved[0]).toBeLessThan(20);
  });

  it('needs one of the two at 16 bits, since that widens what both read and write', async () => {
    const found = await searchPrecision({ ...request, to: 'int16' }, runner);
    expect(chosenOf(found.report).layers).toHaveLength(1);
    expect(['two', 'three']).toContain(chosenOf(found.report).layers[0]);
  });

  it('is met by everything quantized where little is asked, and by nothing at 16 bits where too much is', async () => {
    const little = await searchPrecision({ ...request, target: typed('0dB') }, runner);
    expect([little.layers, little.lane, little.meetsTarget]).toEqual([[], lane, true]);
    expect(little.report.stopped).toMatch(/^everything quantized is within the target already/);
    const much = await searchPrecision({ ...request, to: 'int16', target: typed('200dB') }, runner);
    expect(much.meetsTarget).toBe(false);
    expect(much.report.chosen).toBeUndefined();
    expect(much.report.stopped).toMatch(
      /^target not met, not even with all layers at 16 bits; the best set found leaves/,
    );
    expect(much.layers).toHaveLength(4);
    expect(much.report.points[much.report.best!]!.effect).toEqual(much.effect);
  });

  it('has layers that meet at each tensor between them', () => {
    expect(meetingLayers(network, simulation.plan, layers)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });
});
