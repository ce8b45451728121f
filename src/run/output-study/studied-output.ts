/** What one output is like over several samples, in float and as integers. Plain data. */
import type { TensorId } from '../../ir/graph.js';
import type { Collapse } from '../../quant/output-collapse.js';

/** The same quantity of the float network (or the reference) and of the lane. */
export interface FloatAndQuantized {
  readonly float: number;
  readonly quantized: number;
}

export interface StudiedOutput {
  readonly tensor: TensorId;
  readonly name: string;
  /** Elements per sample that were looked at. */
  readonly elements: number;
  /** Difference between two neighbouring values of the lane; absent where nothing says. */
  readonly lsb?: number;
  /** Of the float network. */
  readonly range: { readonly min: number; readonly max: number };
  /** Between samples, mean over the elements, in LSB², or where there is none in the square of the values' unit. */
  readonly variance: FloatAndQuantized;
  /** Elements that clearly differ between samples in float, and those of them that as integers change by 1 LSB or less. */
  readonly moving: number;
  readonly stuck: number;
  readonly collapse?: Collapse;
  /** Of rows whose scores differ; absent where there are no classes to choose from. */
  readonly answers?: Answers;
  /** Absent where the float network's rows do not sum to 1. */
  readonly sums?: Sums;
  /** Shares of all values. */
  readonly half: FloatAndQuantized;
  /** Share of the lane's values that are less than 0 or more than 1, by more than 1 LSB and a fiftieth; absent where the float network's are, too. */
  readonly outside?: number;
  /** (P99 - P1) / LSB of the float network's values; with the whole range where 98 % of them lie in less than a tenth of it. */
  readonly levels?: number;
  /** Different values of the lane among those sampled. */
  readonly codes: number;
  /** Mean square of lane - float. */
  readonly noise: number;
  /** Between the two vectors of a sample; absent where an output is no single vector, or all zero. */
  readonly cosine?: Cosine;
}

export interface Answers {
  /** Rows, over all samples. */
  readonly count: number;
  readonly rowsPerSample: number;
  readonly classes: number;
  /** Of the class with the largest score, bits. */
  readonly entropy: FloatAndQuantized;
  /** Classes that were answered at all. */
  readonly different: FloatAndQuantized;
  /** Rows whose largest score is elsewhere than in float. */
  readonly changed: number;
  /** Rows in which two classes or more share the largest score. */
  readonly ties: FloatAndQuantized;
}

export interface Sums {
  /** Rows whose sum would be 1 within a twentieth, were only the output itself rounded; over all samples. */
  readonly rows: number;
  /** Mean of |sum - 1| over those rows in the lane, and of the sum itself; absent without such rows. */
  readonly lane?: { readonly departure: number; readonly mean: number };
}

export interface Cosine {
  readonly mean: number;
  readonly min: number;
  /** Whether all vectors of the float network have the length 1. */
  readonly isUnit: boolean;
  /** Rank correlation of the cosines between the samples, float beside lane; absent with less than four samples. */
  readonly ranks?: number;
}
