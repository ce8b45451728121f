/** The quantized activations of a sweep's network, and fixes that change their parameters. */
import { tensorOf, nodeOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import { short } from '../../../doctor/wording.js';
import {
  forecastDb,
  isObserved,
  quantizedActivations,
  type QuantizedActivation,
} from '../../../quant/edits/activations.js';
import { editedLane } from '../../../quant/edits/edited-lane.js';
import type { Range, TensorStats } from '../../../quant/observers/index.js';
import { useOf } from '../../../quant/placement/lane-plan.js';
import type { FixGround, LaneFix } from './lane-fix.js';

/** As the whole network has it. */
export interface GroundActivation extends QuantizedActivation {
  readonly name: string;
  readonly stats: TensorStats;
  /** Forecast of its own SQNR; absent where nothing is lost. */
  readonly db?: number;
}

/** Those of which values were seen, in the order of the plan. */
export function groundActivations({ simulated }: FixGround): GroundActivation[] {
  const { simulation, calibration, lane } = simulated;
  const { graph, plan } = simulation;
  return quantizedActivations(graph, plan, lane).flatMap((activation): GroundActivation[] => {
    const stats = calibration.edges.get(activation.tensor);
    if (!isObserved(stats)) return [];
    const db = forecastDb(stats, activation.params);
    const { name } = tensorOf(graph, activation.planned.tensor);
    return [{ ...activation, name, stats, ...(db === undefined ? {} : { db }) }];
  });
}

/** Other parameters for one activation. */
export interface ActivationChange {
  readonly activation: GroundActivation;
  /** Given what it is in the lane at hand; undefined where there is nothing to change any more. */
  readonly params: (now: QuantizedActivation) => QuantParams | undefined;
}

/** What a fix is called and costs. */
export type FixName = Pick<LaneFix, 'id' | 'kind' | 'title' | 'cost'>;

export function activationFix(
  { simulated: { simulation, lane: ground } }: FixGround,
  name: FixName,
  changes: readonly ActivationChange[],
): LaneFix {
  const { graph, plan } = simulation;
  const byTensor = new Map(changes.map((change) => [change.activation.tensor, change]));
  const apply = (lane: Lane): Lane => {
    const activations = new Map<TensorId, QuantParams>();
    for (const now of quantizedActivations(graph, plan, lane)) {
      const params = byTensor.get(now.tensor)?.params(now);
      if (params !== undefined) activations.set(now.tensor, params);
    }
    return activations.size === 0 ? lane : editedLane(graph, plan, lane, { activations });
  };
  return {
    ...name,
    places: changes.map(({ activation }) => activation.name),
    tensors: changedTensors(graph, ground, apply(ground)),
    apply,
  };
}

/** Tensors with other parameters, at one use at least. */
export function changedTensors(graph: Graph, before: Lane, after: Lane): TensorId[] {
  const changed = new Set<TensorId>();
  for (const tensor of new Set([...before.tensors.keys(), ...after.tensors.keys()])) {
    if (before.tensors.get(tensor) !== after.tensors.get(tensor)) changed.add(tensor);
  }
  for (const key of new Set([...before.uses.keys(), ...after.uses.keys()])) {
    if (before.uses.get(key) === after.uses.get(key)) continue;
    const { node, slot } = useOf(key);
    const tensor = nodeOf(graph, node).inputs[slot];
    if (tensor !== null && tensor !== undefined) changed.add(tensor);
  }
  return [...changed].sort((a, b) => a - b);
}

/** What a better range is worth: the share of noise in the signal that is gone, so that the worst tensors come first. */
export function worthOf({ db }: Pick<GroundActivation, 'db'>, after: number | undefined): number {
  const noise = (decibels: number | undefined): number =>
    decibels === undefined ? 0 : 10 ** (-decibels / 10);
  return noise(db) - noise(after);
}

/** Those that are worth most, of equal ones the first. */
export function mostWorth<T extends { readonly worth: number }>(candidates: readonly T[], most: number): T[] {
  return [...candidates].sort((a, b) => b.worth - a.worth).slice(0, most);
}

export function rangeText({ rmin, rmax }: Range): string {
  return `${short(rmin)} to ${short(rmax)}`;
}
