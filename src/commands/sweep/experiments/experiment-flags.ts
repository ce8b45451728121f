/** The flags with which `qdbg analyze` measures the same as an experiment. */
import { UsageError } from '../../../errors.js';
import type { Graph } from '../../../ir/graph.js';
import { overrideScheme, SCHEMES, type SchemeOverrides } from '../../../quant/presets.js';
import type { ObserverSpec, Scheme } from '../../../quant/scheme.js';
import { select, type Selection } from '../../../quant/select.js';
import { defaultScheme } from '../../scheme-request.js';
import type { Experiment } from './experiment.js';
import { laneDigest } from '../trials/lane-digest.js';
import { selectedLane, type Simulated } from '../part-lanes.js';

/**
 * Complete: they stand in the place of the sweep's own flags of the scheme, and of its patterns.
 *
 * @param digest of the lane of the experiment: flags are given only where they lead to the same
 * @returns undefined where no flags say it: another observer of weights, a scheme from a file, names that name other things too
 */
export function experimentFlags(
  simulated: Simulated,
  { scheme, patterns }: Experiment,
  digest: string,
): readonly string[] | undefined {
  const { graph } = simulated.simulation;
  const said = schemeFlags(graph, scheme);
  if (said === undefined) return undefined;
  for (const selection of patterns) {
    const lane = selectedOrNone(simulated, said.scheme, selection);
    if (lane === digest) return [...said.flags, ...selectionFlags(selection)];
  }
  return undefined;
}

function selectedOrNone(simulated: Simulated, scheme: Scheme, selection: Selection): string | undefined {
  try {
    const lane = selectedLane(simulated, scheme, select(simulated.simulation.graph, selection));
    return lane === undefined ? undefined : laneDigest(lane);
  } catch (error) {
    // A name that is also a pattern, and matches nothing as one.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** Flags, and the scheme that they lead to: the one wanted, or the nearest. */
function schemeFlags(
  { format }: Graph,
  wanted: Scheme,
): { readonly flags: readonly string[]; readonly scheme: Scheme } | undefined {
  const preset = Object.hasOwn(SCHEMES, wanted.name) ? SCHEMES[wanted.name] : undefined;
  if (preset === undefined) return undefined;
  const overrides = overridesTo(preset, wanted);
  try {
    return {
      flags: [
        ...(defaultScheme(format, {}).name === wanted.name ? [] : ['--scheme', wanted.name]),
        ...overrideFlags(overrides),
      ],
      scheme: overrideScheme(preset, overrides),
    };
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** What of a preset has to be changed. */
function overridesTo(preset: Scheme, wanted: Scheme): SchemeOverrides {
  const [weights, activations] = [wanted.weights, wanted.activations];
  const types: SchemeOverrides = {
    ...(typeOf(weights) === typeOf(preset.weights) ? {} : { weights: typeOf(weights) }),
    ...(typeOf(activations) === typeOf(preset.activations) ? {} : { activations: typeOf(activations) }),
  };
  const isPerAxis = weights !== 'float' && weights.granularity === 'per-axis';
  const wasPerAxis = preset.weights !== 'float' && preset.weights.granularity === 'per-axis';
  const granular: SchemeOverrides =
    weights === 'float' || isPerAxis === wasPerAxis ? {} : { granularity: weights.granularity };
  if (activations === 'float') return { ...types, ...granular };
  // Another type has brought the symmetry that is usual with it.
  const symmetryOf = (): boolean => {
    if (types.activations !== undefined) return activations.dtype === 'int16';
    return preset.activations !== 'float' && preset.activations.symmetric;
  };
  const observer = preset.activations === 'float' ? undefined : preset.activations.observer;
  return {
    ...types,
    ...granular,
    ...(activations.symmetric === symmetryOf() ? {} : { symmetric: activations.symmetric }),
    ...(isSame(activations.observer, observer) ? {} : observerOverrides(activations.observer)),
  };
}

function typeOf(tensors: Scheme['weights']): NonNullable<SchemeOverrides['weights']> {
  return tensors === 'float' ? tensors : tensors.dtype;
}

function isSame(a: ObserverSpec, b: ObserverSpec | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function observerOverrides({ kind, ...parameter }: ObserverSpec): SchemeOverrides {
  return { observer: kind, ...parameter };
}

function overrideFlags(overrides: SchemeOverrides): string[] {
  const { weights, activations, granularity, symmetric, observer, percentile, momentum } = overrides;
  return [
    ...(weights === undefined ? [] : ['--weights', weights]),
    ...(activations === undefined ? [] : ['--activations', activations]),
    ...(granularity === undefined ? [] : [`--${granularity}`]),
    ...(symmetric === undefined ? [] : [symmetric ? '--symmetric' : '--asymmetric']),
    ...(observer === undefined ? [] : ['--observer', observer]),
    ...(percentile === undefined ? [] : ['--percentile', String(percentile)]),
    ...(momentum === undefined ? [] : ['--momentum', String(momentum)]),
  ];
}

function selectionFlags({ only, skip }: Selection): string[] {
  return [...only.flatMap((text) => ['--only', text]), ...skip.flatMap((text) => ['--skip', text])];
}
