/** Accuracy of one network in float, quantized, and quantized in parts. */
import { evaluationProgram } from '../../compile/evaluation-program.js';
import type { Graph } from '../../ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../ir/lane.js';
import type { Calibration } from '../../run/calibrate.js';
import type { Watch } from '../../run/samples.js';
import { calibratedLane } from '../simulation.js';
import {
  evaluated,
  isAsked,
  NO_ACCURACY,
  requireAccuracy,
  type AccuracyPart,
  type EvaluatedData,
  type EvaluatedPart,
} from './evaluated.js';
import type { Rung } from './ladder.js';
import type { AccuracyRequest } from './request.js';

/** A network and its quantizers. */
export interface QuantizedNetwork {
  readonly graph: Graph;
  readonly lane: Lane;
  /** Of the lane, for the reader. */
  readonly title: string;
  /** Steps between float and the lane. */
  readonly rungs: readonly Rung[];
  readonly calibration: Calibration;
  /** The quantizers came with the model. */
  readonly isFile: boolean;
}

/** @throws QdbgError before the long passes, when what was asked for cannot be evaluated */
export function requireAccuracyOf(
  graph: Graph,
  data: Pick<EvaluatedData, 'dataset' | 'extents'>,
  { accuracy, threads }: { readonly accuracy: AccuracyRequest; readonly threads: number },
): Promise<void> {
  const program = evaluationProgram(graph, [], FLOAT_LANE);
  const networks = [{ network: 'reference', title: 'float', graph, lane: FLOAT_LANE }];
  return requireAccuracy({ program, networks }, data, accuracy, threads);
}

/** With `--eval`, with `--ladder`, or where something was said about accuracy. */
export function evaluatedLanes(
  request: {
    readonly eval: readonly string[];
    readonly accuracy: AccuracyRequest;
    readonly ladder: boolean;
    readonly threads: number;
  },
  { graph, lane, title, rungs, calibration, isFile }: QuantizedNetwork,
  data: EvaluatedData,
  watch: Watch,
  part?: EvaluatedPart,
): Promise<AccuracyPart> {
  const { accuracy, ladder, threads } = request;
  if (request.eval.length === 0 && !ladder && !isAsked(accuracy)) return Promise.resolve(NO_ACCURACY);
  const lanes = rungs.map((rung) => calibratedLane(rung.simulation, calibration));
  const float = isFile ? 'its own weights in float' : 'float';
  return evaluated(
    {
      program: evaluationProgram(graph, [lane, ...lanes], FLOAT_LANE),
      networks: [
        { network: 'reference', title: float, graph, lane: FLOAT_LANE },
        { network: 'candidate', title, graph, lane },
        ...rungs.map(({ network, title: step }, i) => ({ network, title: step, graph, lane: lanes[i]! })),
      ],
    },
    data,
    { ...accuracy, tellsAgreement: data.dataset.kind !== 'random' || ladder },
    { threads, watch, ...(part === undefined ? {} : { part }) },
  );
}
