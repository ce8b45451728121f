import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  attributeDefaults,
  decodeModel,
  encodeModel,
  onnx,
  overloadOf,
  toBigInt,
  toLong,
  toNumber,
  withFields,
} from '../../src/onnx/proto.js';

const MODERN = readFileSync(join(import.meta.dirname, '../../fixtures/loader/modern.onnx'));

const NEWER_STRINGS = [
  'node_value',
  'some_overload',
  'info_value',
  'tensor_value',
  'graph_value',
  'function_value',
];

/** Bytes in ascending order: fields may move within a message, none may be lost or changed. */
function sortedBytes(bytes: Uint8Array): number[] {
  return [...bytes].sort((a, b) => a - b);
}

describe('the ONNX codec', () => {
  it('writes back every field that is newer than its schema', () => {
    const again = encodeModel(decodeModel(MODERN));
    expect(sortedBytes(again)).toEqual(sortedBytes(MODERN));
    for (const text of NEWER_STRINGS) expect(Buffer.from(again).includes(text)).toBe(true);
  });

  it('does so too when its module is evaluated a second time', async () => {
    vi.resetModules();
    const second = await import('../../src/onnx/proto.js');
    expect(second.encodeModel(second.decodeModel(MODERN))).toHaveLength(MODERN.length);
  });

  it('keeps newer fields in copies with changed fields', () => {
    const model = decodeModel(MODERN);
    const [node] = model.graph!.node!;
    const renamed = withFields(node!, { name: 'renamed' });
    expect(renamed.name).toBe('renamed');
    expect(node!.name).toBe('n');
    expect(overloadOf(renamed)).toBe('some_overload');
    expect(Buffer.from(onnx.NodeProto.encode(renamed).finish()).includes('node_value')).toBe(true);
  });

  it('reads the newer fields that change what functions mean', () => {
    const [definition] = decodeModel(MODERN).functions!;
    expect(overloadOf(definition!)).toBe('');
    expect(attributeDefaults(definition!).map(({ name, f }) => [name, f])).toEqual([['alpha', 0.5]]);
  });

  it('leaves raw_data where it is in the input', () => {
    const model = encodeModel({ graph: { initializer: [{ name: 'w', rawData: new Uint8Array(1000) }] } });
    const raw = decodeModel(model).graph!.initializer![0]!.rawData!;
    expect(raw.buffer).toBe(model.buffer);
  });

  it('refuses a field whose wire type is not that of the schema', () => {
    // ModelProto.graph (field 7) holding GraphProto.name (field 2) as a number.
    const bytes = Uint8Array.of(7 * 8 + 2, 2, 2 * 8, 0);
    expect(() => decodeModel(bytes)).toThrow(/field 2 of GraphProto|out of range/);
  });

  it('refuses a message that runs past its own end', () => {
    // A graph of 2 bytes with a node said to be 2 bytes long, of which none is left.
    const bytes = Uint8Array.of(7 * 8 + 2, 2, 8 + 2, 2, 8, 17);
    expect(() => decodeModel(bytes)).toThrow();
  });

  it('carries 64-bit integers exactly', () => {
    for (const value of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 32n) - 1n]) {
      const attribute = onnx.AttributeProto.encode({ i: toLong(value) }).finish();
      expect(toBigInt(onnx.AttributeProto.decode(attribute).i)).toBe(value);
    }
    expect(toNumber({ low: -1, high: 0, unsigned: false })).toBe(2 ** 32 - 1);
    expect(toNumber({ low: 0, high: -1, unsigned: true })).toBe((2 ** 32 - 1) * 2 ** 32);
    expect(toBigInt({ low: -1, high: -1, unsigned: true })).toBe(2n ** 64n - 1n);
  });
});
