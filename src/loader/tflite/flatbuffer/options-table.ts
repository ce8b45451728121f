/** Form of the tables of operator attributes. */
import { field } from './flat-table.js';
import type { Field } from './flat-table.js';

/** Kinds of fields that attributes have. */
export type OptionKind =
  | 'bool'
  | 'int8'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float32'
  | 'string'
  | 'bools'
  | 'uint8s'
  | 'int32s'
  | 'uint32s'
  | 'int64s'
  | 'float32s';

export type OptionFields = Readonly<Record<string, Field<OptionKind>>>;

export interface OptionsTable {
  /** Which of an operator's two unions holds it: the numbers of the first were used up. */
  readonly union: 'first' | 'second';
  /** Its number in that union. */
  readonly type: number;
  readonly fields: OptionFields;
}

export function optionsTable(union: OptionsTable['union'], type: number, fields: OptionFields): OptionsTable {
  return { union, type, fields };
}

/** A field of an enumeration. */
export function word<K extends OptionKind>(
  slot: number,
  kind: K,
  words: readonly string[],
  otherwise = 0,
): Field<K> {
  return { ...field(slot, kind, otherwise), words };
}
