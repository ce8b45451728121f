/** Flags as typed -> requests of the commands. */
import { availableParallelism } from 'node:os';
import type { AnalyzeRequest } from '../commands/analyze.js';
import type { CompareRequest } from '../commands/compare.js';
import type { DoctorRequest } from '../commands/doctor.js';
import type { DataRequest } from '../commands/data-request.js';
import type { AccuracyRequest } from '../commands/accuracy/request.js';
import type { GateRequest, Suppression } from '../commands/gate-request.js';
import { UsageError } from '../errors.js';
import type { AccuracyOptions, GateOptions, PictureOptions, SampleOptions, ShardOptions } from './flags.js';
import type { AnalyzeOptions, CompareOptions, DoctorOptions } from './program.js';
import type { SchemeOptions } from './scheme-flags.js';

/** What of a request stands elsewhere than in the flags of the command. */
export interface Settings {
  /** Where an option was set, in the user's words; undefined when it was not. */
  readonly sourceOf: (option: string) => string;
  /** Accepted findings, of the configuration file. */
  readonly suppressions: readonly Suppression[];
  /** YYYY-MM-DD. */
  readonly today: string;
}

const RANDOM_SAMPLES = 8;
/** Images shown in a report. */
const PICTURES = 8;

export async function analyzeRequest(
  model: string,
  options: AnalyzeOptions,
  settings: Settings,
): Promise<AnalyzeRequest> {
  const calib = options.calib ?? [];
  if (options.shard !== undefined) requireStored(options);
  return {
    model,
    calib,
    eval: options.eval ?? [],
    data: dataRequest(options, calib.length > 0 ? calib : (options.eval ?? [])),
    ...(await schemeRequest(options)),
    selection: { only: options.only ?? [], skip: options.skip ?? [] },
    channels: options.channels ?? [],
    ladder: options.ladder === true,
    ...(await judgedBy(options, settings)),
    threads: options.threads ?? availableParallelism(),
    timestamp: options.timestamp === true,
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  };
}

/** @throws UsageError when nothing would be left of a shard, or a baseline would be of one */
function requireStored({ shard, report = [], updateBaseline }: AnalyzeOptions): void {
  const name = `--shard ${shard?.index ?? 1}/${shard?.count ?? 1}`;
  if (updateBaseline === true) {
    throw new UsageError(`${name}: a baseline is of all samples, --update-baseline would keep a part`, {
      hint: 'qdbg analyze without --shard, with --update-baseline',
    });
  }
  if (report.some((target) => target.startsWith('json='))) return;
  throw new UsageError(`${name}: nothing is stored that could be put together with the other shards`, {
    hint: `--report json=shard${shard?.index ?? 1}.json`,
  });
}

/** A scheme that was chosen, or what is to be changed in the model's own default. */
export async function schemeRequest(
  options: SchemeOptions,
): Promise<Pick<AnalyzeRequest, 'scheme' | 'schemeOverrides'>> {
  const schemeOverrides = {
    ...(options.weights === undefined ? {} : { weights: options.weights }),
    ...(options.activations === undefined ? {} : { activations: options.activations }),
    ...(options.perAxis === true ? { granularity: 'per-axis' as const } : {}),
    ...(options.perTensor === true ? { granularity: 'per-tensor' as const } : {}),
    ...(options.symmetric === true ? { symmetric: true } : {}),
    ...(options.asymmetric === true ? { symmetric: false } : {}),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
    ...(options.percentile === undefined ? {} : { percentile: options.percentile }),
    ...(options.momentum === undefined ? {} : { momentum: options.momentum }),
  };
  if (options.scheme === undefined) return { schemeOverrides };
  const { schemeFrom } = await import('../commands/scheme-request.js');
  return { scheme: schemeFrom(options.scheme, schemeOverrides) };
}

/** What has to hold, and what is evaluated for it. */
async function judgedBy(
  options: AccuracyOptions & PictureOptions & GateOptions,
  settings: Settings,
): Promise<{ accuracy: AccuracyRequest; gate: GateRequest }> {
  const gate = await gateRequest(options, settings);
  return { gate, accuracy: accuracyRequest(options, gate.thresholds.maxDrop !== undefined) };
}

/** @param isRequired something depends on there being a metric */
export function accuracyRequest(
  options: AccuracyOptions & PictureOptions,
  isRequired: boolean,
): AccuracyRequest {
  return {
    metrics: options.metric ?? [],
    ...(options.labels === undefined ? {} : { labels: options.labels }),
    ...(options.decode === undefined ? {} : { decode: options.decode }),
    ...(options.classes === undefined ? {} : { classes: options.classes }),
    ...(options.classMap === undefined ? {} : { classMap: options.classMap }),
    ...(options.ignoreLabel === undefined ? {} : { ignoreLabel: options.ignoreLabel }),
    ...(options.labelOffset === undefined ? {} : { labelOffset: options.labelOffset }),
    ...(options.expectAccuracy === undefined ? {} : { expectAccuracy: options.expectAccuracy }),
    skipUnlabelled: options.skipUnlabelled === true,
    pictures: options.pictures ?? PICTURES,
    isRequired,
    tellsAgreement: false,
  };
}

async function gateRequest(
  options: GateOptions,
  { sourceOf, suppressions, today }: Settings,
): Promise<GateRequest> {
  const { parseThresholds } = await import('../commands/gate-request.js');
  const written = (
    key: keyof GateOptions,
    text: string | number | undefined,
  ): { text: string; source: string } | undefined =>
    text === undefined ? undefined : { text: String(text), source: sourceOf(key) };
  const maxDrop = written('maxDrop', options.maxDrop);
  const minSamples = written('minSamples', options.minSamples);
  const inconclusive = written('inconclusive', options.inconclusive);
  const failOn = written('failOn', options.failOn);
  const minSqnr = (options.minSqnr ?? []).map((text) => ({ text, source: sourceOf('minSqnr') }));
  if (options.updateBaseline === true && options.baseline === undefined) {
    throw new UsageError('--update-baseline: which file is it?', {
      hint: '--baseline qdbg-baseline.json --update-baseline',
    });
  }
  return {
    thresholds: parseThresholds({
      ...(maxDrop === undefined ? {} : { maxDrop }),
      ...(minSamples === undefined ? {} : { minSamples }),
      ...(inconclusive === undefined ? {} : { inconclusive }),
      ...(failOn === undefined ? {} : { failOn }),
      minSqnr,
    }),
    ...(options.baseline === undefined
      ? {}
      : { baseline: { file: options.baseline, update: options.updateBaseline === true } }),
    suppressions,
    today,
  };
}

/** @throws UsageError with why the run cannot be split, where a shard is asked for */
export function requireWhole({ shard }: ShardOptions, reason: string): void {
  if (shard === undefined) return;
  throw new UsageError(`--shard ${shard.index}/${shard.count}: ${reason}`, {
    hint: '--samples N for fewer, or qdbg analyze --shard, which measures the integers of a finished file, too',
  });
}

/** Share of compute operators that two exports of one network have in common at least. */
const MIN_ALIGNED = 50;

export async function compareRequest(
  [reference = '', candidate = '']: readonly string[],
  options: CompareOptions,
  settings: Settings,
): Promise<CompareRequest> {
  requireWhole(options, 'qdbg compare measures layers on a few of the samples, which is not split');
  const labelled = options.eval ?? [];
  // One set of samples serves both.
  const sources = options.data ?? labelled;
  if (sources.length === 0) {
    throw new UsageError('compare needs data to run both models on', {
      hint: '--data FOLDER_OF_IMAGES, or --data random for a smoke test',
    });
  }
  return {
    reference,
    candidate,
    sources,
    data: dataRequest(options, sources),
    minAligned: (options.minAligned ?? MIN_ALIGNED) / 100,
    channels: options.channels ?? [],
    eval: options.data === undefined ? [] : labelled,
    ...(await judgedBy(options, settings)),
    ...(options.detail === undefined ? {} : { detail: options.detail }),
    runtime: options.runtime === true,
    ...(options.actual === undefined ? {} : { actual: options.actual }),
    threads: options.threads ?? availableParallelism(),
    timestamp: options.timestamp === true,
  };
}

export async function doctorRequest(
  model: string,
  options: DoctorOptions,
  settings: Settings,
): Promise<DoctorRequest> {
  const { reference, data = [], calib = [], eval: labelled = [] } = options;
  requireWhole(options, 'rules look at all samples together, which qdbg doctor does not split');
  if (options.updateBaseline === true) {
    throw new UsageError('--update-baseline: qdbg doctor has no measurements of its own to keep', {
      hint: 'qdbg analyze or qdbg compare with --baseline FILE --update-baseline',
    });
  }
  const isRun = data.length + calib.length + labelled.length > 0;
  if (!isRun) {
    requireNothingToRun(options);
    if (options.baseline !== undefined) {
      throw new UsageError(
        `--baseline ${options.baseline}: without data nothing is measured that it could be held against`,
        {
          hint: '--data PATH, or --fail-on error alone',
        },
      );
    }
    return {
      run: 'nothing',
      request: {
        model,
        ...(reference === undefined ? {} : { reference }),
        minAligned: (options.minAligned ?? MIN_ALIGNED) / 100,
        shapes: shapesOf(options.shape ?? []),
        gate: await gateRequest(options, settings),
        timestamp: options.timestamp === true,
      },
    };
  }
  if (reference !== undefined) {
    const sources = [data, calib].find((paths) => paths.length > 0);
    const compared = sources === undefined ? options : { ...options, data: sources };
    return { run: 'compare', request: await compareRequest([reference, model], compared, settings) };
  }
  const [first = [], second = []] = [calib, data, labelled].filter((paths) => paths.length > 0);
  const analyzed = { ...options, calib: first, eval: second };
  return { run: 'analyze', request: await analyzeRequest(model, analyzed, settings) };
}

/** Flags that say how something is run or measured, as they are typed. */
const OF_RUNS = {
  runtime: '--runtime',
  actual: '--actual',
  detail: '--detail',
  labels: '--labels',
  metric: '--metric',
  decode: '--decode',
  classes: '--classes',
  classMap: '--class-map',
  expectAccuracy: '--expect-accuracy',
  samples: '--samples',
  preset: '--preset',
  resize: '--resize',
  mean: '--mean',
  std: '--std',
  color: '--color',
  layout: '--layout',
  scheme: '--scheme',
  perAxis: '--per-axis',
  perTensor: '--per-tensor',
  observer: '--observer',
  channels: '--channels',
} as const satisfies Partial<Record<keyof DoctorOptions, string>>;

/** @throws UsageError with the flags that would be ignored without data */
function requireNothingToRun(options: DoctorOptions): void {
  const given = Object.entries(OF_RUNS)
    .filter(([key]) => options[key as keyof typeof OF_RUNS] !== undefined)
    .map(([, flag]) => flag);
  if (given.length === 0) return;
  throw new UsageError(`${given.join(', ')}: without data nothing is run`, {
    hint: '--data FOLDER_OF_IMAGES, or --data random for a smoke test',
  });
}

export function dataRequest(options: SampleOptions, sources: readonly string[]): DataRequest {
  const samples = options.samples ?? (sources.includes('random') ? RANDOM_SAMPLES : undefined);
  return {
    preprocessing: {
      preset: options.preset,
      resize: options.resize,
      interpolation: options.interpolation,
      mean: options.mean,
      std: options.std,
      color: options.color,
      layout: options.layout,
    },
    shapes: shapesOf(options.shape ?? []),
    ...(samples === undefined ? {} : { samples }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    skipUnreadable: options.skipUnreadable === true,
  };
}

/** `image=1x3x224x224`; a name may hold `=`, so the last one counts. */
export function shapesOf(values: readonly string[]): ReadonlyMap<string, readonly number[]> {
  return new Map(
    values.map((value) => {
      const split = value.lastIndexOf('=');
      const dims = value.slice(split + 1);
      if (split < 1 || !/^\d+(x\d+)*$/.test(dims)) {
        throw new UsageError(`--shape ${value} is not NAME=DIMS`, { hint: '--shape image=1x3x224x224' });
      }
      return [value.slice(0, split), dims.split('x').map(Number)];
    }),
  );
}
