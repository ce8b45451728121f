/** Metrics: what several networks score on the same samples, as sums that never hold a sample. */
import type { Truth, TruthKind } from '../labels/truth.js';
import type { NetworkOutput, Placement, Prediction, PredictionKind } from '../predictions/prediction.js';
import type { ScorerState } from './scorer-state.js';

/** One sample as all networks see it; the first network is the reference. */
export interface ScoredSample {
  readonly id: string;
  /** Place among the samples that are scored, from 0; seeds its weights in the bootstrap. */
  readonly index: number;
  /** Absent for metrics that compare with the reference. */
  readonly truth?: Truth;
  /** By network. */
  readonly predictions: readonly Prediction[];
  readonly placement: Placement;
  /** The outputs themselves, by network; for the user's own metrics. */
  readonly outputs?: readonly (readonly NetworkOutput[])[];
}

/** Counts of samples by who is right; exact, for McNemar's test. */
export interface PairedCounts {
  readonly both: number;
  readonly onlyReference: number;
  readonly onlyCandidate: number;
  readonly neither: number;
}

export interface ClassScore {
  /** Class of the model. */
  readonly label: number;
  /** In the metric's unit; absent when there is none: no such label, no such prediction. */
  readonly value?: number;
  /** Samples, pixels or boxes of this class in the labels. */
  readonly support: number;
  /** Of boxes, in the metric's unit: boxes of this class that were found at IoU 0.5, or at the metric's own threshold. */
  readonly recall?: number;
}

export interface NetworkScore {
  /** In the metric's unit; absent when there is none. */
  readonly value?: number;
  /** Of metrics that count right samples. */
  readonly hits?: number;
  /** The metric on resamplings of the samples, all networks on the same ones; NaN where it has no value. Empty for metrics of hits. */
  readonly replicates: Float64Array;
  readonly perClass?: readonly ClassScore[];
  /** Samples (pixels of masks) whose largest score is shared by several classes; the first counts, as in numpy. */
  readonly ties: number;
  /** Samples whose outputs hold NaN or infinite values; they count as wrong, or are left out as the metric's description says. */
  readonly nonFinite: number;
  /** Against the reference, of metrics that count right samples; absent for the reference itself. */
  readonly paired?: PairedCounts;
  /** Class -> class confusions of this network that the reference does not make, most frequent first; a few. */
  readonly confusions?: readonly Confusion[];
  /** Metrics of the same family that cost nothing beside this one, in its unit: map50 and map75 of map. */
  readonly also?: readonly { readonly metric: string; readonly value: number }[];
}

export interface Confusion {
  /** What the reference says, or the label. */
  readonly from: number;
  readonly to: number;
  /** Share of the samples or pixels of `from`. */
  readonly share: number;
  readonly count: number;
}

/** How often the candidate answers `to` where the reference answers `from`, which may be the same. */
export interface Transition {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface Transitions {
  /** None is 0; by `from`, then `to`. */
  readonly cells: readonly Transition[];
  /** Counts of cells that are left out because there are too many; the most frequent ones are kept. */
  readonly leftOut: number;
  /** What is counted: cells of the output's grid, of masks; samples when absent. */
  readonly counted?: 'pixels';
}

/** A sample on which reference and candidate part. */
export interface Disagreement {
  readonly sample: string;
  /** Network by position. */
  readonly network: number;
  /** Class labels; absent where the metric has none. */
  readonly truth?: number;
  readonly reference?: number;
  readonly candidate?: number;
}

export interface MetricResult {
  readonly metric: string;
  /** `%`: shares of 1 times 100. */
  readonly unit: '%' | 'dB' | '';
  readonly better: 'higher' | 'lower';
  /** One line for the reader: what was counted, by which convention. */
  readonly description: string;
  readonly samples: number;
  /** By network, as they were given. */
  readonly networks: readonly NetworkScore[];
  /** What guessing the most frequent class would score; absent where that means nothing. In the metric's unit. */
  readonly chance?: number;
  /** The first few. */
  readonly disagreements: readonly Disagreement[];
  /** Samples that had no part: nothing in the labels counts. */
  readonly leftOut: number;
  /** From the reference to the network after it, of metrics of one class a sample or pixel; absent without another network. */
  readonly transitions?: Transitions;
  /** Of class labels that seem to be numbered otherwise: what the reference would score were every label this much higher. */
  readonly labelOffset?: { readonly offset: number; readonly value: number; readonly isApplied: boolean };
}

/** Adds up one metric over samples, for several networks at once. */
export interface Scorer {
  add(sample: ScoredSample): void | Promise<void>;
  result(): MetricResult;
  state(): ScorerState;
  /**
   * Goes on from what another scorer of the same metric has added up, of the samples that come next.
   *
   * @throws DataError when it does not fit what is there
   */
  merge(state: ScorerState): void;
}

export interface ScorerOptions {
  /** Networks in every sample; the first is the reference. */
  readonly networks: number;
  /** Classes that the model tells apart, where known. */
  readonly classes?: number;
  /** Classes that the labels can name, where known. */
  readonly labelCount?: number;
  /** Resamplings for intervals; a default of its own when absent. */
  readonly replicates?: number;
}

/** A metric by name: what it needs, and how it is added up. */
export interface Metric {
  readonly name: string;
  /** Kinds of labels that it takes; empty for agreement with the reference. */
  readonly truths: readonly TruthKind[];
  /** Takes labels, and compares with the reference where there are none. */
  readonly labelFree?: boolean;
  readonly predictions: readonly PredictionKind[];
  scorer(options: ScorerOptions): Scorer;
}
