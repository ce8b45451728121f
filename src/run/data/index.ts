/** Opening a data set: which path feeds which input, which samples are taken, and how they are handed out. */
import { DataError, QdbgError, UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { SampleName } from '../labels/truth.js';
import { digestOf } from './digest.js';
import type { Assumption, Dataset, InputSpec } from './dataset.js';
import { atMost } from './files.js';
import { describeInputs } from './input-spec.js';
import { openPath } from './open-path.js';
import type { PreprocessingFlags } from './preprocessing.js';
import { SampleStream } from './sample-stream.js';
import type { Source, SourceContext } from './source.js';

export interface DatasetRequest {
  /** `PATH`, or `input=PATH` for models with several inputs; `random` is made-up data. */
  readonly sources: readonly string[];
  /** The inputs of the model, all of which must be fed. */
  readonly inputs: readonly InputSpec[];
  readonly preprocessing?: PreprocessingFlags | undefined;
  /** Sizes for what the model leaves open, by input. */
  readonly shapes?: ReadonlyMap<string, readonly number[]> | undefined;
  /** Take this many, evenly spread. */
  readonly samples?: number | undefined;
  /** For random data; 0 by default. */
  readonly seed?: number | undefined;
  /** Leave out what cannot be read instead of failing. */
  readonly skipUnreadable?: boolean | undefined;
  /** Key/value pairs of the model file, which may hold the exporter's preprocessing. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  /** The flag that the sources were given with, for hints. */
  readonly flag?: '--calib' | '--eval' | '--data' | undefined;
}

/**
 * Looks at everything that can be seen without reading the samples themselves.
 *
 * @throws UsageError when flags contradict each other or the model.
 * @throws DataError when data is missing, unreadable or does not fit the model; all files with problems are named.
 */
export async function openDataset(request: DatasetRequest): Promise<Dataset> {
  const { samples, seed = 0, flag = '--data' } = request;
  checkCount('--samples', samples, 1);
  checkCount('--seed', seed, 0);
  const context: SourceContext = {
    preprocessing: request.preprocessing ?? {},
    metadata: request.metadata ?? new Map(),
    skipUnreadable: request.skipUnreadable ?? false,
    samples,
    seed,
    flag,
  };
  const inputs = withShapes(
    request.inputs.map((input, position) => ({ ...input, position })),
    request.shapes ?? new Map(),
  );
  const sources = asManyAsOthers(await openSources(assign(request.sources, inputs, flag), context));
  const available = sampleCount(sources, flag);
  const chosen = evenlySpread(available, samples);
  const kinds = new Set(sources.map(({ kind }) => kind));
  const [first] = sources;
  if (first === undefined) throw new UsageError('the model has no inputs to feed');
  const stream = new SampleStream(sources, chosen, context.skipUnreadable, flag);
  return {
    kind: kinds.size === 1 ? first.kind : 'mixed',
    path: request.sources.join(' '),
    get count() {
      return chosen.length - stream.excluded.length;
    },
    available,
    ids: chosen.map((index) => first.id(index)),
    names: chosen.map((index): SampleName => {
      const origin = first.origin(index);
      return { id: first.id(index), index, ...(origin.kind === 'file' ? { file: origin.path } : {}) };
    }),
    preprocessing: sources.find(({ preprocessing }) => preprocessing !== undefined)?.preprocessing,
    assumed: withoutRepeats([
      ...sources.flatMap(({ assumed }) => assumed),
      selection(available, chosen.length),
    ]),
    get excluded() {
      return [...sources.flatMap(({ excluded }) => excluded), ...stream.excluded];
    },
    samples: (some) => stream.samples(some),
    sha256: () => digestOf(sources, chosen),
  };
}

function checkCount(flag: string, value: number | undefined, lowest: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= lowest)) return;
  throw new UsageError(`${flag} ${value}: an integer from ${lowest} on is wanted`, {
    hint: `${flag} ${lowest + 1}`,
  });
}

/** The inputs with the sizes that the user gave. */
function withShapes(
  inputs: readonly InputSpec[],
  shapes: ReadonlyMap<string, readonly number[]>,
): readonly InputSpec[] {
  for (const name of shapes.keys()) {
    if (!inputs.some((input) => input.name === name)) {
      throw new UsageError(`--shape: the model has no input ${name}; it has ${describeInputs(inputs)}`);
    }
  }
  return inputs.map((input) => {
    const dims = shapes.get(input.name);
    if (dims === undefined) return input;
    const { shape } = input;
    const fits = (dim: number, i: number): boolean =>
      Number.isSafeInteger(dim) && dim > 0 && (typeof shape[i] !== 'number' || shape[i] === dim);
    if (dims.length !== shape.length || !dims.every(fits)) {
      const example = shape.map((dim) => (typeof dim === 'number' ? dim : 1)).join('x');
      throw new UsageError(`--shape ${input.name}=${dims.join('x')}: the model has ${formatDims(shape)}`, {
        hint: `--shape ${input.name}=${example}`,
      });
    }
    return { ...input, shape: dims };
  });
}

/** One path and the inputs that it may feed. */
interface Assignment {
  readonly path: string;
  readonly inputs: readonly InputSpec[];
}

/** `input=PATH` feeds that input; a path alone feeds what is left. */
function assign(given: readonly string[], inputs: readonly InputSpec[], flag: string): readonly Assignment[] {
  const named = new Map<string, Assignment>();
  const unnamed: string[] = [];
  for (const source of given) {
    // The longest name that fits: names may hold a = themselves.
    const input = inputs
      .filter(({ name }) => source.startsWith(`${name}=`))
      .reduce<InputSpec | undefined>(
        (best, next) => (best && best.name.length > next.name.length ? best : next),
        undefined,
      );
    if (input === undefined) unnamed.push(source);
    else if (named.has(input.name))
      throw new UsageError(`input ${input.name} is given twice: ${given.join(' ')}`, {
        hint: `${flag} ${input.name}=PATH once`,
      });
    else named.set(input.name, { path: source.slice(input.name.length + 1), inputs: [input] });
  }
  const left = inputs.filter(({ name }) => !named.has(name));
  const hint = left.map(({ name }) => `${flag} ${name}=PATH`).join(' ');
  if (unnamed.length > 1 || (unnamed.length === 1 && left.length === 0)) {
    throw new UsageError(
      `${unnamed.join(' and ')}: which inputs do they feed? The model has ${describeInputs(inputs)}`,
      { hint: `${flag} ${inputs[0]?.name ?? 'input'}=${unnamed[0]}` },
    );
  }
  const [path] = unnamed;
  if (path !== undefined) return [...named.values(), { path, inputs: left }];
  if (left.length > 0) throw new UsageError(`nothing is given for input ${describeInputs(left)}`, { hint });
  return [...named.values()];
}

/** All sources, or everything that is wrong with them. */
async function openSources(
  assignments: readonly Assignment[],
  context: SourceContext,
): Promise<readonly Source[]> {
  const sources: Source[] = [];
  const errors: QdbgError[] = [];
  for (const { path, inputs } of assignments) {
    try {
      sources.push(...(await openPath(path, inputs, context)));
    } catch (error) {
      if (!(error instanceof QdbgError)) throw error;
      errors.push(error);
    }
  }
  const [first, ...more] = errors;
  if (first === undefined) return sources;
  if (more.length === 0) throw first;
  const hint = errors.find((error) => error.hint !== undefined)?.hint;
  throw new DataError(`${errors.length} of ${assignments.length} paths cannot be used`, {
    places: atMost(errors.flatMap(({ message, places }) => [message, ...places])),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Random data has as many samples as the data that it accompanies. */
function asManyAsOthers(sources: readonly Source[]): readonly Source[] {
  const given = sources.find(({ kind }) => kind !== 'random');
  if (given === undefined) return sources;
  return sources.map((source) => (source.kind === 'random' ? { ...source, count: given.count } : source));
}

/** @throws DataError when the inputs do not have the same number of samples. */
function sampleCount(sources: readonly Source[], flag: string): number {
  const counts = sources.map(({ count }) => count);
  if (new Set(counts).size > 1) {
    throw new DataError('the inputs do not have the same number of samples', {
      places: sources.map(({ input, count }) => `${input.name}: ${count}`),
      hint: `${flag} NAME=PATH with as many samples for each`,
    });
  }
  return counts[0] ?? 0;
}

/** Sample i of n is at i * available / n, rounded down: deterministic, and every class folder is met. */
function evenlySpread(available: number, wanted: number | undefined): readonly number[] {
  const count = Math.min(available, wanted ?? available);
  return Array.from({ length: count }, (_, i) => Math.floor((i * available) / count));
}

function selection(available: number, count: number): Assumption {
  if (count === available) return { what: 'samples', value: `all ${available}`, from: 'data' };
  return { what: 'samples', value: `${count} of ${available}, evenly spread over their order`, from: 'flag' };
}

function withoutRepeats(assumed: readonly Assumption[]): readonly Assumption[] {
  const seen = new Map(assumed.map((assumption) => [`${assumption.what}\n${assumption.value}`, assumption]));
  return [...seen.values()];
}
