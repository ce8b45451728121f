import { edgesOf } from '../../src/compile/edges.js';
import type { Graph, TensorId } from '../../src/ir/graph.js';
import type { Lane } from '../../src/ir/lane.js';
import { buildLane } from '../../src/quant/lane.js';
import { observe } from '../../src/quant/observers/index.js';
import { observedTensors, type QuantPlan } from '../../src/quant/placement/plan.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import type { Scheme } from '../../src/quant/scheme.js';
import { NO_SELECTION, type Selection } from '../../src/quant/select.js';
import { calibrate, type Calibration } from '../../src/run/calibrate.js';
import type { Samples } from '../../src/run/samples.js';
import { ONE_THREAD, UNWATCHED } from './measured-networks.js';

/** The lane that the scheme gives on these samples. */
export async function calibratedLane(
  graph: Graph,
  scheme: Scheme,
  samples: Samples,
  selection: Selection = NO_SELECTION,
): Promise<{
  readonly plan: QuantPlan;
  readonly lane: Lane;
  readonly fusedAway: ReadonlySet<TensorId>;
  readonly calibration: Calibration;
}> {
  const plan = planQuantization(graph, scheme, selection);
  const passes = { ...ONE_THREAD, histograms: true, momentum: 0.99 };
  const { edges } = edgesOf(graph, new Set());
  const calibration = await calibrate(graph, edges, samples, passes, UNWATCHED);
  const schemes = observedTensors(graph, plan);
  const lane = buildLane(
    graph,
    plan,
    (tensor) => {
      const [tensorScheme, stats] = [schemes.get(tensor), calibration.edges.get(tensor)];
      if (tensorScheme === undefined || stats === undefined)
        throw new Error(`tensor ${tensor} was not observed`);
      return observe(tensorScheme.observer, stats, tensorScheme);
    },
    scheme.name,
  );
  return { plan, lane, fusedAway: new Set(plan.fusedAway), calibration };
}
