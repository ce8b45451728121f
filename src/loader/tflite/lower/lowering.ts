/**
 * How one TFLite operator becomes ONNX nodes. Implemented once by the graph builder; the tables of operators see only this.
 *
 * Layout: the file has pictures as [N, spatial..., C]; ONNX convolutions and pools want [N, C, spatial...]. Every tensor may exist
 * in both orders; it is written in one and brought into the other where something asks for it, once. Operators that do not care
 * work in the order that their inputs already have, so that no transposes remain between convolutions.
 */
import type { ConstantData, DType, TensorId } from '../../../ir/graph.js';
import type { OptionValue, TfliteOperator } from '../model.js';

/** Order of the axes. They differ for tensors of rank 4 and 5 only; lower ranks are always 'file'. */
export type Layout = 'file' | 'channels-first';

/** Attribute values as tables write them: integers for numbers, unless marked as floats. */
export type AttrValue = number | string | readonly number[] | { readonly float: number };

/** null = omitted optional input. */
export type Inputs = readonly (TensorId | null)[];
export type Attrs = Readonly<Record<string, AttrValue>>;

export interface Lowering {
  readonly op: TfliteOperator;

  /** Inputs that the file gives, omitted ones included. */
  readonly inputCount: number;
  readonly outputCount: number;
  /** False when the slot is past the end or -1. */
  has(slot: number): boolean;
  /** Dims of an input or output in the file's order. */
  shape(slot: number): readonly number[];
  outputShape(slot?: number): readonly number[];
  /** Type in the IR: quantized tensors are 'float32'. */
  dtype(slot: number): DType;
  outputDtype(slot?: number): DType;
  /** True when the file has the input (output) as integers with a scale. */
  isQuantized(slot: number): boolean;
  isQuantizedOutput(slot?: number): boolean;

  /** Elements of a constant input, in the file's order; codes are dequantized. Undefined for activations. */
  constant(slot: number): ConstantData | undefined;
  /** Elements of a constant integer input (axes, sizes, paddings). @throws Unlowerable when it is an activation. */
  integers(slot: number): readonly number[];
  /** Of a constant of numbers. @throws Unlowerable when it is an activation. */
  numbers(slot: number): readonly number[];

  option(name: string): OptionValue;
  intOption(name: string): number;
  boolOption(name: string): boolean;
  floatOption(name: string): number;

  /** Order in which an input is written; 'file' for constants, which are stored in either. */
  layoutOf(slot: number): Layout;
  /**
   * For operators that work element by element or along an axis: 'channels-first' when all inputs of the given slots that are
   * activations of rank 4 or more are of one rank and at least one is written in that order, else 'file'.
   */
  commonLayout(slots: readonly number[]): Layout;
  /** Where the file's axis `axis` (may be negative) of a tensor of that rank lies in a layout. */
  axisIn(layout: Layout, rank: number, axis: number): number;
  /** Values per file axis, brought into a layout's order. */
  inLayout<T>(layout: Layout, values: readonly T[]): readonly T[];

  /** The input in that order; brought into it by a Transpose (or Reshape, where that is the same) if need be. */
  input(slot: number, layout: Layout): TensorId;
  /** The input with axes permuted as in ONNX Transpose: weights. A constant is stored so; an activation is transposed. */
  permuted(slot: number, perm: readonly number[]): TensorId;
  /**
   * The input as an operand of an elementwise operator that works on `rank` dimensions in `layout`: padded with leading dimensions
   * of 1 in the file's order, then brought into the layout.
   */
  operand(slot: number, layout: Layout, rank: number): TensorId;

  /** A constant of the lowering's own. */
  ints(values: readonly number[], dims?: readonly number[]): TensorId;
  floats(values: readonly number[], dims?: readonly number[]): TensorId;

  /** A node inside the operator, with one output that the file does not have. Type and shape are inferred. */
  step(op: string, inputs: Inputs, attrs?: Attrs): TensorId;
  /** The same with several. */
  steps(op: string, inputs: Inputs, attrs: Attrs, outputs: number): readonly TensorId[];
  /**
   * The node that writes output `slot` in `layout`. Exactly one node of every operator is its main one: the first that is written
   * with `write`, `writeActivated` or `writeAll`, unless `main` was called before.
   */
  write(slot: number, layout: Layout, op: string, inputs: Inputs, attrs?: Attrs): void;
  /** As `write`, followed by the file's fused activation function ('NONE', 'RELU', 'RELU_N1_TO_1', 'RELU6', 'TANH'), as a step. */
  writeActivated(slot: number, layout: Layout, op: string, inputs: Inputs, attrs?: Attrs): void;
  /** One node that writes all outputs, in order. */
  writeAll(layout: Layout, op: string, inputs: Inputs, attrs?: Attrs): void;
  /** As `step`, for the node that stands for the operator though its output is not the operator's (a MatMul before a bias). */
  main(op: string, inputs: Inputs, attrs?: Attrs): TensorId;
}

/** One operator of TFLite as ONNX nodes. */
export type Rule = (lowering: Lowering) => void;

/** Thrown by a rule that cannot handle this use of its operator; the operator is then opaque, with this reason. */
export class Unlowerable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Unlowerable';
  }
}
