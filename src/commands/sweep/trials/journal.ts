/**
 * Outcomes of a sweep in a file, one JSON object a line, as they come: a sweep that was interrupted goes on from them. The first line
 * says what the sweep was made of.
 */
import { open, stat, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { UsageError } from '../../../errors.js';
import { laneDigest } from './lane-digest.js';
import type { Trial, TrialOutcome, Wanted } from './trial.js';

/** What outcomes depend on beside the lane; in the words of a message to the user. */
export const FACTS = [
  'version of qdbg',
  'runtime',
  'model',
  'data',
  'scheme',
  'selection',
  'metric',
] as const;

/** Texts or digests. */
export type SweepFacts = Readonly<Record<(typeof FACTS)[number], string>>;

export interface Journal {
  /** Outcomes that the file had when it was opened. */
  readonly kept: number;
  /** What is known of the trial, and only what is wanted; undefined when something of that is missing. */
  find(trial: Trial, wanted: Wanted): TrialOutcome | undefined;
  /** Written when the promise resolves. */
  add(
    made: readonly { readonly trial: Trial; readonly outcome: TrialOutcome }[],
    wanted: Wanted,
  ): Promise<void>;
  close(): Promise<void>;
}

const MOST_BYTES = 2 ** 28;
const MOST_TEXT = 10_000;
const FORM = 1;

const text = z.string().max(MOST_TEXT);

/** JSON has no numbers that are not finite, and no negative zero. */
const SPECIAL = ['NaN', 'Infinity', '-Infinity', '-0'] as const;
const number = z.union([z.number(), z.enum(SPECIAL).transform(Number)]);
const interval = z.tuple([number, number]);

/** Sums of squares, and counts. */
const sum = number.refine((value) => !(value < 0));

const rungs = z
  .array(z.strictObject({ sumXX: sum, sumEE: sum, moved: sum, rows: sum, nonFinite: sum }))
  .min(1);

const score = z.strictObject({
  value: number.exactOptional(),
  interval: interval.exactOptional(),
  delta: number.exactOptional(),
  deltaInterval: interval.exactOptional(),
  pValue: number.exactOptional(),
  standing: z.enum(['better', 'worse', 'within noise', 'equal']).exactOptional(),
});

const header = z.strictObject({
  qdbg: z.literal('sweep'),
  form: z.literal(FORM),
  facts: z.record(z.enum(FACTS), text),
});

const line = z.strictObject({
  id: text,
  lane: z.string().regex(/^[0-9a-f]{64}$/),
  wanted: z.strictObject({ noise: z.boolean(), score: z.boolean() }),
  noise: rungs.exactOptional(),
  score: score.exactOptional(),
  failure: text.exactOptional(),
});

type Line = z.output<typeof line>;

/**
 * @param file made when it is not there
 * @throws UsageError for a file that is no journal or of another sweep; it is left as it is
 */
export async function openJournal(file: string, facts: SweepFacts): Promise<Journal> {
  const first = `${JSON.stringify({ qdbg: 'sweep', form: FORM, facts })}\n`;
  const handle = await opened(file);
  try {
    const { lines, end } = await readLines(handle, file);
    // What was interrupted in its first line has nothing that could be lost.
    const [head, ...rest] = lines;
    if (head !== undefined) requireSame(file, head, facts);
    else if (!first.startsWith(await tailOf(handle, end))) throw notOurs(file);
    const entries = rest.map((content, at) => entryOf(file, content, at + 2));
    await handle.truncate(end);
    if (head === undefined) await handle.appendFile(first);
    return new FileJournal(file, handle, entries);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class FileJournal implements Journal {
  readonly kept: number;
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #entries = new Map<string, Line[]>();
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, handle: FileHandle, entries: readonly Line[]) {
    this.#file = file;
    this.#handle = handle;
    this.kept = entries.length;
    for (const entry of entries) this.#know(entry);
  }

  find({ id, lane }: Trial, wanted: Wanted): TrialOutcome | undefined {
    const known = (this.#entries.get(id) ?? []).find(
      (entry) =>
        (entry.wanted.noise || !wanted.noise) &&
        (entry.wanted.score || !wanted.score) &&
        entry.lane === laneDigest(lane),
    );
    if (known === undefined) return undefined;
    const { noise, score: scored, failure } = known;
    return {
      id,
      ...(noise === undefined || !wanted.noise ? {} : { noise }),
      ...(scored === undefined || !wanted.score ? {} : { score: scored }),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  add(made: readonly { trial: Trial; outcome: TrialOutcome }[], wanted: Wanted): Promise<void> {
    const entries = made.map(({ trial, outcome }) => {
      const { id, noise, score: scored, failure } = outcome;
      return {
        id,
        lane: laneDigest(trial.lane),
        wanted,
        ...(noise === undefined ? {} : { noise }),
        ...(scored === undefined ? {} : { score: scored }),
        ...(failure === undefined ? {} : { failure: failure.slice(0, MOST_TEXT) }),
      };
    });
    const content = entries.map((entry) => `${JSON.stringify(entry, exact)}\n`).join('');
    // One after another: two at once could be mixed.
    this.#writing = this.#writing.then(() =>
      this.#handle.appendFile(content).catch((cause: unknown) => {
        throw new UsageError(`${this.#file} cannot be written: ${messageOf(cause)}`, { cause });
      }),
    );
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close();
  }

  /** The last of several. */
  #know(entry: Line): void {
    this.#entries.set(entry.id, [entry, ...(this.#entries.get(entry.id) ?? [])]);
  }
}

async function opened(file: string): Promise<FileHandle> {
  const stats = await stat(file).catch(() => undefined);
  if (stats !== undefined && !stats.isFile()) throw notOurs(file);
  if (stats !== undefined && stats.size > MOST_BYTES) {
    throw new UsageError(
      `${file} has ${stats.size} bytes, the journal of a sweep has at most ${MOST_BYTES}`,
      { hint: '--resume ANOTHER_FILE' },
    );
  }
  // Reads, writes at the end, and makes the file.
  return open(file, 'a+').catch((cause: unknown) => {
    throw new UsageError(`--resume ${file}: the file cannot be opened: ${messageOf(cause)}`, {
      hint: '--resume FILE in a folder that can be written to',
      cause,
    });
  });
}

/** Whole lines, and the bytes that they are; what comes behind was being written when the sweep was ended. */
async function readLines(handle: FileHandle, file: string): Promise<{ lines: string[]; end: number }> {
  const { size } = await handle.stat();
  if (size > MOST_BYTES) throw notOurs(file);
  const bytes = Buffer.alloc(size);
  await handle.read(bytes, 0, size, 0);
  const end = bytes.lastIndexOf('\n') + 1;
  return { lines: bytes.toString('utf8', 0, end).split('\n').slice(0, -1), end };
}

async function tailOf(handle: FileHandle, start: number): Promise<string> {
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(size - start);
  await handle.read(bytes, 0, bytes.length, start);
  return bytes.toString('utf8');
}

function requireSame(file: string, head: string, facts: SweepFacts): void {
  const read = header.safeParse(parsed(head));
  if (!read.success) throw notOurs(file);
  const others = FACTS.filter((name) => read.data.facts[name] !== facts[name]);
  if (others.length === 0) return;
  throw new UsageError(
    `${file} is of another sweep: ${listed(others)} ${others.length > 1 ? 'are' : 'is'} not the same`,
    {
      places: others.map((name) => `${name}: ${read.data.facts[name]} there, ${facts[name]} here`),
      hint: '--resume ANOTHER_FILE',
    },
  );
}

function entryOf(file: string, content: string, at: number): Line {
  const read = line.safeParse(parsed(content));
  if (read.success) return read.data;
  throw new UsageError(`${file}: line ${at} is no outcome of a sweep`, {
    places: read.error.issues
      .slice(0, 3)
      .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`),
    hint: '--resume ANOTHER_FILE, or this one without that line',
  });
}

function notOurs(file: string): UsageError {
  return new UsageError(`${file} is not the journal of a sweep`, { hint: '--resume A_NEW_FILE' });
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function exact(_: string, value: unknown): unknown {
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return Object.is(value, -0) ? '-0' : String(value);
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
