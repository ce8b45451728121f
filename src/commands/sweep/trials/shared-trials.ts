/** Trials whose networks have the same quantizers are run once. */
import { laneDigest } from './lane-digest.js';
import type { Trial, TrialOutcome, TrialRunner, Wanted } from './trial.js';

interface Known {
  readonly outcome: TrialOutcome;
  readonly wanted: Wanted;
}

/**
 * Runs every network once, under the name of the trial that asked first, and remembers what came of it. What failed is not tried
 * again.
 */
export class SharedTrials implements TrialRunner {
  readonly #runner: TrialRunner;
  readonly #known = new Map<string, Known>();

  constructor(runner: TrialRunner) {
    this.#runner = runner;
  }

  async run(
    trials: readonly Trial[],
    wanted: Wanted,
    progress: (done: number, of: number) => void = () => undefined,
  ): Promise<readonly TrialOutcome[]> {
    const keys = trials.map(({ lane }) => laneDigest(lane));
    const open = new Map<string, Trial>();
    trials.forEach((trial, at) => {
      const key = keys[at] as string;
      if (!open.has(key) && isMissing(this.#known.get(key), wanted)) open.set(key, trial);
    });
    let done = 0;
    for (const [lacking, asked] of byLack(open, this.#known, wanted)) {
      const before = done;
      const outcomes = await this.#runner.run(
        asked.map(([, trial]) => trial),
        lacking,
        (finished) => progress(before + finished, open.size),
      );
      asked.forEach(([key], at) => this.#add(key, outcomes[at] as TrialOutcome, lacking));
      done += asked.length;
    }
    return trials.map(({ id }, at) => ({ ...(this.#known.get(keys[at] as string) as Known).outcome, id }));
  }

  close(): Promise<void> {
    return this.#runner.close();
  }

  #add(key: string, outcome: TrialOutcome, wanted: Wanted): void {
    const known = this.#known.get(key);
    this.#known.set(key, {
      outcome: { ...known?.outcome, ...outcome },
      wanted: {
        noise: wanted.noise || known?.wanted.noise === true,
        score: wanted.score || known?.wanted.score === true,
      },
    });
  }
}

function lackOf(known: Known | undefined, { noise, score }: Wanted): Wanted {
  if (known === undefined) return { noise, score };
  if (known.outcome.failure !== undefined) return { noise: false, score: false };
  return { noise: noise && !known.wanted.noise, score: score && !known.wanted.score };
}

function isMissing(known: Known | undefined, wanted: Wanted): boolean {
  const { noise, score } = lackOf(known, wanted);
  return known === undefined || noise || score;
}

/** Trials that lack the same, in the order of the first of them. */
function byLack(
  open: ReadonlyMap<string, Trial>,
  known: ReadonlyMap<string, Known>,
  wanted: Wanted,
): [Wanted, [string, Trial][]][] {
  const groups = new Map<string, [Wanted, [string, Trial][]]>();
  for (const [key, trial] of open) {
    const lack = lackOf(known.get(key), wanted);
    const name = `${lack.noise} ${lack.score}`;
    const group = groups.get(name) ?? [lack, []];
    group[1].push([key, trial]);
    groups.set(name, group);
  }
  return [...groups.values()];
}
