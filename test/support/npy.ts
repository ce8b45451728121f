/** Bytes of a .npy file, version 1.0, little-endian and row-major. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
export function npy(dims: readonly number[], values: readonly number[]): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  const length = 64 * Math.ceil((11 + header.length) / 64) - 10;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, length & 255, length >> 8]);
  const padded = Buffer.from(`${header.padEnd(length - 1)}\n`);
  return Buffer.concat([start, padded, Buffer.from(Float32Array.from(values).buffer)]);
}
