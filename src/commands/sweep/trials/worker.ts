/** What a process of the pool does: it opens the ground once, and runs one chunk of trials after another on it. */
import { keyOf, openGround, type GroundDescription, type TrialGround } from './ground.js';
import { outcomesOf } from './local-runner.js';
import { wireError, type Said } from './pool.js';
import { SharedObjects } from './shared-objects.js';
import type { TrialOutcome, Wanted } from './trial.js';
import { unpacked, type WireTrial } from './wire.js';

/** One chunk, in plain data. */
export interface Task {
  readonly ground: GroundDescription;
  readonly trials: readonly WireTrial[];
  readonly wanted: Wanted;
}

export class Worker {
  readonly #shared = new SharedObjects();
  #ground: { readonly key: string; readonly opened: Promise<TrialGround> } | undefined;

  /** @param say is given the answer, too */
  async work(task: Task, say: (said: Said<readonly TrialOutcome[]>) => void): Promise<void> {
    try {
      const ground = await this.#opened(task.ground);
      say({ kind: 'begun' });
      const trials = unpacked(ground.graph, task.trials);
      const lanes = this.#shared.lanes(trials.map(({ lane }) => lane));
      const shared = trials.map((trial, at) => ({ ...trial, lane: lanes[at] ?? trial.lane }));
      const answer = await outcomesOf(ground, shared, task.wanted, () => say({ kind: 'sample' }));
      say({ kind: 'answer', answer });
    } catch (error) {
      say({ kind: 'failed', error: wireError(error) });
    }
  }

  /** The one that is open, if it is the same. */
  #opened(description: GroundDescription): Promise<TrialGround> {
    const key = keyOf(description);
    if (this.#ground?.key !== key) this.#ground = { key, opened: openGround(description) };
    return this.#ground.opened;
  }
}
