/** The constants of a linear operator in one form, whatever operator has them: [output channel][input feature and tap]. */
import {
  floatAttr,
  intAttr,
  tensorOf,
  type ConstantData,
  type Graph,
  type Node,
  type TensorId,
} from '../../ir/graph.js';
import { dimsOf, type Atom, type Axes } from './axes.js';
import { constantSource } from './constant-source.js';
import { floatsOf } from './elementwise.js';

export interface Kernel {
  readonly tensor: TensorId;
  readonly data: ConstantData;
  /** Output channels. */
  readonly channels: number;
  /** Values per output channel; without taps that only a dilation written out as zeros has. */
  readonly features: number;
  /** Where the values of a channel start in the tensor. */
  readonly channelOffset: Int32Array;
  /** Where the values of a feature lie from there, in the order of the tensor. */
  readonly plainOffset: Int32Array;
  /** The same, sorted by what the features stand for: the order in which two networks have them alike. */
  readonly featureOffset: Int32Array;
  /** Order of all elements of the tensor. */
  readonly storage: readonly Atom[];
  /** What the product is multiplied with, apart from what follows it. */
  readonly alpha: number;
  readonly bias: { readonly tensor: TensorId; readonly beta: number } | undefined;
}

interface Form {
  readonly channels: number;
  /** Of the channels, in storage order; the strides of both follow from `storage`. */
  readonly storage: readonly Atom[];
  readonly isTransposed?: boolean;
}

/** Name of the axis of output channels; no axis of an activation has it. */
const OUT = 'M';

/** The kernel of a convolution or of a product with a constant matrix; undefined for every other node. */
export function kernelOf(graph: Graph, node: Node, axes: readonly (Axes | undefined)[]): Kernel | undefined {
  const isKnown = node.domain === '' || node.domain === 'ai.onnx' || node.domain === 'com.microsoft';
  const operand = node.inputs[1] ?? undefined;
  const id = operand === undefined ? undefined : constantSource(graph, operand);
  const data = id === undefined ? undefined : tensorOf(graph, id).data;
  if (!isKnown || operand === undefined || id === undefined || data === undefined) return undefined;
  const isReshaped = id !== operand && dimsOf(graph, operand)?.join() !== data.dims.join();
  if (isReshaped || data.dims.includes(0)) return undefined;
  const form = formOf(node, data.dims, axes);
  if (form === undefined) return undefined;
  const { channels, storage } = form;
  const strides = storage.map((_, i) => storage.slice(i + 1).reduce((n, { extent }) => n * extent, 1));
  const parts = storage.map((digit, i) => ({ digit, step: strides[i] ?? 1 }));
  const outs = parts.filter(({ digit }) => digit.label === OUT);
  const all = parts.filter(({ digit }) => digit.label !== OUT);
  const thinned = form.isTransposed === true ? all : withoutZeroTaps(data, all);
  const sorted = [...thinned].sort((a, b) =>
    a.digit.label < b.digit.label ? -1 : a.digit.label > b.digit.label ? 1 : b.digit.stride - a.digit.stride,
  );
  const plainOffset = offsets(thinned);
  const bias = biasOf(graph, node);
  return {
    tensor: id,
    data,
    channels,
    features: plainOffset.length,
    channelOffset: offsets(outs),
    plainOffset,
    featureOffset: offsets(sorted),
    storage,
    alpha: /Gemm|MatMul/.test(node.op) ? (floatAttr(node, 'alpha') ?? 1) : 1,
    bias,
  };
}

function biasOf(graph: Graph, node: Node): Kernel['bias'] {
  const operand = /Conv|Gemm/.test(node.op) ? (node.inputs[2] ?? undefined) : undefined;
  const id = operand === undefined ? undefined : constantSource(graph, operand);
  if (id === undefined) return undefined;
  return { tensor: id, beta: node.op === 'Gemm' ? (floatAttr(node, 'beta') ?? 1) : 1 };
}

function formOf(node: Node, dims: readonly number[], axes: readonly (Axes | undefined)[]): Form | undefined {
  const [first = 1, second = 1] = dims;
  const spatial = dims.slice(2).map((extent, i): Atom => ({ label: `S${i}`, stride: 1, extent }));
  const digit = (label: string, extent: number, stride = 1): Atom => ({ label, stride, extent });
  switch (node.op) {
    case 'Conv':
    case 'FusedConv':
      if (dims.length < 3) return undefined;
      return { channels: first, storage: [digit(OUT, first), digit('C', second), ...spatial] };
    case 'ConvTranspose': {
      const groups = intAttr(node, 'group') ?? 1;
      if (dims.length < 3 || groups < 1 || first % groups !== 0) return undefined;
      const outs = [digit(OUT, groups, second), digit('C', first / groups), digit(OUT, second)];
      return { channels: groups * second, storage: [...outs, ...spatial], isTransposed: true };
    }
    case 'Gemm':
    case 'FusedGemm':
    case 'MatMul':
    case 'FusedMatMul': {
      if (dims.length < 2 || dims.slice(0, -2).some((extent) => extent !== 1)) return undefined;
      const [rows = 1, columns = 1] = dims.slice(-2);
      const isByRow = (intAttr(node, 'transB') ?? 0) !== 0;
      const [channels, depth] = isByRow ? [rows, columns] : [columns, rows];
      const features = featuresOf(node, depth, axes);
      const outs = digit(OUT, channels);
      return { channels, storage: isByRow ? [outs, ...features] : [...features, outs] };
    }
    default:
      return undefined;
  }
}

/** What the input features stand for. */
function featuresOf(node: Node, depth: number, axes: readonly (Axes | undefined)[]): readonly Atom[] {
  const operand = node.inputs[0] ?? undefined;
  const isTurned = (intAttr(node, 'transA') ?? 0) !== 0;
  const known = operand === undefined || isTurned ? undefined : axes[operand]?.at(-1);
  const count = known?.reduce((product, { extent }) => product * extent, 1);
  return known !== undefined && count === depth ? known : [{ label: 'C', stride: 1, extent: depth }];
}

interface Part {
  readonly digit: Atom;
  readonly step: number;
  readonly from?: number;
}

function offsets(parts: readonly Part[]): Int32Array {
  let result = Int32Array.of(0);
  for (const { digit, step } of parts) {
    const next = new Int32Array(result.length * digit.extent);
    result.forEach((start, i) => {
      for (let k = 0; k < digit.extent; k++) next[i * digit.extent + k] = start + k * step;
    });
    result = next;
  }
  return result;
}

/**
 * A dilated convolution may be written as a larger kernel that is zero between its taps: spatial axes are thinned by the largest
 * step at which all other values are zero.
 */
function withoutZeroTaps(data: ConstantData, parts: readonly Part[]): readonly Part[] {
  if (!parts.some(({ digit }) => isSpatial(digit) && digit.extent > 4)) return parts;
  const values = floatsOf(data);
  if (values === undefined) return parts;
  return parts.map((part) => {
    const { digit, step } = part;
    if (!isSpatial(digit) || digit.extent < 5) return part;
    for (let dilation = digit.extent - 1; dilation > 1; dilation--) {
      if ((digit.extent - 1) % dilation !== 0 || dilation === digit.extent - 1) continue;
      const isThin = values.every(
        (value, i) => value === 0 || (Math.floor(i / step) % digit.extent) % dilation === 0,
      );
      if (isThin) {
        return { digit: { ...digit, extent: (digit.extent - 1) / dilation + 1 }, step: step * dilation };
      }
    }
    return part;
  });
}

function isSpatial({ label }: Atom): boolean {
  return label.startsWith('S');
}
