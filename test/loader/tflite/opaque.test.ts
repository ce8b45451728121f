import { describe, expect, it } from 'vitest';
import { opaqueReason } from '../../../src/loader/tflite/lower/opaque.js';

function reason(op: string, custom = false): string {
  const operator = {
    index: 0,
    version: 1,
    inputs: [],
    outputs: [],
    options: {},
    customOptions: new Uint8Array(),
  };
  return opaqueReason({ ...operator, op, custom });
}

describe('why an operator is opaque', () => {
  it.each([
    ['WHILE', 'WHILE is control flow: other subgraphs of the file are not looked into'],
    ['CALL_ONCE', 'CALL_ONCE is control flow: other subgraphs of the file are not looked into'],
    [
      'UNIDIRECTIONAL_SEQUENCE_LSTM',
      'UNIDIRECTIONAL_SEQUENCE_LSTM is recurrent: its state lives from one step to the next',
    ],
    ['VAR_HANDLE', 'VAR_HANDLE works on variables that keep their value from one run to the next'],
    ['HASHTABLE_FIND', 'HASHTABLE_FIND works on a table that is kept outside the graph'],
    ['UNIQUE', 'UNIQUE gives results whose shape depends on the data'],
    ['RFFT2D', 'RFFT2D has no counterpart here'],
  ])('%s', (op, expected) => {
    expect(reason(op)).toBe(expected);
  });

  it('is its name when it is custom, also when the name is that of a builtin operator', () => {
    expect(reason('WHILE', true)).toBe('WHILE is a custom operator: what it computes is not in the file');
  });
});
