/** Numbers of dumped arrays, one sample at a time. */
import { DataError } from '../../errors.js';
import { rowReader } from '../data/arrays.js';
import type { ByteReader } from '../data/byte-reader.js';
import { convertElements, type FeedDType } from '../data/convert.js';
import type { ElementReader } from '../data/fortran.js';
import type { Values } from '../other/sums.js';
import type { ActualArray } from './match.js';

export class ArrayValues {
  readonly #rows: ElementReader;
  readonly #reader: ByteReader;
  readonly #match: ActualArray;

  constructor(match: ActualArray) {
    const { header } = match.array;
    this.#match = match;
    this.#reader = match.array.open();
    this.#rows = rowReader(header, header.dtype as FeedDType, this.#reader);
  }

  /** Dims of one sample, the first axis with what of it is not samples. */
  get dims(): readonly number[] {
    const [rows = 1, ...rest] = this.#match.array.header.dims;
    return [rows / this.#match.samples, ...rest];
  }

  /**
   * @param index of the sample in the array
   * @throws DataError when it cannot be read
   */
  async read(index: number): Promise<Values> {
    const { dtype, dims } = this.#match.array.header;
    const perSample = (dims[0] ?? 1) / this.#match.samples;
    const elements = await this.#rows(index * perSample, perSample);
    if (elements.length !== this.#match.target.count) throw new DataError('it ends too early');
    const from = dtype as FeedDType;
    return convertElements(
      elements,
      from,
      from === 'float32' || from === 'float16' ? 'float32' : 'float64',
    ) as Values;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
