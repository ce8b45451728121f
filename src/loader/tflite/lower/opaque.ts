/** Why an operator that has no rule is opaque. */
import type { TfliteOperator } from '../model.js';

const CONTROL_FLOW: ReadonlySet<string> = new Set([
  'IF',
  'WHILE',
  'CALL',
  'CALL_ONCE',
  'STABLEHLO_WHILE',
  'STABLEHLO_CASE',
  'STABLEHLO_COMPOSITE',
]);

const RECURRENT: ReadonlySet<string> = new Set([
  'LSTM',
  'RNN',
  'SVDF',
  'UNIDIRECTIONAL_SEQUENCE_LSTM',
  'UNIDIRECTIONAL_SEQUENCE_RNN',
  'BIDIRECTIONAL_SEQUENCE_LSTM',
  'BIDIRECTIONAL_SEQUENCE_RNN',
]);

const STATEFUL: ReadonlySet<string> = new Set(['VAR_HANDLE', 'READ_VARIABLE', 'ASSIGN_VARIABLE', 'DELEGATE']);

const SHAPED_BY_DATA: ReadonlySet<string> = new Set(['WHERE', 'UNIQUE']);

/** One sentence for the user, without a full stop; names the operator as the file does. */
export function opaqueReason({ op, custom }: TfliteOperator): string {
  if (custom) return `${op} is a custom operator: what it computes is not in the file`;
  if (CONTROL_FLOW.has(op)) return `${op} is control flow: other subgraphs of the file are not looked into`;
  if (RECURRENT.has(op)) return `${op} is recurrent: its state lives from one step to the next`;
  if (STATEFUL.has(op)) return `${op} works on variables that keep their value from one run to the next`;
  if (op.startsWith('HASHTABLE')) return `${op} works on a table that is kept outside the graph`;
  if (SHAPED_BY_DATA.has(op)) return `${op} gives results whose shape depends on the data`;
  return `${op} has no counterpart here`;
}
