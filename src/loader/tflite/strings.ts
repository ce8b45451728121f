/**
 * Constants of strings: a count, the beginnings of all strings and the end of the last one as int32, then their bytes.
 * tensorflow/lite/string_util.h
 */
import { LoadError } from '../../errors.js';
import type { FlatFile } from './flatbuffer/flat-table.js';

/** What the view of one string costs. */
const STRING_COST = 128;

/** @throws LoadError when the beginnings do not lie in order inside `bytes`. */
export function stringsIn(bytes: Uint8Array, file: FlatFile, label: string): readonly Uint8Array[] {
  const refuse = (why: string): LoadError => new LoadError(`${label} holds strings, ${why}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) throw refuse(`in ${bytes.length} bytes; 4 and more are wanted`);
  const count = view.getInt32(0, true);
  const head = 4 * (count + 2);
  if (count < 0 || head > bytes.length) throw refuse(`${count} of them in ${bytes.length} bytes`);
  file.charge(count, STRING_COST);
  const bounds = Array.from({ length: count + 1 }, (_, i) => view.getInt32(4 + 4 * i, true));
  return Array.from({ length: count }, (_, i) => {
    const start = bounds[i]!;
    const end = bounds[i + 1]!;
    if (start < head || end < start || end > bytes.length) {
      throw refuse(`number ${i} from byte ${start} to ${end} of ${bytes.length}`);
    }
    return bytes.subarray(start, end);
  });
}
