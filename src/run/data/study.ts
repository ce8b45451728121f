/** What a set of samples looks like, and what is peculiar about it; found while the samples pass by. */
export interface DataStudy {
  readonly flag: '--calib' | '--eval' | '--data';
  /** As reports name it: 'images', 'npy', 'random'. */
  readonly kind: string;
  readonly samples: number;
  readonly inputs: readonly InputStudy[];
}

/** The values that a network gets at one input, over all samples, after preprocessing. */
export interface InputStudy {
  /** Name of the graph input. */
  readonly tensor: string;
  readonly min: number;
  readonly max: number;
  /** 0.1st and 99.9th percentile. */
  readonly p001: number;
  readonly p999: number;
  readonly mean: number;
  readonly std: number;
  /** Every value seen is a whole number. */
  readonly isWhole: boolean;
  /** Different values seen; counting stops at 257. */
  readonly distinct: number;
  /** Along the channels of the input, where it has some (at most 64). */
  readonly channels: readonly {
    readonly min: number;
    readonly max: number;
    readonly p001: number;
    readonly p999: number;
    readonly mean: number;
    readonly std: number;
    /** The value seen most, and its share of all. */
    readonly mode: number;
    readonly modeShare: number;
  }[];
}
