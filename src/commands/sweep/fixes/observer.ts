/** For each activation the observer that its histogram speaks for. */
import {
  activationParams,
  forecastDb,
  representedRange,
  type QuantizedActivation,
} from '../../../quant/edits/activations.js';
import type { QuantParams } from '../../../ir/lane.js';
import { observe } from '../../../quant/observers/index.js';
import { ALTERNATIVES, observerForecast } from '../../../quant/observer-forecasts.js';
import type { ObserverSpec } from '../../../quant/scheme.js';
import { plural } from '../../../report/format.js';
import type { FixGround, LaneFix } from './lane-fix.js';
import {
  activationFix,
  groundActivations,
  mostWorth,
  rangeText,
  worthOf,
  type ActivationChange,
  type GroundActivation,
} from './ground-activations.js';

/** What a range must gain to be worth a change, in dB of the tensor's own SQNR. */
export const MARGIN_DB = 0.5;
/** Observers this close are as good as each other; the one that is listed first is taken. */
const CLOSE_DB = 0.1;
/** Activations that get a fix of their own. */
const SINGLE_FIXES = 3;

interface Choice extends ActivationChange {
  readonly observer: string;
  readonly db: number;
  readonly worth: number;
}

/**
 * Activations for which another observer forecasts less noise: all of them at once, each with its best, and those that gain most
 * by themselves. The histograms of the calibration answer; nothing is run.
 */
export function observerFixes(ground: FixGround): LaneFix[] {
  const choices = groundActivations(ground).flatMap(choiceFor);
  if (choices.length === 0) return [];
  const all: LaneFix[] = choices.length === 1 ? [] : [bestForEach(ground, choices)];
  return [...all, ...mostWorth(choices, SINGLE_FIXES).map((choice) => single(ground, choice))];
}

/** Best forecast of any named observer for the activation, in dB. */
export function bestObserved(
  activation: GroundActivation,
): { readonly observer: string; readonly db: number } | undefined {
  const forecasts = Object.entries(ALTERNATIVES).flatMap(([observer, spec]) => {
    const db = observerForecast(spec, activation.stats, activation.scheme)?.db;
    return db === undefined ? [] : [{ observer, db }];
  });
  const most = Math.max(...forecasts.map(({ db }) => db));
  return forecasts.find(({ db }) => db >= most - CLOSE_DB);
}

/** The range that an observer fix proposes for the activation; undefined where there is none. */
export function proposedByObserver(activation: GroundActivation): QuantParams | undefined {
  return choiceFor(activation)[0]?.params(activation);
}

function choiceFor(activation: GroundActivation): Choice[] {
  const { db, planned } = activation;
  const best = bestObserved(activation);
  if (planned.range.kind !== 'observed' || db === undefined || best === undefined) return [];
  if (best.db < db + MARGIN_DB) return [];
  const spec = ALTERNATIVES[best.observer] as ObserverSpec;
  return [
    {
      activation,
      ...best,
      worth: worthOf(activation, best.db),
      params: (now) => betterOf(activation, now, observedParams(activation, now, spec)),
    },
  ];
}

function observedParams(
  { stats }: GroundActivation,
  { scheme }: QuantizedActivation,
  spec: ObserverSpec,
): QuantParams {
  return activationParams(observe(spec, stats, scheme), scheme);
}

/** The parameters where they forecast less noise than what the activation has now, in the type they were chosen for. */
export function betterOf(
  { stats, params: { dtype } }: GroundActivation,
  now: QuantizedActivation,
  params: QuantParams,
): QuantParams | undefined {
  if (now.params.dtype !== dtype) return undefined;
  const [before, after] = [forecastDb(stats, now.params), forecastDb(stats, params)];
  return before !== undefined && (after === undefined || after > before) ? params : undefined;
}

function bestForEach(ground: FixGround, choices: readonly Choice[]): LaneFix {
  const times = new Map<string, number>();
  for (const { observer } of choices) times.set(observer, (times.get(observer) ?? 0) + 1);
  const mix = [...times].map(([observer, count]) => `${count} ${observer}`).join(', ');
  return activationFix(
    ground,
    {
      id: 'observer:best',
      kind: 'observer',
      title: `the best observer for each of ${plural(choices.length, 'activation')}: ${mix}`,
    },
    choices,
  );
}

function single(ground: FixGround, choice: Choice): LaneFix {
  const { activation, observer, params } = choice;
  const range = representedRange(params(activation) ?? activation.params);
  return activationFix(
    ground,
    {
      id: `observer:${observer.replace(' ', '-')} ${activation.name}`,
      kind: 'observer',
      title: `range of ${activation.name} by ${observer}: ${rangeText(range)} instead of ${rangeText(representedRange(activation.params))}`,
    },
    [choice],
  );
}
