/** What a measuring pass must add up, computed with the float64 interpreter. */
import type { Edge } from '../../src/compile/edges.js';
import type { ErrorKind } from '../../src/compile/measurement-program.js';
import type { Graph, TensorId } from '../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import type { Array64, Feeds } from './float64-network.js';
import { indexAlong, localValue, quantizedArray, run, throughQuantizer } from './float64-network.js';

export interface ReferenceErrors {
  readonly sumEE: number[];
  readonly sumE: number[];
  readonly maxAbsE: number[];
  clipEE: number;
  /** Σx² / Σe² of every sample with an error. */
  readonly ratios: { readonly sample: number; readonly ratio: number }[];
}

export interface ReferenceSums {
  sumXX: number;
  clipped: number;
  count: number;
  readonly errors: Map<ErrorKind, ReferenceErrors>;
}

/** Per edge, over all samples. `quantizers`: what `self` and clipping are about. */
export function referenceSums(
  graph: Graph,
  lane: Lane,
  edges: readonly Edge[],
  fusedAway: ReadonlySet<TensorId>,
  feeds: readonly Feeds[],
  quantizers: (tensor: TensorId) => QuantParams | undefined,
): ReferenceSums[] {
  const sums = edges.map((): ReferenceSums => ({ sumXX: 0, clipped: 0, count: 0, errors: new Map() }));
  feeds.forEach((feed, sample) => {
    const float = run(graph, { name: 'float', tensors: new Map(), uses: new Map() }, feed);
    const tested = run(graph, lane, feed);
    edges.forEach((edge, i) => {
      const x = float.get(edge.tensor)!;
      const params = quantizers(edge.tensor);
      const kinds: [ErrorKind, Array64][] = [['cumulative', tested.get(edge.tensor)!]];
      if (params !== undefined) kinds.push(['self', quantizedArray(x, params)]);
      if (edge.producer !== undefined)
        kinds.push(['local', localValue(graph, lane, fusedAway, float, edge.tensor)]);
      for (const [kind, y] of kinds) addErrors(sums[i]!, kind, edge, x, y, params, sample);
      sums[i]!.count += x.data.length;
      x.data.forEach((value, at) => {
        sums[i]!.sumXX += value * value;
        if (isClipped(x, at, params)) sums[i]!.clipped++;
      });
    });
  });
  return sums;
}

function isClipped(x: Array64, at: number, params: QuantParams | undefined): boolean {
  if (params === undefined) return false;
  const { granularity } = params;
  const channel = granularity.kind === 'per-tensor' ? 0 : indexAlong(x.dims, granularity.axis, at);
  return throughQuantizer(x.data[at]!, params, channel).clipped;
}

function addErrors(
  sums: ReferenceSums,
  kind: ErrorKind,
  edge: Edge,
  x: Array64,
  y: Array64,
  params: QuantParams | undefined,
  sample: number,
): void {
  const zeros = (): number[] => Array.from({ length: edge.channels }, () => 0);
  const errors = sums.errors.get(kind) ?? {
    sumEE: zeros(),
    sumE: zeros(),
    maxAbsE: zeros(),
    clipEE: 0,
    ratios: [],
  };
  sums.errors.set(kind, errors);
  let [xx, ee] = [0, 0];
  x.data.forEach((value, at) => {
    const channel = edge.channelAxis === undefined ? 0 : indexAlong(edge.dims, edge.channelAxis, at);
    const e = y.data[at]! - value;
    errors.sumEE[channel]! += e * e;
    errors.sumE[channel]! += e;
    errors.maxAbsE[channel] = Math.max(errors.maxAbsE[channel]!, Math.abs(e));
    if (isClipped(x, at, params)) errors.clipEE += e * e;
    xx += value * value;
    ee += e * e;
  });
  if (ee > 0) errors.ratios.push({ sample, ratio: xx / ee });
}
