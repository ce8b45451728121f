/** Area under the ROC curve, as scikit-learn's roc_auc_score. */
import { DataError } from '../../errors.js';
import { IGNORED } from '../labels/truth.js';
import { affordableReplicates, weightsOfReplicate } from './bootstrap.js';
import { Growing, growingIntegers } from './growing.js';
import type {
  ClassScore,
  Metric,
  MetricResult,
  NetworkScore,
  ScoredSample,
  Scorer,
  ScorerOptions,
} from './metric.js';
import { areFinite, areProbabilities, logOdds } from './probabilities.js';
import {
  eachOf,
  requireLength,
  requirePositions,
  stateOf,
  type AucState,
  type ScorerState,
} from './scorer-state.js';

export const auc: Metric = {
  name: 'auc',
  truths: ['class'],
  predictions: ['scores'],
  scorer: (options) => new AucScorer(options),
};

/** The area depends on the order of all scores, so they must be kept: 4 bytes per sample, class and network. */
interface KeptScores {
  readonly scores: Growing<Float32Array<ArrayBuffer>>;
  /** Places among the samples. */
  readonly samples: Growing<Int32Array<ArrayBuffer>>;
  nonFinite: number;
}

/** Scores of one class, ascending. */
interface RankedScores {
  readonly label: number;
  readonly samples: Int32Array;
  /** 1: of the class. */
  readonly isPositive: Uint8Array;
  /** 1: the next has a larger score. */
  readonly isLastOfEqual: Uint8Array;
}

class AucScorer implements Scorer {
  readonly #options: ScorerOptions;
  readonly #networks: readonly KeptScores[];
  readonly #labels = growingIntegers();
  readonly #indices = growingIntegers();
  /** Numbers per sample in the outputs. */
  #width: number | undefined;
  #areProbabilities = false;
  #leftOut = 0;

  constructor(options: ScorerOptions) {
    this.#options = options;
    this.#networks = Array.from({ length: options.networks }, () => ({
      scores: new Growing((length) => new Float32Array(length)),
      samples: growingIntegers(),
      nonFinite: 0,
    }));
  }

  add({ id, index, truth, predictions }: ScoredSample): void {
    if (truth?.kind !== 'class' || truth.label === IGNORED) {
      this.#leftOut++;
      return;
    }
    const sample = this.#indices.length;
    const all = predictions.map((prediction) => {
      if (prediction.kind !== 'scores') throw new TypeError(`a ${prediction.kind} is no list of scores`);
      return prediction.scores;
    });
    if (this.#width === undefined) {
      this.#width = all[0]!.length;
      this.#areProbabilities = areProbabilities(all[0]!);
    }
    const other = all.find(({ length }) => length !== this.#width);
    if (other !== undefined)
      throw new DataError(`auc: sample ${id} has ${other.length} scores, but others have ${this.#width}`);
    if (truth.label >= Math.max(2, this.#width))
      throw new DataError(
        `auc: sample ${id} has the label ${truth.label}, but the outputs tell ${Math.max(2, this.#width)} classes apart`,
        { hint: '--labels FILE' },
      );
    this.#indices.push(index);
    this.#labels.push(truth.label);
    for (const [i, scores] of all.entries()) {
      const kept = this.#networks[i]!;
      if (!areFinite(scores)) {
        kept.nonFinite++;
        continue;
      }
      kept.samples.push(sample);
      for (const score of this.#comparable(scores)) kept.scores.push(score);
    }
  }

  /** Numbers that can be compared between samples: one for two classes, one per class for more. */
  #comparable(scores: Float32Array | Float64Array): ArrayLike<number> & Iterable<number> {
    if (scores.length === 1) return scores;
    if (scores.length === 2) return [scores[1]! - scores[0]!];
    if (this.#areProbabilities) return scores;
    return logOdds(scores);
  }

  result(): MetricResult {
    const classes = this.#positiveClasses();
    const networks = this.#networks.map((kept) => classes.map((label) => this.#rank(kept, label)));
    const steps = networks.flat().reduce((sum, { samples }) => sum + samples.length, 0);
    const { count, note } = affordableReplicates(this.#options.replicates, steps);
    const replicates = networks.map(() => new Float64Array(count));
    const weights = new Uint8Array(this.#indices.length);
    for (let replicate = 0; replicate < count; replicate++) {
      weightsOfReplicate(this.#indices.values, replicate, weights);
      for (const [i, ranks] of networks.entries())
        replicates[i]![replicate] = meanArea(ranks, weights) ?? NaN;
    }
    return {
      metric: 'auc',
      unit: '',
      better: 'higher',
      description: `${this.#description(classes.length)}${note}`,
      samples: this.#indices.length,
      networks: networks.map((ranks, i) => this.#score(i, ranks, replicates[i]!)),
      disagreements: [],
      leftOut: this.#leftOut,
    };
  }

  state(): AucState {
    return {
      kind: 'auc',
      labels: this.#labels.values,
      indices: this.#indices.values,
      ...(this.#width === undefined ? {} : { width: this.#width }),
      areProbabilities: this.#areProbabilities,
      leftOut: this.#leftOut,
      networks: this.#networks.map(({ scores, samples, nonFinite }) => ({
        scores: scores.values,
        samples: samples.values,
        nonFinite,
      })),
    };
  }

  merge(state: ScorerState): void {
    const { labels, indices, width, areProbabilities: isGiven, leftOut, networks } = stateOf(state, 'auc');
    this.#leftOut += leftOut;
    if (width === undefined) return;
    if (this.#width !== undefined && (this.#width !== width || this.#areProbabilities !== isGiven))
      throw new DataError(
        'auc: scores of the first sample are probabilities in one part of the samples only',
      );
    this.#width = width;
    this.#areProbabilities = isGiven;
    requireLength(labels, indices.length);
    const before = this.#indices.length;
    this.#indices.append(indices);
    this.#labels.append(labels);
    eachOf(this.#networks, networks, (own, more) => {
      requirePositions(more.samples, indices.length);
      requireLength(more.scores, more.samples.length * (this.#isBinary ? 1 : width));
      own.nonFinite += more.nonFinite;
      own.scores.append(more.scores);
      own.samples.append(more.samples.map((sample) => before + sample));
    });
  }

  get #isBinary(): boolean {
    return this.#width === undefined || this.#width <= 2;
  }

  /** Classes to set against the rest: the second of two; of more those that labels have. */
  #positiveClasses(): number[] {
    if (this.#isBinary) return [1];
    return [...new Set(this.#labels.values)].sort((a, b) => a - b);
  }

  #description(classes: number): string {
    const what = this.#isBinary
      ? `ROC AUC of class 1${this.#width === 2 ? ', by its score minus that of class 0' : ''}`
      : `ROC AUC, one class against the rest, mean over the ${classes} classes in the labels, by ` +
        (this.#areProbabilities ? 'the outputs, which are probabilities' : 'the softmax of the outputs');
    const seen = new Set(this.#labels.values).size;
    return (
      `${what}; equal scores count half; samples with outputs that are not finite are left out of that network and counted` +
      (seen === 1 ? '; no value, since all labels are of one class' : '')
    );
  }

  #rank({ scores, samples }: KeptScores, label: number): RankedScores {
    const columns = this.#isBinary ? 1 : this.#width!;
    const column = this.#isBinary ? 0 : label;
    const values = Float32Array.from(samples.values, (_, i) => scores.values[i * columns + column]!);
    const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
    return {
      label,
      samples: Int32Array.from(order, (i) => samples.values[i]!),
      isPositive: Uint8Array.from(order, (i) => Number(this.#labels.values[samples.values[i]!] === label)),
      isLastOfEqual: Uint8Array.from(order, (i, place) => Number(values[i] !== values[order[place + 1]!])),
    };
  }

  #score(network: number, ranks: readonly RankedScores[], replicates: Float64Array): NetworkScore {
    const once = new Uint8Array(this.#indices.length).fill(1);
    const value = meanArea(ranks, once);
    const perClass = ranks.map((scores): ClassScore => {
      const area = areaUnder(scores, once);
      const support = scores.isPositive.reduce((sum, is) => sum + is, 0);
      return { label: scores.label, ...(area === undefined ? {} : { value: area }), support };
    });
    return {
      ...(value === undefined ? {} : { value }),
      replicates,
      ...(this.#isBinary ? {} : { perClass }),
      ties: 0,
      nonFinite: this.#networks[network]!.nonFinite,
    };
  }
}

/** Over the classes that have one. */
function meanArea(ranks: readonly RankedScores[], weights: Uint8Array): number | undefined {
  let sum = 0;
  let count = 0;
  for (const scores of ranks) {
    const area = areaUnder(scores, weights);
    if (area === undefined) continue;
    sum += area;
    count++;
  }
  return count === 0 ? undefined : sum / count;
}

/** Share of the pairs of one sample of the class and one of the rest in which the first has the larger score; equal ones count half. */
function areaUnder(
  { samples, isPositive, isLastOfEqual }: RankedScores,
  weights: Uint8Array,
): number | undefined {
  let pairs = 0;
  let negatives = 0;
  let positives = 0;
  let equalNegatives = 0;
  let equalPositives = 0;
  for (let i = 0; i < samples.length; i++) {
    const weight = weights[samples[i]!]!;
    if (isPositive[i] === 1) equalPositives += weight;
    else equalNegatives += weight;
    if (isLastOfEqual[i] === 0) continue;
    pairs += equalPositives * (negatives + equalNegatives / 2);
    positives += equalPositives;
    negatives += equalNegatives;
    equalPositives = 0;
    equalNegatives = 0;
  }
  return positives === 0 || negatives === 0 ? undefined : pairs / (positives * negatives);
}
