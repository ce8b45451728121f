import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LoadError } from '../../src/errors.js';
import { onnx } from '../../src/onnx/proto.js';
import {
  bytesField,
  joined,
  numberField,
  numberOf,
  payloadsOf,
  stringField,
  stringOf,
  text,
  utf8,
  wireFields,
} from '../../src/onnx/wire.js';

const FILES = [
  'loader/modern',
  'loader/functions',
  'sweep/qdq/attention',
  'sweep/qdq/legacy',
  'digits/digits',
];

function fixture(name: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/${name}.onnx`, import.meta.url)));
}

describe('fields', () => {
  it.each(FILES)('of %s are the file, to the byte', (name) => {
    const bytes = fixture(name);
    expect(Buffer.compare(joined(wireFields(bytes).map((field) => field.bytes)), bytes)).toBe(0);
  });

  it('are views of the message', () => {
    const bytes = fixture('digits/digits');
    for (const field of wireFields(bytes)) expect(field.bytes.buffer).toBe(bytes.buffer);
  });

  it('of numbers are exact up to 2^53', () => {
    for (const value of [0, 127, 128, 300, 2 ** 32, 2 ** 53 - 1])
      expect(numberOf(numberField(5, value), 5)).toBe(value);
  });

  it('that are there twice count by the last', () => {
    const bytes = joined([
      ...stringField(2, 'first'),
      ...stringField(2, 'last'),
      numberField(1, 3),
      numberField(1, 9),
    ]);
    expect([stringOf(bytes, 2), numberOf(bytes, 1), stringOf(bytes, 3), numberOf(bytes, 4)]).toEqual([
      'last',
      9,
      '',
      undefined,
    ]);
  });

  it('are read by the decoder as they are written', () => {
    const made = joined([
      numberField(1, 8),
      ...stringField(2, 'μ'),
      ...bytesField(7, stringField(2, 'graph')),
    ]);
    const model = onnx.ModelProto.decode(made);
    expect([Number(model.irVersion), model.producerName, model.graph?.name]).toEqual([8, 'μ', 'graph']);
  });

  it('keep a byte order mark in a name', () => {
    expect(text(utf8('\uFEFFname'))).toBe('\uFEFFname');
  });

  it('of groups are passed over whole', () => {
    const group = [(9 << 3) | 3, ...numberField(1, 5), (8 << 3) | 3, (8 << 3) | 4, (9 << 3) | 4];
    const bytes = Uint8Array.from([...group, ...numberField(2, 7)]);
    expect(wireFields(bytes).map(({ number }) => number)).toEqual([9, 2]);
    expect(numberOf(bytes, 2)).toBe(7);
  });

  it.each([
    ['a length beyond the end', [0x0a, 5, 1]],
    ['a number that does not end', [0x08, ...Array<number>(11).fill(0x80)]],
    ['a wire type that there is not', [0x0e, 0]],
    ['field number 0', [0x02, 0]],
    ['the end of a group that did not begin', [0x0c]],
    ['a group that does not end', [0x0b, 0x08, 1]],
    ['a fixed number beyond the end', [0x0d, 1, 2]],
  ])('are refused: %s', (_, bytes) => {
    expect(() => wireFields(Uint8Array.from(bytes))).toThrow(LoadError);
  });

  it('are found in time linear in the message, whatever is nested in it', () => {
    const depth = 200_000;
    const nested = new Uint8Array(2 * depth).fill(0x0b, 0, depth).fill(0x0c, depth);
    expect(payloadsOf(nested, 1)).toEqual([]);
  });
});
