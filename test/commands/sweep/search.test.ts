/** The search for layers to keep in higher precision, against all sets of small made-up networks. */
import { describe, expect, it } from 'vitest';
import type { LayerSet, Loss, SetOracle } from '../../../src/commands/sweep/search/set-book.js';
import {
  searchSets,
  type SearchProblem,
  type SearchResult,
} from '../../../src/commands/sweep/search/set-search.js';
import { Random } from '../../quant/samples.js';

type LossOf = (set: LayerSet) => number;

interface Made {
  readonly costs: readonly number[];
  readonly limit: number;
  readonly lossOf: LossOf;
}

function allSets(layers: number): LayerSet[] {
  return Array.from({ length: 2 ** layers }, (_, bits) =>
    Array.from({ length: layers }, (_, layer) => layer).filter((layer) => (bits >> layer) & 1),
  );
}

const costOf = (costs: readonly number[], set: LayerSet): number =>
  set.reduce((sum, layer) => sum + costs[layer]!, 0);

/** By looking at every set. */
function optimum({ costs, limit, lossOf }: Made): number {
  return Math.min(
    ...allSets(costs.length)
      .filter((set) => lossOf(set) <= limit)
      .map((set) => costOf(costs, set)),
  );
}

interface Asked {
  readonly result: SearchResult;
  readonly rounds: readonly LayerSet[][];
}

async function search(
  made: Made,
  changes: Partial<SearchProblem> = {},
  toLoss: (value: number) => Loss = (value) => ({ value, isNoise: false }),
): Promise<Asked> {
  const { costs, limit, lossOf } = made;
  const rounds: LayerSet[][] = [];
  const oracle: SetOracle = {
    evaluate: (sets) => {
      rounds.push([...sets]);
      return Promise.resolve(sets.map((set) => toLoss(lossOf(set))));
    },
  };
  const layers = costs.map((_, layer) => layer);
  const result = await searchSets(
    {
      costs,
      limit,
      empty: toLoss(lossOf([])),
      known: layers.map((layer) => ({ set: [layer], loss: toLoss(lossOf([layer])) })),
      gains: layers.map(() => undefined),
      shares: layers.map(() => undefined),
      families: [],
      neighbours: layers.slice(1).map((layer) => [layer - 1, layer]),
      budget: 200,
      batch: 6,
      ...changes,
    },
    oracle,
  );
  return { result, rounds };
}

const answer = ({ points, chosen }: SearchResult): LayerSet | undefined =>
  chosen === undefined ? undefined : points[chosen]!.set;

function additive(seed: number, layers: number): Made {
  const random = new Random(seed);
  const gains = Array.from({ length: layers }, () => random.uniform() ** 3 * 10);
  const costs = Array.from({ length: layers }, () => random.uniform() ** 2);
  const all = gains.reduce((sum, gain) => sum + gain, 0);
  return {
    costs,
    limit: all * (0.1 + 0.6 * random.uniform()),
    lossOf: (set) => all - set.reduce((sum, layer) => sum + gains[layer]!, 0),
  };
}

/** Tensors between layers lose, and are float only when both their neighbours are; what is lost saturates. */
function interacting(seed: number, layers: number): Made {
  const random = new Random(seed);
  const own = Array.from({ length: layers }, () => random.uniform() ** 4 * 5);
  const between = Array.from({ length: layers - 1 }, () => random.uniform() ** 4 * 8);
  const costs = Array.from({ length: layers }, () => random.uniform());
  const lossOf = (set: LayerSet): number => {
    const has = new Set(set);
    let noise = 0;
    own.forEach((energy, layer) => (noise += has.has(layer) ? 0 : energy));
    between.forEach((energy, layer) => (noise += has.has(layer) && has.has(layer + 1) ? 0 : energy));
    return 90 * (1 - Math.exp(-noise / 10));
  };
  return { costs, limit: 0.35 * lossOf([]), lossOf };
}

describe('the search for layers to keep in higher precision', () => {
  it('finds the cheapest set of all where gains add up', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const made = additive(seed, 10);
      const { result } = await search(made);
      expect(costOf(made.costs, answer(result)!), `seed ${seed}`).toBeCloseTo(optimum(made), 9);
      expect(result.end).toBe('nothing to spare');
    }
  });

  it('mostly finds it where layers only help together, and comes within a tenth of it where it does not', async () => {
    let found = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const made = interacting(seed, 10);
      const { result } = await search(made);
      const [cost, least] = [costOf(made.costs, answer(result)!), optimum(made)];
      expect(made.lossOf(answer(result)!), `seed ${seed}`).toBeLessThanOrEqual(made.limit);
      expect(cost / least, `seed ${seed}`).toBeLessThan(1.1);
      if (cost <= least + 1e-9) found++;
    }
    expect(found).toBeGreaterThanOrEqual(36);
  });

  it('finds two layers that give nothing apart, among thirty', async () => {
    const lossOf: LossOf = (set) => (set.includes(11) && set.includes(12) ? 0.5 : 40);
    const made = { costs: new Array<number>(30).fill(1 / 30), limit: 1, lossOf };
    const { result } = await search(made);
    expect(answer(result)).toEqual([11, 12]);
    expect(result.evaluations).toBeLessThan(60);
  });

  it('looks at neighbours beforehand where looking is cheap, and runs only what shows something', async () => {
    const lossOf: LossOf = (set) => (set.includes(11) && set.includes(12) ? 0.5 : 40);
    const costs = new Array<number>(30).fill(1 / 30);
    const seen: LayerSet[] = [];
    const asked: LayerSet[] = [];
    const result = await searchSets(
      {
        costs,
        limit: 1,
        empty: { value: 40, isNoise: false },
        known: [],
        gains: costs.map(() => 0),
        shares: costs.map(() => 0),
        families: [],
        neighbours: costs.slice(1).map((_, at) => [at, at + 1]),
        budget: 40,
        batch: 4,
      },
      {
        evaluate: (sets) => {
          asked.push(...sets);
          return Promise.resolve(sets.map((set) => ({ value: lossOf(set), isNoise: false })));
        },
        screen: (sets) => {
          seen.push(...sets);
          return Promise.resolve(sets.map((set) => (lossOf(set) < 1 ? 0.9 : 0)));
        },
      },
    );
    expect(answer(result)).toEqual([11, 12]);
    expect(seen).toContainEqual([11, 12]);
    expect(asked.length).toBeLessThanOrEqual(40);
  });

  it('counts a family of layers as one where it costs least', async () => {
    const family = [1, 4, 7, 8];
    const lossOf: LossOf = (set) => (family.every((layer) => set.includes(layer)) ? 0 : 30);
    const made = { costs: Array.from({ length: 12 }, (_, layer) => layer / 100 + 0.01), limit: 1, lossOf };
    const { result } = await search(made, { families: [family, [0, 2, 3]], neighbours: [] });
    expect(answer(result)).toEqual(family);
  });

  it('moves nothing where everything quantized meets the target, and asks for nothing', async () => {
    const { result, rounds } = await search({ ...additive(3, 6), limit: 1000 });
    expect([result.end, answer(result), result.evaluations]).toEqual(['met already', [], 0]);
    expect(rounds).toEqual([]);
  });

  it('has nothing to move where nothing is quantized', async () => {
    const { result } = await search({ costs: [], limit: 1, lossOf: () => 5 });
    expect([result.end, result.chosen, result.best]).toEqual(['no layers', undefined, 0]);
  });

  it('says that the target cannot be reached, with the set that loses least', async () => {
    const made = additive(5, 8);
    const { result } = await search({ ...made, lossOf: (set) => made.lossOf(set) + 5, limit: 2 });
    expect([result.end, result.chosen]).toEqual(['unreachable', undefined]);
    expect(result.points[result.best]!.set).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('says where what is left cannot be told from float, rather than that the target cannot be reached', async () => {
    const made = additive(5, 8);
    const { result } = await search(
      { ...made, lossOf: (set) => made.lossOf(set) + 0.5, limit: 0.1 },
      {},
      (value) => ({
        value,
        interval: [value - 1, value + 1],
        isNoise: value < 1,
      }),
    );
    expect([result.end, result.chosen]).toEqual(['within noise', undefined]);
  });

  it('spends little where what everything quantized loses is within noise', async () => {
    const made = { ...additive(7, 24), limit: 1 };
    const scale = 2 / made.lossOf([]);
    const faint = { ...made, lossOf: (set: LayerSet) => scale * made.lossOf(set) };
    const toLoss = (value: number): Loss => ({ value, interval: [value - 3, value + 3], isNoise: true });
    const { result } = await search(
      faint,
      {
        families: [
          [0, 1, 2],
          [3, 4],
        ],
      },
      toLoss,
    );
    const sure = await search(faint);
    expect(result.end).toBe('met within noise');
    expect(faint.lossOf(answer(result)!)).toBeLessThanOrEqual(1);
    expect(result.evaluations).toBeLessThan(sure.result.evaluations);
    expect(result.points.map(({ set }) => set)).not.toContainEqual([0, 1, 2]);
  });

  it('tries the cheaper of two layers first whose gains cannot be told apart', async () => {
    const gains = [10, 9.5, 0, 0];
    const lossOf: LossOf = (set) => 12 - Math.max(0, ...set.map((layer) => gains[layer]!));
    const made = { costs: [0.9, 0.1, 0.2, 0.2], limit: 3, lossOf };
    const toLoss = (value: number): Loss => ({ value, interval: [value - 2, value + 2], isNoise: false });
    const { rounds } = await search(made, { known: [], gains, shares: [0.5, 0.5, 0, 0], batch: 1 }, toLoss);
    expect(rounds.flat().map(String)).toContain('1');
    expect(rounds.flat().map(String)).not.toContain('0');
  });

  it('stops when its evaluations are used up, with the best answer so far', async () => {
    const made = interacting(6, 20);
    const few = await search(made, { budget: 12 });
    expect([few.result.end, few.result.evaluations]).toEqual(['budget', 12]);
    expect(made.lossOf(answer(few.result)!)).toBeLessThanOrEqual(made.limit);
    const none = await search(made, { budget: 0 });
    expect([none.result.end, none.result.chosen, none.rounds.length]).toEqual(['budget', undefined, 0]);
  });

  it('asks for each set once, for no more at a time than keeps the processes busy, and for nothing dearer than its answer', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const made = interacting(seed, 14);
      const { result, rounds } = await search(made, { batch: 5, budget: 300 });
      const keys = rounds.flat().map(String);
      expect(new Set(keys).size).toBe(keys.length);
      expect(result.evaluations).toBe(keys.length);
      let cheapest = Infinity;
      for (const sets of rounds) {
        for (const set of sets) expect(costOf(made.costs, set)).toBeLessThanOrEqual(cheapest + 1e-9);
        for (const set of sets)
          if (made.lossOf(set) <= made.limit) cheapest = Math.min(cheapest, costOf(made.costs, set));
      }
    }
  });

  it('goes on where a network cannot be run', async () => {
    const made = additive(2, 9);
    const { result } = await search(
      { ...made, lossOf: (set) => (set.length === 9 ? NaN : made.lossOf(set)) },
      {},
      (value) => (Number.isNaN(value) ? (undefined as unknown as Loss) : { value, isNoise: false }),
    );
    expect(costOf(made.costs, answer(result)!)).toBeCloseTo(optimum(made), 9);
  });

  it('finds the same every time', async () => {
    const made = interacting(17, 16);
    const [one, other] = [await search(made), await search(made)];
    expect(other).toEqual(one);
  });

  it('stays near the cheapest set of sixty layers with as many evaluations', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const made = additive(seed, 60);
      const { result } = await search(made, { budget: 60, batch: 8 });
      expect(costOf(made.costs, answer(result)!) / leastCover(made), `seed ${seed}`).toBeLessThan(1.02);
    }
  });
});

/** Of additive gains, by dynamic programming over fine steps; no more than the true least cost. */
function leastCover({ costs, limit, lossOf }: Made): number {
  const steps = 20_000;
  const wanted = lossOf([]) - limit;
  const least = new Float64Array(steps + 1).fill(Infinity);
  least[0] = 0;
  costs.forEach((cost, layer) => {
    const gain = Math.ceil(((lossOf([]) - lossOf([layer])) / wanted) * steps);
    for (let level = steps; level > 0; level--)
      least[level] = Math.min(least[level]!, least[Math.max(0, level - gain)]! + cost);
  });
  return least[steps]!;
}
