/** Samples on which float and int8 part most, to be looked at. Plain data. */

/** A box in shares of the picture's width and height. */
export interface PicturedBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly label: number;
  /** Absent for boxes of the labels. */
  readonly score?: number;
}

/** What a network, or the label, says of a picture. */
export type PicturedAnswer =
  | { readonly kind: 'class'; readonly label: number }
  /** Best first, a few; shares are of the softmax where the scores are no probabilities. */
  | { readonly kind: 'scores'; readonly best: readonly { readonly label: number; readonly share: number }[] }
  /** `all`: how many there are, where not all are here. */
  | { readonly kind: 'boxes'; readonly boxes: readonly PicturedBox[]; readonly all?: number }
  /** PNG as a data: address, one opaque colour a class, transparent where nothing is; with the classes that are in it. */
  | { readonly kind: 'mask'; readonly image: string; readonly labels: readonly PicturedLabel[] };

export interface PicturedLabel {
  readonly label: number;
  /** #rrggbb */
  readonly color: string;
  /** Of the picture's area, 0..1. */
  readonly share: number;
}

export interface ReportedPicture {
  readonly sample: string;
  /** The upright sample, small, as a data: address of a JPEG or PNG. */
  readonly image: string;
  /** In pixels, of `image`. */
  readonly width: number;
  readonly height: number;
  readonly reference: PicturedAnswer;
  readonly candidate: PicturedAnswer;
  readonly truth?: PicturedAnswer;
  /** How far the candidate is from the reference, 0 (the same) .. 1; what pictures are chosen and sorted by. */
  readonly distance: number;
  /** For the reader: "IoU with the reference 0.31", "7 -> 1". */
  readonly reason: string;
}

export interface ReportedPictures {
  /** Worst first. */
  readonly samples: readonly ReportedPicture[];
  /** Samples that they were chosen among. */
  readonly among: number;
  /** By class, where names are known. */
  readonly classNames?: Readonly<Record<number, string>>;
}
