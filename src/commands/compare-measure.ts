/** The measuring pass of a comparison: every common tensor, and beside it the ladder at the outputs. */
import { edgesOf, type Edge, type Unmeasured } from '../compile/edges.js';
import { ERROR_KINDS, gainOf } from '../compile/measurement-program.js';
import { edgeMeasurements, type EdgeMeasurement, type SeenEdge } from '../diff/edge-measurements.js';
import { endsOf } from '../diff/ends.js';
import { UsageError } from '../errors.js';
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { isOnlyRectified } from '../ir/operators.js';
import { sqnr } from '../ir/sums.js';
import type { LadderRung } from '../report/compare-report.js';
import { atMost } from '../run/data/files.js';
import { Ladder, type RungSums } from '../run/ladder.js';
import { measure, type EdgeSums } from '../run/measure.js';
import type { Samples, Watch } from '../run/samples.js';
import { ladderLanes } from './ladder-lanes.js';
import type { NetworkPair } from './network-pair.js';

/** Least samples that layers and the ladder are measured on, where there are as many. */
const LEAST_DETAIL = 8;
/** One in so many samples is; where the kernels of TFLite compute, which cost several times as much, fewer. */
const DETAIL_SHARE = 8;
const KERNEL_DETAIL_SHARE = 16;
/** Values of activations that are measured whatever share of the samples that is: small networks are looked at as a whole. */
const DETAIL_VALUES = 2 ** 24;

/** What of the candidate can be compared. */
export interface CommonEdges {
  readonly edges: readonly Edge[];
  /** Tensors to judge by: the outputs, or the last ones that both networks have. */
  readonly ends: ReadonlySet<TensorId>;
  readonly notMeasured: readonly Unmeasured[];
}

/** @throws UsageError when nothing can */
export function commonEdges(
  { reference, candidate: { graph, loaded }, other }: NetworkPair,
  fusedAway: ReadonlySet<TensorId>,
): CommonEdges {
  const { edges: all, unmeasured } = edgesOf(graph, fusedAway);
  const edges = all.filter(({ tensor }) => other.counterparts.has(tensor));
  if (edges.length === 0) {
    throw new UsageError(
      'there is nothing to compare: the two networks have no tensor of known shape in common',
      {
        hint: `qdbg inspect ${reference.loaded.path} ${loaded.path} puts them side by side`,
      },
    );
  }
  const ends = endsOf(graph, new Set(edges.map(({ tensor }) => tensor)));
  if (ends.size === 0) {
    throw new UsageError(
      'there is nothing to judge by: nothing behind the inputs has a known shape and a counterpart',
      {
        places: atMost(unmeasured.map(({ tensor, reason }) => `${tensorOf(graph, tensor).name}: ${reason}`)),
        hint: `qdbg inspect ${reference.loaded.path} ${loaded.path} puts them side by side`,
      },
    );
  }
  const alone = all.filter(({ tensor }) => !other.counterparts.has(tensor));
  return {
    edges,
    ends,
    notMeasured: [
      ...unmeasured,
      ...alone.map(({ tensor }) => ({ tensor, reason: 'it is not in the reference' })),
    ],
  };
}

/**
 * Tensors in front of a Relu whose quantizer cuts off at zero already: what it takes away the Relu would, so they are followed to the
 * output of that.
 */
export function rectifiedEarly(graph: Graph, lane: Lane): TensorId[] {
  return [...lane.tensors].flatMap(
    ([
      tensor,
      {
        granularity,
        zeroPoint: [zeroPoint],
        qmin,
      },
    ]) =>
      granularity.kind === 'per-tensor' && zeroPoint === qmin && isOnlyRectified(graph, tensor)
        ? [tensor]
        : [],
  );
}

export interface MeasuredPair {
  readonly measurements: readonly EdgeMeasurement[];
  readonly ladder: readonly LadderRung[];
  /** The candidate as it is, on all samples; the rest is of those that layers were measured on. */
  readonly ends: LadderRung;
  /** Their places among all samples. */
  readonly places: readonly number[];
}

export interface PairOptions {
  readonly threads: number;
  /** Samples to measure layers on; a share of all when absent. */
  readonly detail?: number | undefined;
}

const silent = (): void => undefined;

/** Layers, and each step of the ladder, cost as much as a network of their own: outputs are compared on all samples, the rest on some. */
export async function measurePair(
  pair: NetworkPair,
  { edges, ends }: CommonEdges,
  fusedAway: ReadonlySet<TensorId>,
  samples: Samples,
  { threads, detail }: PairOptions,
  watch: Watch,
): Promise<MeasuredPair> {
  const { graph, lane } = pair.candidate;
  const rungs = ladderLanes(pair);
  const endEdges = edges.filter(({ tensor }) => ends.has(tensor));
  const lanes = rungs.map((rung) => rung.lane);
  const ladder = new Ladder(graph, lanes, endEdges, pair.other, { threads });
  const whole = new Ladder(graph, [lane], endEdges, pair.other, { threads });
  try {
    const most = detail ?? detailOf(samples.count, edges, lane);
    const options = {
      threads,
      kinds: ERROR_KINDS,
      clipping: new Set(edges.map(({ tensor }) => tensor)),
      other: pair.other,
      ranges: true,
    };
    const places: number[] = [];
    const some = passing(samples, most, places, watch, { all: [whole], some: [ladder] });
    const first = await measure(graph, lane, edges, fusedAway, some, options, silent);
    const gains = gainsOf(first);
    // Values whose squares leave float32, such as masks of -3.4e38, are known once they are seen.
    const sums =
      gains.size === 0
        ? first
        : await measure(
            graph,
            lane,
            edges,
            fusedAway,
            passing(samples, most, places, watch),
            { ...options, gains },
            silent,
          );
    const outputs = (sumsOf: readonly RungSums[] | undefined): LadderRung['outputs'] =>
      endEdges.map(({ tensor }, edge) => ({
        tensor: tensorOf(graph, tensor).name,
        ...rungOutput(sumsOf?.[edge]),
      }));
    return {
      measurements: edgeMeasurements(graph, lane, sums, seenBy(sums)),
      ladder: rungs.map(({ rung, remark }, at) => ({
        rung,
        samples: ladder.samples,
        outputs: outputs(ladder.sums[at]),
        ...(remark === undefined ? {} : { remark }),
      })),
      ends: { rung: 'everything', samples: whole.samples, outputs: outputs(whole.sums[0]) },
      places,
    };
  } finally {
    await ladder.close();
    await whole.close();
  }
}

function detailOf(samples: number, edges: readonly Edge[], { arithmetic }: Lane): number {
  const share = arithmetic === 'tflite' ? KERNEL_DETAIL_SHARE : DETAIL_SHARE;
  const values = edges.reduce((sum, { count }) => sum + count, 0);
  return Math.max(LEAST_DETAIL, Math.ceil(samples / share), Math.floor(DETAIL_VALUES / values));
}

interface Beside {
  readonly all: readonly Ladder[];
  readonly some: readonly Ladder[];
}

/**
 * `most` of the samples, evenly spread, whose places are left in `places`; while all go by, they are added to `all`, and those given
 * to `some`.
 */
function passing(
  samples: Samples,
  most: number,
  places: number[],
  watch: Watch,
  { all, some }: Beside = { all: [], some: [] },
): Samples {
  return {
    get count() {
      return Math.min(most, samples.count);
    },
    async *samples() {
      let at = 0;
      places.length = 0;
      watch('measure', at, samples.count);
      for await (const sample of samples.samples()) {
        for (const ladder of all) await ladder.add(sample);
        // Sample i is taken where i * most / count passes a whole number.
        const share = Math.min(1, most / samples.count);
        if (Math.floor((at + 1) * share) > Math.floor(at * share)) {
          for (const ladder of some) await ladder.add(sample);
          places.push(at);
          yield sample;
        }
        watch('measure', ++at, samples.count);
      }
    },
  };
}

function rungOutput(sums: RungSums | undefined): Omit<LadderRung['outputs'][number], 'tensor'> {
  if (sums === undefined) return {};
  const { sumXX, sumEE, moved, rows, nonFinite } = sums;
  return {
    // What is left when values that are no numbers are taken out is no measure of the rest.
    ...(nonFinite > 0 ? { nonFinite } : sqnr(sumXX, sumEE)),
    ...(rows === 0 ? {} : { agreement: 1 - moved / rows }),
  };
}

function gainsOf(sums: readonly EdgeSums[]): ReadonlyMap<TensorId, number> {
  return new Map(
    [...seenBy(sums)].flatMap(([tensor, { min, max }]): [TensorId, number][] => {
      const gain = gainOf(Math.max(-min, max));
      return gain === undefined ? [] : [[tensor, gain]];
    }),
  );
}

function seenBy(sums: readonly EdgeSums[]): ReadonlyMap<TensorId, SeenEdge> {
  return new Map(
    sums.map(({ edge, value, seen }): [TensorId, SeenEdge] => {
      if (seen === undefined) throw new RangeError(`no ranges for tensor ${edge.tensor}`);
      return [
        edge.tensor,
        {
          min: seen.min.reduce((a, b) => Math.min(a, b), Infinity),
          max: seen.max.reduce((a, b) => Math.max(a, b), -Infinity),
          channels: seen,
          nonFinite: value.nonFinite,
          nonFiniteIn: undefined,
        },
      ];
    }),
  );
}
