/** What decides a simulated integer run: the plan, the edges to follow, and once calibrated the lane. */
import { edgesOf, type Edge } from '../compile/edges.js';
import { gainOf, quantizerOf } from '../compile/measurement-program.js';
import { limitsOf } from '../diff/weight-error.js';
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { buildLane } from '../quant/lane.js';
import { observe, type Range } from '../quant/observers/index.js';
import { observedTensors, type QuantPlan } from '../quant/placement/plan.js';
import { planQuantization } from '../quant/placement/planner.js';
import { withoutObserving } from '../quant/placement/restrict.js';
import type { Scheme, TensorScheme } from '../quant/scheme.js';
import type { Selection } from '../quant/select.js';
import type { Report } from '../report/report.js';
import type { Calibration } from '../run/calibrate.js';

export interface Simulation {
  readonly graph: Graph;
  /** 'file' when the quantizers came with the model. */
  readonly scheme: Scheme | 'file';
  readonly plan: QuantPlan;
  /** Edges inside fused operators, which the integer network does not have. */
  readonly fusedAway: ReadonlySet<TensorId>;
  /** Edges to measure. */
  readonly edges: readonly Edge[];
  /** Edges that calibration follows: those to measure, and those that only the range of a quantizer needs. */
  readonly observed: readonly Edge[];
  /** Scheme that the observer of each such tensor serves. */
  readonly observers: ReadonlyMap<TensorId, TensorScheme>;
  readonly notMeasured: Report['notMeasured'];
}

/** `graph` has all shapes that can be known. Quantizers whose range calibration cannot follow are left out, and said so. */
export function planSimulation(graph: Graph, scheme: Scheme, selection: Selection): Simulation {
  const wanted = planQuantization(graph, scheme, selection);
  const fusedAway = new Set(wanted.fusedAway);
  const { edges, unmeasured } = edgesOf(graph, fusedAway);
  const all = edgesOf(graph, new Set()).edges;
  const followed = new Set(all.map(({ tensor }) => tensor));
  const lost = [...observedTensors(graph, wanted).keys()].filter((tensor) => !followed.has(tensor));
  const { plan, dropped } = withoutObserving(graph, wanted, new Set(lost));
  const observers = observedTensors(graph, plan);
  const measured = new Set(edges.map(({ tensor }) => tensor));
  const kept = new Set(dropped);
  return {
    graph,
    scheme,
    plan,
    fusedAway,
    edges,
    observed: all.filter(({ tensor }) => measured.has(tensor) || observers.has(tensor)),
    observers,
    notMeasured: unmeasured.map(({ tensor, reason }) => ({
      subject: tensorOf(graph, tensor).name,
      reason: kept.has(tensor) ? `${reason}; kept in float` : reason,
    })),
  };
}

/** The lane that the plan and the observed ranges give. */
export function calibratedLane(simulation: Simulation, calibration: Calibration): Lane {
  const { graph, plan, scheme, observers } = simulation;
  const ranges = observedRanges(observers, calibration);
  return buildLane(graph, plan, ranges, scheme === 'file' ? scheme : scheme.name);
}

/** The range of each tensor as its observer has it. */
export function observedRanges(
  observers: Simulation['observers'],
  { edges }: Calibration,
): (tensor: TensorId) => Range {
  return (tensor) => {
    const stats = edges.get(tensor);
    const served = observers.get(tensor);
    if (stats === undefined || served === undefined)
      throw new RangeError(`tensor ${tensor} was not observed`);
    return observe(served.observer, stats, served);
  };
}

/** Edges of which some value in `seen` lies outside what their quantizer represents. */
export function clippingEdges(
  { graph, edges }: Simulation,
  lane: Lane,
  seen: Calibration,
): ReadonlySet<TensorId> {
  const clips = ({ tensor }: Edge): boolean => {
    const params = quantizerOf(graph, lane, tensor);
    const stats = seen.edges.get(tensor);
    if (params === undefined || stats === undefined) return false;
    const { low, high } = limitsOf(params);
    return low.some((limit) => stats.min < limit) || high.some((limit) => stats.max > limit);
  };
  return new Set(edges.filter(clips).map(({ tensor }) => tensor));
}

/** Gains of the edges whose values in `seen` are so large or small that their squares leave float32. */
export function gainsOf({ edges }: Simulation, seen: Calibration): ReadonlyMap<TensorId, number> {
  return new Map(
    edges.flatMap(({ tensor }): [TensorId, number][] => {
      const stats = seen.edges.get(tensor);
      const gain = stats === undefined ? undefined : gainOf(Math.max(-stats.min, stats.max));
      return gain === undefined ? [] : [[tensor, gain]];
    }),
  );
}
