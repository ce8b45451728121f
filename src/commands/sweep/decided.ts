/** How the network should be quantized, of what was found: fixes that cost nothing before layers in higher precision. */
import type { Written } from '../../diff/gate/thresholds.js';
import type { Effect, SweepReport } from '../../report/sweep-report.js';
import type { Layer } from '../../quant/layers.js';
import type { Decision } from './export/decision.js';
import { dropTarget, type TargetMetric } from './search/drop-target.js';
import { effectOf, type EffectBasis } from './effects.js';
import { appliedTo, type MeasuredFixes } from './fixes/measured.js';
import type { LaneFix } from './fixes/lane-fix.js';
import type { Simulated } from './part-lanes.js';
import type { Searched } from './search/search.js';
import type { TrialRunner } from './trials/trial.js';

export interface Deciding {
  readonly simulated: Simulated;
  readonly layers: readonly Layer[];
  readonly target: Written | undefined;
  readonly to: 'float' | 'int16';
  readonly metric: TargetMetric | undefined;
  readonly basis: EffectBasis;
}

interface Choice {
  readonly layers: readonly Layer[];
  readonly fixes: readonly LaneFix[];
  readonly lane: Decision['lane'];
  readonly effect: Effect;
}

/**
 * Without a target: the fixes that help together. With one: these where they meet it by themselves; else the layers that the search
 * found, with the fixes on top where both together are better than the layers alone.
 *
 * @returns a decision in any case, for exports: everything quantized where nothing is better; `reported` is absent then
 */
export async function decided(
  { simulated, layers, target, to, metric, basis }: Deciding,
  { fixes, search }: { readonly fixes?: MeasuredFixes; readonly search?: Searched },
  runner: TrialRunner,
): Promise<{ readonly decision: Decision; readonly reported: SweepReport['decision'] }> {
  const drop = target === undefined ? undefined : dropTarget(target, metric);
  const meets = (effect: Effect): boolean => {
    const loss = drop?.lossOf(effect);
    return drop !== undefined && loss !== undefined && loss.value <= drop.limit;
  };
  const plain: Choice = {
    layers: [],
    fixes: [],
    lane: simulated.lane,
    effect: effectOf(basis.quantized, basis),
  };
  const fixed: Choice | undefined =
    fixes === undefined || fixes.applied.length === 0
      ? undefined
      : {
          layers: [],
          fixes: fixes.applied,
          lane: fixes.lane,
          effect: effectOf(fixes.outcome, basis),
        };
  const choose = async (): Promise<Choice> => {
    if (drop === undefined) return fixed ?? plain;
    if (meets(plain.effect)) return plain;
    if (fixed !== undefined && meets(fixed.effect) && isFree(fixed)) return fixed;
    if (search === undefined) return fixed ?? plain;
    const found: Choice = { layers: search.layers, fixes: [], lane: search.lane, effect: search.effect };
    return fixed === undefined ? found : better(found, fixed, { basis, runner, meets });
  };
  const { layers: moved, fixes: applied, lane, effect } = await choose();
  const decision: Decision = {
    graph: simulated.simulation.graph,
    scheme: simulated.simulation.scheme,
    layers,
    float: to === 'float' ? moved : [],
    wide: to === 'int16' ? moved : [],
    fixes: applied,
    lane,
  };
  return {
    decision,
    reported:
      moved.length + applied.length === 0
        ? undefined
        : {
            layers: moved.map(({ name }) => name),
            to,
            fixes: applied.map(({ id }) => id),
            effect,
            ...(drop === undefined ? {} : { meetsTarget: meets(effect) }),
          },
  };
}

function isFree({ fixes }: Choice): boolean {
  return fixes.every(({ cost }) => (cost?.layers ?? []).length === 0);
}

/** Layers alone, or with the fixes on top: as both are measured. */
async function better(
  found: Choice,
  { fixes }: Choice,
  {
    basis,
    runner,
    meets,
  }: {
    readonly basis: EffectBasis;
    readonly runner: TrialRunner;
    readonly meets: (effect: Effect) => boolean;
  },
): Promise<Choice> {
  const lane = await appliedTo(found.lane, fixes);
  if (lane === found.lane) return found;
  const wanted = { noise: true, score: basis.better !== undefined };
  const [outcome] = await runner.run([{ id: 'search with fixes', lane }], wanted);
  if (outcome === undefined || outcome.failure !== undefined) return found;
  const both: Choice = { layers: found.layers, fixes, lane, effect: effectOf(outcome, basis) };
  if (meets(found.effect) !== meets(both.effect)) return meets(both.effect) ? both : found;
  return worthOf(both.effect, basis) > worthOf(found.effect, basis) ? both : found;
}

/** More is better: points where there is a metric, else dB. */
function worthOf({ accuracy, outputSqnrDb, exact }: Effect, { better: direction }: EffectBasis): number {
  if (direction !== undefined && accuracy !== undefined) return direction === 'higher' ? accuracy : -accuracy;
  return exact === true ? Infinity : (outputSqnrDb ?? -Infinity);
}
