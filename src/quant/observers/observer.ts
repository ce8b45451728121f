/** What observers work from and what they give. */
import type { Histogram } from '../histogram.js';
import type { MovingAverage } from './moving-average.js';

/** Statistics of one tensor over the calibration samples; all values finite. */
export interface TensorStats {
  /** Smallest and largest value seen; ignored while `count` is 0. */
  readonly min: number;
  readonly max: number;
  /** Values seen. */
  readonly count: number;
  /** Wanted by the moving-average observer, with its momentum. */
  readonly average?: MovingAverage;
  /** Wanted by the observers for which `needsHistogram` is true; counted on a grid that holds [min, max]. */
  readonly histogram?: Histogram;
}

/** Real range that the quantizer shall represent. */
export interface Range {
  readonly rmin: number;
  readonly rmax: number;
}
