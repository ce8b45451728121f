/** Trials in this process: a lane that makes the runtime abort ends it, too. */
import { evaluationProgram } from '../../../compile/evaluation-program.js';
import { FLOAT_LANE } from '../../../ir/lane.js';
import { Ladder } from '../../../run/ladder.js';
import { evaluateNetworks } from '../../accuracy/evaluation.js';
import { ChunkedRunner, type Engine, type RunnerOptions, type SampleWatch } from './chunked-runner.js';
import type { TrialGround } from './ground.js';
import type { Score, Trial, TrialOutcome, Wanted } from './trial.js';

/** Looking for the largest element of a tensor that is a picture costs more than all the rest of a trial. */
const MOST_RANKED = 65_536;

export class LocalRunner extends ChunkedRunner {
  constructor(ground: TrialGround, options: RunnerOptions = {}) {
    const counts = { noise: ground.samples.count, score: ground.evaluation?.samples.count ?? 0 };
    const engine: Engine = {
      processes: 1,
      outcomesOf: (trials, wanted, watch) => outcomesOf(ground, trials, wanted, watch),
      close: () => Promise.resolve(),
    };
    super({ graph: ground.graph, ends: ground.ends, counts }, engine, options);
  }
}

/** All of them in one program. */
export async function outcomesOf(
  ground: TrialGround,
  trials: readonly Trial[],
  wanted: Wanted,
  watch: SampleWatch,
): Promise<TrialOutcome[]> {
  const noise = wanted.noise ? await noiseOf(ground, trials, watch) : [];
  const scores = wanted.score ? await scoresOf(ground, trials, watch) : [];
  return trials.map(({ id }, at) => ({
    id,
    ...(noise[at] === undefined ? {} : { noise: noise[at] }),
    ...(scores[at] === undefined ? {} : { score: scores[at] }),
  }));
}

async function noiseOf(
  { graph, ends, samples, threads }: TrialGround,
  trials: readonly Trial[],
  watch: SampleWatch,
): Promise<Ladder['sums']> {
  const lanes = trials.map(({ lane }) => lane);
  const ladder = new Ladder(graph, lanes, ends, undefined, { threads, mostRanked: MOST_RANKED });
  try {
    for await (const sample of samples.samples()) {
      await ladder.add(sample);
      watch();
    }
  } finally {
    await ladder.close();
  }
  return ladder.sums;
}

async function scoresOf(
  { graph, evaluation, threads }: TrialGround,
  trials: readonly Trial[],
  watch: SampleWatch,
): Promise<Score[]> {
  if (evaluation === undefined) return [];
  const lanes = trials.map(({ lane }) => lane);
  const networks = [
    { network: 'reference', title: 'float', graph, lane: FLOAT_LANE },
    ...trials.map(({ id, lane }) => ({ network: id, title: id, graph, lane })),
  ];
  const { dataset, samples, request } = evaluation;
  const result = await evaluateNetworks(
    { program: evaluationProgram(graph, lanes, FLOAT_LANE), networks },
    { dataset, samples },
    request,
    { threads, watch: (_, done) => (done > 0 ? watch() : undefined) },
  );
  return (result?.accuracy?.networks ?? []).slice(1).map((network): Score => {
    const { value, interval, delta, deltaInterval, pValue, standing } = network;
    return {
      ...(value === undefined ? {} : { value }),
      ...(interval === undefined ? {} : { interval }),
      ...(delta === undefined ? {} : { delta }),
      ...(deltaInterval === undefined ? {} : { deltaInterval }),
      ...(pValue === undefined ? {} : { pValue }),
      ...(standing === undefined ? {} : { standing }),
    };
  });
}
