/** What is known to be right about a sample, in the classes of the model. */
import type { Assumption } from '../data/dataset.js';

/** A pixel, or a class, that counts neither as right nor as wrong. */
export const IGNORED = 0xffff;

/** Edges as shares of the upright image's width and height, from its upper left corner. */
export interface TruthBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** Class of the model. */
  readonly label: number;
  /** COCO's `iscrowd`: a region of many, which excuses detections in it and asks for none. */
  readonly crowd: boolean;
}

export interface ClassTruth {
  readonly kind: 'class';
  /** Class of the model, from 0. */
  readonly label: number;
}

export interface BoxesTruth {
  readonly kind: 'boxes';
  readonly boxes: readonly TruthBox[];
}

/** Class of the model, or IGNORED, for every pixel of the upright image, row by row. */
export interface MaskTruth {
  readonly kind: 'mask';
  readonly width: number;
  readonly height: number;
  readonly data: Uint16Array;
}

/** Numbers that the outputs should equal. */
export interface ValuesTruth {
  readonly kind: 'values';
  readonly data: Float64Array;
}

export type Truth = ClassTruth | BoxesTruth | MaskTruth | ValuesTruth;
export type TruthKind = Truth['kind'];

/** A sample that labels are wanted for. */
export interface SampleName {
  /** As in the data set: file relative to the given path, with `#index` when the file holds several samples. */
  readonly id: string;
  /** Place among all samples that are there, from 0, whether they are used or not. */
  readonly index: number;
  /** File that it is read from; absent for made-up data. */
  readonly file?: string;
}

/** The classes that the model tells apart. */
export interface ModelClasses {
  /** Absent where the outputs do not tell, as those of detectors that end in NMS. */
  readonly count?: number;
  /** Name of class i at i. */
  readonly names?: readonly string[];
}

export interface Labels {
  readonly kind: TruthKind;
  /** How they were found, for the reader: "class folders", "labels.csv, column label". */
  readonly source: string;
  /** Names of the model's classes, as far as model or labels have any. */
  readonly classNames: ReadonlyMap<number, string>;
  /** Classes that the labels can name, as far as they say: the number of class folders, of names in a .yaml. */
  readonly labelCount?: number;
  /** Choices that were made to read them. */
  readonly assumed: readonly Assumption[];
  /** Samples without a label; not empty only when they may be left out. */
  readonly unlabelled: ReadonlySet<string>;
  /**
   * @throws DataError when the label cannot be read, or is none of the model's classes
   */
  read(sample: SampleName): Promise<Truth>;
}
