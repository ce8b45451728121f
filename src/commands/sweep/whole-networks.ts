/** Accuracy of the network in float and quantized as a whole, with all that a report tells of it. */
import { evaluationProgram } from '../../compile/evaluation-program.js';
import { FLOAT_LANE } from '../../ir/lane.js';
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
