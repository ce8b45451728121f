/** What can be broken in a finished integer file, whatever its format. */

/** A constant as its codes stand for it. */
export interface StoredConstant {
  readonly name: string;
  readonly dims: readonly number[];
  /** Axis of the scales when there are several. */
  readonly axis: number;
  /** One for the tensor, or one for each index of the axis; of a bias that has none of its own, those of its accumulator. */
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly codes: readonly number[];
  readonly limits: Limits;
}

export type Limits = readonly [qmin: number, qmax: number];

/** Same lengths as before. What has no place in the file, such as the scale of a QLinearConv's bias, is left out. */
export type ConstantChange = Partial<
  Pick<StoredConstant, 'codes' | 'scale' | 'zeroPoint'> & { readonly axis: number }
>;

/** A convolution or dense layer with integer weights. */
export interface Layer {
  readonly weights: StoredConstant;
  readonly bias?: StoredConstant;
  /** Axes of the weights; of a depthwise layer, the inputs are its axis of extent 1. */
  readonly outputs: number;
  readonly inputs: number;
  readonly spatial: readonly number[];
  /** The bias has the scales of the accumulator, whatever the file says of it. */
  readonly biasFollows: boolean;
}

/** Quantizer of an activation: one scale and one zero point. */
export interface Edge {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly limits: Limits;
}

export interface IntegerFile {
  /** @param where ONNX: name of the node; TFLite: name of the tensor it writes. */
  layer(where: string): Layer;
  changeWeights(where: string, change: ConstantChange): void;
  changeBias(where: string, change: ConstantChange): void;
  /** @param tensor QDQ: what QuantizeLinear reads; elsewhere the codes. */
  edge(tensor: string): Edge;
  changeEdge(tensor: string, change: Partial<Edge>): void;
  /** Layers that read the activation. */
  readers(tensor: string): string[];
  /** Other parameters for those that read the codes than for what writes them. @throws Error where the format has no place for them */
  changeReaders(tensor: string, change: Partial<Edge>): void;
  /** Whatever read `tensor` reads `instead`; operators that nothing needs any more are gone. */
  bypass(tensor: string, instead: string): void;
  removeActivation(tensor: string): void;
  swapOutputs(): void;
  /** All that the file calls the layer, its constants and what it writes; or the activation and what writes it. */
  namesOf(where: string): string[];
  bytes(): Uint8Array;
}
