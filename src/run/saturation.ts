/** Which sums of two 8-bit products leave 16 bits on the samples given. */
export interface SaturationStudy {
  readonly samples: number;
}
