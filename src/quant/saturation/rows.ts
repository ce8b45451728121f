/** What a product multiplies its weights with: activation codes of one output position, in the kernel's order. */
import { intAttr, intsAttr, stringAttr, type Node } from '../../ir/graph.js';
import { slide } from '../../ir/infer/window.js';

/** Activations of one product: uint8 codes as its kernel reads them. */
export interface ActivationCodes {
  readonly codes: Uint8Array;
  readonly dims: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface Rows {
  /** Output positions: of a convolution over samples of the batch and space, of a matrix product its rows. */
  readonly positions: number;
  /** Parts of the output channels that read rows of their own. */
  readonly groups: number;
  /** Fills `row` with the codes that the group reads at the position; padding is the zero point. */
  fill(input: ActivationCodes, position: number, group: number, row: Uint8Array): void;
}

/**
 * @param dims of the activations
 * @param weightDims of the weight in the graph
 * @returns undefined where the extents do not fit each other
 */
export function rowsOf(node: Node, dims: readonly number[], weightDims: readonly number[]): Rows | undefined {
  return node.op === 'Conv' ? convRows(node, dims, weightDims) : matrixRows(node, dims, weightDims);
}

function matrixRows(node: Node, dims: readonly number[], weightDims: readonly number[]): Rows | undefined {
  const isTransposed = node.op === 'Gemm' && intAttr(node, 'transA') === 1;
  const depth = (isTransposed ? dims[0] : dims.at(-1)) ?? 0;
  const wanted = node.op === 'Gemm' && intAttr(node, 'transB') === 1 ? weightDims[1] : weightDims[0];
  const size = dims.reduce((count, extent) => count * extent, 1);
  if (depth !== wanted || depth === 0 || (isTransposed && dims.length !== 2)) return undefined;
  const positions = size / depth;
  const fill: Rows['fill'] = ({ codes }, position, _, row) => {
    if (isTransposed) for (let k = 0; k < depth; k++) row[k] = codes[k * positions + position]!;
    else row.set(codes.subarray(position * depth, (position + 1) * depth));
  };
  return { positions, groups: 1, fill };
}

function convRows(node: Node, dims: readonly number[], weightDims: readonly number[]): Rows | undefined {
  const [batch = 0, channels = 0, ...spatial] = dims;
  const [outputs = 0, inputs = 0, ...kernel] = weightDims;
  const groups = intAttr(node, 'group') ?? 1;
  const made = slide(node, spatial, { kernel });
  const extents = made.filter((extent) => typeof extent === 'number');
  const isWhole = extents.length === spatial.length && kernel.length === spatial.length;
  if (!isWhole || inputs * groups !== channels || outputs % groups !== 0) return undefined;
  const strides = spatial.map((_, axis) => intsAttr(node, 'strides')?.[axis] ?? 1);
  const dilations = spatial.map((_, axis) => intsAttr(node, 'dilations')?.[axis] ?? 1);
  const begins = spatial.map((extent, axis) =>
    padBegin(node, axis, spatial.length, () => {
      const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
      return Math.max(0, (extents[axis]! - 1) * strides[axis]! + reach - extent);
    }),
  );
  const plane = product(spatial);
  const taps = product(kernel);
  const perImage = product(extents);
  const offsets = Array.from({ length: taps }, (_, tap) =>
    coordinates(tap, kernel).map((at, axis) => at * dilations[axis]!),
  );
  const fill: Rows['fill'] = ({ codes, zeroPoint }, position, group, row) => {
    const origin = coordinates(position % perImage, extents).map(
      (at, axis) => at * strides[axis]! - begins[axis]!,
    );
    const start = (Math.floor(position / perImage) * channels + group * inputs) * plane;
    let to = 0;
    for (const offset of offsets) {
      const place = placeOf(origin, offset, spatial);
      for (let channel = 0; channel < inputs; channel++) {
        row[to++] = place === undefined ? zeroPoint : codes[start + channel * plane + place]!;
      }
    }
  };
  return { positions: batch * perImage, groups, fill };
}

/** https://onnx.ai/onnx/operators/onnx__Conv.html: SAME_LOWER pads the odd element at the beginning. */
function padBegin(node: Node, axis: number, rank: number, total: () => number): number {
  const mode = stringAttr(node, 'auto_pad');
  if (mode === 'SAME_UPPER') return Math.floor(total() / 2);
  if (mode === 'SAME_LOWER') return Math.ceil(total() / 2);
  const pads = mode === 'VALID' ? undefined : intsAttr(node, 'pads');
  return pads?.length === 2 * rank ? pads[axis]! : 0;
}

/** Undefined in the padding. */
function placeOf(
  origin: readonly number[],
  offset: readonly number[],
  extents: readonly number[],
): number | undefined {
  let place = 0;
  for (let axis = 0; axis < extents.length; axis++) {
    const at = origin[axis]! + offset[axis]!;
    if (at < 0 || at >= extents[axis]!) return undefined;
    place = place * extents[axis]! + at;
  }
  return place;
}

function coordinates(index: number, extents: readonly number[]): number[] {
  const at = extents.map(() => 0);
  let rest = index;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    at[axis] = rest % extents[axis]!;
    rest = Math.floor(rest / extents[axis]!);
  }
  return at;
}

function product(extents: readonly number[]): number {
  return extents.reduce((count, extent) => count * extent, 1);
}
