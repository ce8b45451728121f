/**
 * The archives of what the TFLite interpreter computed: `in{k}/{tensor}` and `t{k}/{tensor}` for sample k, and meta.json with the
 * interpreter's own list of tensors and operators. Written by fixtures/tflite/build.py, and not trusted: whatever is wrong
 * with one is a DataError.
 */
import { z } from 'zod';
import { DataError } from '../dist/errors.js';
import { elementCount, formatDims } from '../dist/ir/elements.js';
import { asElements, elementBytes, gather, isFeedable, swapBytes, viewOf } from '../dist/run/data/convert.js';
import { statOf } from '../dist/run/data/files.js';
import { readHeader } from '../dist/run/data/npy.js';
import { zipEntries } from '../dist/run/data/zip.js';

/**
 * @typedef {import('../src/run/data/dataset.js').Elements} Elements
 * @typedef {import('../src/run/data/zip.js').ZipEntry} ZipEntry
 *
 * @typedef {object} GoldenArray
 * @property {import('../src/run/data/convert.js').FeedDType} dtype as in the archive: codes stay integers
 * @property {readonly number[]} dims in the file's order of axes
 * @property {Elements} data row-major
 *
 * @typedef {object} GoldenOperator
 * @property {string} op
 * @property {readonly number[]} inputs tensor indices; -1 = omitted
 * @property {readonly number[]} outputs
 *
 * @typedef {object} Golden
 * @property {string} path
 * @property {string} model name of the model file, as the recorder wrote it down
 * @property {boolean} delegated recorded with the XNNPACK delegate instead of the builtin kernels
 * @property {number} samples
 * @property {readonly GoldenOperator[]} operators
 * @property {ReadonlyMap<number, string>} tensorNames by index
 * @property {ReadonlySet<number>} leftOut tensors that the recorder says are too large
 * @property {(sample: number, tensor: number) => boolean} has
 * @property {(sample: number, tensor: number, expected?: Expected) => Promise<GoldenArray>} read
 *
 * @typedef {object} Expected what the model file says of a tensor
 * @property {string | undefined} dtype
 * @property {readonly (number | undefined)[] | undefined} dims undefined extents are known once the interpreter has run
 */

const META = 'meta.json';
/** numpy.savez puts every array KEY into an entry KEY.npy. */
const ARRAY = /^(?:in|t)(?<sample>0|[1-9]\d{0,5})\/(?<tensor>0|[1-9]\d{0,6})\.npy$/;
/** A list of some 500,000 tensors. */
const MAX_META_BYTES = 1 << 26;
/** Of one tensor. */
const MAX_ELEMENTS = 1 << 28;
/** Archives that expand to less stay in memory: every operator that reads a tensor reads its array. */
const SMALL_BYTES = 1 << 22;

const INDICES = z.array(z.int());
const META_SCHEMA = z.object({
  model: z.string().default(''),
  xnnpack: z.boolean().default(false),
  tensors: z.record(z.string().regex(/^\d+$/), z.object({ name: z.string() })),
  ops: z.array(z.object({ op: z.string(), inputs: INDICES, outputs: INDICES })),
  left_out: INDICES.default([]),
});

/**
 * Reads the directory and meta.json; arrays are read one at a time when asked for.
 *
 * @param {string} path
 * @returns {Promise<Golden>}
 * @throws {DataError}
 */
export async function openGolden(path) {
  return named(path, async () => {
    const entries = await zipEntries(path, (await statOf(path)).size);
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    const meta = await readMeta(byName.get(`${META}.npy`));
    /** @type {Map<string, ZipEntry>} */
    const arrays = new Map();
    const samples = new Set();
    for (const [name, entry] of byName) {
      const found = ARRAY.exec(name)?.groups;
      if (found === undefined) continue;
      arrays.set(`${found.sample}/${found.tensor}`, entry);
      samples.add(Number(found.sample));
    }
    const bytes = [...arrays.values()].reduce((sum, { size }) => sum + size, 0);
    /** @type {Map<string, Promise<GoldenArray>> | undefined} */
    const kept = bytes < SMALL_BYTES ? new Map() : undefined;
    for (let sample = 0; sample < Math.max(1, samples.size); sample++) {
      if (samples.has(sample)) continue;
      throw new DataError(`it holds ${samples.size} samples, but none called in${sample}/ and t${sample}/`);
    }
    return {
      path,
      model: meta.model,
      delegated: meta.xnnpack,
      samples: samples.size,
      operators: meta.ops,
      tensorNames: new Map(Object.entries(meta.tensors).map(([index, { name }]) => [Number(index), name])),
      leftOut: new Set(meta.left_out),
      has: (sample, tensor) => arrays.has(`${sample}/${tensor}`),
      read(sample, tensor, expected) {
        const key = `${sample}/${tensor}`;
        const entry = arrays.get(key);
        if (entry === undefined) throw new RangeError(`${path} has no tensor ${tensor} of sample ${sample}`);
        return named(`${path}: ${entry.name.replace(/\.npy$/, '')}`, async () => {
          if (kept === undefined) return readArray(entry, expected);
          const array = kept.get(key) ?? readArray(entry, undefined);
          kept.set(key, array);
          check(await array, expected);
          return array;
        });
      },
    };
  });
}

/** @param {ZipEntry | undefined} entry */
async function readMeta(entry) {
  if (entry === undefined) throw new DataError(`it has no ${META}: no recorder of TFLite tensors wrote it`);
  return named(META, async () => {
    if (entry.size > MAX_META_BYTES) {
      throw new DataError(`it has ${entry.size} bytes; up to ${MAX_META_BYTES} are read`);
    }
    const { dtype, data } = await readArray(entry, undefined);
    if (dtype !== 'uint8') throw new DataError(`it holds ${dtype}; text as uint8 is wanted`);
    let json;
    try {
      json = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
    } catch (cause) {
      throw new DataError('it is not JSON', { cause });
    }
    const parsed = META_SCHEMA.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new DataError('it is not what a recorder writes', {
      places: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
      cause: parsed.error,
    });
  });
}

/**
 * @param {ZipEntry} entry
 * @param {Expected | undefined} expected checked before anything is allocated
 * @returns {Promise<GoldenArray>}
 */
async function readArray(entry, expected) {
  const reader = entry.open();
  try {
    const { dtype, dims, bigEndian, fortran, dataOffset } = await readHeader(reader, entry.size);
    if (!isFeedable(dtype)) throw new DataError(`it holds ${dtype}, which no tensor of a model holds`);
    check({ dtype, dims }, expected);
    const count = elementCount(dims);
    if (count > MAX_ELEMENTS) {
      throw new DataError(`it has ${count} elements; up to ${MAX_ELEMENTS} are read`);
    }
    const bytes = await reader.read(dataOffset, count * elementBytes(dtype));
    if (bytes.length < count * elementBytes(dtype)) {
      throw new DataError(`it ends after ${bytes.length} of ${count * elementBytes(dtype)} bytes`);
    }
    if (bigEndian) swapBytes(bytes, dtype);
    const data = asElements(bytes, dtype);
    return { dtype, dims, data: fortran ? rowMajor(data, dtype, dims) : data };
  } finally {
    await reader.close();
  }
}

/**
 * @param {Pick<GoldenArray, 'dtype' | 'dims'>} array
 * @param {Expected | undefined} expected
 */
function check({ dtype, dims }, expected) {
  if (expected?.dtype !== undefined && dtype !== expected.dtype) {
    throw new DataError(`it holds ${dtype}; the model has ${expected.dtype} there`);
  }
  const wanted = expected?.dims;
  if (wanted === undefined) return;
  if (dims.length === wanted.length && dims.every((dim, axis) => dim === (wanted[axis] ?? dim))) return;
  const shown = formatDims(wanted.map((dim) => dim ?? null));
  throw new DataError(`its shape is ${formatDims(dims)}; the model has ${shown} there`);
}

/**
 * @param {Elements} data first index fastest
 * @param {import('../src/run/data/convert.js').FeedDType} dtype
 * @param {readonly number[]} dims
 */
function rowMajor(data, dtype, dims) {
  const strides = dims.map((_, axis) => elementCount(dims.slice(0, axis)));
  return gather(viewOf(data, dims, strides, 0), dtype);
}

/**
 * Errors of the readers give a reason alone; the user also needs to know of what.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} read
 * @returns {Promise<T>}
 */
async function named(what, read) {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const { message, places, hint } = error;
    throw new DataError(`${what}: ${message}`, {
      places,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
