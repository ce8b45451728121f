import { describe, expect, it } from 'vitest';
import { flexNumbers } from '../../../src/loader/tflite/lower/flexbuffer.js';
import { Unlowerable } from '../../../src/loader/tflite/lower/lowering.js';

/** Written by flexbuffers.py of flatbuffers 25.9.23: its Builder, a Map, and Float, Int, ... of each value. */
const WRITTEN = {
  // Int -3, Bool true, Int 127
  narrow: '620074006e0003070407030103fd7f01040468062401',
  // zero Float 0.0, a Float 1.5, b Int -3, d Float 0.6, t Bool, f Bool, n UInt 70000, s String 'hello', m Int -123456789012
  wide:
    '7a65726f00610062006400740066006e0073000568656c6c6f006d00091817161307131219250000' +
    '0b0000000000000001000000000000000900000000000000000000000000f83ffdffffffffffffff' +
    '333333333333e33f0000000000000000ece56641e3ffffff70110100000000005c00000000000000' +
    '010000000000000000000000000000000f070f6b070b146b0f512701',
  // a Float 1.5, b Int -3, c UInt 2, i IndirectFloat 0.25, j IndirectInt -70000, k IndirectUInt 7, long Int 300
  indirect:
    '61006200630069000000803e6a00000090eefeff6b00076c6f6e6700071d1c1b1a150e0c07000000' +
    '01000000070000000000c03ffdffffff0200000034000000300000002e0000002c0100000e060a22' +
    '1a1c06232601',
};

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

describe('options of custom operators', () => {
  it('are read at the width of one byte', () => {
    expect(Object.fromEntries(flexNumbers(bytesOf(WRITTEN.narrow)))).toEqual({ b: -3, t: 1, n: 127 });
  });

  it('are read at the width of eight bytes, which a threshold of 0.6 takes; other values are left out', () => {
    expect(Object.fromEntries(flexNumbers(bytesOf(WRITTEN.wide)))).toEqual({
      zero: 0,
      a: 1.5,
      b: -3,
      d: 0.6,
      t: 1,
      f: 0,
      n: 70000,
      m: -123456789012,
    });
  });

  it('are read where they stand apart from the map', () => {
    expect(Object.fromEntries(flexNumbers(bytesOf(WRITTEN.indirect)))).toEqual({
      a: 1.5,
      b: -3,
      c: 2,
      i: 0.25,
      j: -70000,
      k: 7,
      long: 300,
    });
  });
});

/** The numbers, or undefined where the bytes are refused. */
function readOrRefused(bytes: Uint8Array): ReadonlyMap<string, number> | undefined {
  try {
    return flexNumbers(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(Unlowerable);
    return undefined;
  }
}

describe('bytes that are no options', () => {
  it.each([
    ['none', [], 'its options point outside their bytes'],
    ['a number', [7, 4, 1], 'its options are no map'],
    ['a map that begins before the bytes', [1, 36, 1], 'its options point outside their bytes'],
    // A root of 3 bytes.
    ['a width that no number has', [0, 0, 0, 0, 36, 3], 'its options have numbers of 3 bytes'],
  ])('%s: refused', (_, bytes, reason) => {
    expect(() => flexNumbers(Uint8Array.from(bytes))).toThrow(reason);
  });

  it('may state any number of entries: no more are looked at than there are bytes', () => {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    // Keys at 16; from 28 on the map: offset of the keys, their width, the number of entries, the entries.
    view.setUint32(28, 12, true);
    view.setUint32(32, 4, true);
    view.setUint32(36, 0xffffffff, true);
    bytes.set([21, (9 << 2) | 2, 1], 61);
    expect(() => flexNumbers(bytes)).toThrow('its options are 4294967295 in 64 bytes');
  });

  it('that were cut off or changed are read as something or refused, never more', () => {
    for (const hex of Object.values(WRITTEN)) {
      const whole = bytesOf(hex);
      for (let length = 0; length < whole.length; length++) {
        readOrRefused(whole.subarray(0, length));
        readOrRefused(whole.subarray(length));
        for (let bit = 0; bit < 8; bit++) {
          const changed = whole.slice();
          changed[length]! ^= 1 << bit;
          readOrRefused(changed);
        }
      }
    }
  });
});
