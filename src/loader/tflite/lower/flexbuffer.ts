/**
 * The options of custom operators: a FlexBuffer (https://flatbuffers.dev/internals, "FlexBuffers") whose root is a flat map of numbers.
 *
 * Read by hand because the reader of the flatbuffers package is not made for bytes of strangers: a forged length sends its search
 * for a key into an endless loop, it throws on maps of 8-byte numbers (which a threshold of 0.6 makes), and 0.0 reads as null.
 */
import { Unlowerable } from './lowering.js';

/** Numbers of the types that the map's values may have; booleans are 0 and 1. */
const TYPE = {
  int: 1,
  uint: 2,
  float: 3,
  indirectInt: 6,
  indirectUint: 7,
  indirectFloat: 8,
  map: 9,
  bool: 26,
};

/**
 * The numbers and booleans of the map by key; values of other types are left out.
 *
 * @throws Unlowerable when the bytes are no such map.
 */
export function flexNumbers(bytes: Uint8Array): ReadonlyMap<string, number> {
  try {
    return numbersOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    // What DataView throws for an offset outside.
    if (error instanceof RangeError) throw new Unlowerable('its options point outside their bytes');
    throw error;
  }
}

function numbersOf(view: DataView): ReadonlyMap<string, number> {
  const rootWidth = view.getUint8(view.byteLength - 1);
  const rootType = view.getUint8(view.byteLength - 2);
  if (rootType >> 2 !== TYPE.map) throw new Unlowerable('its options are no map');
  const width = 1 << (rootType & 3);
  const map = target(view, view.byteLength - 2 - rootWidth, rootWidth);
  const length = uintAt(view, map - width, width);
  const keys = target(view, map - 3 * width, width);
  const keyWidth = uintAt(view, map - 2 * width, width);
  // Every entry takes at least three bytes: so many are not there.
  if (length > view.byteLength)
    throw new Unlowerable(`its options are ${length} in ${view.byteLength} bytes`);
  const numbers = new Map<string, number>();
  for (let i = 0; i < length; i++) {
    const key = keyAt(view, target(view, keys + i * keyWidth, keyWidth));
    const value = numberAt(view, map + i * width, width, view.getUint8(map + length * width + i));
    if (value !== undefined && !numbers.has(key)) numbers.set(key, value);
  }
  return numbers;
}

function numberAt(view: DataView, at: number, width: number, packedType: number): number | undefined {
  const own = 1 << (packedType & 3);
  switch (packedType >> 2) {
    case TYPE.int:
      return intAt(view, at, width);
    case TYPE.uint:
    case TYPE.bool:
      return uintAt(view, at, width);
    case TYPE.float:
      return floatAt(view, at, width);
    case TYPE.indirectInt:
      return intAt(view, target(view, at, width), own);
    case TYPE.indirectUint:
      return uintAt(view, target(view, at, width), own);
    case TYPE.indirectFloat:
      return floatAt(view, target(view, at, width), own);
    default:
      return undefined;
  }
}

/** Offsets count backwards from where they stand. */
function target(view: DataView, at: number, width: number): number {
  return at - uintAt(view, at, width);
}

function uintAt(view: DataView, at: number, width: number): number {
  switch (width) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true);
    case 4:
      return view.getUint32(at, true);
    case 8:
      return Number(view.getBigUint64(at, true));
    default:
      throw new Unlowerable(`its options have numbers of ${width} bytes`);
  }
}

/** Two's complement. */
function intAt(view: DataView, at: number, width: number): number {
  if (width === 8) return Number(view.getBigInt64(at, true));
  const value = uintAt(view, at, width);
  return value < 2 ** (8 * width - 1) ? value : value - 2 ** (8 * width);
}

function floatAt(view: DataView, at: number, width: number): number {
  if (width === 4) return view.getFloat32(at, true);
  if (width === 8) return view.getFloat64(at, true);
  throw new Unlowerable(`its options have floats of ${width} bytes`);
}

/** Longer than any key that is looked for. */
const LONGEST_KEY = 64;

/** Ends at a zero byte. */
function keyAt(view: DataView, at: number): string {
  let key = '';
  for (let i = 0; i < LONGEST_KEY; i++) {
    const code = view.getUint8(at + i);
    if (code === 0) break;
    key += String.fromCharCode(code);
  }
  return key;
}
