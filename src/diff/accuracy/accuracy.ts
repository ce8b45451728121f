/** What a metric says of several networks, with its uncertainty. */
import type {
  ClassScore,
  Confusion,
  Disagreement,
  PairedCounts,
  Transitions,
} from '../../run/metrics/metric.js';

/** 95 %, two-sided. */
export type Interval = readonly [low: number, high: number];

export interface ScoredNetwork {
  /** `reference`, `candidate`, `runtime`, or a step of the ladder. */
  readonly network: string;
  /** For the reader: "float", "int8, simulated". */
  readonly title: string;
  /** In the unit of the metric; absent when there is none. */
  readonly value?: number;
  readonly interval?: Interval;
  /** Against the reference, in `deltaUnit`: positive is a larger value, which is not always a better one. Absent for the reference. */
  readonly delta?: number;
  readonly deltaInterval?: Interval;
  /** Of the hypothesis that the two are equally good; of metrics that count right samples: McNemar's exact test. */
  readonly pValue?: number;
  readonly paired?: PairedCounts;
  readonly standing?: Standing;
  readonly perClass?: readonly ReportedClass[];
  readonly ties?: number;
  readonly nonFinite?: number;
  readonly confusions?: readonly Confusion[];
  /** Metrics of the same family, in the unit of this one: mAP at an IoU of 0.5 beside the mean over all. */
  readonly also?: readonly { readonly metric: string; readonly value: number }[];
}

/** Better and worse are sure: p is below 0.05, and the interval leaves out 0. Equal: not one sample differs. */
export type Standing = 'better' | 'worse' | 'within noise' | 'equal';

export interface ReportedClass extends ClassScore {
  readonly name?: string;
  /** Against the reference's. */
  readonly delta?: number;
}

/** Confusion of the candidate with the reference: how often `to` is answered where the reference answers `from`. */
export interface ClassTransitions {
  /** Cells that are not 0, by `from`, then `to`; those on the diagonal are the samples whose answer stays. */
  readonly cells: Transitions['cells'];
  /** Samples in cells that were left out because there are too many; the most frequent ones are kept. */
  readonly leftOut: number;
  /** What is counted in cells, and left out: cells of the output's grid, of masks; samples when absent. */
  readonly counted?: 'pixels';
  /** Of the classes in `cells`, where known. */
  readonly classNames?: Readonly<Record<number, string>>;
}

/** A metric over one data set. */
export interface Accuracy {
  readonly metric: string;
  readonly description: string;
  readonly unit: '%' | 'dB' | '';
  readonly better: 'higher' | 'lower';
  readonly samples: number;
  /** Absent without labels: then the candidate is compared with the reference, and nothing says which is right. */
  readonly labels?: { readonly source: string; readonly kind: string; readonly classes?: number };
  readonly decoder: string;
  /** Of the reference against the labels; absent without them. */
  readonly reference?: number;
  readonly referenceInterval?: Interval;
  /** Of the candidate against the labels; without them, against the reference. */
  readonly candidate?: number;
  readonly candidateInterval?: Interval;
  /** candidate - reference. */
  readonly delta?: number;
  readonly deltaUnit: 'pt' | 'dB' | '';
  /** Of delta. */
  readonly interval?: Interval;
  readonly pValue?: number;
  readonly test?: 'McNemar exact' | 'paired bootstrap';
  readonly standing?: Standing;
  readonly perClass?: readonly ReportedClass[];
  /** Of metrics of one class a sample or pixel, once in a report: what the reference answers and what the candidate answers instead. */
  readonly transitions?: ClassTransitions;
  /** All networks, the reference first. */
  readonly networks: readonly ScoredNetwork[];
  readonly chance?: number;
  readonly disagreements: readonly Disagreement[];
  readonly leftOut: number;
  readonly labelOffset?: { readonly offset: number; readonly value: number; readonly isApplied: boolean };
  /** The sentence: "91.20 % -> 90.84 %, -0.36 pt (95 % -0.9 to +0.2, p 0.21, n 1000): within noise". */
  readonly summary: string;
}
