/** The buffers of a TFLite file: in the FlatBuffer, or, in files too large for its 32-bit offsets, behind it. */
import { LoadError } from '../../errors.js';
import type { FlatFile, FlatTable } from './flatbuffer/flat-table.js';
import { BUFFER } from './flatbuffer/schema.js';

const NO_BYTES = new Uint8Array(0);

export class Buffers {
  readonly #file: FlatFile;
  readonly #tables: readonly FlatTable[];

  constructor(file: FlatFile, tables: readonly FlatTable[]) {
    this.#file = file;
    this.#tables = tables;
  }

  /**
   * Contents of a buffer as a view of the file; empty for the first one, which stands for "none".
   *
   * @param owner whose buffer it is, for the message.
   * @throws LoadError when there is no such buffer, or it lies beyond the end of the file.
   */
  contents(index: number, owner: string): Uint8Array {
    if (index === 0) return NO_BYTES;
    const table = this.#tables[index];
    if (table === undefined) {
      throw new LoadError(`${owner} has buffer ${index}; the file has ${this.#tables.length} buffers`);
    }
    const data = table.get(BUFFER.data);
    return data.length > 0 ? data : this.outside(table.get(BUFFER.offset), table.get(BUFFER.size), owner);
  }

  /** Bytes outside the FlatBuffer; offsets 0 and 1 say that there are none. */
  outside(offset: number, size: number, owner: string): Uint8Array {
    if (offset <= 1 || size === 0) return NO_BYTES;
    const { bytes } = this.#file;
    if (offset + size > bytes.length) {
      throw new LoadError(
        `${owner} has its ${size} bytes at byte ${offset} of the file, which ends at ${bytes.length}`,
      );
    }
    return bytes.subarray(offset, offset + size);
  }
}
