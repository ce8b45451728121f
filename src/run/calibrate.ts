/**
 * The calibration passes: a first one for ranges, a second one for histograms over those ranges. Samples are streamed; what
 * is kept does not grow with their number.
 */
import { histogramProgram, rangeProgram, type RangeStat } from '../compile/calibration-program.js';
import type { Edge } from '../compile/edges.js';
import type { ReferenceNetwork } from '../compile/reference.js';
import type { Graph, TensorId } from '../ir/graph.js';
import { binGrid, Histogram } from '../quant/histogram.js';
import { MovingAverage } from '../quant/observers/moving-average.js';
import type { TensorStats } from '../quant/observers/observer.js';
import type { Samples, Watch } from './samples.js';
import { openSession, type SessionOptions } from './runtime.js';
import { SheetRunner, type Sheet } from './sheet-runner.js';

export interface ChannelStatistics {
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sumXX: Float64Array;
}

/** What calibration saw on one edge; finite values only. */
export interface EdgeStatistics extends TensorStats {
  readonly channels: ChannelStatistics;
  readonly nonFinite: number;
  /** First sample with values that are not finite. */
  readonly nonFiniteIn: string | undefined;
  /** Of one sample only there is no half. */
  readonly half?: HalfRange;
}

/**
 * Range over every second sample, the first among them: what half of the data would have given. Samples come sorted by class or by
 * time; the first half of them would tell how they are sorted.
 */
export interface HalfRange {
  readonly min: number;
  readonly max: number;
  readonly samples: number;
}

export interface Calibration {
  readonly samples: number;
  readonly edges: ReadonlyMap<TensorId, EdgeStatistics>;
}

export interface CalibrationOptions extends SessionOptions {
  /** Percentiles and every observer but min-max and moving average need them. */
  readonly histograms: boolean;
  /** Of the moving average. */
  readonly momentum: number;
  /**
   * Samples that histograms count; all when absent. They are over the ranges of all samples, so that histograms of other samples can
   * be added to them; what is not finite stays counted as 0, since only all samples together tell how many values that are.
   */
  readonly counted?: Samples;
}

/** Codes of all edges of one sample leave the runtime together; bigger networks take more sessions. */
const MOST_CODES = 128 * 2 ** 20;

/** An edge with the range of its finite values, and how many others it may have. */
export interface SeenRange {
  readonly edge: Edge;
  readonly min: number;
  readonly max: number;
  readonly nonFinite: number;
}

export interface CountedValues {
  /** Of each edge, over its range. */
  readonly histograms: readonly Histogram[];
  /** How many values of each edge are not finite: the histogram counts them as 0. */
  readonly nonFinite: readonly number[];
}

export interface CountOptions extends SessionOptions {
  /** Network that has the values, as in the program. */
  readonly other?: ReferenceNetwork;
}

interface RangeState extends SeenRange {
  readonly channels: ChannelStatistics;
  readonly average: MovingAverage;
  readonly half: { min: number; max: number; samples: number };
  min: number;
  max: number;
  count: number;
  nonFinite: number;
  nonFiniteIn: string | undefined;
}

export async function calibrate(
  graph: Graph,
  edges: readonly Edge[],
  samples: Samples,
  options: CalibrationOptions,
  watch: Watch,
): Promise<Calibration> {
  const states = await rangePass(graph, edges, samples, options, watch);
  const { counted = samples } = options;
  const { histograms } = options.histograms
    ? await countValues(graph, states, counted, options, watch)
    : { histograms: [] };
  if (options.counted === undefined)
    states.forEach(({ nonFinite }, i) => withoutNonFinite(histograms[i], nonFinite));
  const statistics = states.map((state, i): [TensorId, EdgeStatistics] => {
    const histogram = histograms[i];
    return [
      state.edge.tensor,
      {
        min: state.min,
        max: state.max,
        count: state.count - state.nonFinite,
        average: state.average,
        ...(histogram === undefined || histogram.total === 0 ? {} : { histogram }),
        channels: state.channels,
        nonFinite: state.nonFinite,
        nonFiniteIn: state.nonFiniteIn,
        ...(samples.count > 1 && state.half.samples > 0 ? { half: state.half } : {}),
      },
    ];
  });
  return { samples: samples.count, edges: new Map(statistics) };
}

async function rangePass(
  graph: Graph,
  edges: readonly Edge[],
  samples: Samples,
  options: CalibrationOptions,
  watch: Watch,
): Promise<RangeState[]> {
  const states = edges.map((edge): RangeState => ({
    edge,
    channels: {
      min: new Float64Array(edge.channels).fill(Infinity),
      max: new Float64Array(edge.channels).fill(-Infinity),
      sumXX: new Float64Array(edge.channels),
    },
    average: new MovingAverage(options.momentum),
    half: { min: Infinity, max: -Infinity, samples: 0 },
    min: Infinity,
    max: -Infinity,
    count: 0,
    nonFinite: 0,
    nonFiniteIn: undefined,
  }));
  const runner = new SheetRunner<RangeStat>(
    (guarded) => rangeProgram(graph, edges, guarded),
    graph.opsets.get('') ?? 1,
    options,
  );
  try {
    let done = 0;
    watch('ranges', done, samples.count);
    for await (const sample of samples.samples()) {
      addRanges(states, await runner.run(sample), { sample: sample.id, isInHalf: done % 2 === 0 });
      watch('ranges', ++done, samples.count);
    }
  } finally {
    await runner.close();
  }
  for (const state of states) {
    const { min, max } = state.channels;
    // Without a finite value.
    min.forEach((low, c) => {
      if (low > (max[c] as number)) min[c] = max[c] = 0;
    });
    if (state.min > state.max) state.min = state.max = 0;
  }
  return states;
}

function addRanges(
  states: readonly RangeState[],
  { values, slots }: Sheet<RangeStat>,
  { sample, isInHalf }: { readonly sample: string; readonly isInHalf: boolean },
): void {
  for (const state of states) state.count += state.edge.count;
  const lows = new Float64Array(states.length).fill(Infinity);
  const highs = new Float64Array(states.length).fill(-Infinity);
  for (const { edge, name, offset, length } of slots) {
    const state = states[edge] as RangeState;
    const { min, max, sumXX } = state.channels;
    for (let c = 0; c < length; c++) {
      const value = values[offset + c] as number;
      if (name === 'sumXX') sumXX[c] = (sumXX[c] as number) + value;
      else if (name === 'nonFinite') state.nonFinite += value;
      else if (name === 'min') {
        if (value < (min[c] as number)) min[c] = value;
        if (value < (lows[edge] as number)) lows[edge] = value;
      } else {
        if (value > (max[c] as number)) max[c] = value;
        if (value > (highs[edge] as number)) highs[edge] = value;
      }
    }
    if (name === 'nonFinite' && state.nonFinite > 0) state.nonFiniteIn ??= sample;
  }
  states.forEach((state, i) => {
    const [low, high] = [lows[i] as number, highs[i] as number];
    if (low > high) return;
    state.average.update(low, high);
    state.min = Math.min(state.min, low);
    state.max = Math.max(state.max, high);
    if (!isInHalf) return;
    state.half.min = Math.min(state.half.min, low);
    state.half.max = Math.max(state.half.max, high);
    state.half.samples++;
  });
}

/** A pass for every group of edges whose codes fit into memory together. Values outside of the ranges count at their ends. */
export async function countValues(
  graph: Graph,
  ranges: readonly SeenRange[],
  samples: Samples,
  options: CountOptions,
  watch: Watch,
): Promise<CountedValues> {
  const histograms = ranges.map(({ min, max }) => new Histogram(binGrid(min, max)));
  const lost = ranges.map(() => 0);
  const isGuarded = (i: number): boolean => (ranges[i] as SeenRange).nonFinite > 0;
  const guarded = new Set(ranges.flatMap(({ edge }, i) => (isGuarded(i) ? [edge.tensor] : [])));
  for (const chunk of chunksOf(ranges.map(({ edge }) => edge.count))) {
    const chunkEdges = chunk.map((i) => (ranges[i] as SeenRange).edge);
    const grids = chunk.map((i) => (histograms[i] as Histogram).grid);
    const program = histogramProgram(graph, chunkEdges, grids, guarded, options.other);
    watch('histograms', 0, samples.count);
    const session = await openSession(program.model, options);
    try {
      let done = 0;
      for await (const sample of samples.samples()) {
        const fetched = await session.run(sample.feeds, sample.id);
        chunk.forEach((i, position) => histograms[i]?.add(fetched[position] as Uint16Array));
        chunk.filter(isGuarded).forEach((i, position) => {
          const [count = 0] = fetched[chunk.length + position] as Float32Array;
          lost[i] = (lost[i] as number) + count;
        });
        watch('histograms', ++done, samples.count);
      }
    } finally {
      await session.close();
    }
  }
  return { histograms, nonFinite: lost };
}

/** What is not finite was counted as 0. */
export function withoutNonFinite(histogram: Histogram | undefined, nonFinite: number): void {
  if (histogram === undefined) return;
  const { counts, grid } = histogram;
  counts[grid.zeroPoint] = (counts[grid.zeroPoint] as number) - nonFinite;
}

/** Positions of the edges, in groups whose codes fit into memory together. */
function chunksOf(counts: readonly number[]): number[][] {
  const chunks: number[][] = [];
  let room = 0;
  counts.forEach((count, i) => {
    if (count > room || chunks.length === 0) {
      chunks.push([]);
      room = MOST_CODES;
    }
    chunks[chunks.length - 1]?.push(i);
    room -= count;
  });
  return chunks;
}
