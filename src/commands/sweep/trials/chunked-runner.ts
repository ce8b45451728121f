/** Runs trials in chunks that share one program each, and finds the one that fails in a chunk. */
import { QdbgError, RunError } from '../../../errors.js';
import type { Lane } from '../../../ir/lane.js';
import { chunksOf, type ChunkLimits } from './chunks.js';
import type { TrialGround } from './ground.js';
import type { Journal } from './journal.js';
import { SharedObjects } from './shared-objects.js';
import type { Trial, TrialOutcome, TrialRunner, Wanted } from './trial.js';

/** The process that ran a chunk is gone, or was ended because nothing came from it. */
export class LostError extends RunError {
  /** False when it was lost before it could begin with a chunk. */
  readonly hadBegun: boolean;

  constructor(message: string, hadBegun: boolean) {
    super(message);
    this.hadBegun = hadBegun;
  }
}

/** Called for every sample that is done with. */
export type SampleWatch = () => void;

/** Where chunks are run. */
export interface Engine {
  /** Chunks at the same time. */
  readonly processes: number;
  /**
   * All of them in one program; none of them: the float network alone.
   *
   * @throws LostError
   * @throws QdbgError when the runtime, the data or a file of the user's fails
   */
  outcomesOf(trials: readonly Trial[], wanted: Wanted, watch: SampleWatch): Promise<readonly TrialOutcome[]>;
  close(): Promise<void>;
}

export interface RunnerOptions {
  /** Keeps outcomes as they come, and has those of an interrupted sweep. */
  readonly journal?: Journal;
  readonly limits?: ChunkLimits;
}

/** What `ChunkedRunner` has to know of the ground to cut chunks. */
export type ChunkGround = Pick<TrialGround, 'graph' | 'ends'> & {
  /** Samples of the two passes. */
  readonly counts: { readonly noise: number; readonly score: number };
};

/** Trials to run in one program, and how often they were lost already. */
interface Batch {
  readonly trials: readonly Trial[];
  readonly losses: number;
}

export class ChunkedRunner implements TrialRunner {
  readonly #ground: ChunkGround;
  readonly #engine: Engine;
  readonly #journal: Journal | undefined;
  readonly #limits: ChunkLimits | undefined;
  readonly #shared = new SharedObjects();
  #float: Promise<unknown> | undefined;

  constructor(ground: ChunkGround, engine: Engine, { journal, limits }: RunnerOptions = {}) {
    this.#ground = ground;
    this.#engine = engine;
    this.#journal = journal;
    this.#limits = limits;
  }

  async run(
    given: readonly Trial[],
    wanted: Wanted,
    progress: (done: number, of: number) => void = () => undefined,
  ): Promise<readonly TrialOutcome[]> {
    const lanes = this.#shared.lanes(given.map(({ lane }) => lane));
    const trials = given.map(({ id }, at): Trial => ({ id, lane: lanes[at] as Lane }));
    const outcomes = new Map(
      trials.flatMap((trial): [Trial, TrialOutcome][] => {
        const known = this.#journal?.find(trial, wanted);
        return known === undefined ? [] : [[trial, known]];
      }),
    );
    const told = new Progress(progress, trials.length, this.#samplesOf(wanted));
    told.done(outcomes.size);
    // Chunks of all, whatever is known: the last bits of a result may depend on what else is in its program.
    const batches = this.#chunks(lanes, wanted)
      .map(({ start, end }) => trials.slice(start, end))
      .filter((chunk) => chunk.some((trial) => !outcomes.has(trial)));
    await this.#work(batches, wanted, told, async (batch, made) => {
      const news = batch.filter((trial) => !outcomes.has(trial));
      batch.forEach((trial, at) => {
        if (!outcomes.has(trial)) outcomes.set(trial, made[at] as TrialOutcome);
      });
      told.done(news.length);
      await this.#journal?.add(
        news.map((trial) => ({ trial, outcome: outcomes.get(trial) as TrialOutcome })),
        wanted,
      );
    });
    return trials.map((trial) => outcomes.get(trial) as TrialOutcome);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  /** The longest first: then the processes end at about the same time. */
  #chunks(lanes: readonly Lane[], wanted: Wanted): { start: number; end: number }[] {
    const { graph, ends } = this.#ground;
    const chunks = chunksOf(graph, ends, lanes, {
      processes: this.#engine.processes,
      fetched: wanted.score,
      ...(this.#limits === undefined ? {} : { limits: this.#limits }),
    });
    return chunks.sort((a, b) => b.cost - a.cost || a.start - b.start);
  }

  /** Samples that a chunk goes through. */
  #samplesOf(wanted: Wanted): number {
    const { noise, score } = this.#ground.counts;
    return (wanted.noise ? noise : 0) + (wanted.score ? score : 0);
  }

  /** As many at the same time as there are processes. The first error that is no trial's own ends it all. */
  async #work(
    chunks: readonly (readonly Trial[])[],
    wanted: Wanted,
    told: Progress,
    took: (batch: readonly Trial[], made: readonly TrialOutcome[]) => Promise<void>,
  ): Promise<void> {
    const pending = chunks.map((trials): Batch => ({ trials, losses: 0 }));
    const running = new Set<Promise<void>>();
    const run = async (batch: Batch): Promise<void> => {
      const attempt = told.attempt(batch.trials.length);
      const made = await this.#attempt(batch, wanted, attempt.sample).finally(attempt.end);
      if ('outcomes' in made) await took(batch.trials, made.outcomes);
      else pending.unshift(...made.again);
    };
    while (pending.length + running.size > 0) {
      const batch = running.size < this.#engine.processes ? pending.shift() : undefined;
      if (batch === undefined) {
        await Promise.race(running);
        continue;
      }
      const job = run(batch).finally(() => running.delete(job));
      // Whoever is still running when another one fails has nobody to tell.
      job.catch(() => undefined);
      running.add(job);
    }
  }

  /** The outcomes of a batch, or what to run in its place. */
  async #attempt(
    { trials, losses }: Batch,
    wanted: Wanted,
    watch: SampleWatch,
  ): Promise<{ readonly outcomes: readonly TrialOutcome[] } | { readonly again: readonly Batch[] }> {
    try {
      return { outcomes: await this.#engine.outcomesOf(trials, wanted, watch) };
    } catch (error) {
      if (!(error instanceof QdbgError)) throw error;
      // Once may be chance: a process is also lost to somebody who kills it.
      if (error instanceof LostError && losses === 0) return { again: [{ trials, losses: 1 }] };
      if (error instanceof LostError && !error.hadBegun) throw error;
      await this.#requireFloat(wanted);
      const [first] = trials;
      if (first !== undefined && trials.length === 1) {
        return { outcomes: [{ id: first.id, failure: error.message }] };
      }
      const half = Math.ceil(trials.length / 2);
      return {
        again: [trials.slice(0, half), trials.slice(half)].map((part) => ({ trials: part, losses: 1 })),
      };
    }
  }

  /** Found out once. @throws QdbgError when it is the network or the data that fails, not a trial */
  #requireFloat(wanted: Wanted): Promise<unknown> {
    return (this.#float ??= this.#engine.outcomesOf([], wanted, () => undefined));
  }
}

/** Trials done: those of chunks that are through, and of the others the share of their samples. */
class Progress {
  readonly #tell: (done: number, of: number) => void;
  readonly #trials: number;
  readonly #samples: number;
  readonly #running = new Set<{ share: number }>();
  #finished = 0;
  #told = -1;

  constructor(tell: (done: number, of: number) => void, trials: number, samples: number) {
    this.#tell = tell;
    this.#trials = trials;
    this.#samples = samples;
  }

  done(trials: number): void {
    this.#finished += trials;
    this.#say();
  }

  /** At a chunk of so many trials. */
  attempt(trials: number): { readonly sample: SampleWatch; readonly end: () => void } {
    const attempt = { share: 0 };
    this.#running.add(attempt);
    return {
      sample: () => {
        attempt.share += trials / this.#samples;
        this.#say();
      },
      end: () => void this.#running.delete(attempt),
    };
  }

  /** Never less than before. */
  #say(): void {
    const running = [...this.#running].reduce((sum, { share }) => sum + share, 0);
    const done = Math.min(Math.floor(this.#finished + running), this.#trials);
    if (done <= this.#told) return;
    this.#told = done;
    this.#tell(done, this.#trials);
  }
}
