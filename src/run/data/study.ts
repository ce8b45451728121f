/** What a set of samples looks like, and what is peculiar about it; found while the samples pass by. */
import type { Assumption, Exclusion } from './dataset.js';
import type { NeighbourSteps } from './neighbours.js';

export interface DataStudy {
  readonly flag: '--calib' | '--eval' | '--data';
  /** As reports name it: 'images', 'npy', 'random'. */
  readonly kind: string;
  readonly samples: number;
  /** Samples that are there, where only some were asked for. */
  readonly available?: number;
  readonly inputs: readonly InputStudy[];
  /** Samples all of whose inputs are, byte by byte, those of a sample before. */
  readonly duplicates: Duplicates;
  /** Of which every input that varies in the data set is nearly one value. */
  readonly nearConstant: SomeSamples;
  /** Pictures in which neighbouring pixels have nothing to do with each other. */
  readonly noise: SomeSamples;
  /** Left out because they cannot be read. */
  readonly excluded: { readonly count: number; readonly first: readonly Exclusion[] };
  /** Absent where the samples do not lie in folders of their own, or lie in many of them. */
  readonly folder?: OneFolder;
  /** Choices that decided what was fed. */
  readonly assumed?: readonly Assumption[];
}

export interface Duplicates {
  /** Samples that are there again; the first of them does not count. */
  readonly count: number;
  /** Names of the first samples that are the same. */
  readonly groups: readonly (readonly string[])[];
}

export interface SomeSamples {
  readonly count: number;
  /** Names of the first ones. */
  readonly first: readonly string[];
}

/** Most samples are from one folder though there are others. */
export interface OneFolder {
  readonly name: string;
  /** Of the samples. */
  readonly share: number;
  /** Names of some of the others. */
  readonly others: readonly string[];
  /** Whether samples of the others are in the data set, or the others only lie beside it. */
  readonly isInside: boolean;
}

/** The values that a network gets at one input, over all samples, after preprocessing. */
export interface InputStudy extends ValueStudy {
  /** Name of the graph input, in the network that the data was opened for. */
  readonly tensor: string;
  /** Every value seen is a whole number. */
  readonly isWhole: boolean;
  /** Different values seen; counting stops at 257. */
  readonly distinct: number;
  /** Along the channels of the input, where it has some (at most 64). */
  readonly channels: readonly ChannelStudy[];
  /** Of inputs of four dimensions with 2 to 16 channels. */
  readonly neighbours?: NeighbourSteps;
}

/**
 * `min` and `max` are of all values. All else is of values that are spread evenly over each sample, as many as 8192 of them;
 * percentiles are within 0.4 % of the value.
 */
export interface ValueStudy {
  readonly min: number;
  readonly max: number;
  /** 0.1st and 99.9th percentile. */
  readonly p001: number;
  readonly p999: number;
  readonly mean: number;
  readonly std: number;
}

export interface ChannelStudy extends ValueStudy {
  /** The value seen most, and its share of all. */
  readonly mode: number;
  readonly modeShare: number;
}
