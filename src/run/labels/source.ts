/** What the readers of label files give, before label classes become classes of the model. */
import type { Assumption } from '../data/dataset.js';
import type { ModelClasses, SampleName, Truth, TruthKind } from './truth.js';

export interface LabelRequest {
  /** As `--labels` was given: a file, a folder, `name:REGEX` or `none`. Absent: labels are looked for beside the samples. */
  readonly labels?: string;
  /** The data's path as the user gave it, a folder or a file. */
  readonly root: string;
  /** Those in use. */
  readonly samples: readonly SampleName[];
  /** Samples that are there, used or not; labels that go by order must be as many. */
  readonly available?: number;
  /** Kinds of labels that can be used, best first. */
  readonly wanted: readonly TruthKind[];
  readonly model: ModelClasses;
  /** As `--class-map` was given: `LABEL=CLASS,...`. */
  readonly classMap?: string;
  /** `--ignore-label`, in the labels' own numbering. */
  readonly ignoreLabel?: number;
  /** `--label-offset`, added to every class label. */
  readonly labelOffset?: number;
  readonly skipUnlabelled: boolean;
}

/** A mask in the labels' own numbering. */
export interface StoredMask {
  readonly kind: 'mask';
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint16Array;
}

/** A label as it is stored: classes by the labels' own numbers. */
export type StoredTruth = Exclude<Truth, { readonly kind: 'mask' }> | StoredMask;

/** The classes of the labels, in their own numbering. */
export interface LabelClasses {
  readonly names: ReadonlyMap<number, string>;
  /** Numbers that occur, as far as that is known without reading every label; with where they were met first. */
  readonly used: ReadonlyMap<number, string>;
  /** Boxes of each number, of labels that are boxes. */
  readonly boxes?: ReadonlyMap<number, number>;
  /** Classes that the labels tell apart, as far as they say. */
  readonly count?: number;
  /** Numbers with gaps that stand for places in this order: categories of COCO. */
  readonly order?: readonly number[];
  /** The numbers come from sorting the names of a label file: they mean nothing to a model that has names itself. */
  readonly sorted?: boolean;
  /** The numbers are places in the order of the names: of a part of the classes they would be others. */
  readonly ordered?: boolean;
}

export const NO_CLASSES: LabelClasses = { names: new Map(), used: new Map() };

/** Labels that were found, for the samples in use. */
export interface LabelSource {
  readonly kind: TruthKind;
  /** For the reader: `labels.csv, column label`. */
  readonly source: string;
  readonly classes: LabelClasses;
  readonly assumed: readonly Assumption[];
  /** Ids of samples in use that have no label. */
  readonly missing: ReadonlySet<string>;
  /** @throws DataError when the label cannot be read; the message is the reason, with its place */
  read(sample: SampleName): Promise<StoredTruth>;
}

/** Something that was read off the labels themselves. */
export function noted(what: string, value: string): Assumption {
  return { what, value, from: 'data' };
}
