const DESCR = {
  Int8Array: '|i1',
  Uint8Array: '|u1',
  Int16Array: '<i2',
  Uint16Array: '<u2',
  Int32Array: '<i4',
  BigInt64Array: '<i8',
  Float32Array: '<f4',
  Float64Array: '<f8',
} as const;

type Values =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/**
 * Bytes of a .npy file, version 1.0, little-endian and row-major; plain numbers become float32.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function npy(dims: readonly number[], values: readonly number[] | Values): Uint8Array {
  const elements = ArrayBuffer.isView(values) ? values : Float32Array.from(values);
  const descr = DESCR[elements.constructor.name as keyof typeof DESCR];
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const length = 64 * Math.ceil((11 + header.length) / 64) - 10;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, length & 255, length >> 8]);
  const padded = Buffer.from(`${header.padEnd(length - 1)}\n`);
  const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  return Buffer.concat([start, padded, bytes]);
}
