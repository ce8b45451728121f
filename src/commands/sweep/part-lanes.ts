/** Lanes of a simulation in which other nodes are quantized than in its own, as the target itself would quantize them. */
import type { NodeId, TensorId } from '../../ir/graph.js';
import { hasSameCodes, type Lane, type QuantParams } from '../../ir/lane.js';
import { buildLane } from '../../quant/lane.js';
import { observedTensors } from '../../quant/placement/plan.js';
import { planSelected } from '../../quant/placement/planner.js';
import { withoutObserving } from '../../quant/placement/restrict.js';
import type { Scheme } from '../../quant/scheme.js';
import { select, type Selected, type Selection } from '../../quant/select.js';
import type { Calibration } from '../../run/calibrate.js';
import { observedRanges, type Simulation } from '../simulation.js';

/** A calibrated simulation, and the lane that it gives. */
export interface Simulated {
  readonly simulation: Simulation & { readonly scheme: Scheme };
  readonly calibration: Calibration;
  /** What the user left out or named. */
  readonly selection: Selection;
  readonly lane: Lane;
}

/** Nodes to quantize, or to leave in float, and nothing else changed. */
export type Part =
  | { readonly kind: 'only'; readonly nodes: Iterable<NodeId>; readonly scheme?: Scheme }
  | { readonly kind: 'without'; readonly nodes: Iterable<NodeId>; readonly scheme?: Scheme };

/**
 * The lane of `qdbg analyze --only NODES` or `--skip NODES`, without a new calibration pass: edges keep a quantizer where another
 * node still wants one, and what shared a scale with a node that is gone has its own range.
 *
 * Quantizers that are as in the whole lane are its very objects: what is computed with them is then shared between lanes.
 *
 * @returns undefined where a quantizer would need a range that calibration did not follow
 */
export function partLane(simulated: Simulated, part: Part): Lane | undefined {
  const { simulation, selection } = simulated;
  const user = select(simulation.graph, selection);
  const nodes = new Set(part.nodes);
  const tensors = new Set<TensorId>();
  const selected: Selected =
    part.kind === 'only'
      ? { only: { nodes, tensors }, skip: user.skip }
      : {
          only: user.only,
          skip: { nodes: new Set([...user.skip.nodes, ...nodes]), tensors: user.skip.tensors },
        };
  return selectedLane(simulated, part.scheme ?? simulation.scheme, selected);
}

/** As `partLane`, for any scheme and selection. */
export function selectedLane(
  { simulation: { graph }, calibration, lane }: Simulated,
  scheme: Scheme,
  selected: Selected,
): Lane | undefined {
  const wanted = planSelected(graph, scheme, selected);
  const lost = [...observedTensors(graph, wanted).keys()].filter((tensor) => !calibration.edges.has(tensor));
  const { plan } = withoutObserving(graph, wanted, new Set(lost));
  const ranges = observedRanges(observedTensors(graph, plan), calibration);
  return sharing(lane, buildLane(graph, plan, ranges, scheme.name));
}

/** The lane with the objects of `base` wherever a quantizer is as there. */
export function sharing(base: Lane, lane: Lane): Lane {
  const shared = <K>(own: ReadonlyMap<K, QuantParams>, known: ReadonlyMap<K, QuantParams>) =>
    new Map(
      [...own].map(([key, params]): [K, QuantParams] => {
        const other = known.get(key);
        return [key, other !== undefined && isSame(other, params) ? other : params];
      }),
    );
  return { ...lane, tensors: shared(lane.tensors, base.tensors), uses: shared(lane.uses, base.uses) };
}

function isSame(a: QuantParams, b: QuantParams): boolean {
  const isAlike = a.qmin === b.qmin && a.qmax === b.qmax && hasSameCodes(a, b);
  return isAlike && JSON.stringify(a.granularity) === JSON.stringify(b.granularity);
}
