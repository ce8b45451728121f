/** Tensors of an archive as the IR has them, and back: codes as float32 integers, axes in the IR's order. */
import { elementCount, toFloat64 } from '../dist/ir/elements.js';
import { convertElements, transpose } from '../dist/run/data/convert.js';

/**
 * @typedef {import('../src/ir/graph.js').Tensor} Tensor
 * @typedef {import('../src/ir/lane.js').QuantParams} QuantParams
 * @typedef {import('../src/run/data/dataset.js').Elements} Elements
 * @typedef {import('../src/run/data/dataset.js').Feed} Feed
 * @typedef {import('./golden.js').GoldenArray} GoldenArray
 */

/**
 * Codes of a quantized tensor as float32, elements of any other as they are. Where the file has no codes (FAKE_QUANT writes
 * floats), those of its values.
 *
 * @param {GoldenArray} array
 * @param {Tensor} tensor
 * @param {QuantParams | undefined} params
 * @returns {GoldenArray} axes still in the file's order
 */
export function codesOf(array, tensor, params) {
  if (params === undefined) {
    const dtype = /** @type {GoldenArray['dtype']} */ (tensor.dtype ?? array.dtype);
    return { ...array, dtype, data: convertElements(array.data, array.dtype, dtype) };
  }
  const data = /** @type {Float32Array} */ (convertElements(array.data, array.dtype, 'float32'));
  return { ...array, dtype: 'float32', data: isReal(array.dtype) ? toCodes(data, params) : data };
}

/**
 * Values of a quantized tensor, (code - zero point) * scale in float32; elements of any other as they are.
 *
 * @param {GoldenArray} array
 * @param {Tensor} tensor
 * @param {QuantParams | undefined} params
 * @returns {GoldenArray}
 */
export function valuesOf(array, tensor, params) {
  const codes = codesOf(array, tensor, params);
  if (params === undefined) return codes;
  const [scale = 1] = params.scale;
  const [zeroPoint = 0] = params.zeroPoint;
  const data = /** @type {Float32Array} */ (codes.data).map((code) => (code - zeroPoint) * scale);
  return { ...codes, data };
}

/**
 * Codes of the values of a quantized activation.
 *
 * @param {ArrayLike<number>} values
 * @param {QuantParams} params
 * @returns {Float32Array}
 */
export function toCodes(values, { scale, zeroPoint }) {
  const [step = 1] = scale;
  const [zero = 0] = zeroPoint;
  return Float32Array.from(values, (value) => Math.round(value / step) + zero);
}

/**
 * Elements as numbers that can be subtracted: half precision comes as bits.
 *
 * @param {Elements} data
 * @param {GoldenArray['dtype']} dtype of `data`
 * @returns {Elements}
 */
export function numbersOf(data, dtype) {
  return dtype === 'float16' ? convertElements(data, dtype, 'float32') : data;
}

/**
 * @param {GoldenArray} array axes in the file's order
 * @param {Tensor} tensor
 * @returns {Feed} axes in the IR's order
 */
export function toIr({ dtype, dims, data }, { fileAxes }) {
  if (fileAxes === undefined) return { dtype, dims, data };
  // Dimension k of the file is dimension fileAxes[k] here.
  const permutation = fileAxes.map((_, axis) => fileAxes.indexOf(axis));
  return {
    dtype,
    dims: permutation.map((axis) => dims[axis] ?? 1),
    data: transpose(data, dtype, dims, permutation),
  };
}

/**
 * @param {Elements} data axes in the IR's order
 * @param {Tensor} tensor
 * @param {Pick<GoldenArray, 'dtype' | 'dims'>} reference type of `data`, and extents in the file's order
 * @returns {Elements} axes in the file's order
 */
export function toFile(data, { fileAxes }, { dtype, dims }) {
  // Where the number of elements is another, there is nothing to arrange, and it will not compare.
  if (fileAxes === undefined || data.length !== elementCount(dims)) return data;
  const inIr = fileAxes.map((_, axis) => dims[fileAxes.indexOf(axis)] ?? 1);
  return transpose(data, dtype, inIr, fileAxes);
}

/**
 * Values of a constant of the IR.
 *
 * @param {Tensor} tensor
 * @param {Pick<GoldenArray, 'dims'>} reference extents in the file's order
 * @returns {Elements} axes in the file's order
 */
export function constantNumbers(tensor, { dims }) {
  if (tensor.data === undefined) throw new RangeError(`${tensor.name} is no constant`);
  return toFile(toFloat64(tensor.data), tensor, { dtype: 'float64', dims });
}

/** @param {string} dtype */
function isReal(dtype) {
  return dtype.startsWith('float');
}
