/** Experiments that the user named in the configuration. */
import { z } from 'zod';
import { UsageError } from '../../../errors.js';
import { overrideScheme, type SchemeOverrides } from '../../../quant/presets.js';
import type { Scheme } from '../../../quant/scheme.js';
import { select, type Selected, type Selection } from '../../../quant/select.js';
import { idOf, type Experiment, type ExperimentGround } from './experiment.js';

export interface NamedExperiment {
  readonly name: string;
  /** Beside the flags of the sweep. */
  readonly overrides: SchemeOverrides;
  /** Instead of the sweep's own; undefined: those. */
  readonly only: readonly string[] | undefined;
  /** Beside the sweep's own. */
  readonly skip: readonly string[];
}

/** A table that somebody reads. */
const MOST = 256;
const LONGEST_NAME = 80;
const MOST_PATTERNS = 1000;
const LONGEST_PATTERN = 1000;

const EXAMPLE =
  '"experiments": { "int4 head": { "weights": "int4", "perAxis": true, "only": ["head/*"], "skip": ["op:Softmax"] } }';

const pattern = z.string().min(1).max(LONGEST_PATTERN);
const patterns = z.union([
  pattern.transform((text) => [text]),
  z.array(pattern).min(1, 'a pattern is missing').max(MOST_PATTERNS),
]);
const type = z.enum(['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16', 'float']);

const experiment = z.strictObject({
  weights: type.optional(),
  activations: type.optional(),
  perAxis: z.boolean().optional(),
  symmetric: z.boolean().optional(),
  observer: z.enum(['minmax', 'moving-average', 'percentile', 'entropy', 'mse']).optional(),
  percentile: z.number().gt(50).max(100).optional(),
  only: patterns.optional(),
  skip: patterns.optional(),
});

/**
 * @param value of the key `experiments`: name -> what differs from the flags of the sweep
 * @param source the file, for messages
 * @returns in the order of the file
 * @throws UsageError with everything that is wrong
 */
export function parseExperiments(value: unknown, source: string): NamedExperiment[] {
  const wrong = (places: readonly string[]): UsageError =>
    new UsageError(`${source}: experiments that cannot be run`, { places, hint: EXAMPLE });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(['experiments: it must be an object, with a name for every experiment']);
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  if (entries.length > MOST) throw wrong([`experiments: ${entries.length} of them, ${MOST} at most`]);
  const problems: string[] = [];
  const parsed = entries.flatMap(([name, said]): NamedExperiment[] => {
    const fault = nameFault(name);
    if (fault !== undefined) problems.push(`experiments.${shown(name)}: ${fault}`);
    const result = experiment.safeParse(said);
    if (!result.success) {
      problems.push(...result.error.issues.flatMap((issue) => placesOf(issue, shown(name))));
      return [];
    }
    if (Object.values(result.data).every((setting) => setting === undefined))
      problems.push(`experiments.${shown(name)}: it says nothing that would make it differ`);
    const { perAxis, only, skip = [], ...rest } = result.data;
    return [
      {
        name,
        overrides: {
          ...ownOf(rest),
          ...(perAxis === undefined ? {} : { granularity: perAxis ? 'per-axis' : 'per-tensor' }),
        },
        only,
        skip,
      },
    ];
  });
  if (problems.length > 0) throw wrong(problems);
  return parsed;
}

/** Without keys that are undefined. */
function ownOf({
  weights,
  activations,
  symmetric,
  observer,
  percentile,
}: z.infer<typeof experiment>): SchemeOverrides {
  return {
    ...(weights === undefined ? {} : { weights }),
    ...(activations === undefined ? {} : { activations }),
    ...(symmetric === undefined ? {} : { symmetric }),
    ...(observer === undefined ? {} : { observer }),
    ...(percentile === undefined ? {} : { percentile }),
  };
}

/** It stands in tables, in file names of nothing, and in terminals. */
function nameFault(name: string): string | undefined {
  if (name.trim() === '') return 'a name is wanted';
  if (name.length > LONGEST_NAME) return `a name of ${name.length} characters, ${LONGEST_NAME} at most`;
  return /\p{C}/u.test(name) ? 'a name has only characters that can be seen' : undefined;
}

function shown(name: string): string {
  return name.slice(0, LONGEST_NAME).replaceAll(/\p{C}/gu, '?');
}

/** One line per fault. */
function placesOf(issue: z.core.$ZodIssue, name: string): string[] {
  const place = ['experiments', name, ...issue.path.map(String)].join('.');
  // Of a list or text, whichever it is not, text or a list is wanted.
  if (issue.code === 'invalid_union') return [`${place}: a pattern or a list of patterns is wanted`];
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(experiment.shape).join(', ');
    return [`${place}: no such key as ${issue.keys.map(shown).join(', ')}; there are ${known}`];
  }
  return [`${place}: ${issue.message}`];
}

/** @throws UsageError with everything that does not fit the scheme or the network */
export function namedExperiments(ground: ExperimentGround, user: Selected): Experiment[] {
  const problems: string[] = [];
  const attempt = <T>(name: string, make: () => T): T | undefined => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const places = error.places.length === 0 ? [error.message] : error.places;
      problems.push(...places.map((place) => `experiments.${name}: ${place}`));
      return undefined;
    }
  };
  const made = ground.named.flatMap((named): Experiment[] => {
    const { name } = named;
    const scheme = attempt(name, () => overrideScheme(ground.scheme, overridesOf(named, ground)));
    const selected = attempt(name, () => selectedBy(named, ground, user));
    return scheme === undefined || selected === undefined ? [] : [experimentOf(named, scheme, selected)];
  });
  if (problems.length === 0) return made;
  throw new UsageError('experiments of the configuration do not fit this network and its target', {
    places: problems,
    hint: 'qdbg inspect MODEL lists the names; --scheme ort takes the most combinations',
  });
}

/** Averages were made with the momentum of calibration. */
function overridesOf({ overrides }: NamedExperiment, { momentum }: ExperimentGround): SchemeOverrides {
  return overrides.observer === 'moving-average' ? { ...overrides, momentum } : overrides;
}

function selectedBy(
  { only, skip }: NamedExperiment,
  { graph, selection }: ExperimentGround,
  user: Selected,
): { readonly patterns: Selection; readonly selected: Selected } {
  const patterns: Selection = { only: only ?? selection.only, skip: [...selection.skip, ...skip] };
  const isUsers = only === undefined && skip.length === 0;
  return { patterns, selected: isUsers ? user : select(graph, patterns) };
}

function experimentOf(
  { name, overrides, only, skip }: NamedExperiment,
  scheme: Scheme,
  { patterns, selected }: { readonly patterns: Selection; readonly selected: Selected },
): Experiment {
  const family = 'named';
  const parts = [
    ...flagsOf(overrides),
    ...(only ?? []).map((one) => `--only ${one}`),
    ...skip.map((one) => `--skip ${one}`),
  ];
  return {
    id: idOf({ family, name }),
    name,
    title: parts.length === 0 ? name : `${name}: ${parts.join(' ')}`,
    family,
    scheme,
    selected,
    patterns: [patterns],
    isKept: true,
  };
}

/** In the words of the command line. */
function flagsOf({ granularity, symmetric, ...values }: SchemeOverrides): string[] {
  return [
    ...(granularity === undefined ? [] : [`--${granularity}`]),
    ...(symmetric === undefined ? [] : [symmetric ? '--symmetric' : '--asymmetric']),
    ...Object.entries(values).map(([key, value]) => `--${key} ${String(value)}`),
  ];
}
