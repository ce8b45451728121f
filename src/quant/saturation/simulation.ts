/**
 * A product of uint8 activations and int8 weights, computed exactly and as x86 processors without VNNI compute it, output position by
 * output position.
 *
 * sum((a - za) (w - zw)) = sum(a w) - za sum(w) - zw sum(a) + depth za zw: of the four only the first is added in pairs. Sums become
 * codes as MlasRequantizeOutput has it (onnxruntime/core/mlas/lib/quantize.cpp): in float32, rounded to nearest, ties to even.
 */
import { toFloat32, toFloat64 } from '../../ir/elements.js';
import { floatAttr, tensorOf, type Graph } from '../../ir/graph.js';
import { QRANGE, type Lane } from '../../ir/lane.js';
import { roundHalfEven } from '../affine.js';
import { kernelWeights } from './kernel-weights.js';
import { PairSum, type KernelWeights } from './pairs.js';
import type { SaturableProduct } from './products.js';
import { rowsOf, type ActivationCodes, type Rows } from './rows.js';

/** Sums over the output positions looked at. They add up over positions and samples. */
export interface SaturationSums {
  pairs: number;
  saturated: number;
  outputs: number;
  /** Outputs with another value: another code, where the operator writes codes. */
  changed: number;
  /** Sum of squares of the exact outputs, and of what cutting adds to them. */
  signal: number;
  noise: number;
}

export function noSums(): SaturationSums {
  return { pairs: 0, saturated: 0, outputs: 0, changed: 0, signal: 0, noise: 0 };
}

export class ProductSimulation {
  readonly weights: KernelWeights;
  /** Outputs of the position last computed, one for each channel: codes, or values where the operator writes none. */
  readonly exact: Float64Array;
  readonly cut: Float64Array;
  readonly #product: SaturableProduct;
  readonly #dims: readonly number[];
  readonly #bias: ArrayLike<number> | undefined;
  readonly #biasScale: 'codes' | 'values';
  readonly #weightSums: Float64Array;
  readonly #row: Uint8Array;
  readonly #sum = new PairSum();
  readonly #alpha: number;

  constructor(graph: Graph, lane: Lane, product: SaturableProduct) {
    this.#product = product;
    this.#dims = tensorOf(graph, product.weight).data?.dims ?? [];
    this.weights = kernelWeights(graph, lane, product);
    const { channels, depth, codes } = this.weights;
    this.exact = new Float64Array(channels);
    this.cut = new Float64Array(channels);
    this.#row = new Uint8Array(depth);
    this.#weightSums = new Float64Array(channels);
    for (let i = 0; i < codes.length; i++) this.#weightSums[Math.floor(i / depth)]! += codes[i]!;
    const biasTensor = product.node.inputs[2] ?? null;
    const biasCodes = biasTensor === null ? undefined : lane.codes?.get(biasTensor);
    const bias = biasTensor === null ? undefined : tensorOf(graph, biasTensor).data;
    this.#biasScale = biasCodes === undefined ? 'values' : 'codes';
    this.#bias = biasCodes ? toFloat64(biasCodes) : bias && toFloat32(bias);
    this.#alpha = floatAttr(product.node, 'alpha') ?? 1;
  }

  /** Undefined where the extents of the activations do not fit, or the bias is not one number for each channel. */
  rows(dims: readonly number[]): Rows | undefined {
    const { node } = this.#product;
    const isVector = this.#bias === undefined || this.#bias.length === this.weights.channels;
    return isVector && (node.inputs[2] == null || this.#bias !== undefined)
      ? rowsOf(node, dims, this.#dims)
      : undefined;
  }

  /** Computes all channels of one output position, into `exact` and `cut`, and adds to the sums what it has met. */
  at(input: ActivationCodes, rows: Rows, position: number, sums: SaturationSums): void {
    const { channels, depth } = this.weights;
    const perGroup = channels / rows.groups;
    for (let group = 0; group < rows.groups; group++) {
      rows.fill(input, position, group, this.#row);
      const rowSum = this.#row.reduce((sum, code) => sum + code, 0);
      for (let channel = group * perGroup; channel < (group + 1) * perGroup; channel++) {
        this.#sum.of(this.#row, this.weights, channel);
        sums.saturated += this.#sum.saturated;
        this.#finish(input, channel, rowSum, sums);
      }
    }
    sums.outputs += channels;
    sums.pairs += channels * Math.floor(depth / 2);
  }

  /** From sums of products of codes to outputs. */
  #finish(input: ActivationCodes, channel: number, rowSum: number, sums: SaturationSums): void {
    const { weights, output } = this.#product;
    const { zeroPoint } = input;
    const weightScale = weights.scale[weights.scale.length === 1 ? 0 : channel] ?? 0;
    const weightPoint = weights.zeroPoint[weights.zeroPoint.length === 1 ? 0 : channel] ?? 0;
    const scale = Math.fround(Math.fround(this.#alpha * input.scale) * weightScale);
    const weightSum = this.#weightSums[channel] ?? 0;
    const rest =
      this.#biasCode(channel, scale) -
      zeroPoint * weightSum -
      weightPoint * rowSum +
      this.weights.depth * zeroPoint * weightPoint;
    const written = (sum: number): { readonly output: number; readonly value: number } => {
      if (output === undefined) return { output: sum * scale, value: sum * scale };
      const step = output.params.scale[0] ?? 0;
      const point = (output.params.zeroPoint[0] ?? 0) + output.shift;
      const code = requantized(sum, Math.fround(scale / step), point);
      return { output: code, value: (code - point) * step };
    };
    const exact = written(this.#sum.exact + rest);
    const cut = this.#sum.saturated === 0 ? exact : written(this.#sum.cut + rest);
    this.exact[channel] = exact.output;
    this.cut[channel] = cut.output;
    const error = cut.value - exact.value;
    sums.signal += exact.value ** 2;
    sums.noise += error ** 2;
    if (Math.abs(error) > 0) sums.changed++;
  }

  /** Biases are added to the sums; those in float the runtime rounds to codes of that scale first. */
  #biasCode(channel: number, scale: number): number {
    const value = this.#bias?.[channel] ?? 0;
    return this.#biasScale === 'codes' || value === 0 ? value : roundHalfEven(Math.fround(value / scale));
  }
}

function requantized(sum: number, factor: number, zeroPoint: number): number {
  const [lowest, highest] = QRANGE.uint8;
  const scaled = Math.fround(Math.fround(sum) * factor);
  return roundHalfEven(Math.min(highest - zeroPoint, Math.max(lowest - zeroPoint, scaled))) + zeroPoint;
}
