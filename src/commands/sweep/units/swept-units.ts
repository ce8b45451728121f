/** Sensitivity: every unit quantized alone, and everything but it. */
import type { Restored, SweptUnit } from '../../../report/sweep-report.js';
import { effectOf, restoredOf, type EffectBasis } from '../effects.js';
import { laneOrReason } from '../experiments/lane-or-reason.js';
import { partLane, type Simulated } from '../part-lanes.js';
import type { SharedTrials } from '../trials/shared-trials.js';
import type { Trial, TrialOutcome } from '../trials/trial.js';
import { UnitCosts } from './unit-costs.js';
import { describedUnit, nodesIn, type Unit, type Units } from './units.js';

/** `alone`: only it is quantized. `restored`: everything but it is. */
export type UnitKind = 'alone' | 'restored';

export interface UnitSweep {
  readonly simulated: Simulated;
  readonly units: Units;
  readonly kinds: ReadonlySet<UnitKind>;
  /**
   * Of layers, which have their metric evaluated: all, or by noise the so many that alone cost most and those that give back most.
   * Operator types and groups all have. Nothing is evaluated without a metric.
   */
  readonly score: 'all' | number;
  readonly basis: EffectBasis;
}

/** Layers beyond it matter little to the result: noise ranks them, and a metric over few samples could not. */
export const SCORED_LAYERS = 16;

/** One thing to find out of one unit. */
interface Question {
  readonly unit: Unit;
  readonly kind: UnitKind;
  readonly id: string;
}

/**
 * A pass for the noise of all, and where there is a metric one for the accuracy of those that matter.
 *
 * @param progress over both passes
 */
export async function sweptUnits(
  sweep: UnitSweep,
  trials: SharedTrials,
  progress: (done: number, of: number) => void = () => undefined,
): Promise<{ readonly layers: readonly SweptUnit[]; readonly groups: readonly SweptUnit[] }> {
  const { simulated, units, kinds, basis } = sweep;
  const { graph } = simulated.simulation;
  const questions = [...units.layers, ...units.groups].flatMap((unit) =>
    (['alone', 'restored'] as const)
      .filter((kind) => kinds.has(kind))
      .map((kind): Question => ({ unit, kind, id: `${kind} ${unit.id}` })),
  );
  const outcomes = new Map<string, TrialOutcome>();
  const made = questions.flatMap(({ unit, kind, id }): Trial[] => {
    const part = { kind: kind === 'alone' ? 'only' : 'without', nodes: nodesIn(unit.layers) } as const;
    const lane = laneOrReason(() => partLane(simulated, part));
    if (typeof lane !== 'string') return [{ id, lane }];
    outcomes.set(id, { id, failure: lane });
    return [];
  });
  const asksScores = basis.better !== undefined;
  const isAtOnce = asksScores && sweep.score === 'all';
  const first = await trials.run(made, { noise: true, score: isAtOnce }, progress);
  for (const outcome of first) outcomes.set(outcome.id, outcome);
  if (asksScores && !isAtOnce) {
    const scored = worthScoring(questions, outcomes, sweep);
    const second = made.filter(({ id }) => scored.has(id) && outcomes.get(id)?.failure === undefined);
    for (const outcome of await trials.run(second, { noise: false, score: true }, progress))
      outcomes.set(outcome.id, { ...outcomes.get(outcome.id), ...outcome });
  }
  const costs = new UnitCosts(graph, simulated.lane);
  const swept = (unit: Unit): SweptUnit => {
    const nodes = nodesIn(unit.layers);
    const macsShare = costs.macsShare(nodes);
    const alone = outcomes.get(`alone ${unit.id}`);
    const restored = outcomes.get(`restored ${unit.id}`);
    return {
      ...describedUnit(graph, unit),
      ...(macsShare === undefined ? {} : { macsShare }),
      floatBytes: costs.floatBytes(nodes),
      ...(alone === undefined ? {} : { alone: effectOf(alone) }),
      ...(restored === undefined ? {} : { restored: restoredOf(restored, basis) }),
    };
  };
  return { layers: units.layers.map(swept), groups: units.groups.map(swept) };
}

/** Questions whose metric is evaluated; of a layer that matters in one way, what it does in the other is told too. */
function worthScoring(
  questions: readonly Question[],
  outcomes: ReadonlyMap<string, TrialOutcome>,
  { score, basis }: UnitSweep,
): ReadonlySet<string> {
  const most = score === 'all' ? Infinity : score;
  const ofLayers = questions.filter(({ unit }) => unit.kind === 'layer');
  const leading = (['alone', 'restored'] as const).flatMap((kind) =>
    ofLayers
      .filter((question) => question.kind === kind)
      .map(({ unit, id }) => ({ unit, weight: weightOf(kind, outcomes.get(id), basis) }))
      // Stable: of equals, those that come first in the graph.
      .sort((a, b) => b.weight - a.weight)
      .slice(0, most)
      .map(({ unit }) => unit),
  );
  const chosen = new Set(leading);
  return new Set(
    questions.filter(({ unit }) => unit.kind !== 'layer' || chosen.has(unit)).map(({ id }) => id),
  );
}

/** What one costs alone, or gives back: more matters more. */
function weightOf(kind: UnitKind, outcome: TrialOutcome | undefined, basis: EffectBasis): number {
  if (outcome === undefined) return -Infinity;
  const restored: Restored = restoredOf(outcome, basis);
  if (kind === 'restored') return restored.noiseShare ?? -Infinity;
  return restored.outputSqnrDb === undefined ? -Infinity : -restored.outputSqnrDb;
}
