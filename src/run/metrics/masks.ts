/** mIoU and pixel accuracy. */
import { IGNORED } from '../labels/truth.js';
import { DEFAULT_REPLICATES, ResampledSums, weightsOfSample } from './bootstrap.js';
import type {
  ClassScore,
  Metric,
  MetricResult,
  NetworkScore,
  ScoredSample,
  Scorer,
  ScorerOptions,
} from './metric.js';
import { eachOf, stateOf, type MaskState, type ScorerState } from './scorer-state.js';
import { ClassPairs, clear, countPixels, emptyPixelCounts, type PixelCounts } from './pixels.js';

type MaskMetricName = 'miou' | 'pixel-accuracy';

const MAX_CONFUSIONS = 5;

/** Columns of a class: pixels where prediction and label are equal, of the label, of the prediction. */
const EQUAL = 0;
const TRUTH = 1;
const PREDICTION = 2;
const COLUMNS = 3;

export function maskMetric(name: MaskMetricName): Metric {
  return {
    name,
    truths: ['mask'],
    predictions: ['mask'],
    scorer: (options) => new MaskScorer(name, options),
  };
}

interface NetworkPixels {
  readonly sums: ResampledSums;
  readonly pairs: ClassPairs;
  ties: number;
  nonFinite: number;
}

class MaskScorer implements Scorer {
  readonly #name: MaskMetricName;
  readonly #networks: NetworkPixels[];
  readonly #weights: Uint8Array;
  readonly #counts: PixelCounts = emptyPixelCounts();
  #classes = 0;
  #samples = 0;
  #leftOut = 0;
  #seen = 0;
  #unseen = 0;

  constructor(name: MaskMetricName, { networks, replicates = DEFAULT_REPLICATES }: ScorerOptions) {
    this.#name = name;
    this.#weights = new Uint8Array(replicates);
    this.#networks = Array.from({ length: networks }, () => ({
      sums: new ResampledSums(replicates),
      pairs: new ClassPairs(),
      ties: 0,
      nonFinite: 0,
    }));
  }

  add({ index, truth, predictions, placement }: ScoredSample): void {
    if (truth?.kind !== 'mask' || truth.data.every((label) => label === IGNORED)) {
      this.#leftOut++;
      return;
    }
    this.#samples++;
    weightsOfSample(index, this.#weights);
    const [reference] = predictions;
    for (const [i, prediction] of predictions.entries()) {
      if (prediction.kind !== 'mask') throw new TypeError(`a ${prediction.kind} is no mask`);
      const network = this.#networks[i]!;
      clear(this.#counts);
      const unseen = countPixels(truth, prediction, placement, this.#counts);
      const seen = this.#addCounts(network.sums);
      if (i === 0) {
        this.#unseen += unseen;
        this.#seen += seen;
      } else if (reference?.kind === 'mask') network.pairs.add(reference, prediction);
      network.ties += prediction.ties;
      if (prediction.nonFinite > 0) network.nonFinite++;
    }
  }

  #addCounts(sums: ResampledSums): number {
    const { classes, equal, truth, prediction } = this.#counts;
    let seen = 0;
    for (let label = 0; label < classes; label++) {
      sums.add(COLUMNS * label + EQUAL, equal[label]!, this.#weights);
      sums.add(COLUMNS * label + TRUTH, truth[label]!, this.#weights);
      sums.add(COLUMNS * label + PREDICTION, prediction[label]!, this.#weights);
      seen += truth[label]!;
    }
    this.#classes = Math.max(this.#classes, classes);
    return seen;
  }

  result(): MetricResult {
    const transitions = this.#networks[1]?.pairs.transitions;
    return {
      metric: this.#name,
      unit: '%',
      better: 'higher',
      description: this.#description(),
      samples: this.#samples,
      networks: this.#networks.map((network) => this.#score(network)),
      disagreements: [],
      leftOut: this.#leftOut,
      ...(transitions === undefined ? {} : { transitions }),
    };
  }

  state(): MaskState {
    return {
      kind: 'masks',
      classes: this.#classes,
      samples: this.#samples,
      leftOut: this.#leftOut,
      seen: this.#seen,
      unseen: this.#unseen,
      networks: this.#networks.map(({ sums, pairs, ties, nonFinite }) => ({
        sums: sums.state,
        pairs: pairs.state,
        ties,
        nonFinite,
      })),
    };
  }

  merge(state: ScorerState): void {
    const { classes, samples, leftOut, seen, unseen, networks } = stateOf(state, 'masks');
    this.#classes = Math.max(this.#classes, Math.min(classes, IGNORED));
    this.#samples += samples;
    this.#leftOut += leftOut;
    this.#seen += seen;
    this.#unseen += unseen;
    eachOf(this.#networks, networks, (own, more) => {
      own.sums.merge(more.sums);
      own.pairs.merge(more.pairs);
      own.ties += more.ties;
      own.nonFinite += more.nonFinite;
    });
  }

  #description(): string {
    const what =
      this.#name === 'miou'
        ? 'mIoU: per class intersection / union of pixels over all samples, mean over the classes that labels or prediction have'
        : 'pixel accuracy: pixels of the right class over all samples';
    const outside =
      this.#unseen === 0
        ? ''
        : `; ${((100 * this.#unseen) / (this.#seen + this.#unseen)).toFixed(1)} % of the labelled pixels lie outside of what the ` +
          'model sees and are left out';
    return `${what}, at the size of the labels; pixels to be ignored are left out${outside}`;
  }

  #score({ sums, pairs, ties, nonFinite }: NetworkPixels): NetworkScore {
    const total = (column: number): number => sums.total(column);
    const statistics = { miou: this.#meanIou, 'pixel-accuracy': this.#pixelAccuracy };
    const other: MaskMetricName = this.#name === 'miou' ? 'pixel-accuracy' : 'miou';
    const value = statistics[this.#name](total);
    const otherValue = statistics[other](total);
    const confusions = pairs.most(MAX_CONFUSIONS);
    return {
      ...(value === undefined ? {} : { value }),
      replicates: sums.replicates(statistics[this.#name]),
      perClass: this.#perClass(total),
      ties,
      nonFinite,
      ...(confusions.length === 0 ? {} : { confusions }),
      ...(otherValue === undefined ? {} : { also: [{ metric: other, value: otherValue }] }),
    };
  }

  /** As mmsegmentation and torchmetrics: a class that is neither in the labels nor in the prediction has no IoU. */
  readonly #meanIou = (sum: (column: number) => number): number | undefined => {
    let total = 0;
    let classes = 0;
    for (let label = 0; label < this.#classes; label++) {
      const iou = iouOf(sum, label);
      if (iou === undefined) continue;
      total += iou;
      classes++;
    }
    return classes === 0 ? undefined : total / classes;
  };

  readonly #pixelAccuracy = (sum: (column: number) => number): number | undefined => {
    let equal = 0;
    let pixels = 0;
    for (let label = 0; label < this.#classes; label++) {
      equal += sum(COLUMNS * label + EQUAL);
      pixels += sum(COLUMNS * label + TRUTH);
    }
    return pixels === 0 ? undefined : (100 * equal) / pixels;
  };

  /** IoU, or the share of the class's pixels that were found. */
  #perClass(sum: (column: number) => number): ClassScore[] {
    const scores: ClassScore[] = [];
    for (let label = 0; label < this.#classes; label++) {
      const support = sum(COLUMNS * label + TRUTH);
      const iou = iouOf(sum, label);
      if (iou === undefined) continue;
      const found = support === 0 ? undefined : (100 * sum(COLUMNS * label + EQUAL)) / support;
      const value = this.#name === 'miou' ? iou : found;
      scores.push({ label, ...(value === undefined ? {} : { value }), support });
    }
    return scores;
  }
}

/** In percent; undefined without a pixel. */
function iouOf(sum: (column: number) => number, label: number): number | undefined {
  const equal = sum(COLUMNS * label + EQUAL);
  const union = sum(COLUMNS * label + TRUTH) + sum(COLUMNS * label + PREDICTION) - equal;
  return union === 0 ? undefined : (100 * equal) / union;
}
