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
 * Without a target: the fixes that help together. With one: those that cost nothing where they meet it by themselves; else the layers
 * that the search found, with such fixes on top where both together are better than the layers alone. Fixes that cost something
 * only where the target is missed without them.
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
    effect: effectOf(basis.quantized),
  };
  const fixed: Choice | undefined =
    fixes === undefined || fixes.applied.length === 0
      ? undefined
      : {
          layers: [],
          fixes: fixes.applied,
          lane: fixes.lane,
          effect: effectOf(fixes.outcome),
        };
  const tried: Trying = { start: plain, basis, runner };
  const choose = async (): Promise<Choice> => {
    if (drop === undefined) return fixed ?? plain;
    if (meets(plain.effect)) return plain;
    const free = fixed === undefined ? undefined : await withoutCost(fixed, tried);
    if (free !== undefined && meets(free.effect)) return free;
    if (search === undefined) return fixed ?? plain;
    const found: Choice = { layers: search.layers, fixes: [], lane: search.lane, effect: search.effect };
    if (fixed === undefined) return found;
    if (meets(found.effect)) {
      return free === undefined ? found : onTop(found, free.fixes, { tried, meets });
    }
    return meets(fixed.effect) ? fixed : onTop(found, fixed.fixes, { tried, meets });
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

interface Trying {
  /** Everything quantized. */
  readonly start: Choice;
  readonly basis: EffectBasis;
  readonly runner: TrialRunner;
}

/** The fixes that cost nothing where the network runs; undefined where there are none, or where they cannot be run. */
async function withoutCost(fixed: Choice, { start, basis, runner }: Trying): Promise<Choice | undefined> {
  const fixes = fixed.fixes.filter(isFree);
  if (fixes.length === fixed.fixes.length) return fixed;
  return fixes.length === 0 ? undefined : fixedOn(start, fixes, { start, basis, runner });
}

function isFree({ cost }: LaneFix): boolean {
  return (cost?.layers ?? []).length === 0 && (cost?.bytes ?? 0) === 0;
}

/** @returns undefined where they change nothing, or where the network does not run with them */
async function fixedOn(
  { layers, lane: from }: Choice,
  fixes: readonly LaneFix[],
  { basis, runner }: Trying,
): Promise<Choice | undefined> {
  const lane = await appliedTo(from, fixes);
  if (lane === from) return undefined;
  const id = `decision ${[...layers.map(({ name }) => name), ...fixes.map((fix) => fix.id)].join(' + ')}`;
  const [outcome] = await runner.run([{ id, lane }], { noise: true, score: basis.better !== undefined });
  if (outcome === undefined || outcome.failure !== undefined) return undefined;
  return { layers, fixes, lane, effect: effectOf(outcome) };
}

/** Layers alone, or with the fixes on top: as both are measured. */
async function onTop(
  found: Choice,
  fixes: readonly LaneFix[],
  { tried, meets }: { readonly tried: Trying; readonly meets: (effect: Effect) => boolean },
): Promise<Choice> {
  const both = await fixedOn(found, fixes, tried);
  if (both === undefined) return found;
  if (meets(found.effect) !== meets(both.effect)) return meets(both.effect) ? both : found;
  return worthOf(both.effect, tried.basis) > worthOf(found.effect, tried.basis) ? both : found;
}

/** More is better: points where there is a metric, else dB. */
function worthOf({ accuracy, outputSqnrDb, exact }: Effect, { better: direction }: EffectBasis): number {
  if (direction !== undefined && accuracy !== undefined) return direction === 'higher' ? accuracy : -accuracy;
  return exact === true ? Infinity : (outputSqnrDb ?? -Infinity);
}
