/** Accuracy of the network in float and quantized as a whole, with all that a report tells of it. */
import { evaluationProgram } from '../../compile/evaluation-program.js';
import { FLOAT_LANE } from '../../ir/lane.js';
import type { SweepReport } from '../../report/sweep-report.js';
import type { Watch } from '../../run/samples.js';
import { evaluated, NO_ACCURACY, type AccuracyPart } from '../accuracy/evaluated.js';
import type { Prepared } from './prepared.js';
import type { SweepRequest } from './request.js';
import type { SweptGround } from './swept-ground.js';

export async function scoredBeside(
  { accuracy, processes, threads }: SweepRequest,
  { simulated, isScored }: Prepared,
  { evaluated: data }: SweptGround,
  watch: Watch,
): Promise<AccuracyPart> {
  if (!isScored) return NO_ACCURACY;
  const { lane, simulation } = simulated;
  const { graph, scheme } = simulation;
  return evaluated(
    {
      program: evaluationProgram(graph, [lane], FLOAT_LANE),
      networks: [
        { network: 'reference', title: 'float', graph, lane: FLOAT_LANE },
        { network: 'candidate', title: `${scheme.name}, simulated`, graph, lane },
      ],
    },
    data,
    accuracy,
    { threads: processes * threads, watch },
  );
}

/** What networks of a sweep are scored by. */
export interface Metric extends NonNullable<SweepReport['basis']['metric']> {
  /** What float scores against labels; absent without them. */
  readonly reference?: number;
}

/** Against labels, or else of agreement with float. */
export function toldMetric({ fields }: AccuracyPart): SweepReport['basis']['metric'] {
  const accuracy = fields.accuracy ?? fields.agreement;
  if (accuracy === undefined) return undefined;
  const { metric, description, unit, deltaUnit, better, samples } = accuracy;
  return { metric, description, unit, deltaUnit, better, samples };
}

/** Of the search: with what float scores, where that is against labels. */
export function metricOf(part: AccuracyPart): Metric | undefined {
  const told = toldMetric(part);
  const { reference, labels } = part.fields.accuracy ?? part.fields.agreement ?? {};
  if (told === undefined) return undefined;
  return labels === undefined || reference === undefined ? told : { ...told, reference };
}
