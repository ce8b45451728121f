import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ChunkedRunner, type Engine } from '../../../src/commands/sweep/trials/chunked-runner.js';
import {
  FACTS,
  openJournal,
  type Journal,
  type SweepFacts,
} from '../../../src/commands/sweep/trials/journal.js';
import { LocalRunner, outcomesOf } from '../../../src/commands/sweep/trials/local-runner.js';
import type { Trial, TrialOutcome } from '../../../src/commands/sweep/trials/trial.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';
import { sweptDigits, type Swept } from '../../support/swept.js';
import { workspace } from '../../support/workspace.js';

const space = workspace();
const { folder } = space;
const NOISE = { noise: true, score: false };
const BOTH = { noise: true, score: true };
const factsOf = (changes: Partial<SweepFacts> = {}): SweepFacts => ({
  ...(Object.fromEntries(FACTS.map((name) => [name, `the ${name}`])) as Record<
    (typeof FACTS)[number],
    string
  >),
  ...changes,
});
const fresh = (name: string): string => join(folder, name);

/** Opens, uses and closes. */
async function within<T>(
  path: string,
  use: (journal: Journal) => Promise<T> | T,
  facts = factsOf(),
): Promise<T> {
  const journal = await openJournal(path, facts);
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

const trial = (id: string, scale = 0.5): Trial => ({
  id,
  lane: {
    ...FLOAT_LANE,
    tensors: new Map([
      [
        3 as never,
        {
          dtype: 'int8' as const,
          qmin: -128,
          qmax: 127,
          granularity: { kind: 'per-tensor' as const },
          scale: Float32Array.of(scale),
          zeroPoint: Int32Array.of(0),
          source: 'observer' as const,
        },
      ],
    ]),
  },
});

const outcome = (id: string, sumEE: number): TrialOutcome => ({
  id,
  noise: [{ sumXX: 1 / 3, sumEE, moved: 0, rows: 10, nonFinite: 0 }],
});

describe('a journal', () => {
  it('gives every number back as it was', async () => {
    const path = fresh('numbers.jsonl');
    // Sums of squares: none is below 0.
    const numbers = [0.1 + 0.2, 5e-324, Number.MAX_VALUE, -0, NaN, Infinity, 2 ** 53];
    const all = numbers.map((value, i) => ({ trial: trial(`t${i}`), outcome: outcome(`t${i}`, value) }));
    await within(path, (journal) => journal.add(all, NOISE));
    await within(path, (journal) => {
      expect(journal.kept).toBe(numbers.length);
      numbers.forEach((value, i) => {
        expect(Object.is(journal.find(trial(`t${i}`), NOISE)?.noise?.[0]?.sumEE, value)).toBe(true);
      });
    });
  });

  it('knows a trial by its lane, not by its name alone', async () => {
    const path = fresh('lanes.jsonl');
    await within(path, (journal) =>
      journal.add([{ trial: trial('a', 0.5), outcome: outcome('a', 1) }], NOISE),
    );
    await within(path, (journal) => {
      expect(journal.find(trial('a', 0.5), NOISE)).toEqual(outcome('a', 1));
      expect(journal.find(trial('a', 0.25), NOISE)).toBeUndefined();
      expect(journal.find(trial('b', 0.5), NOISE)).toBeUndefined();
    });
  });

  it('has only what was wanted then, and gives only what is wanted now', async () => {
    const path = fresh('wanted.jsonl');
    const both: TrialOutcome = {
      ...outcome('both', 1),
      score: { value: 0.5, interval: [0.25, 1], standing: 'equal' },
    };
    await within(path, async (journal) => {
      await journal.add([{ trial: trial('noise'), outcome: outcome('noise', 1) }], NOISE);
      await journal.add([{ trial: trial('both'), outcome: both }], BOTH);
    });
    await within(path, (journal) => {
      expect(journal.find(trial('noise'), BOTH)).toBeUndefined();
      expect(journal.find(trial('both'), BOTH)).toEqual(both);
      expect(journal.find(trial('both'), NOISE)).toEqual(outcome('both', 1));
    });
  });

  it('keeps failures', async () => {
    const path = fresh('failures.jsonl');
    const failed = { id: 'bad', failure: 'ONNX Runtime crashed: SIGABRT' };
    await within(path, (journal) => journal.add([{ trial: trial('bad'), outcome: failed }], BOTH));
    await within(path, (journal) => expect(journal.find(trial('bad'), NOISE)).toEqual(failed));
  });

  it('loses a line that was being written, and goes on behind the one before', async () => {
    const path = fresh('torn.jsonl');
    await within(path, (journal) => journal.add([{ trial: trial('a'), outcome: outcome('a', 1) }], NOISE));
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, whole.split('\n')[1]!.slice(0, 40));
    await within(path, async (journal) => {
      expect(journal.kept).toBe(1);
      await journal.add([{ trial: trial('b'), outcome: outcome('b', 2) }], NOISE);
    });
    await within(path, (journal) => {
      expect(journal.find(trial('a'), NOISE)).toEqual(outcome('a', 1));
      expect(journal.find(trial('b'), NOISE)).toEqual(outcome('b', 2));
    });
  });

  it('begins anew where the sweep was ended in its first line', async () => {
    const path = fresh('first.jsonl');
    await within(path, () => undefined);
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 25));
    await within(path, (journal) => journal.add([{ trial: trial('a'), outcome: outcome('a', 1) }], NOISE));
    await within(path, (journal) => expect(journal.kept).toBe(1));
  });

  it('of another sweep is refused, saying what differs, and left as it is', async () => {
    const path = fresh('other.jsonl');
    await within(path, (journal) => journal.add([{ trial: trial('a'), outcome: outcome('a', 1) }], NOISE));
    const before = readFileSync(path);
    const facts = factsOf({ model: 'aaaa', scheme: 'tflite' });
    await expect(openJournal(path, facts)).rejects.toMatchObject({
      name: 'UsageError',
      message: `${path} is of another sweep: model and scheme are not the same`,
      places: ['model: the model there, aaaa here', 'scheme: the scheme there, tflite here'],
      hint: '--resume ANOTHER_FILE',
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it.each([
    ['notes of the user', 'buy milk\n', /is not the journal of a sweep/],
    ['text without a line', 'buy milk', /is not the journal of a sweep/],
    ['another JSON', '{"qdbg":"report"}\n', /is not the journal of a sweep/],
    [
      'a form to come',
      JSON.stringify({ qdbg: 'sweep', form: 2, facts: factsOf() }) + '\n',
      /is not the journal/,
    ],
  ])('is not %s, which is left as it is', async (what, content, message) => {
    const path = space.file(`${what}.txt`, content);
    await expect(openJournal(path, factsOf())).rejects.toThrow(message);
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it.each([
    ['no JSON', 'garbage'],
    ['a prototype', '{"id":"a","lane":"","__proto__":{"polluted":1}}'],
    ['a name too many', `{"id":"a","lane":"${'0'.repeat(64)}","wanted":{"noise":true,"score":false},"x":1}`],
    [
      'text for a number',
      `{"id":"a","lane":"${'0'.repeat(64)}","wanted":{"noise":true,"score":false},"score":{"value":"1"}}`,
    ],
    ['no output', `{"id":"a","lane":"${'0'.repeat(64)}","wanted":{"noise":true,"score":false},"noise":[]}`],
    [
      'a sum below 0',
      `{"id":"a","lane":"${'0'.repeat(64)}","wanted":{"noise":true,"score":false},"noise":[{"sumXX":1,"sumEE":-1,"moved":0,"rows":1,"nonFinite":0}]}`,
    ],
  ])('with %s in a line is refused with its place', async (what, content) => {
    const path = fresh(`line ${what}.jsonl`);
    await within(path, () => undefined);
    appendFileSync(path, `${content}\n`);
    const before = readFileSync(path, 'utf8');
    await expect(openJournal(path, factsOf())).rejects.toThrow(/line 2 is no outcome of a sweep/);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('is refused where it cannot be written', async () => {
    await expect(openJournal(join(folder, 'no', 'such', 'folder.jsonl'), factsOf())).rejects.toMatchObject({
      name: 'UsageError',
    });
    await expect(openJournal(folder, factsOf())).rejects.toThrow(/is not the journal of a sweep/);
  });
});

describe('a sweep with a journal', () => {
  let swept: Swept;
  beforeAll(async () => {
    swept = await sweptDigits({ samples: 4 });
  });

  /** In this process; counts trials, and fails for good after some chunks, as a sweep that is killed. */
  const engineOf = ({ ground }: Swept, ran: string[], chunks = Infinity): Engine => ({
    processes: 1,
    outcomesOf: (trials, wanted, watch) => {
      if (chunks-- <= 0) throw new Error('killed');
      ran.push(...trials.map(({ id }) => id));
      return outcomesOf(ground, trials, wanted, watch);
    },
    close: () => Promise.resolve(),
  });

  it('that was interrupted runs what is missing, and gives the very outcomes of one that was not', async () => {
    const { ground, trials } = swept;
    const counts = { noise: 4, score: 0 };
    const limits = { nodes: 120, bytes: 2 ** 30 };
    const whole = await new LocalRunner(ground, { limits }).run(trials, NOISE);
    const path = fresh('interrupted.jsonl');
    const ran: string[] = [];
    await within(path, async (journal) => {
      const runner = new ChunkedRunner({ ...ground, counts }, engineOf(swept, ran, 2), { journal, limits });
      await expect(runner.run(trials, NOISE)).rejects.toThrow('killed');
    });
    const first = ran.length;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(trials.length);
    await within(path, async (journal) => {
      expect(journal.kept).toBe(first);
      const runner = new ChunkedRunner({ ...ground, counts }, engineOf(swept, ran), { journal, limits });
      const told: number[] = [];
      expect(await runner.run(trials, NOISE, (done) => told.push(done))).toEqual(whole);
      expect(told[0]).toBe(first);
    });
    expect([...ran].sort()).toEqual(trials.map(({ id }) => id).sort());
    await within(path, async (journal) => {
      const runner = new ChunkedRunner({ ...ground, counts }, engineOf(swept, ran), { journal, limits });
      expect(await runner.run(trials, NOISE)).toEqual(whole);
    });
    expect(ran).toHaveLength(trials.length);
  });

  it('runs a chunk of which some are missing again as it was, for the same last bits', async () => {
    const { ground, trials } = swept;
    const path = fresh('partly.jsonl');
    const whole = await within(path, (journal) => new LocalRunner(ground, { journal }).run(trials, NOISE));
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, `${lines.slice(0, 4).join('\n')}\n${lines[5]!.slice(0, 30)}`);
    const again = await within(path, (journal) => {
      expect(journal.kept).toBe(3);
      return new LocalRunner(ground, { journal }).run(trials, NOISE);
    });
    expect(again).toEqual(whole);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(lines.length);
  });
});
