/**
 * Tables of a FlatBuffer whose author is not trusted. The library's ByteBuffer reads numbers at any position without looking whether
 * the file has it; here every position, length and vtable is compared with the file first, and what is read in all is limited:
 * tables may share storage, so that a small file can describe a huge tree.
 * https://flatbuffers.dev/internals/
 */
import { ByteBuffer } from 'flatbuffers';
import { LoadError } from '../../../errors.js';

/** What a field of each kind reads as. Absent vectors are empty. */
interface Values {
  bool: boolean;
  int8: number;
  uint8: number;
  int32: number;
  uint32: number;
  /** Rounded to the nearest double beyond 2^53, as uint64 is. */
  int64: number;
  uint64: number;
  float32: number;
  string: string | undefined;
  table: FlatTable | undefined;
  tables: readonly FlatTable[];
  strings: readonly string[];
  /** A view of the file. */
  bytes: Uint8Array;
  bools: readonly number[];
  uint8s: readonly number[];
  uint16s: readonly number[];
  int32s: readonly number[];
  uint32s: readonly number[];
  int64s: readonly number[];
  float32s: readonly number[];
}

type Kind = keyof Values;

/** One field of a table: its place in the vtable, its type, and the value that is meant where the file leaves it out. */
export interface Field<K extends Kind = Kind> {
  readonly slot: number;
  readonly kind: K;
  readonly otherwise: number;
  /** Of an enumeration: what its numbers mean. */
  readonly words?: readonly string[];
}

export function field<K extends Kind>(slot: number, kind: K, otherwise = 0): Field<K> {
  return { slot, kind, otherwise };
}

interface Scalar {
  readonly width: number;
  readonly read: (buffer: ByteBuffer, at: number) => number;
}

const HIGH = 2 ** 32;
const INT8: Scalar = { width: 1, read: (buffer, at) => buffer.readInt8(at) };
const UINT8: Scalar = { width: 1, read: (buffer, at) => buffer.readUint8(at) };
const UINT16: Scalar = { width: 2, read: (buffer, at) => buffer.readUint16(at) };
const INT32: Scalar = { width: 4, read: (buffer, at) => buffer.readInt32(at) };
const UINT32: Scalar = { width: 4, read: (buffer, at) => buffer.readUint32(at) };
const FLOAT32: Scalar = { width: 4, read: (buffer, at) => buffer.readFloat32(at) };
const INT64: Scalar = {
  width: 8,
  read: (buffer, at) => buffer.readInt32(at + 4) * HIGH + buffer.readUint32(at),
};
const UINT64: Scalar = {
  width: 8,
  read: (buffer, at) => buffer.readUint32(at + 4) * HIGH + buffer.readUint32(at),
};

const READERS: { readonly [K in Kind]: (table: FlatTable, field: Field) => Values[K] } = {
  bool: (table, of) => table.scalar(of, UINT8) !== 0,
  int8: (table, of) => table.scalar(of, INT8),
  uint8: (table, of) => table.scalar(of, UINT8),
  int32: (table, of) => table.scalar(of, INT32),
  uint32: (table, of) => table.scalar(of, UINT32),
  int64: (table, of) => table.scalar(of, INT64),
  uint64: (table, of) => table.scalar(of, UINT64),
  float32: (table, of) => table.scalar(of, FLOAT32),
  string: (table, of) => table.text(of),
  table: (table, of) => table.child(of),
  tables: (table, of) => table.references(of, (file, at) => file.table(at)),
  strings: (table, of) => table.references(of, (file, at) => file.text(at)),
  bytes: (table, of) => table.bytes(of),
  bools: (table, of) => table.numbers(of, UINT8),
  uint8s: (table, of) => table.numbers(of, UINT8),
  uint16s: (table, of) => table.numbers(of, UINT16),
  int32s: (table, of) => table.numbers(of, INT32),
  uint32s: (table, of) => table.numbers(of, UINT32),
  int64s: (table, of) => table.numbers(of, INT64),
  float32s: (table, of) => table.numbers(of, FLOAT32),
};

/** What one table, and one element of a vector, cost of what a file may make the program hold. */
const TABLE_COST = 256;
const ELEMENT_COST = 8;
/** In an honest file everything is referred to once: its smallest table has 8 bytes with the reference, most have five times that. */
const COST_PER_BYTE = 32;
const COST_LIMIT = 2 ** 29;

const UTF8 = new TextDecoder();

/** The bytes of one FlatBuffer, and how much has been read of them. */
export class FlatFile {
  readonly bytes: Uint8Array;
  readonly buffer: ByteBuffer;
  readonly #name: string;
  #credit: number;

  /** @param name how messages call it. */
  constructor(bytes: Uint8Array, name = 'the file') {
    this.bytes = bytes;
    this.#name = name;
    this.buffer = new ByteBuffer(bytes);
    this.#credit = Math.min(COST_LIMIT, 2 ** 20 + COST_PER_BYTE * bytes.length);
  }

  /** @throws LoadError when the file is too short for one. */
  root(): FlatTable {
    return this.table(this.reference(0));
  }

  /** Notes that reading something takes `count` more pieces of memory. @throws LoadError when that is more than such a file needs. */
  charge(count: number, each = ELEMENT_COST): void {
    this.#credit -= count * each;
    if (this.#credit < 0) {
      throw new LoadError(
        `damaged: ${this.#name} describes far more than its ${this.bytes.length} bytes can hold`,
      );
    }
  }

  /** @throws LoadError when the file ends before `at + length`. */
  check(what: string, at: number, length: number): void {
    if (at >= 0 && at + length <= this.bytes.length) return;
    throw new LoadError(
      `damaged or truncated: ${this.#name} ends at byte ${this.bytes.length}; ${what} of ${length} bytes should begin at byte ${at}`,
    );
  }

  /** Where the offset stored at `at` leads. */
  reference(at: number): number {
    this.check('an offset', at, 4);
    return at + this.buffer.readUint32(at);
  }

  table(at: number): FlatTable {
    this.check('a table', at, 4);
    const vtable = at - this.buffer.readInt32(at);
    this.check('a vtable', vtable, 4);
    const length = this.buffer.readUint16(vtable);
    if (length < 4) {
      throw new LoadError(
        `damaged: a vtable at byte ${vtable} of ${this.#name} has ${length} bytes; 4 are the least`,
      );
    }
    this.check('a vtable', vtable, length);
    this.charge(1, TABLE_COST + length);
    return new FlatTable(this, at, vtable, length);
  }

  /** Where the elements of the vector at `at` begin, and how many there are. */
  vector(at: number, width: number): { readonly start: number; readonly count: number } {
    this.check('a vector length', at, 4);
    const count = this.buffer.readUint32(at);
    this.check('a vector', at + 4, count * width);
    return { start: at + 4, count };
  }

  text(at: number): string {
    const { start, count } = this.vector(at, 1);
    this.charge(count, 1);
    return UTF8.decode(this.bytes.subarray(start, start + count));
  }
}

/** One table of a file. Methods but `get` and `has` are for the readers of kinds. */
export class FlatTable {
  /** A table without fields. */
  static readonly EMPTY = new FlatTable(new FlatFile(new Uint8Array(0)), 0, 0, 0);

  readonly #file: FlatFile;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableLength: number;

  constructor(file: FlatFile, at: number, vtable: number, vtableLength: number) {
    this.#file = file;
    this.#at = at;
    this.#vtable = vtable;
    this.#vtableLength = vtableLength;
  }

  /** @throws LoadError when the field lies outside the file. */
  get<K extends Kind>(of: Field<K>): Values[K] {
    return READERS[of.kind](this, of);
  }

  /** Whether the file gives the field, be it as an empty vector. */
  has(of: Field): boolean {
    return this.#position(of) !== undefined;
  }

  scalar(of: Field, { width, read }: Scalar): number {
    const at = this.#position(of);
    if (at === undefined) return of.otherwise;
    this.#file.check('a field', at, width);
    return read(this.#file.buffer, at);
  }

  text(of: Field): string | undefined {
    const at = this.#target(of);
    return at === undefined ? undefined : this.#file.text(at);
  }

  child(of: Field): FlatTable | undefined {
    const at = this.#target(of);
    return at === undefined ? undefined : this.#file.table(at);
  }

  bytes(of: Field): Uint8Array {
    const { start, count } = this.#vector(of, 1);
    return this.#file.bytes.subarray(start, start + count);
  }

  numbers(of: Field, { width, read }: Scalar): readonly number[] {
    const { start, count } = this.#vector(of, width);
    this.#file.charge(count);
    const { buffer } = this.#file;
    const numbers = new Array<number>(count);
    for (let i = 0; i < count; i++) numbers[i] = read(buffer, start + i * width);
    return numbers;
  }

  references<T>(of: Field, read: (file: FlatFile, at: number) => T): readonly T[] {
    const { start, count } = this.#vector(of, 4);
    this.#file.charge(count);
    return Array.from({ length: count }, (_, i) => read(this.#file, this.#file.reference(start + 4 * i)));
  }

  #vector(of: Field, width: number): { readonly start: number; readonly count: number } {
    const at = this.#target(of);
    return at === undefined ? { start: 0, count: 0 } : this.#file.vector(at, width);
  }

  #target(of: Field): number | undefined {
    const at = this.#position(of);
    return at === undefined ? undefined : this.#file.reference(at);
  }

  #position({ slot }: Field): number | undefined {
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.#vtableLength) return undefined;
    const offset = this.#file.buffer.readUint16(this.#vtable + entry);
    return offset === 0 ? undefined : this.#at + offset;
  }
}
