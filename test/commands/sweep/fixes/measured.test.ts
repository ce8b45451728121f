/** How measured fixes are ranked and added up, with outcomes that are made up. */
import { beforeAll, describe, expect, it } from 'vitest';
import { effectBasis } from '../../../../src/commands/sweep/effects.js';
import {
  appliedTo,
  measureFixes,
  type MeasuredFixes,
} from '../../../../src/commands/sweep/fixes/measured.js';
import { proposedFixes } from '../../../../src/commands/sweep/fixes/proposed.js';
import type { FixGround, LaneFix } from '../../../../src/commands/sweep/fixes/lane-fix.js';
import type { Trial, TrialOutcome, TrialRunner } from '../../../../src/commands/sweep/trials/trial.js';
import { QRANGE, type Lane, type QuantParams } from '../../../../src/ir/lane.js';
import type { TensorId } from '../../../../src/ir/graph.js';
import { withExtents } from '../../../../src/run/samples.js';
import { DIGITS, sweptGround } from '../swept-ground.js';

let ground: FixGround;
beforeAll(async () => {
  const { prepared } = await sweptGround(DIGITS);
  const { simulated, layers, ends, calib, extents } = prepared;
  const { edges } = simulated.simulation;
  ground = { simulated, layers, ends, edges, samples: withExtents(calib, extents), threads: 1 };
});

/** Marks the lane with a quantizer of its own, so that it says what was applied. */
function fix(id: string, cost?: LaneFix['cost']): LaneFix {
  const [qmin, qmax] = QRANGE.uint8;
  const params: QuantParams = {
    dtype: 'uint8',
    qmin,
    qmax,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(id.charCodeAt(0)),
    zeroPoint: Int32Array.of(0),
    source: 'edit',
  };
  const tensor = (100000 + id.charCodeAt(0)) as TensorId;
  const apply = (lane: Lane): Lane =>
    lane.tensors.has(tensor) ? lane : { ...lane, tensors: new Map([...lane.tensors, [tensor, params]]) };
  return {
    id,
    kind: 'observer',
    title: id,
    places: [],
    tensors: [tensor],
    apply,
    ...(cost === undefined ? {} : { cost }),
  };
}

const appliedIn = ({ tensors }: Lane): string =>
  [...tensors.keys()]
    .filter((id) => id >= 100000)
    .map((id) => String.fromCharCode(id - 100000))
    .sort()
    .join('');

interface World {
  /** Of what is applied, as letters in order. */
  readonly db: (applied: string) => number | undefined;
  readonly accuracy?: (applied: string) => number;
  /** Of eight answers. */
  readonly moved?: (applied: string) => number;
  /** Of the difference from float, to both sides. */
  readonly chance?: number;
}

function runnerOf({ db, accuracy, moved, chance }: World): { runner: TrialRunner; asked: string[] } {
  const asked: string[] = [];
  const outcome = ({ id, lane }: Trial, score: boolean, noise: boolean): TrialOutcome => {
    const applied = appliedIn(lane);
    const decibels = db(applied);
    if (decibels === undefined) return { id, failure: 'it crashed' };
    const value = accuracy?.(applied);
    const end = {
      sumXX: 1,
      sumEE: 10 ** (-decibels / 10),
      moved: moved?.(applied) ?? 0,
      rows: 8,
      nonFinite: 0,
    };
    return {
      id,
      ...(noise ? { noise: [end] } : {}),
      ...(score && value !== undefined
        ? {
            score: {
              value,
              delta: value - 90,
              interval: [value - 2, value + 2],
              ...(chance === undefined ? {} : { deltaInterval: [value - 90 - chance, value - 90 + chance] }),
            },
          }
        : {}),
    };
  };
  const run: TrialRunner['run'] = (trials, { noise, score }) => {
    asked.push(...trials.map(({ lane }) => `${appliedIn(lane)}${score ? ' scored' : ''}`));
    return Promise.resolve(trials.map((trial) => outcome(trial, score, noise)));
  };
  return { runner: { run, close: () => Promise.resolve() }, asked };
}

async function measured(
  world: World,
  fixes: readonly LaneFix[],
): Promise<MeasuredFixes & { asked: string[] }> {
  const { runner, asked } = runnerOf(world);
  const wanted = { noise: true, score: world.accuracy !== undefined };
  const [quantized] = await runner.run([{ id: 'everything', lane: ground.simulated.lane }], wanted);
  const basis = effectBasis(quantized!, world.accuracy === undefined ? undefined : 'higher');
  return { ...(await measureFixes(ground, fixes, { runner, basis })), asked: asked.slice(1) };
}

const ids = (fixes: readonly { readonly id: string }[]): string => fixes.map(({ id }) => id).join('');

describe('measured fixes', () => {
  const gains: Readonly<Record<string, number>> = { a: 1, b: 5, c: 3, d: -2 };
  const sum = (applied: string): number =>
    Array.from(applied).reduce((total, one) => total + (gains[one] ?? 0), 20);

  it('come best first by noise where there is no metric, and add up', async () => {
    const result = await measured(
      { db: sum },
      ['a', 'b', 'c', 'd'].map((id) => fix(id)),
    );
    expect(ids(result.fixes)).toBe('bcad');
    expect(result.fixes[0]).toMatchObject({ id: 'b', cost: { macsShare: 0, bytes: 0 } });
    expect(result.fixes[0]!.gainDb).toBeCloseTo(5, 9);
    expect(result.fixes[0]).not.toHaveProperty('gainPerCost');
    expect(ids(result.applied)).toBe('bca');
    expect(result.together?.fixes).toEqual(['b', 'c', 'a']);
    expect(result.together?.effect.outputSqnrDb).toBeCloseTo(29, 9);
    expect(appliedIn(result.lane)).toBe('abc');
  });

  it('are left out together where they harm what is there', async () => {
    const db = (applied: string): number =>
      sum(applied) - (applied.includes('b') && applied.includes('c') ? 4 : 0);
    const result = await measured(
      { db },
      ['a', 'b', 'c'].map((id) => fix(id)),
    );
    expect(ids(result.applied)).toBe('ba');
    expect(result.asked).toContain('bc');
  });

  it('go by points where there is a metric, by noise where points are the same', async () => {
    const accuracy = (applied: string): number =>
      80 + (applied.includes('a') ? 4 : 0) - (applied.includes('b') ? 1 : 0);
    const result = await measured(
      { db: sum, accuracy },
      ['a', 'b', 'c', 'd'].map((id) => fix(id)),
    );
    expect(ids(result.fixes)).toBe('acdb');
    expect(result.fixes[0]).toMatchObject({ gain: 4, effect: { accuracy: 84, accuracyDelta: -6 } });
    expect(ids(result.applied)).toBe('ac');
    // d adds noise and changes no answer: its metric is not asked for.
    expect(result.asked).not.toContain('d scored');
  });

  it('that cost something come after those that do not, by gain for the cost, and must give more', async () => {
    const [small, large] = [[ground.layers.at(-1)!], ground.layers];
    const fixes = [fix('b', { layers: large }), fix('c', { layers: small }), fix('a')];
    const result = await measured({ db: sum }, fixes);
    expect(ids(result.fixes)).toBe('acb');
    const [, c, b] = result.fixes;
    expect(c!.cost.macsShare).toBeGreaterThan(0);
    expect(c!.gainPerCost).toBeCloseTo(3 / c!.cost.macsShare, 6);
    expect(b!.cost.macsShare).toBeCloseTo(1, 6);
    const little = await measured({ db: (applied) => 20 + 0.5 * applied.length }, fixes);
    expect(ids(little.applied)).toBe('a');
  });

  it('that crash the runtime are told and applied nowhere; the same twice is measured once', async () => {
    const db = (applied: string): number | undefined => (applied.includes('c') ? undefined : sum(applied));
    const result = await measured({ db }, [fix('c'), fix('a'), { ...fix('a'), id: 'again' }]);
    expect(result.fixes.map(({ id, effect }) => [id, effect.failure])).toEqual([
      ['a', undefined],
      ['c', 'it crashed'],
    ]);
    expect(ids(result.applied)).toBe('a');
  });

  it('gain points only beyond chance: below it noise ranks and decides', async () => {
    const points: Readonly<Record<string, number>> = { a: 0.25, b: -0.25, c: 3, d: 0.25 };
    const decibels: Readonly<Record<string, number>> = { a: 0, b: 30, c: -3, d: 1, e: 12 };
    const total = (of: Readonly<Record<string, number>>, applied: string): number =>
      Array.from(applied).reduce((sum, one) => sum + (of[one] ?? 0), 0);
    const result = await measured(
      {
        db: (applied) => 20 + total(decibels, applied),
        accuracy: (applied) => 80 + total(points, applied) + (applied.includes('c') ? 0.5 : 0),
        moved: (applied) => (applied.includes('c') ? 1 : 4),
        chance: 1,
      },
      ['a', 'b', 'c', 'd', 'e'].map((id) => fix(id)),
    );
    // c by its points though it adds noise; b, e and d by noise; a gains one answer and nothing else.
    expect(ids(result.fixes)).toBe('cbeda');
    expect(ids(result.applied)).toBe('cbed');
  });

  it('never leave fewer answers right than there were, whatever the noise', async () => {
    const accuracy = (applied: string): number => 80 - (applied.includes('b') ? 0.25 : 0);
    const result = await measured(
      { db: sum, accuracy, chance: 1 },
      ['a', 'b'].map((id) => fix(id)),
    );
    expect(ids(result.fixes)).toBe('ba');
    expect(ids(result.applied)).toBe('a');
  });

  it('are not paid for where what is free gives the same', async () => {
    const db = (applied: string): number =>
      20 + (/[ce]/.test(applied) ? 6 : 0) + (applied.includes('a') ? 0.5 : 0);
    const layers = [ground.layers.at(-1)!];
    const late: LaneFix = { ...fix('e'), kind: 'rounding' };
    const result = await measured({ db }, [fix('c', { layers }), late, fix('a')]);
    expect(ids(result.applied)).toBe('ae');
    expect(result.asked.at(-1)).toBe('ace');
  });

  it('that cost something are applied in their stage, below what is made for the lane by then', async () => {
    const seen: string[] = [];
    const late: LaneFix = {
      ...fix('e'),
      kind: 'rounding',
      remade: (lane) => {
        seen.push(appliedIn(lane));
        return Promise.resolve({ ...late, id: 'made anew' });
      },
    };
    const layers = [ground.layers.at(-1)!];
    const result = await measured({ db: (applied) => 20 + 2 * applied.length }, [fix('c', { layers }), late]);
    expect(ids(result.applied)).toBe('ce');
    expect(result.together?.fixes).toEqual(['c', 'e']);
    expect(seen).toEqual(['c']);
    expect(appliedIn(await appliedTo(ground.simulated.lane, result.applied))).toBe('ce');
  });

  it('made anew for what is there by then keep their ids, and are left out where there are none', async () => {
    const made = (id: string, remade: LaneFix['remade']): LaneFix => ({
      ...fix(id),
      kind: 'bias-correction',
      ...(remade === undefined ? {} : { remade }),
    });
    const harmful = made('f', () => Promise.resolve({ ...fix('x'), id: 'x' }));
    const none = made('g', () => Promise.resolve(undefined));
    const fitting = made('h', () => Promise.resolve({ ...fix('y'), id: 'y' }));
    const gainOf: Readonly<Record<string, number>> = { a: 5, f: 3, g: 2, h: 1, x: -4, y: 1 };
    const db = (applied: string): number =>
      Array.from(applied).reduce((total, one) => total + (gainOf[one] ?? 0), 20);
    const result = await measured({ db }, [fix('a'), harmful, none, fitting]);
    expect(ids(result.fixes)).toBe('afgh');
    expect(result.together?.fixes).toEqual(['a', 'h']);
    expect(appliedIn(result.lane)).toBe('ay');
    expect(result.asked).toContain('ax');
    const again = await appliedTo(ground.simulated.lane, result.applied);
    expect(appliedIn(again)).toBe('ay');
  });

  it('leave the lane as it is where none helps', async () => {
    const result = await measured({ db: sum }, [fix('d')]);
    expect(result.applied).toEqual([]);
    expect(result).not.toHaveProperty('together');
    expect(result.lane).toBe(ground.simulated.lane);
  });
});

describe('proposed fixes', () => {
  it('are taken from each maker in turn when there are too many, every id once', async () => {
    const makers = [(): LaneFix[] => [fix('a'), fix('b'), fix('c')], (): LaneFix[] => [fix('a'), fix('e')]];
    const { fixes, left } = await proposedFixes(ground, { makers, most: 4 });
    expect(fixes.map(({ id }) => id)).toEqual(['a', 'b', 'a #2', 'e']);
    expect(left.map(({ id }) => id)).toEqual(['c']);
  });
});
