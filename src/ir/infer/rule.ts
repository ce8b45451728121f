/**
 * What a shape rule gets and gives. One rule per operator, in the family files of this folder.
 *
 * A rule is total: on inputs that make no sense it answers with less (an unknown dim, an unknown shape), never throws.
 */
import type { Dim, DType, Node, Shape } from '../graph.js';
import { intAttr, intsAttr } from '../graph.js';

/**
 * Element of a small tensor that is known before any run: a number (bool as 0 or 1), the extent that a symbolic dim
 * stands for (a string: a non-negative integer), or null when it depends on data.
 */
export type Element = Dim;

/** What is known of a tensor before any run. */
export interface Value {
  readonly dtype?: DType | undefined;
  readonly shape?: Shape | undefined;
  /** Row-major, only of tensors of at most `MAX_ELEMENTS` elements. Undefined when nothing is known of any. */
  readonly elements?: readonly Element[] | undefined;
}

export const UNKNOWN: Value = {};

/** One node with what is known of its inputs. */
export interface Call {
  readonly node: Node;
  /** Version of the node's domain. */
  readonly opset: number;
  /** undefined = omitted; `UNKNOWN` = there, but nothing is known of it. */
  readonly inputs: readonly (Value | undefined)[];
}

/** Gives one value per output, in order; outputs beyond the list stay unknown. */
export type Rule = (call: Call) => readonly Value[];

/** Rules by operator name. */
export type Family = Readonly<Record<string, Rule>>;

export function input(call: Call, slot: number): Value {
  return call.inputs[slot] ?? UNKNOWN;
}

export function hasInput(call: Call, slot: number): boolean {
  return call.inputs[slot] !== undefined;
}

/** Elements when every one of them is a number. */
export function numbersOf(value: Value): readonly number[] | undefined {
  const { elements } = value;
  return elements?.every((element) => typeof element === 'number') === true ? elements : undefined;
}

/** The one number of a scalar or of a tensor with one element. */
export function scalarOf(value: Value): number | undefined {
  const numbers = numbersOf(value);
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** Extent of a tensor of rank 1, when fixed. */
export function lengthOf(value: Value): number | undefined {
  const length = value.shape?.length === 1 ? value.shape[0] : undefined;
  return typeof length === 'number' ? length : undefined;
}

/** A list that is an attribute in older operator sets and an input in newer ones. */
export type IntList = readonly number[] | 'absent' | 'unknown';

/** 'unknown' = an input whose elements depend on data. Both forms are read in every operator set. */
export function intList(call: Call, attribute: string, slot: number): IntList {
  const fromAttribute = intsAttr(call.node, attribute);
  if (fromAttribute !== undefined) return fromAttribute;
  return hasInput(call, slot) ? (numbersOf(input(call, slot)) ?? 'unknown') : 'absent';
}

/** True when the attribute is set to something other than 0. */
export function flag(node: Node, name: string): boolean {
  return (intAttr(node, name) ?? 0) !== 0;
}

/** Same dtype and shape, other elements. */
export function sameType(value: Value): Value {
  return { dtype: value.dtype, shape: value.shape };
}

/** `rank` unknown dims; undefined for a rank that no tensor has. */
export function unknownDims(rank: number | undefined): Shape | undefined {
  if (rank === undefined || !Number.isInteger(rank) || rank < 0 || rank > MAX_RANK) return undefined;
  return new Array<null>(rank).fill(null);
}

/** Largest rank that inference follows, as in numpy 2: it keeps a hostile chain of Unsqueeze from growing without limit. */
export const MAX_RANK = 64;
