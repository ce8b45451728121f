/** Headerless files (.bin, .raw): little-endian elements whose type and shape are those of the model's input. */
import { DataError } from '../../errors.js';
import { elementCount, formatDims } from '../../ir/elements.js';
import type { StoredArray } from './arrays.js';
import { fileReader } from './byte-reader.js';
import { elementBytes } from './convert.js';
import type { FeedDType } from './convert.js';
import type { InputSpec } from './dataset.js';
import { statOf } from './files.js';
import { feedType, fixedDims } from './input-spec.js';
import { isFloatInput, normalizes } from './preprocessing.js';
import type { DataFile, SourceContext } from './source.js';

/** Types that a file of another size could hold, for the message. */
const OTHER_TYPES: readonly FeedDType[] = ['uint8', 'int8', 'float16', 'float32', 'float64', 'int64'];

/**
 * @throws DataError when the size of the file is not a multiple of one sample.
 * @throws UsageError when the input leaves dimensions open.
 */
export async function openBin(
  { id, path }: DataFile,
  input: InputSpec,
  context: SourceContext,
): Promise<StoredArray> {
  const dims = fixedDims(input, 'a file without header');
  const elements = elementCount(dims);
  const { size } = await statOf(path);
  if (size === 0) throw new DataError('it is empty');
  const dtype = storedType(input, size, elements, context);
  const [batch = 1, ...rest] = dims;
  const samples = size / (elements * elementBytes(dtype));
  return {
    id,
    path,
    header: { dtype, bigEndian: false, fortran: false, dims: [samples * batch, ...rest], dataOffset: 0 },
    open: () => fileReader(path, 0, size),
  };
}

/** The type of the input. uint8 only when the size allows nothing else and the user said how codes become numbers. */
function storedType(input: InputSpec, size: number, elements: number, context: SourceContext): FeedDType {
  const dtype = feedType(input);
  const bytes = elements * elementBytes(dtype);
  if (size % bytes === 0) return dtype;
  const codes = size === elements && isFloatInput(dtype);
  if (codes && normalizes(context.preprocessing)) return 'uint8';
  const other = OTHER_TYPES.filter((type) => type !== dtype && size === elements * elementBytes(type));
  const looks = other.length === 0 ? '' : `; it has the size of one sample of ${other.join(' or ')}`;
  throw new DataError(
    `it has ${size} bytes; a sample of input ${input.name} (${dtype}, ${formatDims(input.shape)}) takes ${bytes}${looks}`,
    {
      hint: codes
        ? '--preset raw feeds uint8 codes as they are, --preset unit divides them by 255'
        : `${context.flag} ${input.name}=FILE.npy says type and shape itself`,
    },
  );
}
