/** What a sweep settles on with and without a target, of fixes and of a search whose outcomes are made up. */
import { beforeAll, describe, expect, it } from 'vitest';
import { decided } from '../../../src/commands/sweep/decided.js';
import { effectBasis, effectOf } from '../../../src/commands/sweep/effects.js';
import type { LaneFix } from '../../../src/commands/sweep/fixes/lane-fix.js';
import type { Trial, TrialOutcome, TrialRunner } from '../../../src/commands/sweep/trials/trial.js';
import type { TensorId } from '../../../src/ir/graph.js';
import { QRANGE, type Lane, type QuantParams } from '../../../src/ir/lane.js';
import { DIGITS, sweptGround, type SweptGround } from './swept-ground.js';

let ground: SweptGround['prepared'];
beforeAll(async () => {
  ground = (await sweptGround(DIGITS)).prepared;
});

const FIRST_MARK = 100_000;

/** A quantizer that says by its tensor what was done to the lane. */
function marked(lane: Lane, letter: string): Lane {
  const [qmin, qmax] = QRANGE.uint8;
  const params: QuantParams = {
    dtype: 'uint8',
    qmin,
    qmax,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(1),
    zeroPoint: Int32Array.of(0),
    source: 'edit',
  };
  const tensor = (FIRST_MARK + letter.charCodeAt(0)) as TensorId;
  return { ...lane, tensors: new Map([...lane.tensors, [tensor, params]]) };
}

function marksOf({ tensors }: Lane): string {
  return [...tensors.keys()]
    .filter((id) => id >= FIRST_MARK)
    .map((id) => String.fromCharCode(id - FIRST_MARK))
    .sort()
    .join('');
}

interface World {
  /** dB or points by what was done to the lane, letters in order; S is the search. What is missing crashes. */
  readonly is: Readonly<Record<string, number>>;
  readonly fixes?: readonly string[];
  readonly isSearched?: true;
  readonly target?: string;
  readonly to?: 'float' | 'int16';
}

async function settled(world: World): Promise<Awaited<ReturnType<typeof decided>> & { marks: string }> {
  const { simulated, layers } = ground;
  const isNoise = world.target?.endsWith('dB') === true;
  const outcomeOf = ({ id, lane }: Trial): TrialOutcome => {
    const value = world.is[marksOf(lane)];
    if (value === undefined) return { id, failure: 'it crashed' };
    const end = { sumXX: 1, sumEE: 10 ** (-value / 10), moved: 0, rows: 8, nonFinite: 0 };
    return isNoise ? { id, noise: [end] } : { id, score: { value, delta: value - 90 } };
  };
  const runner: TrialRunner = {
    run: (trials) => Promise.resolve(trials.map(outcomeOf)),
    close: () => Promise.resolve(),
  };
  const everything = outcomeOf({ id: 'everything', lane: simulated.lane });
  const basis = effectBasis(everything, isNoise ? undefined : 'higher');
  const applied = (world.fixes ?? []).map((id): LaneFix => ({
    id,
    kind: 'observer',
    title: id,
    places: [],
    tensors: [],
    apply: (lane) => marked(lane, id),
  }));
  const fixed = applied.reduce((lane, fix) => fix.apply(lane), simulated.lane);
  const searched = marked(simulated.lane, 'S');
  const target = world.target === undefined ? undefined : { text: world.target, source: 'command line' };
  const made = await decided(
    {
      simulated,
      layers,
      target,
      to: world.to ?? 'float',
      metric: isNoise ? undefined : { metric: 'top1', unit: '%', better: 'higher', reference: 90 },
      basis,
    },
    {
      ...(world.fixes === undefined
        ? {}
        : {
            fixes: { fixes: [], applied, lane: fixed, outcome: outcomeOf({ id: 'together', lane: fixed }) },
          }),
      ...(world.isSearched === undefined
        ? {}
        : {
            search: {
              report: { to: 'float', target: '1pt', points: [], stopped: '' },
              layers: layers.slice(1, 3),
              lane: searched,
              effect: effectOf(outcomeOf({ id: 'search', lane: searched })),
              meetsTarget: true,
            },
          }),
    },
    runner,
  );
  return { ...made, marks: marksOf(made.decision.lane) };
}

const SEARCHED = { fixes: ['a'], isSearched: true, target: '1pt' } as const;

describe('what a sweep settles on', () => {
  it.each([undefined, []])(
    'is everything quantized without a target and without help: fixes %j',
    async (fixes) => {
      const { decision, reported } = await settled({
        is: { '': 80 },
        ...(fixes === undefined ? {} : { fixes }),
      });
      expect(reported).toBeUndefined();
      expect(decision.lane).toBe(ground.simulated.lane);
      expect([decision.float, decision.wide, decision.fixes]).toEqual([[], [], []]);
    },
  );

  it('is the fixes without a target, and none is said to be met', async () => {
    const { marks, reported } = await settled({ is: { '': 80, ab: 88 }, fixes: ['a', 'b'] });
    expect(marks).toBe('ab');
    expect(reported).toMatchObject({ layers: [], fixes: ['a', 'b'], effect: { accuracy: 88 } });
    expect(reported).not.toHaveProperty('meetsTarget');
  });

  it('is nothing where everything quantized meets the target', async () => {
    expect((await settled({ is: { '': 89.5, a: 90, S: 90 }, ...SEARCHED })).reported).toBeUndefined();
  });

  it.each(['float', 'int16'] as const)('is layers in %s where there are no fixes', async (to) => {
    const { decision, reported } = await settled({
      is: { '': 80, S: 89.5 },
      isSearched: true,
      target: '1pt',
      to,
    });
    const names = ground.layers.slice(1, 3).map(({ name }) => name);
    expect(reported).toMatchObject({ layers: names, to, fixes: [], meetsTarget: true });
    expect([decision.float.length, decision.wide.length]).toEqual(to === 'float' ? [2, 0] : [0, 2]);
  });

  it.each([
    ['are worse', { Sa: 89.2 }],
    ['miss what the layers meet', { Sa: 70 }],
    ['crash the runtime', {}],
  ])('is layers alone where fixes on top %s', async (_, both) => {
    const { marks, reported } = await settled({ is: { '': 80, a: 85, S: 89.5, ...both }, ...SEARCHED });
    expect(marks).toBe('S');
    expect(reported).toMatchObject({ fixes: [], meetsTarget: true });
  });

  it('is what is nearest where nothing meets the target, and says so', async () => {
    const both = await settled({ is: { '': 60, a: 65, S: 70, Sa: 75 }, ...SEARCHED });
    expect([both.marks, both.reported?.meetsTarget]).toEqual(['Sa', false]);
    const alone = await settled({ is: { '': 60, a: 65 }, fixes: ['a'], target: '1pt' });
    expect([alone.marks, alone.reported?.meetsTarget]).toEqual(['a', false]);
  });

  it('is what has less noise of two that meet a target in dB', async () => {
    const { marks, reported } = await settled({
      is: { '': 10, a: 20, S: 31, Sa: 35 },
      fixes: ['a'],
      isSearched: true,
      target: '30dB',
    });
    expect([marks, reported?.meetsTarget]).toEqual(['Sa', true]);
    expect(reported?.effect.outputSqnrDb).toBeCloseTo(35, 9);
  });
});
