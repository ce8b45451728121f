/** What an evaluation has added up over some of the samples, and several of these as the evaluation of all. */
import { DataError, UsageError } from '../../errors.js';
import type { ReportedPictures } from '../../report/report-pictures.js';
import type { ReportedData } from '../../report/report.js';
import type { TruthKind } from '../../run/labels/truth.js';
import { metricNamed, METRIC_NAMES } from '../../run/metrics/index.js';
import type { Metric } from '../../run/metrics/metric.js';
import type { ScorerState } from '../../run/metrics/scorer-state.js';
import { BoxClasses, type BoxClassesState } from './box-classes.js';
import { labelsOf } from './pictures.js';
import { accuraciesOf, metricsOf, nothingLabelled, type Evaluation } from './evaluation.js';

/** The same for all samples of a data set. Plain data. */
export interface EvaluationFacts {
  /** The reference first. */
  readonly networks: readonly { readonly network: string; readonly title: string }[];
  readonly decoder: string;
  /** Classes that the reference tells apart, where known. */
  readonly classes?: number;
  readonly labels?: {
    readonly source: string;
    readonly kind: TruthKind;
    /** Classes that they can name, where known. */
    readonly classes?: number;
    /** Samples of the whole data set that have none and are left out. */
    readonly unlabelled: number;
    readonly assumed: ReportedData['assumed'];
  };
  readonly classNames: readonly (readonly [label: number, name: string])[];
}

export interface EvaluationState {
  readonly facts: EvaluationFacts;
  /** Samples that had a label, or needed none. */
  readonly scored: number;
  readonly metrics: readonly {
    readonly metric: string;
    readonly isLabelled: boolean;
    readonly state: ScorerState;
  }[];
  readonly boxes: BoxClassesState;
  readonly pictures?: ReportedPictures;
}

/**
 * @param states in the order of their samples
 * @param files of the user's own metrics: code is run only where the user has named it
 * @throws UsageError, DataError when they do not go together
 */
export async function mergedEvaluation(
  states: readonly EvaluationState[],
  files: readonly string[],
  pictures: number,
): Promise<Evaluation> {
  const [first] = states;
  if (first === undefined) throw new RangeError('an evaluation of nothing');
  const { facts } = first;
  const other = states.findIndex((state) => formOf(state) !== formOf(first));
  if (other > 0)
    throw new DataError(
      `accuracy was evaluated otherwise in shard ${other + 1} than in shard 1: other labels, outputs or metrics`,
    );
  if (states.every(({ scored }) => scored === 0)) throw nothingLabelled();
  const own = await Promise.all(files.map(metricNamed));
  const named = await Promise.all(
    first.metrics.map(async ({ metric, isLabelled }) => ({ metric: await found(metric, own), isLabelled })),
  );
  const running = metricsOf(named, facts);
  const boxes = new BoxClasses();
  for (const state of states) {
    running.forEach(({ scorer }, i) => scorer.merge(state.metrics[i]!.state));
    boxes.merge(state.boxes);
  }
  const shown = mergedPictures(states, pictures);
  return {
    ...accuraciesOf(facts, running),
    ...boxes.result,
    facts,
    ...(shown === undefined ? {} : { pictures: shown }),
    state: () => first,
  };
}

/** All that has to be the same. */
function formOf({ facts, metrics }: EvaluationState): string {
  return JSON.stringify([facts, metrics.map(({ metric, isLabelled }) => [metric, isLabelled])]);
}

async function found(name: string, own: readonly Metric[]): Promise<Metric> {
  const metric = own.find((one) => one.name === name);
  if (metric !== undefined) return metric;
  if (METRIC_NAMES.includes(name)) return metricNamed(name);
  throw new UsageError(
    `the metric ${name} of these shards is one of your own; a document names no code to run`,
    {
      hint: 'qdbg report shard*.json --metric ./my-metric.js',
    },
  );
}

/** Every shard has its worst: the worst of all are among them. */
function mergedPictures(states: readonly EvaluationState[], most: number): ReportedPictures | undefined {
  const parts = states.flatMap(({ pictures }) => pictures ?? []);
  if (parts.length === 0) return undefined;
  const worst = parts.flatMap(({ samples }) => samples).sort((a, b) => b.distance - a.distance);
  const samples = worst.slice(0, most);
  const shown = new Set(samples.flatMap(labelsOf));
  const named = parts
    .flatMap(({ classNames }) => Object.entries(classNames ?? {}))
    .filter(([label]) => shown.has(Number(label)));
  return {
    samples,
    among: parts.reduce((sum, { among }) => sum + among, 0),
    ...(named.length === 0 ? {} : { classNames: Object.fromEntries(named) }),
  };
}
