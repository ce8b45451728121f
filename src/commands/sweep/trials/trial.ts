/** What a sweep asks again and again: what does this network answer, quantized like that? */
import type { ScoredNetwork } from '../../../diff/accuracy/accuracy.js';
import type { Lane } from '../../../ir/lane.js';
import type { RungSums } from '../../../run/ladder.js';

/** One network to run: the float graph, quantized in some way. */
export interface Trial {
  /** Says what the lane is, in words that are the same in every run of the same sweep: `alone layer:conv1`. Unique in a sweep. */
  readonly id: string;
  readonly lane: Lane;
}

/** What of a trial is wanted; each is a pass over samples of its own. */
export interface Wanted {
  /** Noise at the outputs, over the samples of the sweep. */
  readonly noise: boolean;
  /** The metric, over all samples to evaluate on. Nothing where there is no metric. */
  readonly score: boolean;
}

export interface TrialOutcome {
  readonly id: string;
  /** Of each end, summed over samples: the lane beside float. */
  readonly noise?: readonly RungSums[];
  /** Value, interval, difference from float with interval and p, standing. */
  readonly score?: Score;
  /** Why there is neither: what the runtime did, in one line. */
  readonly failure?: string;
}

/** Of one network by the metric of the sweep. */
export type Score = Pick<
  ScoredNetwork,
  'value' | 'interval' | 'delta' | 'deltaInterval' | 'pValue' | 'standing'
>;

/** Runs trials, however it does: here, in processes of their own, or from what an interrupted sweep left. */
export interface TrialRunner {
  /** In the order of the trials. A trial that fails has `failure`; the others are not touched by it. */
  run(
    trials: readonly Trial[],
    wanted: Wanted,
    progress?: (done: number, of: number) => void,
  ): Promise<readonly TrialOutcome[]>;
  close(): Promise<void>;
}
