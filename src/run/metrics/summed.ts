/** Metrics of a few numbers per sample that are summed: means, ratios and roots of sums. */
import { DEFAULT_REPLICATES, ResampledSums, weightsOfSample } from './bootstrap.js';
import type { MetricResult, NetworkScore, ScoredSample, Scorer, ScorerOptions } from './metric.js';
import { eachOf, stateOf, type ScorerState, type SummedState } from './scorer-state.js';

/** Why a sample has no part: nothing in the labels counts; the outputs hold NaN or infinite values; the metric is not defined for it. */
export type Omission = 'nothing counts' | 'not finite' | 'undefined';

export interface SummedStatistic {
  readonly name: string;
  readonly unit: MetricResult['unit'];
  readonly better: MetricResult['better'];
  /** Of samples that have a part although some of the outputs are not finite. */
  isNonFinite?(sample: ScoredSample, network: number): boolean;
  /** As NetworkScore's. */
  ties?(sample: ScoredSample, network: number): number;
  /** In the metric's unit, from the sums of the samples' numbers; `samples` are those summed. */
  value(sums: (column: number) => number, samples: number): number | undefined;
  /** What it has found out beside its sums, which it needs for its value. */
  found?(): Readonly<Record<string, number>>;
  /** Goes on from what it has found out elsewhere. @throws DataError when the two cannot be of one metric */
  find?(found: Readonly<Record<string, number>>): void;
  /** `undefinedSamples`: by network. */
  description(undefinedSamples: readonly number[]): string;
}

/** One sample's numbers for one network, or why it has none. */
export type Measured = readonly number[] | Omission;

export interface SummedMetric extends SummedStatistic {
  measure(sample: ScoredSample, network: number): Measured;
}

export function summedScorer(metric: SummedMetric, options: ScorerOptions): Scorer {
  const sums = new SampleSums(metric, options);
  return {
    add: (sample) =>
      sums.take(
        sample,
        Array.from(sample.predictions, (_, network) => metric.measure(sample, network)),
      ),
    result: () => sums.result(),
    state: () => sums.state(),
    merge: (state) => sums.merge(state),
  };
}

/** Column that counts samples; the metric's own follow. */
const SAMPLES = 0;

interface NetworkSums {
  readonly sums: ResampledSums;
  nonFinite: number;
  ties: number;
  undefinedSamples: number;
}

export class SampleSums {
  readonly #metric: SummedStatistic;
  readonly #networks: NetworkSums[];
  readonly #weights: Uint8Array;
  #samples = 0;
  #leftOut = 0;

  constructor(metric: SummedStatistic, { networks, replicates = DEFAULT_REPLICATES }: ScorerOptions) {
    this.#metric = metric;
    this.#weights = new Uint8Array(replicates);
    this.#networks = Array.from({ length: networks }, () => ({
      sums: new ResampledSums(replicates),
      nonFinite: 0,
      ties: 0,
      undefinedSamples: 0,
    }));
  }

  /** `measured`: by network. */
  take(sample: ScoredSample, measured: readonly Measured[]): void {
    if (measured.some((numbers) => numbers === 'nothing counts')) {
      this.#leftOut++;
      return;
    }
    this.#samples++;
    weightsOfSample(sample.index, this.#weights);
    for (const [i, numbers] of measured.entries()) {
      const network = this.#networks[i]!;
      network.ties += this.#metric.ties?.(sample, i) ?? 0;
      if (this.#metric.isNonFinite?.(sample, i) === true) network.nonFinite++;
      if (numbers === 'not finite') network.nonFinite++;
      else if (numbers === 'undefined') network.undefinedSamples++;
      else if (typeof numbers !== 'string') {
        network.sums.add(SAMPLES, 1, this.#weights);
        for (const [column, number] of numbers.entries())
          network.sums.add(SAMPLES + 1 + column, number, this.#weights);
      }
    }
  }

  state(): SummedState {
    const found = this.#metric.found?.();
    return {
      kind: 'summed',
      samples: this.#samples,
      leftOut: this.#leftOut,
      networks: this.#networks.map(({ sums, ...counts }) => ({ ...counts, sums: sums.state })),
      ...(found === undefined ? {} : { found }),
    };
  }

  merge(state: ScorerState): void {
    const { samples, leftOut, networks, found } = stateOf(state, 'summed');
    this.#samples += samples;
    this.#leftOut += leftOut;
    eachOf(this.#networks, networks, (own, more) => {
      own.sums.merge(more.sums);
      own.nonFinite += more.nonFinite;
      own.ties += more.ties;
      own.undefinedSamples += more.undefinedSamples;
    });
    if (found !== undefined) this.#metric.find?.(found);
  }

  result(): MetricResult {
    const { name, unit, better } = this.#metric;
    return {
      metric: name,
      unit,
      better,
      description: this.#metric.description(this.#networks.map(({ undefinedSamples }) => undefinedSamples)),
      samples: this.#samples,
      networks: this.#networks.map((network) => this.#score(network)),
      disagreements: [],
      leftOut: this.#leftOut,
    };
  }

  #score({ sums, nonFinite, ties }: NetworkSums): NetworkScore {
    const statistic = (sum: (column: number) => number): number | undefined => {
      const samples = sum(SAMPLES);
      const value =
        samples === 0 ? undefined : this.#metric.value((column) => sum(SAMPLES + 1 + column), samples);
      return value !== undefined && Number.isFinite(value) ? value : undefined;
    };
    const value = statistic((column) => sums.total(column));
    return {
      ...(value === undefined ? {} : { value }),
      replicates: sums.replicates(statistic),
      ties,
      nonFinite,
    };
  }
}

/** Such as `; left out, by network: 2, 0 samples without any error`; nothing when there are none. */
export function leftOutBy(counts: readonly number[], reason: string): string {
  return counts.every((count) => count === 0)
    ? ''
    : `; left out, by network: ${counts.join(', ')} samples ${reason}`;
}
