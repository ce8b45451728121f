/** Accuracy of several networks on the same samples: against labels, and of each with the reference. */
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import { accuracyOf } from '../../diff/accuracy/of-metric.js';
import { DataError } from '../../errors.js';
import type { Dataset, Sample } from '../../run/data/dataset.js';
import { evaluate, type EvaluatedSample } from '../../run/evaluate.js';
import type { Labels, MaskTruth, Truth } from '../../run/labels/truth.js';
import type { Metric, Scorer } from '../../run/metrics/metric.js';
import type { Prediction } from '../../run/predictions/prediction.js';
import type { Samples, Watch } from '../../run/samples.js';
import type { EvaluatedNetworks } from './networks.js';
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
  /** What was found and chosen to get there; absent without labels. */
  readonly labels?: Labels;
  /** Of boxes: classes of the labels, and how many of them the reference never answers. */
  readonly boxClasses?: { readonly labelled: number; readonly unanswered: number };
  readonly plan: EvaluationPlan;
}

export interface EvaluationOptions {
  readonly threads: number;
  readonly watch: Watch;
}

/** A metric that is being added up, and whether it is held against the labels. */
interface Running {
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
  { threads, watch }: EvaluationOptions,
): Promise<Evaluation | undefined> {
  let plan: EvaluationPlan | undefined;
  let running: readonly Running[] = [];
  let scored = 0;
  const classes = new BoxClasses();
  const options = { threads, watch, ...(exported === undefined ? {} : { exported }) };
  for await (const evaluated of evaluate(program, samples, options)) {
    if (plan === undefined) {
      plan = await planEvaluation(networks, evaluated.networks, dataset, request);
      if (plan === undefined) return undefined;
      running = metricsOf(plan, networks.length);
    }
    if (await addSample(plan, running, evaluated, scored, { dataset, classes })) scored++;
  }
  if (plan === undefined) return undefined;
  if (scored === 0) throw new DataError('none of the samples has a label', { hint: '--labels WHERE' });
  return { ...evaluationOf(plan, running, networks), ...classes.result };
}

function metricsOf({ metrics, labels, readers }: EvaluationPlan, networks: number): Running[] {
  return metrics.map(({ metric, isLabelled }) => {
    const classes = readers[0]?.decoder.classes;
    const labelCount = labels?.labelCount;
    const scorer = metric.scorer({
      networks,
      ...(classes === undefined ? {} : { classes }),
      ...(labelCount === undefined ? {} : { labelCount }),
    });
    return { metric, scorer, isLabelled };
  });
}

/** @returns false for a sample without a label, which is left out */
async function addSample(
  { labels, readers }: EvaluationPlan,
  running: readonly Running[],
  { sample, networks }: EvaluatedSample,
  index: number,
  { dataset: { preprocessing }, classes }: { readonly dataset: Dataset; readonly classes: BoxClasses },
): Promise<boolean> {
  if (labels?.unlabelled.has(sample.id) === true) return false;
  const placement = placementIn(sample, preprocessing);
  const truth = await labels?.read(sample);
  if (truth?.kind === 'mask') requireSameAspect(truth, sample);
  const predictions = await Promise.all(
    networks.map((outputs, i) => readers[i]!.read(outputs, placement, sample.id)),
  );
  classes.add(truth, predictions[0]);
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

/** Classes that labels have and a detector never answers drag its mean down, whatever quantization does. */
class BoxClasses {
  readonly #labelled = new Set<number>();
  readonly #answered = new Set<number>();

  add(truth: Truth | undefined, prediction: Prediction | undefined): void {
    if (truth?.kind !== 'boxes' || prediction?.kind !== 'boxes') return;
    for (const { label } of truth.boxes) this.#labelled.add(label);
    for (const { label } of prediction.boxes) this.#answered.add(label);
  }

  get result(): Pick<Evaluation, 'boxClasses'> {
    const unanswered = [...this.#labelled].filter((label) => !this.#answered.has(label)).length;
    return this.#labelled.size === 0 ? {} : { boxClasses: { labelled: this.#labelled.size, unanswered } };
  }
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

function evaluationOf(
  plan: EvaluationPlan,
  running: readonly Running[],
  networks: EvaluatedNetworks['networks'],
): Evaluation {
  const { labels, readers, classNames } = plan;
  const titles = networks.map(({ network, title }) => ({ network, title }));
  const decoder = [...new Set(readers.map((reader) => reader.decoder.description))].join('; ');
  const all = running.map(({ scorer, isLabelled }) => {
    const labelled =
      labels === undefined || !isLabelled
        ? {}
        : {
            labels: {
              source: labels.source,
              kind: labels.kind,
              ...(labels.labelCount === undefined ? {} : { classes: labels.labelCount }),
            },
          };
    const result = scorer.result();
    const leftOut = result.leftOut + (isLabelled ? (labels?.unlabelled.size ?? 0) : 0);
    return accuracyOf({ ...result, leftOut }, titles, { ...labelled, decoder, classNames });
  });
  const [first, ...others] = all;
  const agreement = others.find(({ labels: against }) => against === undefined);
  return {
    ...(first === undefined ? {} : { accuracy: first }),
    ...(agreement === undefined ? {} : { agreement }),
    otherMetrics: others.filter((metric) => metric !== agreement),
    ...(labels === undefined ? {} : { labels }),
    plan,
  };
}
