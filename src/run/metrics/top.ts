/** top-1 and top-5 accuracy. */
import { DataError } from '../../errors.js';
import { IGNORED } from '../labels/truth.js';
import { Hits } from './hits.js';
import { leading } from './leading.js';
import type { Metric, MetricResult, ScoredSample, Scorer, ScorerOptions } from './metric.js';
import { eachOf, stateOf, type ScorerState, type TopState } from './scorer-state.js';
import { TransitionCounts } from './transitions.js';

/** What may have to be added to labels: 1 for models whose class 0 is the background, -1 for labels that count from 1. */
const OFFSETS = [0, -1, 1] as const;

/** An offset shows when it is this many standard errors better, and this many times as often right. */
const CLEAR_ERRORS = 3;
const CLEAR_FACTOR = 2;

export function topMetric(count: 1 | 5): Metric {
  return {
    name: `top${count}`,
    truths: ['class'],
    predictions: count === 1 ? ['scores', 'class'] : ['scores'],
    scorer: (options) => new TopScorer(count, options),
  };
}

class TopScorer implements Scorer {
  readonly #count: 1 | 5;
  readonly #options: ScorerOptions;
  readonly #byOffset: ReadonlyMap<number, Hits>;
  readonly #transitions = new TransitionCounts();
  #classes: number | undefined;
  #leftOut = 0;

  constructor(count: 1 | 5, options: ScorerOptions) {
    this.#count = count;
    this.#options = options;
    this.#classes = options.classes;
    this.#byOffset = new Map(OFFSETS.map((offset) => [offset, new Hits(options.networks)]));
  }

  add({ id, truth, predictions }: ScoredSample): void {
    if (truth?.kind !== 'class' || truth.label === IGNORED) {
      this.#leftOut++;
      return;
    }
    const [reference] = predictions;
    if (reference?.kind === 'scores') {
      if (reference.scores.length < 2)
        throw new DataError(
          `top${this.#count} compares the scores of classes; the outputs give ${reference.scores.length} for sample ${id}`,
          { hint: '--metric auc' },
        );
      this.#classes ??= reference.scores.length;
    }
    const leads = predictions.map((prediction) => leading(prediction, this.#count));
    this.#transitions.add(leads[0]?.classes[0], leads[1]?.classes[0]);
    for (const [offset, hits] of this.#byOffset) {
      const label = truth.label + offset;
      hits.add(id, label < 0 ? undefined : label, label, leads);
    }
  }

  result(): MetricResult {
    const better = this.#betterOffset();
    const isApplied =
      better === 1 &&
      this.#classes !== undefined &&
      this.#options.labelCount !== undefined &&
      this.#classes === this.#options.labelCount + 1;
    const hits = this.#byOffset.get(isApplied ? better : 0)!;
    const chance = this.#chance(hits);
    return {
      metric: `top${this.#count}`,
      unit: '%',
      better: 'higher',
      description: this.#description(),
      samples: hits.samples,
      networks: Array.from({ length: this.#options.networks }, (_, network) => hits.score(network)),
      ...(chance === undefined ? {} : { chance }),
      disagreements: hits.disagreements,
      leftOut: this.#leftOut,
      ...(this.#options.networks < 2 ? {} : { transitions: this.#transitions.result }),
      ...(better === undefined
        ? {}
        : {
            labelOffset: {
              offset: better,
              value: this.#byOffset.get(better)!.score(0).value!,
              isApplied,
            },
          }),
    };
  }

  state(): TopState {
    return {
      kind: 'top',
      hits: [...this.#byOffset.values()].map((hits) => hits.state),
      transitions: this.#transitions.state,
      ...(this.#classes === undefined ? {} : { classes: this.#classes }),
      leftOut: this.#leftOut,
    };
  }

  merge(state: ScorerState): void {
    const { hits, transitions, classes, leftOut } = stateOf(state, 'top');
    eachOf([...this.#byOffset.values()], hits, (own, more) => own.merge(more));
    this.#transitions.merge(transitions);
    this.#classes ??= classes;
    this.#leftOut += leftOut;
  }

  #description(): string {
    return this.#count === 1
      ? 'top-1: the class with the largest score; of equal ones the first. NaN counts as wrong'
      : 'top-5: the label is among the 5 classes with the largest scores; of equal ones the first, and a tie is one between ' +
          'the fifth and the sixth. NaN counts as wrong';
  }

  /** The offset under which the reference is clearly right more often than under none. */
  #betterOffset(): number | undefined {
    const plain = this.#byOffset.get(0)!;
    // Of two classes, labels that are swapped look like labels that are shifted.
    if (plain.support.size < 3) return undefined;
    const [best] = [-1, 1].sort((a, b) => this.#byOffset.get(b)!.hits(0) - this.#byOffset.get(a)!.hits(0));
    const shifted = this.#byOffset.get(best!)!.hits(0);
    const hits = plain.hits(0);
    const difference = shifted - hits;
    // Were both as often right, as McNemar's test supposes. At top-5 a sample can be right under both: then it is less.
    const error = Math.sqrt(shifted + hits);
    return difference > CLEAR_ERRORS * error && shifted >= CLEAR_FACTOR * hits ? best : undefined;
  }

  /** Answering the most frequent classes whatever the sample is. */
  #chance({ support, samples }: Hits): number | undefined {
    if (samples === 0) return undefined;
    const most = [...support.values()].sort((a, b) => b - a).slice(0, this.#count);
    const frequent = most.reduce((sum, count) => sum + count, 0) / samples;
    const uniform = this.#classes === undefined ? 0 : Math.min(1, this.#count / this.#classes);
    return 100 * Math.max(frequent, uniform);
  }
}
