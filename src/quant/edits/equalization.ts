/**
 * Cross-layer equalization: channels of a layer and of those that read them are rescaled so that both use the range of their
 * weights alike. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019, section 4.1.
 * https://arxiv.org/abs/1906.04721
 */
import { toFloat32 } from '../../ir/elements.js';
import {
  nodeOf,
  tensorOf,
  type ConstantData,
  type Graph,
  type NodeId,
  type TensorId,
} from '../../ir/graph.js';
import { withValues } from './constant-values.js';
import type { Chain } from './equalization-chains.js';
import { kernelChannels, type KernelChannels } from './kernel-channels.js';

/**
 * What is made alike: 'weights', the ranges of a channel in the layer that writes it and in those that read it, as in the paper;
 * 'activations', its range as a value and in those that read it, for targets that give every output channel a scale anyway.
 */
export type EqualizationKind = 'weights' | 'activations';

/** A chain, and what each of its channels is divided by. */
export interface EqualizedChain {
  readonly chain: Chain;
  readonly divisors: Float64Array;
}

/** Makes other elements of a constant, in its own order. */
export type Rescale = (data: ConstantData) => ConstantData;

/** As a logarithm. A step of 8 bits is a hundred times larger. */
const CONVERGED = 1e-5;
const MOST_ROUNDS = 100;

/** What other data may reach beyond the largest value that calibration saw. */
const HEADROOM = 2;

/**
 * Divisors for the channels of every chain: s = sqrt(r1 / r2) with r1 the largest magnitude of a channel where it is written and r2
 * where it is read, over and over until nothing changes, as layers in the middle have a part in two chains.
 *
 * Two bounds keep what the paper leaves open. No channel becomes wider than the widest of its tensor is, the typical change of the
 * others taken out: those that are hardly anything but their bias would be. And what stays below the limit of a Relu6 goes on to;
 * a channel that reaches the limit stays as it is.
 *
 * @param magnitudes largest |x| of each channel of an activation in float; undefined where nobody has seen it
 */
export function equalize(
  graph: Graph,
  chains: readonly Chain[],
  kind: EqualizationKind,
  magnitudes: (tensor: TensorId) => Float64Array | undefined,
): EqualizedChain[] {
  const tables = new Map<NodeId, WeightTable>();
  const tableOf = (node: NodeId): WeightTable => {
    const table = tables.get(node) ?? new WeightTable(graph, node);
    tables.set(node, table);
    return table;
  };
  const drafts = chains.flatMap((chain): Draft[] => {
    const { limited, tensors, channels } = chain;
    // The last of them: behind the activation.
    const seen = tensors
      .toReversed()
      .map(magnitudes)
      .find((values) => values?.length === channels);
    // Without the values nobody knows which channels reach a limit.
    if (seen === undefined && (limited.length > 0 || kind === 'activations')) return [];
    return [
      {
        chain,
        divisors: new Float64Array(channels).fill(1),
        written: tableOf(chain.node),
        readers: chain.readers.map((reader) => ({ table: tableOf(reader.node), channels: reader.channels })),
        limit: Math.min(...limited.map(({ limit }) => limit)) / HEADROOM,
        ...(seen === undefined ? {} : { seen }),
      },
    ];
  });
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let change = 0;
    for (const draft of drafts) change = Math.max(change, balance(draft, kind));
    if (change < CONVERGED) break;
  }
  return drafts
    .filter(({ divisors }) => divisors.some((divisor) => Math.abs(Math.log(divisor)) > CONVERGED))
    .map(({ chain, divisors }) => ({ chain, divisors }));
}

interface Draft extends EqualizedChain {
  readonly written: WeightTable;
  readonly readers: readonly { readonly table: WeightTable; readonly channels: Int32Array }[];
  readonly seen?: Float64Array;
  /** Infinity for none. */
  readonly limit: number;
}

/** One step; returns the largest change of a divisor, as a logarithm. */
function balance({ divisors, written, readers, seen, limit }: Draft, kind: EqualizationKind): number {
  const writes =
    kind === 'activations' && seen !== undefined
      ? seen.map((x, c) => x / divisors[c]!)
      : written.outputRanges();
  const reads = new Float64Array(divisors.length);
  for (const { table, channels } of readers) {
    table.inputRanges().forEach((range, i) => {
      const c = channels[i]!;
      if (range > reads[c]!) reads[c] = range;
    });
  }
  // A channel that is written or read with zeros has no range to give or to take.
  const isFree = (c: number): boolean =>
    writes[c]! > 0 && reads[c]! > 0 && (seen === undefined || seen[c]! < limit);
  const wanted = divisors.map((divisor, c) =>
    isFree(c) ? divisor * Math.sqrt(writes[c]! / reads[c]!) : divisor,
  );
  if (seen !== undefined) keepWithin(wanted, isFree, seen, limit);
  const step = wanted.map((divisor, c) => divisor / divisors[c]!);
  divisors.set(wanted);
  written.divideOutputs(step);
  for (const { table, channels } of readers) table.multiplyInputs(step, channels);
  return step.reduce((most, ratio) => Math.max(most, Math.abs(Math.log(ratio))), 0);
}

/** The bounds that `equalize` tells of. */
function keepWithin(
  wanted: Float64Array,
  isFree: (c: number) => boolean,
  seen: Float64Array,
  limit: number,
): void {
  const free = [...wanted.keys()].filter(isFree);
  const widest = seen.reduce((most, x) => Math.max(most, x), 0);
  if (free.length === 0 || widest === 0) return;
  const typical = Math.exp(free.reduce((sum, c) => sum + Math.log(wanted[c]!), 0) / free.length);
  // Where some channels have to stay as they are the others keep their level, and change in relation to each other.
  const level = limit === Infinity ? 1 : typical;
  for (const c of free) {
    const least = Math.max((seen[c]! / widest) * (typical / level), seen[c]! / limit);
    wanted[c] = Math.max(wanted[c]! / level, least);
  }
}

/** Largest |w| of each pair of output and input channel of a layer, under the divisors so far. */
class WeightTable {
  readonly #magnitudes: Float32Array;
  readonly #channels: KernelChannels;
  readonly #outputs: Float64Array;
  readonly #inputs: Float64Array;

  constructor(graph: Graph, id: NodeId) {
    const node = nodeOf(graph, id);
    const data = weightData(graph, id);
    const values = toFloat32(data);
    const channels = kernelChannels(node, data.dims);
    const { rows, columns, inner } = channels;
    this.#channels = channels;
    this.#magnitudes = new Float32Array(rows * columns);
    this.#magnitudes.forEach((_, pair) => {
      let most = 0;
      for (let i = pair * inner; i < (pair + 1) * inner; i++) most = Math.max(most, Math.abs(values[i]!));
      this.#magnitudes[pair] = Number.isFinite(most) ? most : 0;
    });
    this.#outputs = new Float64Array(channels.outputs).fill(1);
    this.#inputs = new Float64Array(channels.inputs).fill(1);
  }

  outputRanges(): Float64Array {
    return this.#ranges((output) => output, this.#outputs.length);
  }

  inputRanges(): Float64Array {
    return this.#ranges((_, input) => input, this.#inputs.length);
  }

  divideOutputs(by: Float64Array): void {
    this.#outputs.forEach((factor, o) => (this.#outputs[o] = factor / by[o]!));
  }

  multiplyInputs(by: Float64Array, channels: Int32Array): void {
    this.#inputs.forEach((factor, i) => (this.#inputs[i] = factor * by[channels[i]!]!));
  }

  #ranges(along: (output: number, input: number) => number, extent: number): Float64Array {
    const { rows, columns, output, input } = this.#channels;
    const ranges = new Float64Array(extent);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [o, i] = [output(row, column), input(row, column)];
        const range = this.#magnitudes[row * columns + column]! * this.#outputs[o]! * this.#inputs[i]!;
        const at = along(o, i);
        if (range > ranges[at]!) ranges[at] = range;
      }
    }
    return ranges;
  }
}

function weightData(graph: Graph, id: NodeId): ConstantData {
  const weight = nodeOf(graph, id).inputs[1];
  const data = weight === undefined || weight === null ? undefined : tensorOf(graph, weight).data;
  if (data === undefined) throw new RangeError(`node ${id} has no constant weight`);
  return data;
}

/**
 * How every constant of the chains changes: weights and biases that write a channel are divided, weights that read it multiplied.
 * What the network computes stays, but for the rounding of float32.
 */
export function rescales(graph: Graph, equalized: readonly EqualizedChain[]): Map<TensorId, Rescale> {
  const outputs = new Map<NodeId, Float64Array>();
  const inputs = new Map<NodeId, Float64Array>();
  const made = new Map<TensorId, Rescale>();
  for (const { chain, divisors } of equalized) {
    outputs.set(chain.node, divisors);
    for (const { node, channels } of chain.readers)
      inputs.set(
        node,
        Float64Array.from(channels, (c) => divisors[c]!),
      );
    for (const tensor of chain.added) made.set(tensor, (data) => changed(data, (x, i) => x / divisors[i]!));
  }
  for (const id of new Set([...outputs.keys(), ...inputs.keys()])) {
    const node = nodeOf(graph, id);
    const weight = node.inputs[1];
    if (weight === undefined || weight === null) continue;
    const [divisors, factors] = [outputs.get(id), inputs.get(id)];
    made.set(weight, (data) => {
      const { columns, inner, output, input } = kernelChannels(node, data.dims);
      return changed(data, (x, at) => {
        const pair = Math.floor(at / inner);
        const [row, column] = [Math.floor(pair / columns), pair % columns];
        return (x * (factors?.[input(row, column)] ?? 1)) / (divisors?.[output(row, column)] ?? 1);
      });
    });
  }
  return made;
}

/** Float32 elements, whatever the constant has. */
function changed(data: ConstantData, change: (x: number, at: number) => number): ConstantData {
  const elements = toFloat32(data);
  const values = new Float32Array(elements.length);
  for (let i = 0; i < values.length; i++) values[i] = change(elements[i]!, i);
  return withValues(data, values);
}
