/** Trials in processes of their own, several at a time: what crashes or hangs there is found, and the rest goes on. */
import { ChunkedRunner, type Engine, type RunnerOptions } from './chunked-runner.js';
import type { GroundDescription, TrialGround } from './ground.js';
import { ProcessPool } from './pool.js';
import type { TrialOutcome } from './trial.js';
import { packed } from './wire.js';
import type { Task } from './worker.js';

export interface PooledOptions extends RunnerOptions {
  /** At the same time; from 1 on. */
  readonly processes: number;
  /** Milliseconds for opening a program, and for one sample, after which the runtime counts as hung. */
  readonly patienceMs?: number;
}

/** Beyond what any program takes that a user would wait for. */
const PATIENCE_MS = 300_000;

export class PooledRunner extends ChunkedRunner {
  /** @param description of the very `ground`, from which the processes open it anew */
  constructor(
    ground: TrialGround,
    description: GroundDescription,
    { processes, patienceMs = PATIENCE_MS, ...options }: PooledOptions,
  ) {
    const entry = new URL('./worker-process.js', import.meta.url);
    const pool = new ProcessPool<Task, readonly TrialOutcome[]>({ processes, patienceMs, entry });
    const counts = { noise: ground.samples.count, score: ground.evaluation?.samples.count ?? 0 };
    const engine: Engine = {
      processes,
      outcomesOf: (trials, wanted, watch) =>
        pool.run({ ground: description, trials: packed(ground.graph, trials), wanted }, watch),
      close: () => pool.close(),
    };
    super({ graph: ground.graph, ends: ground.ends, counts }, engine, options);
  }
}
