/** What is evaluated, decided on the first sample: what the outputs are, which labels there are, and which metrics fit both. */
import { QdbgError, UsageError } from '../../errors.js';
import type { Dataset } from '../../run/data/dataset.js';
import { namedClasses } from '../../run/labels/class-names.js';
import { openLabels } from '../../run/labels/index.js';
import type { Labels, TruthKind } from '../../run/labels/truth.js';
import { metricNamed } from '../../run/metrics/index.js';
import type { Metric } from '../../run/metrics/metric.js';
import type { NetworkOutput, PredictionKind } from '../../run/predictions/prediction.js';
import { classNamesOf } from './class-names.js';
import type { EvaluatedNetwork } from './networks.js';
import { NetworkReader, type OutputHints } from './readers.js';
import type { AccuracyRequest } from './request.js';

export interface PlannedMetric {
  readonly metric: Metric;
  /** Held against the labels; with the reference otherwise. */
  readonly isLabelled: boolean;
}

export interface EvaluationPlan {
  /** By network. */
  readonly readers: readonly NetworkReader[];
  /** Absent where none are needed, or none were found. */
  readonly labels: Labels | undefined;
  /** The first is the one that a gate holds. */
  readonly metrics: readonly PlannedMetric[];
  readonly classNames: ReadonlyMap<number, string>;
}

/** Labels that predictions of a kind can be held against, the most likely first. */
const TRUTHS: Readonly<Record<PredictionKind, readonly TruthKind[]>> = {
  scores: ['class', 'values'],
  class: ['class'],
  mask: ['mask'],
  boxes: ['boxes'],
  values: ['values', 'class'],
};

const READ_AS: Readonly<Record<TruthKind, readonly PredictionKind[]>> = {
  class: ['scores', 'class'],
  mask: ['mask'],
  boxes: ['boxes'],
  values: ['values', 'scores'],
};

/** Kinds of labels, those first that few other data could be taken for. */
const MOST_TELLING: readonly TruthKind[] = ['boxes', 'mask', 'class', 'values'];
/** From so many classes on, the five best say something. */
const LEAST_FOR_TOP5 = 20;

/**
 * @param outputs of each network for the first sample
 * @returns undefined when nothing was asked for and there are no labels
 * @throws UsageError, DataError
 */
export async function planEvaluation(
  networks: readonly EvaluatedNetwork[],
  outputs: readonly (readonly NetworkOutput[])[],
  dataset: Dataset,
  request: AccuracyRequest,
): Promise<EvaluationPlan | undefined> {
  const asked = await Promise.all(request.metrics.map(metricNamed));
  const names = request.classes === undefined ? classNamesIn(networks) : await namedClasses(request.classes);
  const find = (wanted: readonly TruthKind[], count?: number): Promise<Labels | undefined> =>
    openLabels({
      ...(request.labels === undefined ? {} : { labels: request.labels }),
      root: dataset.path,
      samples: dataset.names,
      available: dataset.available,
      wanted,
      model: {
        ...(count === undefined ? {} : { count }),
        ...(names === undefined ? {} : { names }),
      },
      ...(request.classMap === undefined ? {} : { classMap: request.classMap }),
      ...(request.ignoreLabel === undefined ? {} : { ignoreLabel: request.ignoreLabel }),
      ...(request.labelOffset === undefined ? {} : { labelOffset: request.labelOffset }),
      skipUnlabelled: request.skipUnlabelled,
    });

  const open = (hints: OutputHints): Promise<NetworkReader[]> =>
    Promise.all(
      networks.map((network, i) =>
        NetworkReader.open(network, outputs[i] ?? [], request, hints, dataset.preprocessing),
      ),
    );
  const named = names === undefined ? {} : { classes: names.length };
  const readers = await openReaders(asked[0], named, open, find);
  const [{ decoder } = { decoder: undefined }] = readers;
  if (decoder === undefined) return undefined;
  const wanted = asked[0]?.truths ?? TRUTHS[decoder.kind];
  const labels =
    wanted.length === 0 && request.labels === undefined ? undefined : await find(wanted, decoder.classes);
  if (labels === undefined && !isAskedFor(request)) return undefined;
  const metrics = await chosenMetrics(asked, labels, decoder.kind, decoder.classes);
  requireLabels(metrics, labels, dataset);
  requireFitting(asked, decoder.kind);
  const classNames =
    labels?.classNames ?? new Map((names ?? []).flatMap((name, i) => (name === '' ? [] : [[i, name]])));
  return { readers, labels, metrics, classNames };
}

/**
 * By the shapes of the outputs, or where these leave it open, by what labels there are.
 *
 * @throws UsageError when neither tells
 */
async function openReaders(
  metric: Metric | undefined,
  named: OutputHints,
  open: (hints: OutputHints) => Promise<NetworkReader[]>,
  find: (wanted: readonly TruthKind[]) => Promise<Labels | undefined>,
): Promise<NetworkReader[]> {
  const wanted = metric === undefined ? {} : { wanted: metric.predictions };
  let problem: unknown;
  const refused = (error: unknown): undefined => {
    if (!(error instanceof QdbgError)) throw error;
    problem ??= error;
  };
  const byShape = await open({ ...named, ...wanted }).catch(refused);
  // Any output is a list of values: that says nothing.
  if (byShape !== undefined && byShape[0]?.decoder.kind !== 'values') return byShape;
  for (const truth of metric === undefined ? MOST_TELLING : metric.truths) {
    const labels = await find([truth]).catch(refused);
    if (labels === undefined) continue;
    const classes = labels.labelCount ?? (labels.classNames.size || undefined);
    const hints = { ...named, ...(classes === undefined ? {} : { classes }) };
    const byLabels = await open({ ...hints, wanted: metric?.predictions ?? READ_AS[truth] }).catch(refused);
    if (byLabels !== undefined) return byLabels;
  }
  if (byShape !== undefined) return byShape;
  if (metric === undefined || !(problem instanceof QdbgError)) throw problem;
  throw new UsageError(`--metric ${metric.name}: ${problem.message}`, {
    places: problem.places,
    hint: problem.hint ?? '--decode NAME says what the outputs are',
    cause: problem,
  });
}

/** Whether the user has said something that only an evaluation answers. */
function isAskedFor({ metrics, decode, isRequired, tellsAgreement }: AccuracyRequest): boolean {
  return metrics.length > 0 || decode !== undefined || isRequired || tellsAgreement;
}

function classNamesIn(networks: readonly EvaluatedNetwork[]): readonly string[] | undefined {
  for (const { graph } of networks) {
    const names = classNamesOf(graph.metadata);
    if (names !== undefined) return names;
  }
  return undefined;
}

/** What was asked for, or what the labels are for; and where there are labels, agreement with the reference beside it. */
async function chosenMetrics(
  asked: readonly Metric[],
  labels: Labels | undefined,
  kind: PredictionKind,
  classes: number | undefined,
): Promise<PlannedMetric[]> {
  const chosen =
    asked.length > 0
      ? asked
      : await Promise.all(defaultMetrics(labels?.kind, kind, classes).map(metricNamed));
  const planned = chosen.map((metric) => ({ metric, isLabelled: isLabelled(metric, labels) }));
  if (planned.every((metric) => !metric.isLabelled)) return planned;
  const beside = await metricNamed(agreementOf(kind));
  return planned.some(({ isLabelled: held }) => !held) || !beside.predictions.includes(kind)
    ? planned
    : [...planned, { metric: beside, isLabelled: false }];
}

function isLabelled({ truths }: Metric, labels: Labels | undefined): boolean {
  return labels !== undefined && truths.includes(labels.kind);
}

function defaultMetrics(
  truth: TruthKind | undefined,
  kind: PredictionKind,
  classes: number | undefined,
): readonly string[] {
  switch (truth) {
    case 'class':
      if (kind === 'class') return ['top1'];
      if (classes === 1 || classes === 2) return ['top1', 'auc'];
      return (classes ?? 0) >= LEAST_FOR_TOP5 ? ['top1', 'top5'] : ['top1'];
    case 'mask':
      return ['miou', 'pixel-accuracy'];
    case 'boxes':
      return ['map', 'map50'];
    case 'values':
      return ['rmse', 'mae'];
    case undefined:
      return [agreementOf(kind)];
  }
}

function agreementOf(kind: PredictionKind): string {
  return kind === 'values' ? 'cosine' : 'agreement';
}

function requireLabels(
  metrics: readonly PlannedMetric[],
  labels: Labels | undefined,
  { path }: Dataset,
): void {
  const without = metrics.filter(
    ({ metric, isLabelled: held }) => !held && metric.truths.length > 0 && metric.labelFree !== true,
  );
  if (without.length === 0) return;
  const names = without.map(({ metric }) => metric.name).join(', ');
  const kinds = [...new Set(without.flatMap(({ metric }) => metric.truths))].join(' or ');
  throw new UsageError(
    labels === undefined
      ? `--metric ${names} needs labels (${kinds}), and none were found beside ${path}`
      : `--metric ${names} needs labels of another kind (${kinds}); ${labels.source} gives ${labels.kind}`,
    { hint: '--labels WHERE, or --metric agreement, which needs none' },
  );
}

function requireFitting(asked: readonly Metric[], kind: PredictionKind): void {
  const unfit = asked.filter(({ predictions }) => !predictions.includes(kind));
  if (unfit.length === 0) return;
  throw new UsageError(
    `--metric ${unfit.map(({ name }) => name).join(', ')}: the outputs are read as ${kind}, which it does not take`,
    {
      places: unfit.map(({ name, predictions }) => `${name} takes ${predictions.join(', ')}`),
      hint: '--decode NAME says what the outputs are',
    },
  );
}
