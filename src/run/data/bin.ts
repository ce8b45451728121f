/**
 * Headerless files (.bin, .raw): little-endian elements whose type and shape are those of the model's input. For a quantized
 * input the size tells its codes from float32 values, and where both fit, what the bytes would be as float32.
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
  await requireHeaderless(path, size, id);
  const { dtype, note } = await storedType(input, path, size, elements, context);
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

/** The first bytes of every .npy file. */
const NPY_MAGIC = '\u0093NUMPY';

/** @throws DataError for a .npy file under another name: its header would be read as values wherever the size happens to fit */
async function requireHeaderless(path: string, size: number, id: string): Promise<void> {
  const reader = fileReader(path, 0, Math.min(size, NPY_MAGIC.length));
  try {
    const bytes = await reader.read(0, NPY_MAGIC.length);
    if (Buffer.from(bytes).toString('latin1') !== NPY_MAGIC) return;
  } finally {
    await reader.close();
  }
  throw new DataError('it is a .npy file by its first bytes, and a headerless one by its name', {
    hint: `rename it to ${id.replace(/\.[^.]*$/, '')}.npy`,
  });
}

interface StoredType {
  readonly dtype: FeedDType;
  /** For the user, where something else would have been possible. */
  readonly note?: string;
}

/** The type of the input. uint8 only when the size allows nothing else and it is said how pixels become numbers. */
async function storedType(
  input: InputSpec,
  path: string,
  size: number,
  elements: number,
  { preprocessing, metadata, flag }: SourceContext,
): Promise<StoredType> {
  const found =
    input.quant === undefined ? undefined : await quantizedType(input.quant, path, size, elements);
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

/** Codes by the size of the file, or float32 values; undefined when the size fits neither. */
async function quantizedType(
  quant: InputQuant,
  path: string,
  size: number,
  elements: number,
): Promise<StoredType | undefined> {
  const type = codeType(quant);
  const samples = size / (elements * elementBytes(type));
  if (!Number.isInteger(samples)) return undefined;
  if (size % (4 * elements) !== 0) return { dtype: type, note: `${type} codes, by the size of the file` };
  return (await areFloats(path, size))
    ? { dtype: 'float32', note: `float32, 4 bytes an element, not ${samples} samples of ${type} codes` }
    : { dtype: type, note: `${type} codes: as float32 its bytes are no usual numbers` };
}

/** Enough to tell by. */
const LOOKED_AT = 1 << 16;
const SMALLEST = 1e-12;
const LARGEST = 1e12;

/** Whether the bytes are likely float32 values: four codes in a row would be numbers of any magnitude, or none. */
async function areFloats(path: string, size: number): Promise<boolean> {
  const reader = fileReader(path, 0, size);
  try {
    const bytes = await reader.read(0, Math.min(size, LOOKED_AT));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 4 <= view.byteLength; at += 4) {
      const magnitude = Math.abs(view.getFloat32(at, true));
      const isUsual = magnitude === 0 || (magnitude >= SMALLEST && magnitude <= LARGEST);
      if (!isUsual) return false;
    }
    return true;
  } finally {
    await reader.close();
  }
}
