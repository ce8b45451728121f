/** What rules can look at without running anything. */
import { comparedConstants } from '../diff/compared-constants.js';
import { constantMeasurements, type ConstantMeasurement } from '../diff/weight-measurements.js';
import type { Evidence } from '../doctor/evidence.js';
import type { Graph } from '../ir/graph.js';
import { inferShapes } from '../ir/infer/index.js';
import type { Lane } from '../ir/lane.js';
import type { LoadedModel } from '../loader/index.js';
import { buildLane } from '../quant/lane.js';
import { planOfLane } from '../quant/placement/lane-plan.js';
import { planQuantization } from '../quant/placement/planner.js';
import { NO_SELECTION } from '../quant/select.js';
import { fileOf } from './describe.js';
import { pairOfFiles, requireAligned } from './network-pair.js';
import { defaultScheme } from './scheme-request.js';

/** Of one file: how it is quantized, or what the default scheme of its format would make of its weights. */
export function fileEvidence(loaded: LoadedModel): Evidence {
  const graph = inferShapes(loaded.graph);
  const file = fileOf(loaded);
  return loaded.lane === undefined
    ? { graph, file, ...forecast(graph, loaded) }
    : { graph, file, lane: loaded.lane, constants: constantsOf(graph, loaded.lane) };
}

/**
 * Of a file and the one that it should compute the same as.
 *
 * @param least share of the candidate's compute operators that must be found in the reference
 * @throws UsageError where fewer are
 */
export function pairEvidence(reference: LoadedModel, candidate: LoadedModel, least: number): Evidence {
  const pair = pairOfFiles({ reference, candidate });
  requireAligned(pair, least);
  const { graph, lane } = pair.candidate;
  return {
    graph,
    file: fileOf(candidate),
    ...(candidate.lane === undefined ? {} : { lane, constants: constantsOf(graph, lane) }),
    reference: { ...pair.reference, file: fileOf(reference) },
    alignment: pair.alignment,
    compared: comparedConstants({ candidate: graph, lane, alignment: pair.alignment }),
  };
}

function constantsOf(graph: Graph, lane: Lane): readonly ConstantMeasurement[] {
  return constantMeasurements(graph, lane, planOfLane(graph, lane).quantizers);
}

/** Ranges of activations are not known without data: only weights are quantized. */
function forecast(graph: Graph, { format }: LoadedModel): Pick<Evidence, 'lane' | 'scheme' | 'constants'> {
  const scheme = defaultScheme(format, {});
  const plan = planQuantization(graph, scheme, NO_SELECTION);
  const quantizers = plan.quantizers.filter(({ role }) => role === 'weight');
  const rangeOf = (): never => {
    throw new RangeError('a weight has the range of its elements');
  };
  const lane = buildLane(graph, { ...plan, quantizers }, rangeOf, scheme.name);
  return { lane, scheme, constants: constantMeasurements(graph, lane, quantizers) };
}
