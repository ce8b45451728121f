/** The operators of one subgraph, with their attributes by name. */
import { FlatTable } from './flatbuffer/flat-table.js';
import type { Field } from './flatbuffer/flat-table.js';
import { BUILTIN_OPERATORS } from './flatbuffer/operators.js';
import type { OptionKind, OptionsTable } from './flatbuffer/options-table.js';
import { OPERATOR, OPERATOR_CODE } from './flatbuffer/schema.js';
import type { OptionValue, TfliteOperator } from './model.js';
import { ofSubgraph } from './read-context.js';
import type { ReadContext } from './read-context.js';

/** Which operator a code of the file stands for. */
export interface OperatorCode {
  /** Undefined for a number that is not in the schema. */
  readonly name: string | undefined;
  readonly number: number;
  readonly custom: boolean;
  readonly version: number;
  readonly options?: OptionsTable;
}

const CUSTOM = 'CUSTOM';

export function readOperatorCode(table: FlatTable): OperatorCode {
  // Numbers beyond 127 do not fit into the older of the two fields; old files have only that one.
  const number = Math.max(
    table.get(OPERATOR_CODE.deprecatedBuiltinCode),
    table.get(OPERATOR_CODE.builtinCode),
  );
  const version = table.get(OPERATOR_CODE.version);
  const [name, options] = BUILTIN_OPERATORS[number] ?? [];
  if (name === CUSTOM) return { name: table.get(OPERATOR_CODE.customCode), number, custom: true, version };
  return { name, number, custom: false, version, ...(options === undefined ? {} : { options }) };
}

/** How messages call an operator. */
export function operatorLabel(index: number, op: string, subgraph: number): string {
  return `operator #${index}${op === '' ? '' : ` (${op})`}${ofSubgraph(subgraph)}`;
}

/** What is wrong with single operators is noted in the context. */
export function readOperators(
  tables: readonly FlatTable[],
  codes: readonly OperatorCode[],
  subgraph: number,
  context: ReadContext,
): TfliteOperator[] {
  return tables.map((table, index) => {
    const code = codeOf(table, codes, operatorLabel(index, '', subgraph), context);
    const op = code?.name ?? '';
    const label = operatorLabel(index, op, subgraph);
    return {
      index,
      op,
      custom: code?.custom ?? false,
      version: code?.version ?? 1,
      inputs: table.get(OPERATOR.inputs),
      outputs: table.get(OPERATOR.outputs),
      options: code?.options === undefined ? {} : optionsOf(table, code.options, label, context),
      customOptions: customOptionsOf(table, label, context),
    };
  });
}

function codeOf(
  table: FlatTable,
  codes: readonly OperatorCode[],
  label: string,
  { problems, unknowns }: ReadContext,
): OperatorCode | undefined {
  const index = table.get(OPERATOR.opcodeIndex);
  const code = codes[index];
  if (code === undefined) {
    problems.add(`${label} has operator code number ${index}; the file has ${codes.length}`);
  } else if (code.custom && !code.name) {
    problems.add(`${label} is a custom operator without a name`);
  } else if (code.name === undefined) {
    unknowns.add(
      `${label} has builtin operator code ${code.number}; 0 to ${BUILTIN_OPERATORS.length - 1} are known`,
    );
  }
  return code;
}

/**
 * Attributes by name. An operator without its table (or with that of another operator) has zeros for all of them, whatever the
 * defaults of the table's fields: so do the interpreter's structs. tensorflow/compiler/mlir/lite/core/api/flatbuffer_conversions.cc
 */
function optionsOf(
  operator: FlatTable,
  { union, type, fields }: OptionsTable,
  label: string,
  context: ReadContext,
): Record<string, OptionValue> {
  const stored =
    union === 'first'
      ? operator.get(OPERATOR.builtinOptionsType) === type && operator.get(OPERATOR.builtinOptions)
      : operator.get(OPERATOR.builtinOptions2Type) === type && operator.get(OPERATOR.builtinOptions2);
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const value =
        stored instanceof FlatTable ? stored.get(field) : FlatTable.EMPTY.get({ ...field, otherwise: 0 });
      return [name, meaningOf(value ?? '', field, `${label} has ${name}`, context)];
    }),
  );
}

function meaningOf(
  value: OptionValue,
  { words }: Field<OptionKind>,
  place: string,
  { unknowns }: ReadContext,
): OptionValue {
  if (words === undefined) return value;
  const word = words[Number(value)];
  if (word !== undefined) return word;
  unknowns.add(`${place} ${String(value)}; 0 to ${words.length - 1} are known (${words.join(', ')})`);
  return value;
}

function customOptionsOf(table: FlatTable, label: string, { buffers, problems }: ReadContext): Uint8Array {
  const inside = table.get(OPERATOR.customOptions);
  if (inside.length > 0) return inside;
  const offset = table.get(OPERATOR.largeCustomOptionsOffset);
  const size = table.get(OPERATOR.largeCustomOptionsSize);
  return problems.attempt(() => buffers.outside(offset, size, `${label}, its custom options`)) ?? inside;
}
