/**
 * What x86 processors without VNNI make of a quantized network: products of uint8 and int8 are computed a second time, with sums of two
 * products cut to 16 bits, on the activations of a few samples.
 *
 * Every operator is looked at by itself: its activations are those of the lane, in which nothing was cut before it.
 */
import { tensorOf, type Graph, type NodeId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { activationCodes } from '../quant/saturation/activation-codes.js';
import { pairBound, type PairBound } from '../quant/saturation/pairs.js';
import { saturableProducts, type SaturableProduct } from '../quant/saturation/products.js';
import { noSums, ProductSimulation, type SaturationSums } from '../quant/saturation/simulation.js';
import { processor, type Processor } from './original/cpu.js';
import { simulate } from './other/simulation.js';
import { targetsOf } from './other/targets.js';
import type { OtherRunOptions } from './other-run.js';
import type { Samples } from './samples.js';

export interface OperatorSaturation {
  readonly node: NodeId;
  /** Output channels. */
  readonly channels: number;
  /** What its weights alone allow. */
  readonly bound: PairBound;
  /** Sums of two products that were computed, and the share of them that left 16 bits. 0 where the weights allow none. */
  readonly pairs: number;
  readonly saturatedShare: number;
  /** Outputs that were computed, and the share of them that another value came out of: another code, where the operator writes codes. */
  readonly outputs: number;
  readonly changedShare: number;
  /** Of the outputs with pairs cut, beside the exact ones, dB; absent where none changed and where there is no signal. */
  readonly sqnrDb?: number;
}

export interface SaturationStudy {
  /** Operators that the runtime's kernels for uint8 and int8 compute on x86, in graph order. */
  readonly operators: readonly OperatorSaturation[];
  readonly unmeasured: readonly { readonly node: NodeId; readonly reason: string }[];
  readonly samples: number;
  /** The one that this ran on: nothing says that it is the one the network is for. */
  readonly processor: Processor;
}

export interface SaturationOptions extends OtherRunOptions {
  /** Products that are computed in all; of every operator and sample at least those of one output position. */
  readonly products?: number;
}

const SAMPLES = 8;
/** Less than a second's worth. */
const BUDGET = 3e8;
/** Weights that are held at a time, bytes. */
const WEIGHT_BYTES = 2 ** 28;

interface Studied {
  readonly product: SaturableProduct;
  readonly simulation: ProductSimulation;
  readonly bound: PairBound;
  readonly sums: SaturationSums;
}

/**
 * Runs the network on the first samples, 8 at most, and computes some output positions of every product that its weights allow to
 * saturate.
 *
 * @param graph extents bound, shapes inferred
 * @param samples feeds of the graph, or of the reference where `options` has one
 */
export async function studySaturation(
  graph: Graph,
  lane: Lane,
  samples: Samples,
  options: SaturationOptions,
): Promise<SaturationStudy> {
  const { targets } = targetsOf({ graph, lane });
  const reachable = new Map(targets.map((target) => [target.tensor, target]));
  const unmeasured: { node: NodeId; reason: string }[] = [];
  const harmless: OperatorSaturation[] = [];
  const studied: Studied[] = [];
  let held = 0;
  for (const product of saturableProducts(graph, lane)) {
    const { node, input } = product;
    const target = reachable.get(input);
    const bytes = tensorOf(graph, product.weight).data?.dims.reduce((size, dim) => size * dim, 1) ?? 0;
    if (held + bytes > WEIGHT_BYTES) {
      unmeasured.push({ node: node.id, reason: 'the weights are too many to be looked at once more' });
      continue;
    }
    const simulation = new ProductSimulation(graph, lane, product);
    const bound = pairBound(simulation.weights);
    const sums = noSums();
    if (bound.saturable === 0) harmless.push(resultOf({ product, simulation, bound, sums }));
    else if (target === undefined || simulation.rows(target.dims) === undefined) {
      unmeasured.push({ node: node.id, reason: 'its activations are not measured' });
    } else {
      studied.push({ product, simulation, bound, sums });
      held += bytes;
    }
  }
  const seen = await runOn({ graph, lane }, studied, reachable, samples, options);
  const operators = [...harmless, ...studied.map(resultOf)].sort((a, b) => a.node - b.node);
  return { operators, unmeasured, samples: seen, processor: await processor() };
}

/** @returns number of samples */
async function runOn(
  candidate: { readonly graph: Graph; readonly lane: Lane },
  studied: readonly Studied[],
  reachable: ReadonlyMap<number, ReturnType<typeof targetsOf>['targets'][number]>,
  samples: Samples,
  { products = BUDGET, ...options }: SaturationOptions,
): Promise<number> {
  if (studied.length === 0) return 0;
  const inputs = [...new Set(studied.map(({ product }) => product.input))];
  const targets = inputs.flatMap((tensor) => reachable.get(tensor) ?? []);
  const count = Math.min(SAMPLES, samples.count);
  const first = { count, has: (_: unknown, index: number) => index < count };
  const share = products / (studied.length * Math.max(1, count));
  const seen = new Set<number>();
  for await (const { index, targets: values } of simulate(
    candidate,
    targets,
    samples,
    options,
    'saturation',
    first,
  )) {
    seen.add(index);
    for (const { target, values: value } of values) {
      const floats = Float32Array.from(value as Float32Array);
      for (const one of studied) {
        if (one.product.input === target.tensor) addSample(one, floats, target.dims, share);
      }
    }
  }
  return seen.size;
}

function addSample(
  { product, simulation, sums }: Studied,
  values: Float32Array,
  dims: readonly number[],
  share: number,
): void {
  const rows = simulation.rows(dims);
  if (rows === undefined) return;
  const input = activationCodes(values, dims, product.coding);
  const { channels, depth } = simulation.weights;
  const wanted = Math.max(1, Math.min(rows.positions, Math.floor(share / (channels * depth))));
  for (const position of spread(rows.positions, wanted)) simulation.at(input, rows, position, sums);
}

/** `wanted` different numbers below `count`, all over it and not in step with rows of an image. */
function* spread(count: number, wanted: number): Generator<number> {
  let step = Math.max(1, Math.round(count * 0.618));
  while (divisor(step, count) !== 1) step++;
  for (let i = 0; i < wanted; i++) yield (i * step) % count;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function resultOf({ product, bound, sums }: Studied): OperatorSaturation {
  const { pairs, saturated, outputs, changed, signal, noise } = sums;
  return {
    node: product.node.id,
    channels: bound.channels,
    bound,
    pairs,
    saturatedShare: pairs === 0 ? 0 : saturated / pairs,
    outputs,
    changedShare: outputs === 0 ? 0 : changed / outputs,
    ...(signal > 0 && noise > 0 && Number.isFinite(signal / noise)
      ? { sqnrDb: 10 * Math.log10(signal / noise) }
      : {}),
  };
}
