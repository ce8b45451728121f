/** The user's own metric: a module of JavaScript that measures one sample; sums, intervals and comparison come from here. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataError, UsageError, type ErrorDetails } from '../../errors.js';
import type { Truth } from '../labels/truth.js';
import type { NetworkOutput, Prediction } from '../predictions/prediction.js';
import type { Metric, ScoredSample, Scorer, ScorerOptions } from './metric.js';
import { leftOutBy, SampleSums, type Measured } from './summed.js';

/** One sample as one network sees it. */
export interface UserSample {
  /** As in the data set: file relative to the given path, with `#index` when the file holds several samples. */
  readonly id: string;
  /** What the decoder made of the outputs; --decode chooses it. */
  readonly prediction: Prediction;
  /** The outputs themselves, as the model file names them. */
  readonly outputs?: readonly NetworkOutput[];
  /** The label in the model's classes; absent without labels. */
  readonly truth?: Truth;
  /** What the reference predicts; when the reference itself is measured, the same as `prediction`. */
  readonly reference?: Prediction;
}

/** What the module's default export is. */
export interface UserMetric {
  readonly name: string;
  /** `%`: the value is a share of 1 and shown times 100. Absent: no unit. */
  readonly unit?: '%' | 'dB' | '';
  /** Absent: higher. */
  readonly better?: 'higher' | 'lower';
  /**
   * A number or a few that are summed over the samples, always as many; none to leave the sample out. May be a promise. Called for
   * every sample and network; it must not keep or change what it is given.
   */
  measure(sample: UserSample): number | readonly number[] | Promise<number> | Promise<readonly number[]>;
  /**
   * The metric from the sums. It is called with the sums of resamplings too, which gives the intervals; NaN: it has no value. Absent: the
   * mean of the first number.
   */
  value?(sums: readonly number[], samples: number): number;
}

/** Sums of all resamplings are kept for each number. */
const MAX_NUMBERS = 1000;
const TIME_LIMIT_SECONDS = 60;
const NAME = /^(?=.*\S)\P{C}{1,40}$/u;
const UNITS: readonly unknown[] = ['%', 'dB', ''];
const DIRECTIONS: readonly unknown[] = ['higher', 'lower'];

/** As reports call them; steps of a ladder follow. */
const NETWORKS = ['reference', 'candidate'];
const TEMPLATE_HINT = 'qdbg template metric writes one to start from';

/**
 * @param path - relative to the working directory
 * @throws UsageError when there is no such file
 * @throws DataError when it is no metric
 */
export async function loadUserMetric(path: string): Promise<Metric> {
  const file = resolve(path);
  const isFile = await stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isFile) throw new UsageError(`--metric ${path}: there is no such file`, { hint: TEMPLATE_HINT });
  const loading: Promise<unknown> = import(pathToFileURL(file).href);
  const loaded: unknown = await inTime(loading, `metric ${path}`, 'loading it').catch((cause: unknown) => {
    if (cause instanceof DataError) throw cause;
    // Node says where only on the terminal.
    const hint = cause instanceof SyntaxError ? { hint: `node --check ${path}` } : {};
    throw new DataError(`metric ${path} cannot be loaded: ${textOf(cause)}`, {
      ...detailsOf(cause, path),
      ...hint,
    });
  });
  const metric = (loaded as { default?: unknown }).default;
  assertUserMetric(metric, path);
  return asMetric(metric, path);
}

function assertUserMetric(metric: unknown, path: string): asserts metric is UserMetric {
  if (typeof metric !== 'object' || metric === null)
    throw new DataError(
      `metric ${path} has ${metric === undefined ? 'no default export' : `a default export that is ${describe(metric)}`}; ` +
        'wanted is export default { name, measure(sample) }',
      { hint: TEMPLATE_HINT },
    );
  const { name, unit, better, measure, value } = metric as Partial<Record<keyof UserMetric, unknown>>;
  const places: string[] = [];
  if (typeof name !== 'string' || !NAME.test(name))
    places.push(`name is ${describe(name)}; wanted is one line of up to 40 characters`);
  if (unit !== undefined && !UNITS.includes(unit))
    places.push(`unit is ${describe(unit)}; wanted is '%', 'dB' or ''`);
  if (better !== undefined && !DIRECTIONS.includes(better))
    places.push(`better is ${describe(better)}; wanted is 'higher' or 'lower'`);
  if (typeof measure !== 'function') places.push(`measure is ${describe(measure)}; wanted is a function`);
  if (value !== undefined && typeof value !== 'function')
    places.push(`value is ${describe(value)}; wanted is a function, or nothing`);
  if (places.length > 0)
    throw new DataError(`metric ${path} is not of the form that is wanted`, { places, hint: TEMPLATE_HINT });
}

function asMetric(user: UserMetric, path: string): Metric {
  return {
    name: user.name,
    truths: ['class', 'boxes', 'mask', 'values'],
    labelFree: true,
    predictions: ['scores', 'class', 'mask', 'boxes', 'values'],
    // How many numbers there are is found out anew for every scorer.
    scorer: (options) => userScorer(user, path, options),
  };
}

function userScorer(user: UserMetric, path: string, options: ScorerOptions): Scorer {
  const { name, unit = '', better = 'higher' } = user;
  let length: number | undefined;

  const take = (measured: unknown, place: string): Measured => {
    const numbers: readonly unknown[] = Array.isArray(measured) ? measured : [measured];
    if (numbers.length === 0) return 'undefined';
    if (numbers.length > MAX_NUMBERS)
      throw new DataError(
        `${place}: measure gave ${numbers.length} numbers; up to ${MAX_NUMBERS} are summed`,
        { hint: TEMPLATE_HINT },
      );
    length ??= numbers.length;
    if (numbers.length !== length)
      throw new DataError(
        `${place}: measure gave ${numbers.length} numbers, but ${length} for the samples before; wanted are always as many`,
        { hint: TEMPLATE_HINT },
      );
    const wrong = numbers.findIndex((number) => !Number.isFinite(number));
    if (wrong >= 0)
      throw new DataError(
        `${place}: measure gave ${describe(numbers[wrong])}${Array.isArray(measured) ? ` at ${wrong}` : ''}; wanted is a finite ` +
          'number, an array of them, or [] to leave the sample out',
        { hint: TEMPLATE_HINT },
      );
    return numbers as readonly number[];
  };

  const measure = async (sample: ScoredSample, network: number): Promise<Measured> => {
    const place = `metric ${path}, sample ${sample.id}, ${NETWORKS[network] ?? `network ${network + 1}`}`;
    const measured = attempt(() => user.measure(userSample(sample, network)), `${place}: measure`, path);
    if (!isPromiseLike(measured)) return take(measured, place);
    const promised = Promise.resolve(measured).catch((cause: unknown) => {
      throw new DataError(`${place}: measure rejected: ${textOf(cause)}`, detailsOf(cause, path));
    });
    return take(await inTime(promised, place, 'measure'), place);
  };

  const value = (sum: (column: number) => number, samples: number): number | undefined => {
    const sums = Array.from({ length: length ?? 0 }, (_, column) => sum(column));
    const result: unknown =
      user.value === undefined
        ? sums[0]! / samples
        : attempt(() => user.value?.(sums, samples), `metric ${path}: value`, path);
    if (typeof result !== 'number')
      throw new DataError(`metric ${path}: value gave ${describe(result)}; wanted is a number, NaN for none`);
    return unit === '%' ? 100 * result : result;
  };

  const sums = new SampleSums(
    {
      name,
      unit,
      better,
      value,
      found: (): Readonly<Record<string, number>> => (length === undefined ? {} : { length }),
      find: (found) => {
        length ??= found['length'];
      },
      description: (omitted) => `${name}, by ${path}${leftOutBy(omitted, 'by the metric')}`,
    },
    options,
  );
  return {
    // One network after the other: what one of them rejects is heard before the next is asked.
    add: async (sample) => {
      const measured: Measured[] = [];
      for (const network of sample.predictions.keys()) measured.push(await measure(sample, network));
      sums.take(sample, measured);
    },
    result: () => sums.result(),
    state: () => sums.state(),
    merge: (state) => sums.merge(state),
  };
}

function userSample({ id, predictions, outputs, truth }: ScoredSample, network: number): UserSample {
  return {
    id,
    prediction: predictions[network]!,
    reference: predictions[0]!,
    ...(outputs?.[network] === undefined ? {} : { outputs: outputs[network] }),
    ...(truth === undefined ? {} : { truth }),
  };
}

function attempt(call: () => unknown, place: string, path: string): unknown {
  try {
    return call();
  } catch (cause) {
    throw new DataError(`${place} threw ${textOf(cause)}`, detailsOf(cause, path));
  }
}

/** A promise that is never kept must not end the program, or hang it. Code that never returns cannot be ended from here. */
async function inTime<T>(promise: Promise<T>, place: string, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DataError(`${place}: ${what} has not answered in ${TIME_LIMIT_SECONDS} seconds`)),
      1000 * TIME_LIMIT_SECONDS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The line of the module that what was thrown comes from, where its stack tells. */
function detailsOf(cause: unknown, path: string): ErrorDetails {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  const file = resolve(path);
  for (const name of [pathToFileURL(file).href, file]) {
    const line = /^\d+/.exec(stack.split(`${name}:`, 2)[1] ?? '');
    if (line !== null) return { cause, places: [`${path}:${line[0]}`], hint: TEMPLATE_HINT };
  }
  return { cause, hint: TEMPLATE_HINT };
}

/** What was thrown, in one line. */
function textOf(cause: unknown): string {
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : describe(cause);
  return text.split('\n', 1)[0]!.slice(0, 200);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (value === null || ['number', 'boolean', 'undefined', 'bigint'].includes(typeof value))
    return String(value);
  if (isPromiseLike(value)) return 'a promise';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'function' ? 'a function' : 'an object';
}
