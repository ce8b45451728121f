/** Codes of a weight in the order in which ONNX Runtime's kernels add their products. */
import { toFloat32 } from '../../ir/elements.js';
import { intAttr, tensorOf, type Graph } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { quantize } from '../affine.js';
import type { KernelWeights } from './pairs.js';
import type { SaturableProduct } from './products.js';

/**
 * Convolutions walk the kernel position by position, for each all input channels of the group, so that a pair may reach over two
 * positions; matrix products walk the shared dimension.
 *
 * Source: ReorderFilter in onnxruntime/core/providers/cpu/quantization/qlinearconv.cc, MlasConvSymPackW in
 * onnxruntime/core/mlas/lib/convsym.cpp.
 */
export function kernelWeights(graph: Graph, lane: Lane, product: SaturableProduct): KernelWeights {
  const { codes, dims } = storedCodes(graph, lane, product);
  const { node } = product;
  if (node.op === 'Conv') {
    const [channels = 0, inputs = 0, ...kernel] = dims;
    const positions = kernel.reduce((count, extent) => count * extent, 1);
    const made = arranged(codes, channels, [positions, inputs], [1, positions]);
    return { channels, depth: positions * inputs, codes: made };
  }
  const [rows = 0, columns = 0] = dims;
  if (node.op === 'Gemm' && intAttr(node, 'transB') === 1)
    return { channels: rows, depth: columns, codes: Int8Array.from(codes) };
  const made = new Int8Array(rows * columns);
  for (let k = 0; k < rows; k++) {
    for (let n = 0; n < columns; n++) made[n * rows + k] = codes[k * columns + n]!;
  }
  return { channels: columns, depth: rows, codes: made };
}

/** Two inner dimensions of each channel in another order. */
function arranged(
  codes: ArrayLike<number>,
  channels: number,
  [outer, inner]: readonly [number, number],
  [outerStep, innerStep]: readonly [number, number],
): Int8Array {
  const made = new Int8Array(codes.length);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * outer * inner;
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) made[at++] = codes[start + o * outerStep + i * innerStep]!;
    }
  }
  return made;
}

function storedCodes(
  graph: Graph,
  lane: Lane,
  { weight, weights }: SaturableProduct,
): { readonly codes: ArrayLike<number>; readonly dims: readonly number[] } {
  const stored = lane.values?.has(weight) === true ? undefined : lane.codes?.get(weight);
  if (stored?.dtype === 'int8') {
    const bytes = stored.bytes();
    return { codes: new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length), dims: stored.dims };
  }
  const data = lane.values?.get(weight) ?? tensorOf(graph, weight).data;
  if (data === undefined) throw new RangeError(`weight ${tensorOf(graph, weight).name} is no constant`);
  return { codes: quantize(toFloat32(data), data.dims, weights), dims: data.dims };
}
