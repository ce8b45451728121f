import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LocalRunner } from '../../../src/commands/sweep/trials/local-runner.js';
import { PooledRunner } from '../../../src/commands/sweep/trials/pooled-runner.js';
import type { Trial, TrialOutcome } from '../../../src/commands/sweep/trials/trial.js';
import type { RungSums } from '../../../src/run/ladder.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';
import { measure } from '../../../src/run/measure.js';
import { digitFolders } from '../../support/labelled.js';
import { UNWATCHED } from '../../support/measured-networks.js';
import { lastBias, startsSources, sweptDigits, withConstant, type Swept } from '../../support/swept.js';
import { workspace } from '../../support/workspace.js';

const space = workspace();
const { folder } = space;
const digits = digitFolders(join(folder, 'eval'), [0, 1, 2, 3], 4);
const BOTH = { noise: true, score: true };

startsSources();

let swept: Swept;
beforeAll(async () => {
  swept = await sweptDigits({ eval: digits });
});

/** A bias that makes one class certain, by so much that a metric can tell the lane. */
const marked = (of: Swept, by: number): Trial => ({
  id: `marked ${by}`,
  lane: withConstant(
    of.ground.graph,
    FLOAT_LANE,
    lastBias(of.ground.graph),
    (values) => void (values[3] = by),
  ),
});

/** Top-1 that does something else when a score is beyond 10,000. */
function trap(name: string, action: string): string {
  return space.file(
    name,
    `import { existsSync, writeFileSync } from 'node:fs';
     export default {
       name: 'trapped', unit: '%',
       measure({ prediction }) {
         const scores = Array.from(prediction.scores);
         if (Math.max(...scores) > 10_000) { ${action} }
         return 1;
       },
     };`,
  );
}

describe('trials in this process', () => {
  it('give the noise that the outputs have when the lane is measured alone', async () => {
    const { ground, trials } = swept;
    const outcomes = await new LocalRunner(ground).run(trials, { noise: true, score: false });
    expect(outcomes.map(({ id }) => id)).toEqual(trials.map(({ id }) => id));
    for (const at of [0, trials.length - 1]) {
      const { lane } = trials[at]!;
      const sums = await measure(
        ground.graph,
        lane,
        ground.ends,
        new Set(),
        ground.samples,
        { threads: 1, kinds: ['cumulative'], clipping: new Set() },
        UNWATCHED,
      );
      const [end] = ground.ends;
      const measured = sums.find(({ edge }) => edge.tensor === end!.tensor)?.errors.get('cumulative');
      const [rung] = outcomes[at]?.noise ?? [];
      expect(rung!.sumXX).toBeGreaterThan(0);
      expect(rung!.sumEE).toBeGreaterThan(0);
      const sumEE = measured!.sumEE.reduce((sum, value) => sum + value, 0);
      expect(Math.abs(rung!.sumEE / sumEE - 1)).toBeLessThan(1e-5);
    }
  });

  it('give the same in chunks of one lane as in one chunk, but for the last bits', async () => {
    const { ground, trials } = swept;
    const wanted = { noise: true, score: false };
    const together = await new LocalRunner(ground).run(trials, wanted);
    const single = await new LocalRunner(ground, { limits: { nodes: 1, bytes: 1 } }).run(trials, wanted);
    together.forEach(({ noise }, at) => {
      const [{ sumEE, sumXX }] = single[at]!.noise as [RungSums];
      expect(Math.abs(noise![0]!.sumEE - sumEE)).toBeLessThan(1e-3 * sumEE + 1e-12 * sumXX);
    });
  });

  it('tell how many are done, from 0 to all, and never fewer than before', async () => {
    const told: number[] = [];
    const { ground, trials } = swept;
    await new LocalRunner(ground).run(trials, BOTH, (done, of) => {
      expect(of).toBe(trials.length);
      told.push(done);
    });
    expect(told[0]).toBe(0);
    expect(told.at(-1)).toBe(trials.length);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.length).toBeGreaterThan(2);
  });

  it('are found where the runtime refuses one of them, and the others are not touched', async () => {
    const { ground, trials } = swept;
    const [alone] = trials;
    // A bias of other dims.
    const [[tensor, data]] = [...marked(swept, 0).lane.values!] as [[never, never]];
    const wrong = { ...(data as object), dims: [3, 3], byteLength: 36, bytes: () => new Uint8Array(36) };
    const refused = { id: 'refused', lane: { ...FLOAT_LANE, values: new Map([[tensor, wrong as never]]) } };
    const given = [...trials.slice(0, 3), refused, ...trials.slice(3, 5)];
    const outcomes = await new LocalRunner(ground).run(given, { noise: true, score: false });
    expect(outcomes.filter(({ failure }) => failure !== undefined).map(({ id }) => id)).toEqual(['refused']);
    expect(outcomes[3]!.failure).toMatch(/the network failed while running: Gemm .*Invalid bias shape/);
    expect(outcomes[0]!.id).toBe(alone!.id);
    expect(outcomes.filter(({ noise }) => noise !== undefined)).toHaveLength(5);
  });
});

describe('trials in processes', () => {
  it('give the very numbers of this process', async () => {
    const { ground, description, trials } = swept;
    const here = await new LocalRunner(ground).run([...trials, marked(swept, 5)], BOTH);
    const pooled = new PooledRunner(ground, description, { processes: 1 });
    try {
      expect(await pooled.run([...trials, marked(swept, 5)], BOTH)).toEqual(here);
      // The process is used again.
      expect(await pooled.run(trials.slice(0, 2), { noise: false, score: true })).toEqual(
        here.slice(0, 2).map(({ id, score }) => ({ id, score })),
      );
    } finally {
      await pooled.close();
    }
    expect(here.every(({ score, noise }) => score?.value !== undefined && noise?.length === 1)).toBe(true);
  });

  it('are spread over several', async () => {
    const pids = join(folder, 'pids');
    mkdirSync(pids);
    const spread = await sweptDigits({
      eval: digits,
      metric: space.file('who.mjs', whoIn(pids)),
      samples: 4,
    });
    const pooled = new PooledRunner(spread.ground, spread.description, { processes: 2 });
    const outcomes = await pooled.run(spread.trials, { noise: false, score: true });
    await pooled.close();
    expect(outcomes.filter(({ score }) => score !== undefined)).toHaveLength(spread.trials.length);
    expect(readdirSync(pids).length).toBe(2);
    expect(readdirSync(pids)).not.toContain(String(process.pid));
  });

  it.each([
    ['aborts', 'process.abort();', /crashed: SIGABRT/],
    ['hangs', 'for (;;);', /did not answer within 10 s/],
    ['ends its process', 'process.exit(3);', /exit code 3/],
  ])('report the one that %s, and the rest finishes', async (what, action, reason) => {
    const given = await sweptDigits({ eval: digits, metric: trap(`${what}.mjs`, action), samples: 4 });
    const pooled = new PooledRunner(given.ground, given.description, { processes: 2, patienceMs: 10_000 });
    const trials = [...given.trials.slice(0, 2), marked(given, 1e6)];
    const outcomes = await pooled.run(trials, { noise: false, score: true });
    await pooled.close();
    const failed = outcomes.filter(({ failure }) => failure !== undefined);
    expect(failed.map(({ id }) => id)).toEqual(['marked 1000000']);
    expect(failed[0]!.failure).toMatch(reason);
    expect(scored(outcomes).map(({ id }) => id)).toEqual(trials.slice(0, 2).map(({ id }) => id));
  });

  it('are tried again when their process is killed, and lose nothing', async () => {
    const flag = join(folder, 'killed-once');
    const once = `if (!existsSync(${JSON.stringify(flag)})) { writeFileSync(${JSON.stringify(flag)}, ''); process.kill(process.pid, 'SIGKILL'); for (;;); }`;
    const given = await sweptDigits({ eval: digits, metric: trap('killed.mjs', once), samples: 4 });
    const pooled = new PooledRunner(given.ground, given.description, { processes: 1 });
    const outcomes = await pooled.run([...given.trials, marked(given, 1e6)], { noise: false, score: true });
    await pooled.close();
    expect(existsSync(flag)).toBe(true);
    expect(scored(outcomes)).toHaveLength(given.trials.length + 1);
  });

  it('say what is wrong with the network or the data as one error, not once for every trial', async () => {
    const given = await sweptDigits({ eval: digits, metric: trap('fine.mjs', ''), samples: 4 });
    const { evaluation } = given.description;
    const description = {
      ...given.description,
      evaluation: { ...evaluation!, sources: [join(folder, 'nowhere')] },
    };
    const pooled = new PooledRunner(given.ground, description, { processes: 2 });
    await expect(pooled.run(given.trials, BOTH)).rejects.toMatchObject({ name: /UsageError|DataError/ });
    await pooled.close();
  });

  it('are refused when the model is not the one that was described', async () => {
    const model = join(folder, 'changed.onnx');
    copyFileSync(swept.description.model, model);
    const description = { ...swept.description, model, sha256: '0'.repeat(64) };
    const pooled = new PooledRunner(swept.ground, description, { processes: 1 });
    await expect(pooled.run(swept.trials, BOTH)).rejects.toThrow(/changed.onnx was changed while/);
    await pooled.close();
  });
});

const scored = (outcomes: readonly TrialOutcome[]): TrialOutcome[] =>
  outcomes.filter(({ score }) => score?.value !== undefined);

const whoIn = (where: string): string =>
  `import { writeFileSync } from 'node:fs';
   writeFileSync(${JSON.stringify(where)} + '/' + process.pid, '');
   export default { name: 'who', measure: () => 1 };`;
