/** Trials in this process. */
import { evaluationProgram } from '../../compile/evaluation-program.js';
import type { Edge } from '../../compile/edges.js';
import type { Graph } from '../../ir/graph.js';
import { FLOAT_LANE } from '../../ir/lane.js';
import type { Dataset } from '../../run/data/dataset.js';
import { Ladder } from '../../run/ladder.js';
import type { Samples } from '../../run/samples.js';
import { evaluateNetworks } from '../accuracy/evaluation.js';
import type { AccuracyRequest } from '../accuracy/request.js';
import type { Score, Trial, TrialOutcome, TrialRunner, Wanted } from './trial.js';

/** What every trial is run on. */
export interface TrialGround {
  readonly graph: Graph;
  /** Outputs, or the last tensors that can be measured. */
  readonly ends: readonly Edge[];
  /** For noise. */
  readonly samples: Samples;
  /** For the metric; absent where there is none. */
  readonly evaluation?: {
    readonly dataset: Dataset;
    readonly samples: Samples;
    readonly request: AccuracyRequest;
  };
  readonly threads: number;
}

/** Lanes in one program. */
const LANES = 8;

export class LocalRunner implements TrialRunner {
  readonly #ground: TrialGround;

  constructor(ground: TrialGround) {
    this.#ground = ground;
  }

  async run(
    trials: readonly Trial[],
    wanted: Wanted,
    progress: (done: number, of: number) => void = () => undefined,
  ): Promise<readonly TrialOutcome[]> {
    const outcomes: TrialOutcome[] = [];
    for (let at = 0; at < trials.length; at += LANES) {
      progress(at, trials.length);
      outcomes.push(...(await outcomesOf(this.#ground, trials.slice(at, at + LANES), wanted)));
    }
    progress(trials.length, trials.length);
    return outcomes;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** All of them in one program. */
export async function outcomesOf(
  ground: TrialGround,
  trials: readonly Trial[],
  wanted: Wanted,
): Promise<TrialOutcome[]> {
  const noise = wanted.noise ? await noiseOf(ground, trials) : [];
  const scores = wanted.score ? await scoresOf(ground, trials) : [];
  return trials.map(({ id }, at) => ({
    id,
    ...(noise[at] === undefined ? {} : { noise: noise[at] }),
    ...(scores[at] === undefined ? {} : { score: scores[at] }),
  }));
}

async function noiseOf(
  { graph, ends, samples, threads }: TrialGround,
  trials: readonly Trial[],
): Promise<Ladder['sums']> {
  const lanes = trials.map(({ lane }) => lane);
  const ladder = new Ladder(graph, lanes, ends, undefined, { threads });
  try {
    for await (const sample of samples.samples()) await ladder.add(sample);
  } finally {
    await ladder.close();
  }
  return ladder.sums;
}

async function scoresOf(
  { graph, evaluation, threads }: TrialGround,
  trials: readonly Trial[],
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
    { threads, watch: () => undefined },
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
