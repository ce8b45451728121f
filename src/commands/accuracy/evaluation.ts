/** Accuracy of several networks on the same samples: against labels, and of each with the reference. */
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import { accuracyOf } from '../../diff/accuracy/of-metric.js';
import { DataError } from '../../errors.js';
import type { ReportedPictures } from '../../report/report-pictures.js';
import type { Dataset, Sample } from '../../run/data/dataset.js';
import { evaluate, type EvaluatedSample } from '../../run/evaluate.js';
import type { MaskTruth } from '../../run/labels/truth.js';
import type { Metric, Scorer } from '../../run/metrics/metric.js';
import type { Samples, Watch } from '../../run/samples.js';
import { BoxClasses } from './box-classes.js';
import type { EvaluationFacts, EvaluationState } from './evaluation-state.js';
import type { EvaluatedNetworks } from './networks.js';
import { Pictures, type PictureNaming } from './pictures.js';
import { planEvaluation, type EvaluationPlan } from './plan.js';
import { pictureOf, placementIn } from './readers.js';
import type { AccuracyRequest } from './request.js';

/** What an evaluation has shown. */
export interface Evaluation {
  /** Against the labels, the first metric. */
  readonly accuracy?: Accuracy;
  /** With the reference. */
  readonly agreement?: Accuracy;
  readonly otherMetrics: readonly Accuracy[];
  /** What was found and chosen to get there. */
  readonly facts: EvaluationFacts;
  /** Of boxes: classes of the labels, and how many of them the reference never answers. */
  readonly boxClasses?: { readonly labelled: number; readonly unanswered: number };
  /** Of the samples on which the second network parts most from the reference, where they are images. */
  readonly pictures?: ReportedPictures;
  /** From which an evaluation of more samples goes on. */
  readonly state: () => EvaluationState;
}

export interface EvaluationOptions {
  readonly threads: number;
  readonly watch: Watch;
  /** Of some of the samples: how many of those before them are scored, those without a label being left out. */
  readonly scoredBefore?: (unlabelled: ReadonlySet<string>) => number;
}

/** A metric that is being added up, and whether it is held against the labels. */
export interface Running {
  readonly metric: Metric;
  readonly scorer: Scorer;
  readonly isLabelled: boolean;
}

/**
 * Runs all networks over all samples, once.
 *
 * @param plan what the outputs, labels and metrics are, where that is known already
 * @returns undefined when nothing was asked for and no labels were found
 * @throws UsageError, DataError with what cannot be evaluated, and why
 */
export async function evaluateNetworks(
  { program, networks, exported }: EvaluatedNetworks,
  { dataset, samples }: { readonly dataset: Dataset; readonly samples: Samples },
  request: AccuracyRequest,
  { threads, watch, scoredBefore }: EvaluationOptions,
): Promise<Evaluation | undefined> {
  let plan: EvaluationPlan | undefined;
  let running: readonly Running[] = [];
  let before = 0;
  let scored = 0;
  const classes = new BoxClasses();
  const pictures = new Pictures(request.pictures);
  const options = { threads, watch, ...(exported === undefined ? {} : { exported }) };
  for await (const evaluated of evaluate(program, samples, options)) {
    if (plan === undefined) {
      plan = await planEvaluation(networks, evaluated.networks, dataset, request);
      if (plan === undefined) return undefined;
      running = metricsOf(plan.metrics, factsOf(plan, networks));
      before = scoredBefore?.(plan.labels?.unlabelled ?? new Set()) ?? 0;
    }
    const beside = { dataset, classes, pictures };
    if (await addSample(plan, running, evaluated, before + scored, beside)) scored++;
  }
  if (plan === undefined) return undefined;
  if (scored === 0 && scoredBefore === undefined) throw nothingLabelled();
  const facts = factsOf(plan, networks);
  const accuracies = accuraciesOf(facts, running);
  const naming = namingOf(accuracies.accuracy, plan);
  const shown = request.pictures === 0 ? undefined : await pictures.result(dataset, naming);
  return {
    ...accuracies,
    ...classes.result,
    facts,
    ...(shown === undefined ? {} : { pictures: shown }),
    state: () => ({
      facts,
      scored,
      metrics: running.map(({ metric, scorer, isLabelled }) => ({
        metric: metric.name,
        isLabelled,
        state: scorer.state(),
      })),
      boxes: classes.state,
      ...(shown === undefined ? {} : { pictures: shown }),
    }),
  };
}

export function nothingLabelled(): DataError {
  return new DataError('none of the samples has a label', { hint: '--labels WHERE' });
}

export function metricsOf(
  metrics: readonly Pick<Running, 'metric' | 'isLabelled'>[],
  { networks, classes, labels }: EvaluationFacts,
): Running[] {
  return metrics.map(({ metric, isLabelled }) => {
    const scorer = metric.scorer({
      networks: networks.length,
      ...(classes === undefined ? {} : { classes }),
      ...(labels?.classes === undefined ? {} : { labelCount: labels.classes }),
    });
    return { metric, scorer, isLabelled };
  });
}

/** What is gathered beside the metrics. */
interface Beside {
  readonly dataset: Dataset;
  readonly classes: BoxClasses;
  readonly pictures: Pictures;
}

/** @returns false for a sample without a label, which is left out */
async function addSample(
  { labels, readers }: EvaluationPlan,
  running: readonly Running[],
  { sample, networks }: EvaluatedSample,
  index: number,
  { dataset: { preprocessing }, classes, pictures }: Beside,
): Promise<boolean> {
  if (labels?.unlabelled.has(sample.id) === true) return false;
  const placement = placementIn(sample, preprocessing);
  const truth = await labels?.read(sample);
  if (truth?.kind === 'mask') requireSameAspect(truth, sample);
  const predictions = await Promise.all(
    networks.map((outputs, i) => readers[i]!.read(outputs, placement, sample.id)),
  );
  classes.add(truth, predictions[0]);
  pictures.add(sample, predictions, placement, truth);
  for (const { scorer, isLabelled } of running) {
    await scorer.add({
      id: sample.id,
      index,
      ...(isLabelled && truth !== undefined ? { truth } : {}),
      predictions,
      outputs: networks,
      placement,
    });
  }
  return true;
}

/** Of sides that may be off by a pixel when a mask is kept smaller than its image. */
function requireSameAspect({ width, height }: MaskTruth, sample: Sample): void {
  const picture = pictureOf(sample);
  if (picture === undefined) return;
  const scaled = (picture.height * width) / picture.width;
  if (Math.abs(scaled - height) <= 1 + width / picture.width) return;
  throw new DataError(
    `${sample.id}: its mask is ${width}x${height}, the image ${picture.width}x${picture.height}: not the same picture`,
    { hint: '--labels FOLDER with the masks of these images' },
  );
}

function factsOf(
  { labels, readers, classNames }: EvaluationPlan,
  networks: EvaluatedNetworks['networks'],
): EvaluationFacts {
  const classes = readers[0]?.decoder.classes;
  return {
    networks: networks.map(({ network, title }) => ({ network, title })),
    decoder: [...new Set(readers.map((reader) => reader.decoder.description))].join('; '),
    ...(classes === undefined ? {} : { classes }),
    ...(labels === undefined
      ? {}
      : {
          labels: {
            source: labels.source,
            kind: labels.kind,
            ...(labels.labelCount === undefined ? {} : { classes: labels.labelCount }),
            unlabelled: labels.unlabelled.size,
            assumed: labels.assumed.map(({ what, value, from }) => ({ what, value, from })),
          },
        }),
    classNames: [...classNames],
  };
}

export function accuraciesOf(
  { labels, decoder, classNames, networks }: EvaluationFacts,
  running: readonly Running[],
): Pick<Evaluation, 'accuracy' | 'agreement' | 'otherMetrics'> {
  const all = running.map(({ scorer, isLabelled }) => {
    const { source, kind, classes } = labels ?? {};
    const labelled =
      source === undefined || kind === undefined || !isLabelled
        ? {}
        : { labels: { source, kind, ...(classes === undefined ? {} : { classes }) } };
    const result = scorer.result();
    const leftOut = result.leftOut + (isLabelled ? (labels?.unlabelled ?? 0) : 0);
    const names = new Map(classNames);
    return accuracyOf({ ...result, leftOut }, networks, { ...labelled, decoder, classNames: names });
  });
  const [first, ...others] = withTransitionsOnce(all);
  const agreement = others.find(({ labels: against }) => against === undefined);
  return {
    ...(first === undefined ? {} : { accuracy: first }),
    ...(agreement === undefined ? {} : { agreement }),
    otherMetrics: others.filter((metric) => metric !== agreement),
  };
}

/** They are the same for all metrics of a class a sample; the first tells them. */
function withTransitionsOnce(metrics: readonly Accuracy[]): Accuracy[] {
  const teller = metrics.find(({ transitions }) => transitions !== undefined);
  return metrics.map((metric) => {
    const { transitions, ...others } = metric;
    return transitions === undefined || metric === teller ? metric : others;
  });
}

function namingOf(accuracy: Accuracy | undefined, { classNames }: EvaluationPlan): PictureNaming {
  const { labelOffset } = accuracy ?? {};
  return { classNames, labelOffset: labelOffset?.isApplied === true ? labelOffset.offset : 0 };
}
