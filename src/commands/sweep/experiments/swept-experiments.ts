/** The experiments, measured. */
import type { Lane } from '../../../ir/lane.js';
import type { Report } from '../../../report/report.js';
import type { SweptExperiment } from '../../../report/sweep-report.js';
import { effectOf, lossOf, type EffectBasis } from '../effects.js';
import type { Experiment } from './experiment.js';
import { experimentFlags } from './experiment-flags.js';
import { laneDigest } from '../trials/lane-digest.js';
import { laneOrReason } from './lane-or-reason.js';
import { selectedLane, type Simulated } from '../part-lanes.js';
import type { SharedTrials } from '../trials/shared-trials.js';
import type { TrialOutcome } from '../trials/trial.js';

interface MadeExperiment {
  readonly experiment: Experiment;
  readonly lane: Lane;
  readonly flags: readonly string[] | undefined;
  readonly isBase: boolean;
}

/**
 * In their order; without those that come to the same network as one before them (a symmetric scheme for ranges that are symmetric
 * already), and those in which nothing is left to quantize.
 */
export async function sweptExperiments(
  experiments: readonly Experiment[],
  { simulated, basis }: { readonly simulated: Simulated; readonly basis: EffectBasis },
  trials: SharedTrials,
  progress: (done: number, of: number) => void = () => undefined,
): Promise<{
  readonly experiments: readonly SweptExperiment[];
  readonly notMeasured: Report['notMeasured'];
}> {
  const notMeasured: { subject: string; reason: string }[] = [];
  const whole = laneDigest(simulated.lane);
  const made = experiments.flatMap((experiment): MadeExperiment[] => {
    const lane = laneOrReason(() => selectedLane(simulated, experiment.scheme, experiment.selected));
    if (typeof lane === 'string') {
      notMeasured.push({ subject: `experiment ${experiment.title}`, reason: lane });
      return [];
    }
    const digest = laneDigest(lane);
    const isWhole = digest === whole;
    const isKnown = isWhole || lane.tensors.size + lane.uses.size === 0;
    if (isKnown && !experiment.isKept) return [];
    return [
      {
        experiment,
        lane,
        flags: experimentFlags(simulated, experiment, digest),
        isBase: isWhole && experiment.family === 'parts',
      },
    ];
  });
  const outcomes = await trials.run(
    made.map(({ experiment: { id }, lane }) => ({ id, lane })),
    { noise: true, score: basis.better !== undefined },
    progress,
  );
  return {
    experiments: made.map(({ experiment: { name, title, family }, flags, isBase }, at) => {
      const outcome = outcomes[at] as TrialOutcome;
      return {
        name,
        title,
        family,
        ...(isBase ? { isBase: true as const } : {}),
        effect: effectOf(outcome),
        ...lossOf(outcome, basis),
        ...(flags === undefined ? {} : { flags }),
      };
    }),
    notMeasured,
  };
}
