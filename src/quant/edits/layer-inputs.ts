/** What the outputs of a layer are made of: the input values that each multiplies with its weights, position by position. */
import { intAttr, intsAttr, stringAttr, type Node } from '../../ir/graph.js';
import { kernelChannels } from './kernel-channels.js';

/** Which positions of a sample are visited: at most so many, evenly spread, others in other samples. */
export interface Visited {
  readonly most: number;
  /** Number of the sample. */
  readonly first: number;
}

/** A step of the windows of a convolution, for one output position along each spatial axis. */
interface Windows {
  readonly extents: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly positions: readonly number[];
}

export class LayerInputs {
  /** Inputs of one output. */
  readonly size: number;
  /** Groups of outputs that read the same inputs. */
  readonly groups: number;
  readonly #node: Node;
  readonly #weight: readonly number[];
  readonly #windows: Windows | undefined;

  private constructor(node: Node, weight: readonly number[], windows: Windows | undefined) {
    const { inputs } = kernelChannels(node, weight);
    this.#node = node;
    this.#weight = weight;
    this.#windows = windows;
    this.groups = windows === undefined ? 1 : inputs / weight[1]!;
    this.size = windows === undefined ? inputs : weight.slice(1).reduce((product, dim) => product * dim, 1);
  }

  /**
   * Of Conv over one or two spatial axes, Gemm, and MatMul with a matrix of weights; undefined for others.
   *
   * @param dims of the input
   */
  static of(node: Node, weight: readonly number[], dims: readonly number[]): LayerInputs | undefined {
    if (node.domain !== '') return undefined;
    if (node.op === 'Gemm' || node.op === 'MatMul') {
      const isPlain = weight.length === 2 && (intAttr(node, 'transA') ?? 0) === 0;
      return isPlain ? new LayerInputs(node, weight, undefined) : undefined;
    }
    const windows = node.op === 'Conv' ? windowsOf(node, weight, dims) : undefined;
    return windows === undefined ? undefined : new LayerInputs(node, weight, windows);
  }

  /** Group whose inputs the output reads. */
  groupOf(output: number): number {
    return this.#windows === undefined ? 0 : Math.floor((output * this.groups) / this.#weight[0]!);
  }

  /** Positions in the weight of what the output multiplies its inputs with, in the order of the inputs. */
  elementsOf(output: number): number[] {
    const { size } = this;
    const { rows, columns, output: outputOf } = kernelChannels(this.#node, this.#weight);
    if (this.#windows !== undefined || outputOf(1, 0) === 1)
      return Array.from({ length: size }, (_, i) => output * size + i);
    return Array.from({ length: rows }, (_, i) => i * columns + output);
  }

  /** Calls with the inputs of some positions; the array is used again. */
  visit(values: Float32Array, visited: Visited, each: (group: number, x: Float32Array) => void): void {
    const windows = this.#windows;
    const x = new Float32Array(this.size);
    const total =
      windows === undefined
        ? values.length / this.size
        : windows.positions.reduce((product, extent) => product * extent, 1);
    const stride = Math.max(1, Math.ceil(total / visited.most));
    for (let at = visited.first % Math.min(stride, total); at < total; at += stride) {
      if (windows === undefined) each(0, values.subarray(at * this.size, (at + 1) * this.size));
      else {
        for (let group = 0; group < this.groups; group++) {
          this.#patch(values, windows, { group, at }, x);
          each(group, x);
        }
      }
    }
  }

  /** Of the first of a batch. */
  #patch(
    values: Float32Array,
    { extents, kernel, strides, dilations, before, positions }: Windows,
    { group, at }: { readonly group: number; readonly at: number },
    x: Float32Array,
  ): void {
    const [height, width] = extents as [number, number];
    const [kernelHeight, kernelWidth] = kernel as [number, number];
    const top = Math.floor(at / positions[1]!) * strides[0]! - before[0]!;
    const left = (at % positions[1]!) * strides[1]! - before[1]!;
    const channels = this.#weight[1]!;
    let i = 0;
    for (let c = group * channels; c < (group + 1) * channels; c++) {
      for (let ky = 0; ky < kernelHeight; ky++) {
        const y = top + ky * dilations[0]!;
        for (let kx = 0; kx < kernelWidth; kx++) {
          const column = left + kx * dilations[1]!;
          const isInside = y >= 0 && y < height && column >= 0 && column < width;
          x[i++] = isInside ? values[(c * height + y) * width + column]! : 0;
        }
      }
    }
  }
}

/** Two spatial axes always; undefined for other numbers of them. */
function windowsOf(node: Node, weight: readonly number[], dims: readonly number[]): Windows | undefined {
  const spatial = dims.slice(2);
  if (dims.length !== weight.length || spatial.length < 1 || spatial.length > 2) return undefined;
  /** A sequence is a picture of one line. */
  const plane = (values: readonly number[], missing: number): number[] =>
    spatial.length === 1 ? [missing, ...values] : [...values];
  const ones = spatial.map(() => 1);
  const extents = plane(spatial, 1);
  const kernel = plane(weight.slice(2), 1);
  const strides = plane(intsAttr(node, 'strides') ?? ones, 1);
  const dilations = plane(intsAttr(node, 'dilations') ?? ones, 1);
  const pads = padsOf(node, {
    spatial,
    weight,
    strides: strides.slice(-spatial.length),
    dilations: dilations.slice(-spatial.length),
  });
  const before = plane(pads.slice(0, spatial.length), 0);
  const after = plane(pads.slice(spatial.length), 0);
  const positions = extents.map((extent, axis) => {
    const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
    return Math.floor((extent + before[axis]! + after[axis]! - reach) / strides[axis]!) + 1;
  });
  return positions.every((count) => count > 0)
    ? { extents, kernel, strides, dilations, before, positions }
    : undefined;
}

function padsOf(
  node: Node,
  {
    spatial,
    weight,
    strides,
    dilations,
  }: Record<'spatial' | 'weight' | 'strides' | 'dilations', readonly number[]>,
): number[] {
  const mode = stringAttr(node, 'auto_pad') ?? 'NOTSET';
  if (mode === 'NOTSET') return [...(intsAttr(node, 'pads') ?? spatial.flatMap(() => [0, 0]))];
  if (mode === 'VALID') return spatial.flatMap(() => [0, 0]);
  const whole = spatial.map((extent, axis) => {
    const reach = (weight[axis + 2]! - 1) * dilations[axis]! + 1;
    return Math.max(0, (Math.ceil(extent / strides[axis]!) - 1) * strides[axis]! + reach - extent);
  });
  const less = whole.map((pad) => Math.floor(pad / 2));
  const more = whole.map((pad) => Math.ceil(pad / 2));
  return mode === 'SAME_LOWER' ? [...more, ...less] : [...less, ...more];
}
