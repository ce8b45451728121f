/**
 * How one operator on codes becomes operators on the values that the codes stand for. The pass over the graph implements this once;
 * the tables of operators see only this.
 *
 * In the folded graph every quantized tensor is a float tensor with an annotation. Names are the file's: the float tensor that a
 * QuantizeLinear reads, or where the file has codes only (QLinearConv to QLinearConv, integer graph inputs), the tensor of codes.
 */
import type { ConstantData, FloatDType } from '../../../ir/graph.js';
import type { DynamicQuantizer, QuantParams } from '../../../ir/lane.js';
import type { PlainAttr } from '../attribute.js';
import type { DraftNode } from '../draft.js';

/** A float value as an input of an emitted node: a tensor of the folded graph, read through a quantizer or as it is. */
export interface Operand {
  readonly name: string;
  readonly through?: QuantParams | DynamicQuantizer;
}

export interface Emitted {
  readonly op: string;
  readonly domain?: string;
  /** null = omitted. */
  readonly inputs: readonly (Operand | null)[];
  readonly attrs?: ReadonlyMap<string, PlainAttr>;
  readonly outputs: readonly string[];
  /** One node of those emitted for an operator has no part: it stands for the operator. */
  readonly part?: 'step';
}

/** Thrown where an operator cannot be folded: it stays as it is, with what it reads, and the user is told the reason. */
export class Unfoldable extends Error {
  override readonly name = 'Unfoldable';
}

export interface Folding {
  readonly node: DraftNode;
  readonly opset: number;
  has(slot: number): boolean;
  /** Elements of a constant input as the file has them; undefined for activations and omitted inputs. */
  constant(slot: number): ConstantData | undefined;
  intAttr(name: string, otherwise: number): number;
  /** Type of the values that codes with these parameters stand for: that of their scale in the file. */
  floatType(params: QuantParams): FloatDType;
  /** Number of dimensions of input `slot`; undefined where the file does not say and nothing tells. */
  rank(slot: number): number | undefined;

  /**
   * Parameters that constant inputs give for the codes of input or output `of`; axes as in the file.
   *
   * @param of whose dtype and rank count; the zero point's dtype counts where it is given
   * @param axis of per-axis scales, may be negative; undefined where only one scale is allowed
   * @throws Unfoldable when they are not constants, or of a type that has no annotation (float8)
   */
  params(
    scaleSlot: number,
    zeroPointSlot: number,
    of: { readonly input: number } | { readonly output: number },
    axis?: number,
    blockSize?: number,
  ): QuantParams;

  /**
   * What the codes in input `slot` stand for, read with `params`: an activation with its annotation (where the writer had others,
   * `read` is set), or a constant that is dequantized here and whose codes are kept.
   *
   * @throws Unfoldable when the input does not hold codes of a known tensor
   */
  values(slot: number, params: QuantParams): Operand;
  /** The codes that the input holds and their parameters, for operators that only move codes; undefined when it holds none. */
  codes(slot: number): { readonly operand: Operand; readonly params: QuantParams } | undefined;
  /** A float (or index) input; values that a DequantizeLinear made are read through their quantizer. */
  real(slot: number): Operand;

  /** Node of the file that writes the value; undefined for graph inputs and constants. */
  producerOf(name: string): DraftNode | undefined;
  /** The one node of the file that reads the value; undefined where several do, the graph gives it out or a nested graph reads it. */
  onlyReaderOf(name: string): DraftNode | undefined;
  /** As `constant`, by name: for what other nodes of a pattern read. */
  constantOf(name: string): ConstantData | undefined;
  /** As `real`, by name. */
  realOf(name: string): Operand;
  /**
   * Takes another node of the file into this operator, whose origin then names it. It disappears, unless something that stays reads
   * what it writes and no emitted node does: the DynamicQuantizeLinear of two MatMulInteger, one of which cannot be folded.
   */
  absorb(node: DraftNode): void;

  /** A constant of the folded graph, named after `base` in a way that is not taken; float32 unless data says otherwise. */
  addConstant(
    base: string,
    data: ConstantData,
    annotation?: { params: QuantParams; codes: ConstantData },
  ): Operand;
  /** Name for a value between nodes emitted for this operator. */
  fresh(base: string): string;
  emit(node: Emitted): void;
  /** Output `slot` of the file's operator holds codes of a float tensor; gives the name that tensor has in the folded graph. */
  writesCodes(slot: number, params: QuantParams): string;
  /** Output `slot` holds codes of a tensor that is there already, such as codes that are cut to a narrower range. */
  handsOnCodes(slot: number, tensor: string, params: QuantParams): void;
}

/** @throws Unfoldable */
export type FoldRule = (folding: Folding) => void;

/** By "domain:Op"; '' is ai.onnx. */
export type FoldTable = Readonly<Record<string, FoldRule>>;
