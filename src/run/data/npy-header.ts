/**
 * The header of a .npy file, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * A Python dict literal of three known keys. Parsed by hand: the npm packages for it refuse big-endian files and
 * versions 2 and 3, and do not apply Fortran order.
 */
import { DataError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { DType } from '../../ir/graph.js';

/** Layout of the elements of one array in a file. */
export interface ArrayHeader {
  readonly dtype: DType;
  readonly bigEndian: boolean;
  /** First index fastest. */
  readonly fortran: boolean;
  readonly dims: readonly number[];
  /** Byte at which the elements begin. */
  readonly dataOffset: number;
}

/** Bytes before the header's text: magic, version, length (of 4 bytes from version 2 on). */
export const PREAMBLE_BYTES = 12;
/** numpy itself takes 10,000 characters; a header of plain numbers has some 120. */
const MAX_HEADER_BYTES = 1 << 16;
/** numpy's own limit on dimensions. */
const MAX_RANK = 64;

const DTYPES: Readonly<Record<string, DType>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

/**
 * @param preamble the first PREAMBLE_BYTES of the file, or all of a shorter one.
 * @returns where the text of the header lies.
 * @throws DataError when this is not a .npy file; the message is the reason alone, as of all functions here.
 */
export function headerExtent(preamble: Uint8Array): { readonly start: number; readonly end: number } {
  const magic = Buffer.from(preamble.subarray(0, 6)).toString('latin1');
  if (magic !== '\x93NUMPY') throw new DataError('it is not a .npy file (it does not begin with \\x93NUMPY)');
  const version = preamble[6] ?? 0;
  const start = version === 1 ? 10 : 12;
  if (preamble.length < start) throw new DataError('it ends inside the .npy header');
  if (version < 1 || version > 3) throw new DataError(`its .npy version is ${version}; 1 to 3 are read`);
  const view = new DataView(preamble.buffer, preamble.byteOffset);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) {
    throw new DataError(`its .npy header has ${length} bytes; up to ${MAX_HEADER_BYTES} are read`);
  }
  return { start, end: start + length };
}

/**
 * @param text the dict literal, such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
 * @throws DataError when it is malformed, or the elements are not plain numbers.
 */
export function parseHeader(text: string, dataOffset: number): ArrayHeader {
  const fields = new Map<string, string>();
  let rest = expect(text, /^\s*\{/);
  while (!/^\s*\}\s*$/.test(rest)) {
    const entry = ENTRY.exec(rest);
    if (entry?.groups === undefined) throw malformed(text);
    const { key = '', value = '' } = entry.groups;
    if (fields.has(key)) throw malformed(text);
    fields.set(key, value);
    rest = rest.slice(entry[0].length);
    if (!/^\s*\}/.test(rest)) rest = expect(rest, /^\s*,/);
  }
  const [descr, order, shape] = ['descr', 'fortran_order', 'shape'].map((key) => fields.get(key));
  if (descr === undefined || order === undefined || shape === undefined || fields.size !== 3) {
    throw malformed(text);
  }
  if (order !== 'True' && order !== 'False') throw malformed(text);
  return { ...elementType(descr), fortran: order === 'True', dims: parseShape(shape, text), dataOffset };
}

/** One `'key': value`, with the value a string, a word, a tuple of integers, or (refused later) a list. */
const ENTRY =
  /^\s*(?<quote>['"])(?<key>\w{1,32})\k<quote>\s*:\s*(?<value>'[^']*'|"[^"]*"|\w+|\([^()]*\)|\[[^]*\])/;

function expect(text: string, token: RegExp): string {
  const found = token.exec(text);
  if (found === null) throw malformed(text);
  return text.slice(found[0].length);
}

function malformed(text: string): DataError {
  return new DataError(`its .npy header is malformed: ${JSON.stringify(text.trim().slice(0, 120))}`);
}

function elementType(descr: string): { dtype: DType; bigEndian: boolean } {
  const [, order = '', kind = ''] = /^['"]([<>=|]?)([a-zA-Z]\d*)/.exec(descr) ?? [];
  const dtype = /^['"][<>=|]?[a-z]\d['"]$/.test(descr) ? DTYPES[kind] : undefined;
  if (dtype === undefined) {
    const what = kind === 'O' ? 'Python objects' : `elements of type ${descr.slice(0, 60)}`;
    throw new DataError(`it holds ${what}; bool, integers and floats are read`);
  }
  return { dtype, bigEndian: order === '>' };
}

/** A Python tuple of non-negative integers; Python 2 wrote some with an L. */
function parseShape(tuple: string, text: string): readonly number[] {
  const inner = /^\((?<list>[\dL,\s]*)\)$/.exec(tuple)?.groups?.['list'];
  if (inner === undefined) throw malformed(text);
  const items = inner.split(',').map((item) => item.trim());
  // `(3,)` and `(3, 4,)` end in a comma, `()` is empty, `(3)` would be a number.
  if (items.at(-1) === '') items.pop();
  else if (items.length < 2) throw malformed(text);
  if (items.length > MAX_RANK || !items.every((item) => /^\d{1,16}L?$/.test(item))) throw malformed(text);
  const dims = items.map((item) => Number.parseInt(item, 10));
  if (!Number.isSafeInteger(dims.reduce((product, dim) => product * Math.max(1, dim), 8))) {
    throw new DataError(`its shape ${formatDims(dims)} is beyond what a file can hold`);
  }
  return dims;
}
