/** Archives as fixtures/tflite/build.py writes them, and changed ones. */
import { readFileSync } from 'node:fs';
import { unzipSync, zipSync } from 'fflate';

export type Entries = Record<string, Uint8Array>;

export interface Meta {
  readonly model?: string;
  readonly xnnpack?: boolean;
  readonly tensors: Readonly<Record<string, { readonly name: string }>>;
  readonly ops: readonly {
    readonly op: string;
    readonly inputs: readonly number[];
    readonly outputs: readonly number[];
  }[];
  readonly left_out?: readonly number[];
}

/** Bytes of a .npy file, version 1.0. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
export function npyOf(
  descr: string,
  dims: readonly number[],
  data: NodeJS.TypedArray,
  fortran = false,
): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape}), }`;
  const length = 64 * Math.ceil((11 + header.length) / 64) - 10;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, length & 255, length >> 8]);
  const elements = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([start, Buffer.from(`${header.padEnd(length - 1)}\n`), elements]);
}

/** The entry that holds `meta`, whatever it is. */
export function metaEntry(meta: unknown): Entries {
  const text = Buffer.from(typeof meta === 'string' ? meta : JSON.stringify(meta));
  return { 'meta.json.npy': npyOf('|u1', [text.length], text) };
}

export function archive(entries: Entries): Uint8Array {
  return zipSync(entries);
}

/** Entries of an archive on disk, by name. */
export function entriesOf(path: string): Entries {
  return unzipSync(readFileSync(path));
}

export function metaOf(entries: Entries): Meta {
  const text = Buffer.from(entries['meta.json.npy'] ?? []).toString('latin1');
  return JSON.parse(text.slice(text.indexOf('\n') + 1)) as Meta;
}
