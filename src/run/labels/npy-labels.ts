/** Labels as one .npy array: the first axis goes by the order of all samples. */
import { basename } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import { MAX_PIXELS } from '../data/decode.js';
import { asElements, convertElements, elementBytes, isFeedable, swapBytes } from '../data/convert.js';
import type { FeedDType } from '../data/convert.js';
import type { Elements } from '../data/dataset.js';
import type { ArrayHeader } from '../data/npy-header.js';
import { openNpy } from '../data/npy.js';
import type { StoredArray } from '../data/arrays.js';
import { checkOrdered } from './plain-labels.js';
import { noted, NO_CLASSES } from './source.js';
import type { LabelRequest, LabelSource, StoredTruth } from './source.js';
import type { SampleName, TruthKind } from './truth.js';

const FLOATS: ReadonlySet<string> = new Set(['float16', 'float32', 'float64']);
/** Of one sample. */
const MAX_VALUES = 1 << 24;

/**
 * @throws DataError when the array does not fit the samples, UsageError when it is of a kind that cannot be used
 */
export async function npyLabels(path: string, request: LabelRequest): Promise<LabelSource> {
  const file = basename(path);
  const array = await openNpy({ path, id: file }).catch((error: unknown) => {
    throw error instanceof DataError ? new DataError(`${file}: ${error.message}`, { cause: error }) : error;
  });
  const { dims, dtype } = array.header;
  const kind = kindOf(array, request.wanted);
  checkOrdered(`${file} (${dtype} ${formatDims(dims)})`, dims[0]!, request.samples, request.available);
  const rows = rowReader(array);
  const read = async (sample: SampleName): Promise<StoredTruth> => {
    const where = `${file}[${sample.index}]`;
    return truthOf(kind, await rows(sample.index), array.header, where);
  };
  const used = new Map<number, string>();
  for (const sample of kind === 'class' ? request.samples : []) {
    const truth = await read(sample);
    if (truth.kind === 'class' && !used.has(truth.label)) used.set(truth.label, `${file}[${sample.index}]`);
  }
  // Values are looked at before a network runs; they are small beside what it reads.
  for (const sample of kind === 'values' ? request.samples : []) await read(sample);
  return {
    kind,
    source: `${file}, ${dtype} ${formatDims(dims)}`,
    classes: { ...NO_CLASSES, used },
    assumed: [noted('matching', 'in the order of the samples')],
    missing: new Set(),
    read,
  };
}

function kindOf({ id, header }: StoredArray, wanted: readonly TruthKind[]): TruthKind {
  const { dims, dtype, fortran } = header;
  const isFloat = FLOATS.has(dtype);
  const [count = 0, ...rest] = dims;
  const perSample = rest.reduce((product, dim) => product * dim, 1);
  if (!isFeedable(dtype) || count === 0 || perSample === 0) {
    throw new DataError(`${id} holds ${dtype} ${formatDims(dims)}: no labels`);
  }
  if (fortran && dims.length > 1) {
    throw new DataError(`${id} is stored in Fortran order`, {
      hint: 'np.save(FILE, np.ascontiguousarray(labels))',
    });
  }
  const possible: TruthKind[] = [];
  if (!isFloat && perSample === 1) possible.push('class');
  if (!isFloat && rest.length === 2 && perSample > 1) possible.push('mask');
  if (perSample <= MAX_VALUES) possible.push('values');
  const kind = wanted.find((each) => possible.includes(each));
  if (kind === undefined) {
    throw new UsageError(`${id} holds ${dtype} ${formatDims(dims)}; wanted are ${wanted.join(' or ')}`, {
      hint: 'classes are integers [N], masks integers [N, height, width], values [N, ...]: np.save(FILE, labels.astype("int64"))',
    });
  }
  if (kind === 'mask' && perSample > MAX_PIXELS)
    throw new DataError(`${id}: its masks have ${perSample} pixels`);
  return kind;
}

/** Reads one row at a time; the file is not kept open between them. */
function rowReader(array: StoredArray): (index: number) => Promise<Elements> {
  const { id, header } = array;
  const dtype = header.dtype as FeedDType;
  const length = header.dims.slice(1).reduce((product, dim) => product * dim, 1);
  const bytes = length * elementBytes(dtype);
  return async (index) => {
    const reader = array.open();
    try {
      const row = await reader.read(header.dataOffset + index * bytes, bytes);
      if (row.length < bytes) throw new DataError(`${id} is truncated`);
      const own = Uint8Array.from(row);
      if (header.bigEndian) swapBytes(own, dtype);
      return asElements(own, dtype);
    } finally {
      await reader.close();
    }
  };
}

function truthOf(kind: TruthKind, row: Elements, { dims, dtype }: ArrayHeader, where: string): StoredTruth {
  if (kind === 'class') return { kind: 'class', label: Number(row[0]) };
  if (kind === 'mask') {
    const [, height = 0, width = 0] = dims;
    const data = new Uint16Array(row.length);
    for (let i = 0; i < row.length; i++) {
      const value = Number(row[i]);
      if (value < 0 || value > 0xffff) {
        throw new DataError(`${where} holds ${value}; classes of masks are 0 to 65535`);
      }
      data[i] = value;
    }
    return { kind: 'mask', width, height, data };
  }
  const data = convertElements(row, dtype as FeedDType, 'float64') as Float64Array;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new DataError(`${where} holds ${data[bad]}; finite numbers are wanted`);
  return { kind: 'values', data };
}
