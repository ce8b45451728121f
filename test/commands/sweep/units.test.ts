/** Layers, operator types and groups, alone and restored. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { laneDigest } from '../../../src/commands/sweep/trials/lane-digest.js';
import { partLane, type Simulated } from '../../../src/commands/sweep/part-lanes.js';
import { sweptUnits, type UnitKind } from '../../../src/commands/sweep/units/swept-units.js';
import { nodesIn, unitsOf, type Unit } from '../../../src/commands/sweep/units/units.js';
import { calibratedLane, planSimulation } from '../../../src/commands/simulation.js';
import { UsageError } from '../../../src/errors.js';
import { nodeLabel, nodeOf, type Graph } from '../../../src/ir/graph.js';
import { layersOf } from '../../../src/quant/layers.js';
import { planQuantization } from '../../../src/quant/placement/planner.js';
import { SCHEMES } from '../../../src/quant/presets.js';
import { NO_SELECTION, type Selection } from '../../../src/quant/select.js';
import type { Effect, SweptUnit } from '../../../src/report/sweep-report.js';
import { kendallTau } from '../../support/kendall-tau.js';
import { bells, smallNetwork } from '../../support/measured-networks.js';
import { analyzed, DIGITS, fixture, outputSqnr, sweptGround, type Asked } from './swept-ground.js';

const BOTH: ReadonlySet<UnitKind> = new Set(['alone', 'restored']);

const TFLITE: Asked = {
  ...DIGITS,
  model: fixture('tflite/digits_float.tflite'),
  scheme: SCHEMES['tflite']!,
};

interface Swept {
  readonly simulated: Simulated;
  readonly graph: Graph;
  readonly units: readonly Unit[];
  readonly layers: readonly SweptUnit[];
  readonly groups: readonly SweptUnit[];
}

async function swept(
  asked: Asked,
  groups: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<Swept> {
  const { prepared, basis, trials } = await sweptGround(asked);
  const { simulated, layers } = prepared;
  const { graph } = simulated.simulation;
  const units = unitsOf(graph, layers, groups);
  const result = await sweptUnits({ simulated, units, kinds: BOTH, score: 'all', basis }, trials);
  return { simulated, graph, units: [...units.layers, ...units.groups], ...result };
}

function namesOf(graph: Graph, unit: Unit): string[] {
  return [...new Set(nodesIn(unit.layers).map((node) => nodeLabel(nodeOf(graph, node))))];
}

describe.each([
  ['ort', DIGITS, 'logits', true],
  ['tflite', TFLITE, 'probabilities', false],
] as const)('units under %s', (_, asked, output, isLayers) => {
  let all: Swept;
  beforeAll(async () => {
    all = await swept(asked);
  });

  it('have the very quantizers of --only and --skip', () => {
    const { simulation, calibration } = all.simulated;
    const keyOf = (selection: Selection): string =>
      laneDigest(calibratedLane(planSimulation(all.graph, simulation.scheme, selection), calibration));
    for (const unit of all.units) {
      const patterns = namesOf(all.graph, unit);
      const nodes = nodesIn(unit.layers);
      const alone = partLane(all.simulated, { kind: 'only', nodes });
      const restored = partLane(all.simulated, { kind: 'without', nodes });
      expect(laneDigest(alone!)).toBe(keyOf({ only: patterns, skip: [] }));
      expect(laneDigest(restored!)).toBe(keyOf({ only: [], skip: patterns }));
    }
  });

  it('lose alone what analyze --only loses, and keep restored what analyze --skip keeps', async () => {
    const told = [...all.layers, ...all.groups];
    expect(told.length).toBe(all.units.length);
    for (const [at, unit] of all.units.entries()) {
      // That the quantizers are the same is shown for all above: some layers here, some types there.
      if ((unit.kind === 'layer') !== isLayers || at % 3 !== 0) continue;
      const patterns = namesOf(all.graph, unit);
      const { alone, restored } = told[at]!;
      const skipped = await analyzed(asked, { selection: { only: [], skip: patterns } });
      // Sums of float32 squares are added in another order there.
      expect(restored?.outputSqnrDb).toBeCloseTo(outputSqnr(skipped, output) ?? NaN, 6);
      const only = await analyzed(asked, { selection: { only: patterns, skip: [] } }).catch(
        (error: unknown) => {
          // Nothing of it is quantized by itself.
          if (error instanceof UsageError) return undefined;
          throw error;
        },
      );
      const lost = only === undefined ? undefined : outputSqnr(only, output);
      if (lost === undefined) expect(alone).toMatchObject({ exact: true });
      else expect(alone?.outputSqnrDb).toBeCloseTo(lost, 6);
    }
  }, 120_000);

  it('have all multiply-accumulates among them, each once', () => {
    const types = all.groups.reduce((sum, { macsShare = 0 }) => sum + macsShare, 0);
    expect(all.layers.reduce((sum, { macsShare = 0 }) => sum + macsShare, 0)).toBeCloseTo(1, 12);
    expect(types).toBeCloseTo(1, 12);
  });
});

describe("ONNX Runtime's quantizer, told to quantize one layer alone, or all but it", () => {
  interface Reference {
    readonly everything: number;
    readonly layers: Readonly<Record<string, { readonly alone: number | null; readonly restored: number }>>;
    readonly types: Reference['layers'];
  }
  const { models } = JSON.parse(readFileSync(fixture('sweep/ort_layers.json'), 'utf8')) as {
    models: Readonly<Record<string, Reference>>;
  };
  const onAll: Asked = { model: DIGITS.model, calib: DIGITS.calib };

  it.each(['digits', 'digits_rescaled'])(
    'loses the same on %s',
    async (name) => {
      const reference = models[name]!;
      const { layers, groups } = await swept({ ...onAll, model: fixture(`digits/${name}.onnx`) });
      for (const [own, known] of [
        [layers, reference.layers],
        [groups, reference.types],
      ] as const) {
        expect(own.map((unit) => unit.name).sort()).toEqual(Object.keys(known).sort());
        for (const { name: unit, alone, restored } of own) {
          const { alone: lost, restored: kept } = known[unit]!;
          if (lost === null) expect(alone).toMatchObject({ exact: true });
          else expect(alone?.outputSqnrDb).toBeCloseTo(lost, 4);
          expect(restored?.outputSqnrDb).toBeCloseTo(kept, 4);
        }
        const ranks = (kind: UnitKind): [readonly number[], readonly number[]] => [
          own.map((unit) => shown(unit[kind]?.outputSqnrDb)),
          own.map((unit) => shown(known[unit.name]?.[kind] ?? undefined)),
        ];
        expect(kendallTau(...ranks('alone'))).toBeCloseTo(1, 12);
        expect(kendallTau(...ranks('restored'))).toBeCloseTo(1, 12);
      }
    },
    60_000,
  );
});

/** To the digits that both have. */
function shown(db: number | undefined): number {
  return db === undefined ? Infinity : Number(db.toFixed(3));
}

describe('named groups', () => {
  const network = smallNetwork(17, bells);
  const layers = layersOf(network, planQuantization(network, SCHEMES['ort']!, NO_SELECTION));
  const groupsOf = (patterns: Readonly<Record<string, readonly string[]>>): readonly Unit[] =>
    unitsOf(network, layers, new Map(Object.entries(patterns))).groups.filter(({ kind }) => kind === 'group');

  it('have the layers whose operators or outputs a pattern names, in graph order', () => {
    const groups = groupsOf({ head: ['fc', 'flat'], convs: ['op:conv'], relu: ['relu1:out'], all: ['*'] });
    expect(groups.map(({ id, layers: members }) => [id, members.map(({ name }) => name)])).toEqual([
      ['group:head', ['flatten', 'fc']],
      ['group:convs', ['conv1', 'depthwise', 'project']],
      ['group:relu', ['conv1']],
      ['group:all', layers.map(({ name }) => name)],
    ]);
  });

  it('are refused all at once where they name nothing', () => {
    const refused = (): unknown => groupsOf({ good: ['fc'], typo: ['cnv1', 'fc'], weights: ['fc.weight'] });
    expect(refused).toThrow(UsageError);
    try {
      refused();
    } catch (error) {
      expect((error as UsageError).places).toEqual([
        expect.stringMatching(/^group typo: 'cnv1'/),
        'group weights: fc.weight names nothing that is quantized',
      ]);
    }
  });
});

describe('layers of the same name', () => {
  it('are told apart in trials', () => {
    const network = smallNetwork(17, bells);
    const layers = layersOf(network, planQuantization(network, SCHEMES['ort']!, NO_SELECTION));
    const doubled = layers.map((layer) => ({ ...layer, name: 'same' }));
    const ids = unitsOf(network, doubled, new Map()).layers.map(({ id }) => id);
    expect(ids.slice(0, 3)).toEqual(['layer:same', 'layer:same#2', 'layer:same#3']);
  });
});

describe('the metric', () => {
  const asked: Asked = {
    ...DIGITS,
    model: fixture('digits/digits_rescaled.onnx'),
    eval: fixture('digits/eval'),
  };

  it('is evaluated for operator types, and for the layers that matter most by noise alone and restored', async () => {
    const { prepared, basis, trials } = await sweptGround({ ...asked, samples: 20 });
    const { simulated, layers } = prepared;
    const units = unitsOf(simulated.simulation.graph, layers, new Map());
    const ask = (score: 'all' | number): ReturnType<typeof sweptUnits> =>
      sweptUnits({ simulated, units, kinds: BOTH, score, basis }, trials);
    const few = await ask(1);
    const isScored = (effect: Effect | undefined): boolean => effect?.accuracy !== undefined;
    expect(few.layers.filter(({ alone }) => isScored(alone)).map(({ name }) => name)).toEqual([
      'block1/depthwise',
    ]);
    // Where nothing comes back, everything quantized is the same network, and is known.
    expect(
      few.layers.flatMap(({ name, restored }) =>
        isScored(restored) && restored?.gainDb !== 0 ? [name] : [],
      ),
    ).toEqual(['block1/depthwise']);
    expect(few.groups.every(({ alone, restored }) => isScored(alone) && isScored(restored))).toBe(true);
    const all = await ask('all');
    expect(all.layers.every(({ alone, restored }) => isScored(alone) && isScored(restored))).toBe(true);
    expect(all.layers.find(({ name }) => name === 'block1/depthwise')).toEqual(
      few.layers.find(({ name }) => name === 'block1/depthwise'),
    );
    const culprit = all.layers.find(({ name }) => name === 'block1/depthwise')?.restored;
    expect(culprit?.gain).toBe(Math.max(...all.layers.map(({ restored }) => restored?.gain ?? 0)));
    expect(culprit?.gain).toBeCloseTo(culprit!.accuracy! - basis.quantized.score!.value!, 12);
  }, 60_000);
});

describe('costs', () => {
  it('are three bytes of four for weights that become int8, and none for float biases that become int32', async () => {
    const { layers } = await swept(DIGITS);
    const weights = 16 * 3 * 3;
    expect(layers.find(({ name }) => name === 'block1/depthwise')?.floatBytes).toBe(3 * weights);
    expect(layers.find(({ name }) => name === 'block1/pool')).toMatchObject({ floatBytes: 0, macsShare: 0 });
  });
});

describe('kinds', () => {
  it('that are not wanted are not run', async () => {
    const { prepared, basis, trials } = await sweptGround(DIGITS);
    const { simulated, layers } = prepared;
    const units = unitsOf(simulated.simulation.graph, layers, new Map());
    const sweep = { simulated, units, kinds: new Set<UnitKind>(['restored']), score: 'all', basis } as const;
    const result = await sweptUnits(sweep, trials);
    expect(result.layers.every((unit) => unit.alone === undefined && unit.restored !== undefined)).toBe(true);
  });
});
