/**
 * Weights of few bits in blocks with a scale each, packed into bytes. They become constants of the values, in blocks of the same
 * size. https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md, MatMulNBits and GatherBlockQuantized
 */
import { elementCount, formatDims, toFloat32 } from '../../../ir/elements.js';
import { isFloat, type ConstantData, type FloatDType } from '../../../ir/graph.js';
import { QRANGE, type QDType, type QuantParams } from '../../../ir/lane.js';
import { dequantized } from './dequantized.js';
import { Unfoldable, type FoldRule, type FoldTable, type Folding, type Operand } from './folding.js';
import { int, integersOf } from './operands.js';
import { codesData, unpackRows } from './packed-codes.js';

/** Beyond this the values in float32 take more than a GiB: such tables stay packed. */
const MOST_VALUES = 2 ** 28;

/** Type that says how many bits codes have, and their limits. */
function limits(bits: number, isSigned: boolean): Pick<QuantParams, 'dtype' | 'qmin' | 'qmax'> {
  const dtype: QDType = bits === 8 ? (isSigned ? 'int8' : 'uint8') : isSigned ? 'int4' : 'uint4';
  // No type of codes has 2 bits without sign: those of 4 bits then use a quarter of their range.
  const [qmin, qmax] = bits === 2 ? [0, 3] : QRANGE[dtype];
  return { dtype, qmin, qmax };
}

/**
 * Y = A · Wᵀ + bias: A, B (uint8, [N, blocks of K, bytes]), scales [N, blocks], zero points (packed like B, or of A's type), g_idx, bias.
 */
const matMulNBits: FoldRule = (folding) => {
  const { node } = folding;
  const [k, n, size] = [
    folding.intAttr('K', 0),
    folding.intAttr('N', 0),
    folding.intAttr('block_size', 0),
  ] as const;
  const bits = bitsOf(folding);
  if (k < 1 || n < 1 || size < 1 || (size * bits) % 8 !== 0) {
    throw new Unfoldable(`it has K ${k}, N ${n} and blocks of ${size}; 1 or more of whole bytes are wanted`);
  }
  if (folding.intAttr('weight_prepacked', 0) !== 0) {
    throw new Unfoldable('its weight is in the order of one kind of GPU (weight_prepacked)');
  }
  requireSmall(n * k);
  const blocks = Math.ceil(k / size);
  requireOrdered(folding, 4, k, size);
  const packed = constantOf(folding, 1, 'weight');
  if (packed.dtype !== 'uint8') throw new Unfoldable(`its weight has type ${packed.dtype}; uint8 is wanted`);
  const scales = scalesOf(folding, n * blocks);
  const blob = (size * bits) / 8;
  requireCount(packed, n * blocks * blob, 'bytes of packed weights');

  // As the weight of a MatMul lies: [K, N], with blocks along K.
  const codes = codesData(bits, [k, n], () => {
    const rows = unpackRows(packed, bits, n, blocks * blob, k);
    return transposed(rows, n, k);
  });
  const params: QuantParams = {
    ...limits(bits, false),
    granularity: { kind: 'per-block', axis: 0, blockSize: size },
    scale: transposed(toFloat32(scales), n, blocks),
    zeroPoint: transposed(zeroPointsByRow(folding, bits, n, blocks), n, blocks),
    source: 'file',
  };
  const values = dequantized(codes, params, scales.dtype);
  const weight = folding.addConstant(node.inputs[1] ?? '', values, { params, codes });
  emitProduct(folding, weight);
};

/** The product, and its bias. */
function emitProduct(folding: Folding, weight: Operand): void {
  const output = folding.node.outputs[0] ?? '';
  const a = folding.real(0);
  if (!folding.has(5)) return folding.emit({ op: 'MatMul', inputs: [a, weight], outputs: [output] });
  const bias = folding.real(5);
  const product = folding.fresh(`${output}_product`);
  folding.emit({ op: 'MatMul', inputs: [a, weight], outputs: [product] });
  folding.emit({ op: 'Add', inputs: [{ name: product }, bias], outputs: [output], part: 'step' });
}

/** data, indices, scales, zero points: Gather of rows that are dequantized on the way. */
const gatherBlockQuantized: FoldRule = (folding) => {
  const { node } = folding;
  const data = constantOf(folding, 0, 'data');
  const isPacked = data.dtype === 'uint8';
  const bits = isPacked ? bitsOf(folding) : 4;
  if (!isPacked && data.dtype !== 'int4' && data.dtype !== 'uint4') {
    throw new Unfoldable(`its data has type ${data.dtype}; int4, uint4 or uint8 is wanted`);
  }
  const rank = data.dims.length;
  const dims = data.dims.map((dim, axis) => (isPacked && axis === rank - 1 ? (dim * 8) / bits : dim));
  const stated = folding.intAttr('quantize_axis', 1);
  const axis = stated < 0 ? stated + rank : stated;
  const size = folding.intAttr('block_size', 128);
  const extent = dims[axis];
  if (extent === undefined || size < 1) {
    throw new Unfoldable(
      `it has blocks of ${size} along dimension ${stated} of ${formatDims(dims)}; one of its dimensions is wanted`,
    );
  }
  requireSmall(elementCount(dims));
  const blockDims = dims.map((dim, at) => (at === axis ? Math.ceil(dim / size) : dim));
  const scales = scalesOf(folding, elementCount(blockDims));
  const isSigned = data.dtype === 'int4';
  const codes = isPacked ? unpackedCodes(data, bits, dims) : data;
  const params: QuantParams = {
    ...limits(bits, isSigned),
    granularity: { kind: 'per-block', axis, blockSize: size },
    scale: Float32Array.from(toFloat32(scales)),
    zeroPoint: zeroPointsOfBlocks(folding, bits, isPacked, blockDims),
    source: 'file',
  };
  const table = folding.addConstant(node.inputs[0] ?? '', dequantized(codes, params, scales.dtype), {
    params,
    codes,
  });
  const indices = folding.real(1);
  const attrs = new Map([['axis', int(folding.intAttr('gather_axis', 0))]]);
  folding.emit({ op: 'Gather', inputs: [table, indices], attrs, outputs: [node.outputs[0] ?? ''] });
};

function unpackedCodes(data: ConstantData, bits: number, dims: readonly number[]): ConstantData {
  if (bits === 8) return data;
  const rows = elementCount(dims.slice(0, -1));
  return codesData(bits, dims, () => unpackRows(data, bits, rows, data.dims.at(-1) ?? 1, dims.at(-1) ?? 1));
}

function bitsOf(folding: Folding): 2 | 4 | 8 {
  const bits = folding.intAttr('bits', 4);
  if (bits === 2 || bits === 4 || bits === 8) return bits;
  throw new Unfoldable(`its codes have ${bits} bits; 2, 4 or 8 are wanted`);
}

function requireSmall(count: number): void {
  if (count <= MOST_VALUES) return;
  throw new Unfoldable(`it has ${count} weights; up to ${MOST_VALUES} are unpacked`);
}

function requireCount(data: ConstantData, wanted: number, what: string): void {
  const count = elementCount(data.dims);
  if (count !== wanted) throw new Unfoldable(`it has ${count} ${what}; ${wanted} are wanted`);
}

function constantOf(folding: Folding, slot: number, what: string): ConstantData {
  const data = folding.constant(slot);
  if (data !== undefined) return data;
  throw new Unfoldable(`its ${what} ${JSON.stringify(folding.node.inputs[slot] ?? '')} is not a constant`);
}

function scalesOf(folding: Folding, wanted: number): ConstantData & { readonly dtype: FloatDType } {
  const scales = constantOf(folding, 2, 'scales');
  requireCount(scales, wanted, 'scales');
  const { dtype } = scales;
  if (!isFloat(dtype)) throw new Unfoldable(`its scales have type ${dtype}; a float type is wanted`);
  return { ...scales, dtype };
}

/** g_idx says of which block each row of the weight is: in their order when it is of any use here. */
function requireOrdered(folding: Folding, slot: number, k: number, size: number): void {
  if (!folding.has(slot)) return;
  const order = folding.constant(slot);
  const groups = order === undefined ? [] : integersOf(order, 'group indices');
  if (groups.length >= k && groups.slice(0, k).every((group, row) => group === Math.floor(row / size)))
    return;
  throw new Unfoldable('its rows are in blocks of another order (g_idx): no annotation has such');
}

/** Zero points [N, blocks]: half of the range where there are none. */
function zeroPointsByRow(folding: Folding, bits: number, n: number, blocks: number): Int32Array {
  if (!folding.has(3)) return new Int32Array(n * blocks).fill(2 ** (bits - 1));
  const points = constantOf(folding, 3, 'zero points');
  if (points.dtype !== 'uint8') return wholeZeroPoints(points, n * blocks);
  const bytes = Math.ceil((blocks * bits) / 8);
  requireCount(points, n * bytes, 'bytes of packed zero points');
  return Int32Array.from(unpackRows(points, bits, n, bytes, blocks));
}

/** Zero points may be floats, such as those of quantizers that fit them to the weights. */
function wholeZeroPoints(points: ConstantData, wanted: number): Int32Array {
  requireCount(points, wanted, 'zero points');
  if (!isFloat(points.dtype)) {
    throw new Unfoldable(`its zero points have type ${points.dtype}; uint8 or a float type is wanted`);
  }
  const values = toFloat32(points);
  const odd = values.find((value) => !Number.isInteger(value));
  if (odd === undefined) return Int32Array.from(values);
  throw new Unfoldable(`it has a zero point of ${odd}: an annotation has whole ones`);
}

function zeroPointsOfBlocks(
  folding: Folding,
  bits: number,
  isPacked: boolean,
  blockDims: readonly number[],
): Int32Array {
  const count = elementCount(blockDims);
  if (!folding.has(3)) return new Int32Array(count).fill(isPacked ? 2 ** (bits - 1) : 0);
  const points = constantOf(folding, 3, 'zero points');
  if (points.dtype !== folding.constant(0)?.dtype) {
    throw new Unfoldable(`its zero points have type ${points.dtype}; that of its data is wanted`);
  }
  if (!isPacked || bits === 8) {
    requireCount(points, count, 'zero points');
    return Int32Array.from(integersOf(points, 'zero points'));
  }
  const last = blockDims.at(-1) ?? 1;
  const rows = count / Math.max(1, last);
  const bytes = Math.ceil((last * bits) / 8);
  requireCount(points, rows * bytes, 'bytes of packed zero points');
  return Int32Array.from(unpackRows(points, bits, rows, bytes, last));
}

/** [rows, columns] to [columns, rows]. */
function transposed<T extends Uint8Array | Int32Array | Float32Array>(
  values: T,
  rows: number,
  columns: number,
): T {
  const out = values.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = values[row * columns + column]!;
    }
  }
  return out;
}

export const N_BITS_RULES: FoldTable = {
  'com.microsoft:MatMulNBits': matMulNBits,
  'com.microsoft:GatherBlockQuantized': gatherBlockQuantized,
};
