/** The experiments: what is tried, what it loses, and the flags that measure the same. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentGround } from '../../../src/commands/sweep/experiments/experiment.js';
import { plannedExperiments } from '../../../src/commands/sweep/experiments/experiments.js';
import {
  parseExperiments,
  type NamedExperiment,
} from '../../../src/commands/sweep/experiments/named-experiments.js';
import { sweptExperiments } from '../../../src/commands/sweep/experiments/swept-experiments.js';
import { UsageError } from '../../../src/errors.js';
import { layersOf } from '../../../src/quant/layers.js';
import { planQuantization } from '../../../src/quant/placement/planner.js';
import { overrideScheme, SCHEMES } from '../../../src/quant/presets.js';
import type { Scheme } from '../../../src/quant/scheme.js';
import { NO_SELECTION, type Selection } from '../../../src/quant/select.js';
import type { SweptExperiment } from '../../../src/report/sweep-report.js';
import { reportOf } from '../../support/evaluated-runs.js';
import { bells, smallNetwork } from '../../support/measured-networks.js';
import { DIGITS, fixture, outputSqnr, sweptGround, type Asked, type SweptGround } from './swept-ground.js';

const ORT = SCHEMES['ort']!;

function groundOf(scheme: Scheme, more: Partial<ExperimentGround> = {}): ExperimentGround {
  const graph = smallNetwork(17, bells);
  const { selection = NO_SELECTION } = more;
  const layers = layersOf(graph, planQuantization(graph, scheme, selection));
  return { graph, scheme, selection, layers, momentum: 0.99, named: [], ...more };
}

function namesFor(scheme: Scheme): string[] {
  return plannedExperiments(groundOf(scheme)).experiments.map(({ name }) => name);
}

describe('the ladder of experiments', () => {
  it('is what one would try by hand, in families', () => {
    expect(namesFor(ORT)).toEqual([
      ...['weights-only', 'activations-only', 'everything'],
      ...['activations-int16', 'weights-int16', 'int16', 'weights-int4'],
      ...['Conv', 'Add', 'MaxPool', 'Flatten', 'Gemm'].flatMap((op) => [`only-op:${op}`, `without-op:${op}`]),
      ...['float-first', 'float-last', 'float-ends'],
      ...['moving-average', 'percentile-99.99', 'percentile-99.9', 'entropy', 'mse'].map(
        (name) => `observer-${name}`,
      ),
      ...['weights-mse', 'per-axis', 'symmetric'],
    ]);
  });

  it('leaves out what the scheme is', () => {
    const names = namesFor(
      overrideScheme(ORT, {
        weights: 'int4',
        activations: 'int16',
        granularity: 'per-axis',
        percentile: 99.9,
      }),
    );
    const bits = ['activations-uint8', 'weights-int8', 'weights-int16', 'everything'];
    for (const name of [...bits, 'per-tensor', 'asymmetric', 'observer-minmax', 'observer-percentile-99.99'])
      expect(names).toContain(name);
    const own = ['activations-int16', 'weights-int4', 'int16', 'per-axis', 'symmetric'];
    for (const name of [...own, 'observer-percentile-99.9']) expect(names).not.toContain(name);
  });

  it('has nothing to say of weights where activations alone are quantized', () => {
    const names = namesFor(overrideScheme(ORT, { weights: 'float' }));
    for (const name of names) expect(name).not.toMatch(/weights|^per-|activations-only/);
    expect(names[0]).toBe('everything');
  });

  it('says which of them the target has no integers for', () => {
    const { experiments, notMeasured } = plannedExperiments(groundOf(SCHEMES['tensorrt']!));
    const missing = ['activations-int16', 'weights-int16', 'int16', 'asymmetric'];
    expect(notMeasured.map(({ subject }) => subject)).toEqual([
      'experiment int16 activations',
      'experiment int16 weights',
      'experiment int16 weights and activations',
      'experiment asymmetric activations',
    ]);
    expect(notMeasured[1]!.reason).toBe('tensorrt has no int16 weights; it has int4, int8');
    expect(experiments.filter(({ name }) => missing.includes(name))).toEqual([]);
  });

  it('is the same in every run, with ids that are told apart', () => {
    const named = parseExperiments({ everything: { weights: 'int16' }, other: { skip: 'fc' } }, 'file');
    const made = (): unknown => plannedExperiments(groundOf(ORT, { named }));
    expect(made()).toEqual(made());
    const ids = plannedExperiments(groundOf(ORT, { named })).experiments.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

interface Run {
  readonly ground: SweptGround;
  readonly experiments: readonly SweptExperiment[];
}

async function run(asked: Asked, named: readonly NamedExperiment[] = []): Promise<Run> {
  const ground = await sweptGround(asked);
  const { simulated, layers } = ground.prepared;
  const { graph, scheme } = simulated.simulation;
  const { selection } = simulated;
  const planned = plannedExperiments({ graph, scheme, selection, layers, momentum: 0.99, named });
  const swept = await sweptExperiments(
    planned.experiments,
    { simulated, basis: ground.basis },
    ground.trials,
  );
  expect(swept.notMeasured).toEqual([]);
  return { ground, experiments: swept.experiments };
}

function experimentIn({ experiments }: Run, name: string): SweptExperiment {
  const found = experiments.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no experiment ${name}`);
  return found;
}

const NAMED = parseExperiments(
  {
    'int4 but for the ends': { weights: 'int4', perAxis: true, skip: ['stem/*', 'head/*'] },
    'convolutions, clipped': { only: 'op:Conv', percentile: 99.5, symmetric: true },
    averaged: { observer: 'moving-average', activations: 'int16' },
  },
  'file',
);

describe.each([
  ['ort', DIGITS, 'logits'],
  [
    'a changed scheme and a selection',
    {
      ...DIGITS,
      scheme: overrideScheme(SCHEMES['tensorrt']!, { granularity: 'per-tensor' }),
      selection: { only: [], skip: ['block1/pointwise'] },
    } satisfies Asked,
    'logits',
  ],
  [
    'tflite',
    { ...DIGITS, model: fixture('tflite/digits_float.tflite'), scheme: SCHEMES['tflite']! } satisfies Asked,
    'probabilities',
  ],
] as const)('experiments with %s', (name, asked: Asked, output) => {
  let swept: Run;
  beforeAll(async () => {
    swept = await run(asked, name === 'ort' ? NAMED : []);
  }, 60_000);

  it('lose what analyze loses with their flags', async () => {
    const flagged = swept.experiments.filter(({ flags }) => flags !== undefined);
    expect(flagged.length).toBeGreaterThan(15);
    expect(swept.experiments.filter(({ flags }) => flags === undefined).map((one) => one.name)).toEqual([
      'weights-mse',
    ]);
    const base = [
      asked.model,
      '--calib',
      asked.calib,
      '--preset',
      'unit',
      '--samples',
      String(asked.samples),
    ];
    // Of every family, and all that the user named.
    const chosen = flagged.filter(
      ({ family }, at) =>
        family === 'named' || (name === 'ort' && at % 4 === 0) || flagged[at - 1]?.family !== family,
    );
    for (const { name: experiment, flags = [], effect } of chosen) {
      const report = await reportOf('analyze', ...base, ...flags);
      expect(effect.outputSqnrDb, experiment).toBeCloseTo(outputSqnr(report, output) ?? NaN, 6);
    }
  }, 120_000);

  it('have everything quantized among them, with all of the loss', () => {
    expect(experimentIn(swept, 'everything')).toMatchObject({ isBase: true, lostShare: 1 });
    expect(swept.experiments.filter(({ isBase }) => isBase === true)).toHaveLength(1);
  });

  it('are told only where they quantize something, and not the same as everything', () => {
    const names = swept.experiments.map((one) => one.name);
    // Pools read codes and write the same; a max pool alone has none to read.
    const silent = name === 'tflite' ? ['without-op:MAX_POOL_2D'] : ['only-op:MaxPool', 'without-op:MaxPool'];
    for (const one of silent) expect(names).not.toContain(one);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('points lost', () => {
  it('are told with their share of what everything quantized loses', async () => {
    const swept = await run({
      model: fixture('digits/digits_rescaled.onnx'),
      calib: fixture('digits/calib'),
      eval: fixture('digits/eval'),
      samples: 100,
    });
    const everything = experimentIn(swept, 'everything');
    expect(everything.lost).toBeGreaterThan(50);
    expect(everything.lostShare).toBe(1);
    const perAxis = experimentIn(swept, 'per-axis');
    expect(perAxis.lost).toBeLessThan(5);
    expect(perAxis.lostShare).toBeCloseTo(perAxis.lost! / everything.lost!, 12);
    expect(experimentIn(swept, 'weights-only').lostShare).toBeGreaterThan(0.9);
    expect(experimentIn(swept, 'activations-only').lostShare).toBeLessThan(0.05);
    expect(experimentIn(swept, 'without-op:Conv').lost).toBeLessThan(5);
  }, 60_000);
});

describe('the ends of a network', () => {
  it('are the layers that multiply first and last, not the operators around them', () => {
    const titles = plannedExperiments(groundOf(ORT))
      .experiments.filter(({ family }) => family === 'ends')
      .map(({ title }) => title);
    expect(titles).toEqual([
      'first layer in float: conv1',
      'last layer in float: fc',
      'first and last layers in float: conv1, fc',
    ]);
  });
});

describe('experiments of the configuration', () => {
  it('are read in their order, with what differs from the flags', () => {
    expect(NAMED).toEqual([
      {
        name: 'int4 but for the ends',
        overrides: { weights: 'int4', granularity: 'per-axis' },
        only: undefined,
        skip: ['stem/*', 'head/*'],
      },
      {
        name: 'convolutions, clipped',
        overrides: { percentile: 99.5, symmetric: true },
        only: ['op:Conv'],
        skip: [],
      },
      {
        name: 'averaged',
        overrides: { observer: 'moving-average', activations: 'int16' },
        only: undefined,
        skip: [],
      },
    ]);
  });

  it.each<[string, unknown, readonly RegExp[]]>([
    ['a list', [], [/^experiments: it must be an object/]],
    ['text', 'int4', [/^experiments: it must be an object/]],
    [
      'wrong values and keys',
      { a: { weights: 'int5', percentile: 10 }, b: { wieghts: 'int8' }, c: 5, d: {}, e: { only: [] } },
      [
        /^experiments\.a\.weights: .*int4/,
        /^experiments\.a\.percentile: /,
        /^experiments\.b: no such key as wieghts; there are weights, activations/,
        /^experiments\.c: /,
        /^experiments\.d: it says nothing/,
        /^experiments\.e\.only: a pattern is missing/,
      ],
    ],
    [
      'names that cannot be shown',
      { '': { weights: 'int8' }, ['x'.repeat(200)]: { weights: 'int8' }, 'a\u001b[31m': { weights: 'int8' } },
      [
        /: a name is wanted/,
        /^experiments\.x{80}: a name of 200 characters, 80 at most/,
        /^experiments\.a\?\[31m: /,
      ],
    ],
    [
      'too many',
      Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`n${at}`, { weights: 'int8' }])),
      [/257 of them, 256 at most/],
    ],
    ['patterns that are too long', { a: { skip: 'x'.repeat(1001) } }, [/^experiments\.a\.skip: /]],
  ])('are refused for %s, with every place', (_, value, places) => {
    expect(() => parseExperiments(value, 'qdbg.config.json')).toThrow(UsageError);
    try {
      parseExperiments(value, 'qdbg.config.json');
    } catch (error) {
      const found = (error as UsageError).places;
      expect(found).toHaveLength(places.length);
      places.forEach((place, at) => expect(found[at]).toMatch(place));
    }
  });

  it('leave the prototype of objects alone', () => {
    const value: unknown = JSON.parse(
      '{ "__proto__": { "weights": "int4" }, "constructor": { "skip": "fc" } }',
    );
    expect(parseExperiments(value, 'file').map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'weights')).toBe(false);
  });

  it('are refused all at once where the target or the network does not have them', () => {
    const named = parseExperiments(
      { 'no such layer': { skip: ['fcc'] }, 'no such type': { weights: 'int16' }, fine: { weights: 'int4' } },
      'file',
    );
    try {
      plannedExperiments(groundOf(SCHEMES['tflite']!, { named }));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).places).toEqual([
        expect.stringMatching(/^experiments\.no such layer: --skip 'fcc'/),
        'experiments.no such type: tflite has no int16 weights; it has int4, int8',
      ]);
    }
  });

  it('replace what --only names, and add to what --skip names', () => {
    const selection: Selection = { only: ['op:Conv', 'fc'], skip: ['conv1'] };
    const named = parseExperiments({ one: { skip: 'depthwise' }, two: { only: 'fc' } }, 'file');
    const ground = groundOf(ORT, { selection, named });
    const made = plannedExperiments(ground).experiments.filter(({ family }) => family === 'named');
    expect(made.map(({ patterns }) => patterns)).toEqual([
      [{ only: ['op:Conv', 'fc'], skip: ['conv1', 'depthwise'] }],
      [{ only: ['fc'], skip: ['conv1'] }],
    ]);
    const skipped = [...made[0]!.selected.skip.nodes].map((id) => ground.graph.nodes[id]!.origin.name);
    expect(skipped).toEqual(['conv1', 'depthwise']);
  });
});
