/** The experiments that would otherwise be run by hand. */
import { UsageError } from '../../../errors.js';
import type { Layer } from '../../../quant/layers.js';
import { overrideScheme, type SchemeOverrides } from '../../../quant/presets.js';
import type { ObserverSpec, Scheme, TensorScheme } from '../../../quant/scheme.js';
import { select, type Selected } from '../../../quant/select.js';
import type { Report } from '../../../report/report.js';
import { activationsOnly, isConvolution, weightsOnly } from '../../scheme-variants.js';
import { endLayers } from './end-layers.js';
import {
  onlyExperiment,
  wholeExperiment,
  withoutExperiment,
  type Experiment,
  type ExperimentGround,
  type Family,
} from './experiment.js';
import { namedExperiments } from './named-experiments.js';
import { typesOf } from '../units/units.js';

export interface PlannedExperiments {
  readonly experiments: readonly Experiment[];
  /** Those that the target has no integers for. */
  readonly notMeasured: Report['notMeasured'];
}

/** A change that flags of a scheme can say. */
interface Variant {
  readonly name: string;
  readonly title: string;
  readonly family: Family;
  readonly overrides: SchemeOverrides;
}

/**
 * In families, in the same order in every run. What the scheme already is has no experiment of its own: that is `everything`.
 *
 * @throws UsageError naming everything in the user's own experiments that cannot be had
 */
export function plannedExperiments(ground: ExperimentGround): PlannedExperiments {
  const { graph, scheme, selection } = ground;
  const user = select(graph, selection);
  const notMeasured: { subject: string; reason: string }[] = [];
  const made = (variants: readonly Variant[]): Experiment[] =>
    variants.flatMap(({ overrides, ...told }): Experiment[] => {
      const changed = overridden(scheme, overrides);
      if (!Array.isArray(changed))
        return [wholeExperiment(ground, user, { ...told, scheme: changed as Scheme })];
      notMeasured.push({ subject: `experiment ${told.title}`, reason: changed.join('; ') });
      return [];
    });
  const experiments = [
    ...partExperiments(ground, user),
    ...made(bitVariants(scheme)),
    ...typeExperiments(ground, user),
    ...endExperiments(ground, user),
    ...made(observerVariants(scheme, ground.momentum)),
    ...weightExperiments(ground, user),
    ...made(granularityVariants(scheme)),
    ...made(symmetryVariants(scheme)),
    ...namedExperiments(ground, user),
  ];
  return { experiments, notMeasured };
}

/** The scheme with the changes, or what speaks against them. */
function overridden(scheme: Scheme, overrides: SchemeOverrides): Scheme | readonly string[] {
  try {
    return overrideScheme(scheme, overrides);
  } catch (error) {
    if (error instanceof UsageError) return error.places;
    throw error;
  }
}

function partExperiments(ground: ExperimentGround, user: Selected): Experiment[] {
  const { scheme } = ground;
  const { weights, activations } = scheme;
  const part = (name: string, title: string, changed: Scheme): Experiment =>
    wholeExperiment(ground, user, { name, title, family: 'parts', scheme: changed });
  const typeOf = (tensors: TensorScheme | 'float'): string => (tensors === 'float' ? tensors : tensors.dtype);
  const title = `everything: ${typeOf(weights)} weights, ${typeOf(activations)} activations`;
  const everything = { ...part('everything', title, scheme), isKept: true };
  if (weights === 'float' || activations === 'float') return [everything];
  return [
    part('weights-only', `weights only, ${weights.dtype}`, weightsOnly(scheme)),
    part('activations-only', `activations only, ${activations.dtype}`, activationsOnly(scheme)),
    everything,
  ];
}

/** The usual types of so many bits in each target. */
function bitVariants({ placement, weights, activations }: Scheme): Variant[] {
  const variant = (name: string, title: string, overrides: SchemeOverrides): Variant => ({
    name,
    title,
    family: 'bits',
    overrides,
  });
  const has = (tensors: TensorScheme | 'float', bits: string): boolean =>
    tensors === 'float' || tensors.dtype.endsWith(`int${bits}`);
  const byte = placement === 'ort' ? 'uint8' : 'int8';
  return [
    ...(has(activations, '8')
      ? []
      : [variant(`activations-${byte}`, `${byte} activations`, { activations: byte })]),
    ...(has(weights, '8') ? [] : [variant('weights-int8', 'int8 weights', { weights: 'int8' })]),
    ...(has(activations, '16')
      ? []
      : [variant('activations-int16', 'int16 activations', { activations: 'int16' })]),
    ...(has(weights, '16') ? [] : [variant('weights-int16', 'int16 weights', { weights: 'int16' })]),
    ...(has(activations, '16') || has(weights, '16')
      ? []
      : [variant('int16', 'int16 weights and activations', { weights: 'int16', activations: 'int16' })]),
    ...(has(weights, '4') ? [] : [variant('weights-int4', 'int4 weights', { weights: 'int4' })]),
  ];
}

/** Only one operator type, and all but it; a network of one type is in `everything` and float. */
function typeExperiments(ground: ExperimentGround, user: Selected): Experiment[] {
  const types = typesOf(ground.layers);
  if (types.size < 2) return [];
  const convolutions = [...types].filter(([type]) => isConvolution(type));
  const joint = convolutions.flatMap(([, layers]) => layers);
  return [
    ...(convolutions.length > 1 && convolutions.length < types.size
      ? [
          onlyExperiment(ground, user, joint, {
            name: 'only-convolutions',
            title: `only convolutions, ${counted(joint)}`,
            family: 'ops',
            types: convolutions.map(([type]) => type),
          }),
        ]
      : []),
    ...[...types].flatMap(([type, layers]) => [
      onlyExperiment(ground, user, layers, {
        name: `only-op:${type}`,
        title: `only ${type}, ${counted(layers)}`,
        family: 'ops',
        types: [type],
      }),
      withoutExperiment(ground, user, layers, {
        name: `without-op:${type}`,
        title: `all but ${type}, ${counted(layers)} in float`,
        family: 'ops',
        types: [type],
      }),
    ]),
  ];
}

function counted({ length }: readonly Layer[]): string {
  return `${length} ${length === 1 ? 'layer' : 'layers'}`;
}

/** A title has so many names. */
const MOST_SHOWN = 3;

function endExperiments(ground: ExperimentGround, user: Selected): Experiment[] {
  const { first, last } = endLayers(ground.graph, ground.layers);
  const made = (name: string, which: string, layers: readonly Layer[]): Experiment[] => {
    if (layers.length === 0 || layers.length === ground.layers.length) return [];
    const names = layers.map((layer) => layer.name);
    const shown = names.length > MOST_SHOWN ? `${names.length} of them` : names.join(', ');
    const title = `${which} ${layers.length === 1 ? 'layer' : 'layers'} in float: ${shown}`;
    return [withoutExperiment(ground, user, layers, { name, title, family: 'ends', types: [] })];
  };
  const both = ground.layers.filter((layer) => first.includes(layer) || last.includes(layer));
  return [
    ...made('float-first', 'first', first),
    ...made('float-last', 'last', last),
    ...made('float-ends', 'first and last', both),
  ];
}

function observerVariants({ activations }: Scheme, momentum: number): Variant[] {
  if (activations === 'float') return [];
  const specs: readonly (readonly [name: string, title: string, spec: ObserverSpec])[] = [
    ['minmax', 'minmax', { kind: 'minmax' }],
    ['moving-average', `moving average, momentum ${momentum}`, { kind: 'moving-average', momentum }],
    ['percentile-99.99', 'percentile 99.99', { kind: 'percentile', percentile: 99.99 }],
    ['percentile-99.9', 'percentile 99.9', { kind: 'percentile', percentile: 99.9 }],
    ['entropy', 'entropy', { kind: 'entropy' }],
    ['mse', 'mse', { kind: 'mse' }],
  ];
  return specs
    .filter(([, , spec]) => JSON.stringify(spec) !== JSON.stringify(activations.observer))
    .map(([name, title, { kind, ...parameter }]) => ({
      name: `observer-${name}`,
      title: `ranges of activations by ${title}`,
      family: 'observer',
      overrides: { observer: kind, ...parameter },
    }));
}

/** Flags know no observer of weights. */
function weightExperiments(ground: ExperimentGround, user: Selected): Experiment[] {
  const { scheme } = ground;
  const { weights } = scheme;
  if (weights === 'float' || weights.observer.kind === 'mse') return [];
  const changed: Scheme = { ...scheme, weights: { ...weights, observer: { kind: 'mse' } } };
  const title = 'ranges of weights by mse';
  return [wholeExperiment(ground, user, { name: 'weights-mse', title, family: 'weights', scheme: changed })];
}

function granularityVariants({ weights }: Scheme): Variant[] {
  if (weights === 'float') return [];
  const granularity = weights.granularity === 'per-axis' ? 'per-tensor' : 'per-axis';
  const title = granularity === 'per-axis' ? 'a scale per output channel of weights' : 'one scale per weight';
  return [{ name: granularity, title, family: 'weights', overrides: { granularity } }];
}

function symmetryVariants({ activations }: Scheme): Variant[] {
  if (activations === 'float') return [];
  const symmetric = !activations.symmetric;
  const name = symmetric ? 'symmetric' : 'asymmetric';
  return [{ name, title: `${name} activations`, family: 'symmetry', overrides: { symmetric } }];
}
