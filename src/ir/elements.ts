/**
 * Numbers out of the bytes of a constant.
 *
 * Bytes are little-endian, and so is every platform that ONNX Runtime ships for: typed arrays read them in place.
 */
import { LoadError, UnsupportedError } from '../errors.js';
import type { ConstantData, DType } from './graph.js';

const BITS: Readonly<Record<DType, number>> = {
  float32: 32,
  float16: 16,
  bfloat16: 16,
  float64: 64,
  int2: 2,
  uint2: 2,
  int4: 4,
  uint4: 4,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  bool: 8,
  string: 0,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float4e2m1: 4,
  complex64: 64,
  complex128: 128,
};

/** Width of one element in bits; 0 for strings, which have no bytes. Sub-byte types are packed. */
export function bitsPerElement(dtype: DType): number {
  return BITS[dtype];
}

/**
 * Number of elements of a tensor with these extents: 1 for `[]` (a scalar), 0 when any extent is 0.
 *
 * @throws LoadError when an extent is negative or not an integer, or the product is beyond 2^53.
 */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new LoadError(
        `a tensor has dims [${dims.join(', ')}]; each must be an integer from 0 to 2^53 - 1`,
      );
    }
  }
  if (dims.includes(0)) return 0;
  for (const dim of dims) count *= dim;
  if (!Number.isSafeInteger(count)) {
    throw new LoadError(`a tensor has dims ${formatDims(dims)}: more than 2^53 elements`);
  }
  return count;
}

/** `[1, 3, 224, 224]`; cut after 8 extents, because a hostile file may hold millions. */
export function formatDims(dims: readonly (number | string | null)[]): string {
  const shown = dims.slice(0, 8).map((dim) => dim ?? '?');
  return `[${shown.join(', ')}${dims.length > 8 ? ', …' : ''}]`;
}

/** Bytes of a tensor: elements packed, the last byte padded. 0 for strings. */
export function packedByteLength(dtype: DType, dims: readonly number[]): number {
  return Math.ceil((elementCount(dims) * BITS[dtype]) / 8);
}

type Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Elements as float32: a view (do not write) when they are float32 and 4-aligned, else a copy.
 * int4, int2 and the like are unpacked with their sign; bool is 0 or 1; wider types round to nearest.
 *
 * @param scratch holds what only alignment makes a copy necessary of, until its next use
 * @throws UnsupportedError for strings, complex numbers, float8 and float4.
 */
export function toFloat32(data: ConstantData, scratch?: Scratch): Float32Array {
  const numbers = read(data, scratch);
  if (numbers instanceof Float32Array) return numbers;
  if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) {
    return new Float32Array(bigToFloat64(numbers));
  }
  return new Float32Array(numbers);
}

/**
 * Elements as float64: exact for every type but 64-bit integers beyond 2^53, which round to nearest.
 * A view (do not write) when they are float64 and 8-aligned, else a copy.
 *
 * @throws UnsupportedError for strings, complex numbers, float8 and float4.
 */
export function toFloat64(data: ConstantData): Float64Array {
  const numbers = read(data);
  if (numbers instanceof Float64Array) return numbers;
  if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) return bigToFloat64(numbers);
  return new Float64Array(numbers);
}

/** From here to the end of the int64 range, a value means "to the end": exporters write INT64_MAX and its like in Slice. */
const OPEN_END = 2n ** 63n - 2n;

/**
 * Elements of an integer or bool tensor: shapes, axes, starts and ends, zero points.
 * The open ends that exporters write (INT64_MAX, INT64_MIN and their neighbours) become ±Number.MAX_SAFE_INTEGER.
 *
 * @throws LoadError when the tensor is not integer, or holds another value beyond ±(2^53 - 1).
 */
export function toInts(data: ConstantData): number[] {
  const numbers = isIntegral(data.dtype) ? read(data) : undefined;
  if (numbers === undefined) throw new LoadError(`integers are wanted, the tensor holds ${data.dtype}`);
  if (!(numbers instanceof BigInt64Array || numbers instanceof BigUint64Array)) return Array.from(numbers);
  return Array.from(numbers as Iterable<bigint>, (value) => {
    if (value >= OPEN_END) return Number.MAX_SAFE_INTEGER;
    if (value <= -OPEN_END) return -Number.MAX_SAFE_INTEGER;
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      throw new LoadError(`an integer of the model is ${value}; values up to ±(2^53 - 1) are wanted`);
    }
    return number;
  });
}

function isIntegral(dtype: DType): boolean {
  return dtype === 'bool' || /^u?int\d+$/.test(dtype);
}

function read(data: ConstantData, scratch?: Scratch): Numbers {
  const count = elementCount(data.dims);
  const bits = BITS[data.dtype];
  const { buffer, byteOffset } = aligned(data.bytes(), bits / 8, scratch);
  switch (data.dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return new Float64Array(buffer, byteOffset, count);
    case 'float16':
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, count));
    case 'bfloat16':
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, count));
    case 'int8':
      return new Int8Array(buffer, byteOffset, count);
    case 'uint8':
      return new Uint8Array(buffer, byteOffset, count);
    case 'bool':
      return new Uint8Array(buffer, byteOffset, count).map((byte) => (byte === 0 ? 0 : 1));
    case 'int16':
      return new Int16Array(buffer, byteOffset, count);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'int32':
      return new Int32Array(buffer, byteOffset, count);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, count);
    case 'uint64':
      return new BigUint64Array(buffer, byteOffset, count);
    case 'int2':
    case 'int4':
      return unpackSigned(new Uint8Array(buffer, byteOffset), bits, count);
    case 'uint2':
    case 'uint4':
      return unpack(new Uint8Array(buffer, byteOffset), bits, count);
    case 'string':
    case 'float8e4m3fn':
    case 'float8e4m3fnuz':
    case 'float8e5m2':
    case 'float8e5m2fnuz':
    case 'float8e8m0':
    case 'float4e2m1':
    case 'complex64':
    case 'complex128':
      throw new UnsupportedError(`elements of type ${data.dtype} cannot be read as numbers`);
  }
}

/** The same bytes where a typed array of this element width can view them: protobuf fields lie at any offset. */
function aligned(bytes: Uint8Array, width: number, scratch: Scratch | undefined): Uint8Array {
  if (bytes.byteOffset % Math.max(1, width) === 0) return bytes;
  return scratch === undefined ? new Uint8Array(bytes) : scratch.copyOf(bytes);
}

/** Memory used again and again: for looking once at each of many large tensors, fresh memory costs more than the look. */
export class Scratch {
  #room = new Uint8Array(0);

  /** Overwrites the copy made before. */
  copyOf(bytes: Uint8Array): Uint8Array {
    if (this.#room.length < bytes.length) this.#room = new Uint8Array(bytes.length);
    this.#room.set(bytes);
    return this.#room;
  }
}

/** Elements of `bits` bits, the lowest bits of a byte first: https://onnx.ai/onnx/technical/int4.html */
function unpack(bytes: Uint8Array, bits: number, count: number): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    out[i] = (bytes[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask;
  }
  return out;
}

function unpackSigned(bytes: Uint8Array, bits: number, count: number): Int8Array {
  const shift = 32 - bits;
  return Int8Array.from(unpack(bytes, bits, count), (code) => (code << shift) >> shift);
}

let halves: Float32Array | undefined;

/** IEEE 754 binary16, by table: Node 20 has no Float16Array, and models hold many millions of these. */
function float16ToFloat32(codes: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, code) => half(code));
  const out = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) out[i] = halves[codes[i]!]!;
  return out;
}

function half(code: number): number {
  const exponent = (code >> 10) & 31;
  const fraction = code & 1023;
  const sign = code & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** bfloat16 is the upper half of a float32. */
function bfloat16ToFloat32(codes: Uint16Array): Float32Array {
  const words = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) words[i] = codes[i]! << 16;
  return new Float32Array(words.buffer);
}

function bigToFloat64(numbers: BigInt64Array | BigUint64Array): Float64Array {
  const out = new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) out[i] = Number(numbers[i]);
  return out;
}
