/** What the outputs of a network say, whatever form they have. */

/** One output of a network for one sample, as the user's file calls it; codes are turned into values. */
export interface NetworkOutput {
  readonly name: string;
  readonly dims: readonly number[];
  /** Row-major. */
  readonly data: Float32Array | Float64Array;
}

/** A score for each class, larger for more likely; not always probabilities. */
export interface ScoresPrediction {
  readonly kind: 'scores';
  readonly scores: Float32Array | Float64Array;
}

/** Only the class, of networks that end in ArgMax. */
export interface ClassPrediction {
  readonly kind: 'class';
  readonly label: number;
}

/** Class for every cell of a grid over the model's input, row by row. */
export interface MaskPrediction {
  readonly kind: 'mask';
  readonly width: number;
  readonly height: number;
  readonly data: Uint16Array;
  /** Classes that the network tells apart; absent when it ends in ArgMax. */
  readonly classes?: number;
  /** Cells whose largest score several classes share; the first of them is taken. */
  readonly ties: number;
  /** Cells with scores that are not finite. */
  readonly nonFinite: number;
}

export interface PredictedBox {
  /** Edges as shares of the width and height of the model's input as the decoder returns them; of the upright image afterwards. */
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly label: number;
  readonly score: number;
}

export interface BoxesPrediction {
  readonly kind: 'boxes';
  readonly boxes: readonly PredictedBox[];
  /** Candidates that were left out because they hold values that are not finite. */
  readonly nonFinite: number;
}

/** The outputs themselves, one behind the other. */
export interface ValuesPrediction {
  readonly kind: 'values';
  readonly data: Float32Array | Float64Array;
}

export type Prediction =
  ScoresPrediction | ClassPrediction | MaskPrediction | BoxesPrediction | ValuesPrediction;
export type PredictionKind = Prediction['kind'];

/**
 * Where the upright image lies in the model's input: u = scaleX * x + offsetX, with x a share of the image's width and u one of the
 * input's; v likewise. Outside 0..1 the image was cut off, or the input padded.
 */
export interface Placement {
  readonly scaleX: number;
  readonly offsetX: number;
  readonly scaleY: number;
  readonly offsetY: number;
}

/** The image fills the input. */
export const FILLING: Placement = { scaleX: 1, offsetX: 0, scaleY: 1, offsetY: 0 };

/** What a decoder may know beside the outputs. */
export interface DecodeContext {
  /** Name of the sample, for messages. */
  readonly sample?: string;
  /** Extents of the model's image input; undefined when it takes no images. */
  readonly input: { readonly width: number; readonly height: number } | undefined;
  /** Constants of the model file of these dims, in the file's order: anchors. */
  constants(dims: readonly number[]): readonly Float32Array[];
}

export interface Decoder {
  /** As `--decode` takes it, or the user's file. */
  readonly name: string;
  readonly kind: PredictionKind;
  /** What was read off the outputs, for the reader: "output logits 1x10: one score per class". */
  readonly description: string;
  /** Classes that the network tells apart, where the outputs say. */
  readonly classes?: number;
  /** @throws DataError when the outputs are not what it decodes */
  decode(outputs: readonly NetworkOutput[], context: DecodeContext): Prediction | Promise<Prediction>;
}
