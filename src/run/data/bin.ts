/**
 * Headerless files (.bin, .raw): little-endian elements whose type and shape are those of the model's input. For a quantized
 * input the size tells its codes from float32 values.
 */
import { DataError } from '../../errors.js';
import { elementCount, formatDims } from '../../ir/elements.js';
import type { StoredArray } from './arrays.js';
import { fileReader } from './byte-reader.js';
import { elementBytes } from './convert.js';
import type { FeedDType } from './convert.js';
import type { InputQuant, InputSpec } from './dataset.js';
import { statOf } from './files.js';
import { codeType } from './input-codes.js';
import { feedType, fixedDims } from './input-spec.js';
import { isFloatInput, saysNormalization } from './preprocessing.js';
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
  const { dtype, note } = storedType(input, size, elements, context);
  const [batch = 1, ...rest] = dims;
  const samples = size / (elements * elementBytes(dtype));
  return {
    id,
    path,
    header: { dtype, bigEndian: false, fortran: false, dims: [samples * batch, ...rest], dataOffset: 0 },
    ...(note === undefined ? {} : { typeNote: note }),
    open: () => fileReader(path, 0, size),
  };
}

interface StoredType {
  readonly dtype: FeedDType;
  /** For the user, where something else would have been possible. */
  readonly note?: string;
}

/** The type of the input. uint8 only when the size allows nothing else and it is said how pixels become numbers. */
function storedType(
  input: InputSpec,
  size: number,
  elements: number,
  { preprocessing, metadata, flag }: SourceContext,
): StoredType {
  const found = input.quant === undefined ? undefined : quantizedType(input.quant, size, elements);
  if (found !== undefined) return found;
  const dtype = feedType(input);
  const bytes = elements * elementBytes(dtype);
  if (size % bytes === 0) return { dtype };
  const pixels = size === elements && isFloatInput(dtype);
  if (pixels && saysNormalization(input, preprocessing, metadata)) return { dtype: 'uint8' };
  const other = OTHER_TYPES.filter((type) => type !== dtype && size === elements * elementBytes(type));
  const looks = other.length === 0 ? '' : `; it has the size of one sample of ${other.join(' or ')}`;
  const { name, shape, quant } = input;
  const codes =
    quant === undefined ? '' : `, or ${elements * elementBytes(codeType(quant))} of ${quant.dtype} codes`;
  throw new DataError(
    `it has ${size} bytes; a sample of input ${name} (${dtype}, ${formatDims(shape)}) takes ${bytes}${codes}${looks}`,
    {
      hint: pixels
        ? '--preset raw feeds uint8 codes as they are, --preset unit divides them by 255'
        : `${flag} ${name}=FILE.npy says type and shape itself`,
    },
  );
}

/** float32 values where there are four bytes for each element, else codes; undefined when the size fits neither. */
function quantizedType(quant: InputQuant, size: number, elements: number): StoredType | undefined {
  const type = codeType(quant);
  const samples = size / (elements * elementBytes(type));
  const codes = { dtype: type, note: `${type} codes, by the size of the file` };
  if (!Number.isInteger(samples)) return undefined;
  if (size % (4 * elements) !== 0) return codes;
  return { dtype: 'float32', note: `float32, 4 bytes an element, not ${samples} samples of ${type} codes` };
}
