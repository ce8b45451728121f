/** The measuring pass: a lane beside the float run, edge by edge, summed over samples. */
import type { Edge } from '../compile/edges.js';
import {
  measurementProgram,
  type ErrorKind,
  type MeasurementProgram,
  type MeasurementStat,
} from '../compile/measurement-program.js';
import type { ReferenceNetwork } from '../compile/reference.js';
import type { Graph, TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import type { SessionOptions } from './runtime.js';
import type { Samples, Watch } from './samples.js';
import { SheetRunner, type Sheet } from './sheet-runner.js';
import { addWorst, emptyErrorSums, type ErrorSums, type ValueSums } from '../ir/sums.js';

export interface MeasureOptions extends SessionOptions {
  readonly kinds: readonly ErrorKind[];
  /** Edges of which some float values may fall outside the representable range. */
  readonly clipping: ReadonlySet<TensorId>;
  /** As in the program: sums are given without them. */
  readonly gains?: ReadonlyMap<TensorId, number>;
  /** As in the program. */
  readonly other?: ReferenceNetwork;
  readonly ranges?: boolean;
}

/** Of the values of one edge: smallest, largest and Σx², by channel. */
export interface SeenValues {
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sumXX: Float64Array;
}

export interface EdgeSums {
  readonly edge: Edge;
  readonly value: ValueSums;
  /** Absent kinds were not asked for or do not exist on the edge (self of a float edge, local of a graph input). */
  readonly errors: ReadonlyMap<ErrorKind, ErrorSums>;
  /** Where ranges were asked for. */
  readonly seen?: SeenValues;
}

/** Runs `lane` beside float, or beside another network, over all samples. `fusedAway` as in the quantization plan. */
export async function measure(
  graph: Graph,
  lane: Lane,
  edges: readonly Edge[],
  fusedAway: ReadonlySet<TensorId>,
  samples: Samples,
  options: MeasureOptions,
  watch: Watch,
): Promise<EdgeSums[]> {
  const build = (guarded: boolean): MeasurementProgram =>
    measurementProgram(graph, lane, edges, fusedAway, { ...options, guarded });
  const fast = build(false);
  const runner = new SheetRunner<MeasurementStat>(
    (guarded) => (guarded ? build(true) : fast),
    graph.opsets.get('') ?? 1,
    options,
  );
  const sums = edges.map((edge, i): EdgeSums => ({
    edge,
    value: { count: 0, nonFinite: 0, sumXX: 0, clipped: 0 },
    errors: new Map([...(fast.kinds[i]?.keys() ?? [])].map((kind) => [kind, emptyErrorSums(edge.channels)])),
    ...(options.ranges === true ? { seen: nothingSeen(edge.channels) } : {}),
  }));
  try {
    let done = 0;
    watch('measure', done, samples.count);
    for await (const sample of samples.samples()) {
      addSheet(sums, await runner.run(sample), sample.id, options.gains);
      watch('measure', ++done, samples.count);
    }
  } finally {
    await runner.close();
  }
  // Nothing was measured where the lane computes the very same value, but what is not finite there is compared with itself.
  sums.forEach(({ value, errors }, i) => {
    for (const [kind, error] of errors)
      if (fast.kinds[i]?.get(kind) === 'exact') error.nonFinite = value.nonFinite;
  });
  return sums;
}

function nothingSeen(channels: number): SeenValues {
  return {
    min: new Float64Array(channels).fill(Infinity),
    max: new Float64Array(channels).fill(-Infinity),
    sumXX: new Float64Array(channels),
  };
}

function addSheet(
  sums: readonly EdgeSums[],
  { values, slots }: Sheet<MeasurementStat>,
  sample: string,
  gains: MeasureOptions['gains'],
): void {
  const energy = new Float64Array(sums.length);
  const noise = new Map<ErrorSums, { edge: number; sumEE: number }>();
  for (const { value, edge } of sums) value.count += edge.count;
  for (const { edge, name, offset, length } of slots) {
    const { edge: at, value, errors, seen } = sums[edge] as EdgeSums;
    const unit = 1 / (gains?.get(at.tensor) ?? 1);
    const part = values.subarray(offset, offset + length);
    if (name === 'sumXX') energy[edge] = unit * unit * (part[0] as number);
    else if (name === 'clipped') value.clipped += sumOf(part);
    else if (name === 'nonFinite') value.nonFinite += sumOf(part);
    else if (name === 'channelXX') addTo((seen as SeenValues).sumXX, part, unit * unit);
    else if (name === 'max') raiseTo((seen as SeenValues).max, part);
    else if (name === 'min') lowerTo((seen as SeenValues).min, part);
    else {
      const [kind, stat] = name.split('.') as [ErrorKind, string];
      const error = errors.get(kind);
      if (error === undefined) continue;
      if (stat === 'sumEE') noise.set(error, { edge, sumEE: addTo(error.sumEE, part, unit * unit) });
      else if (stat === 'sumE') addTo(error.sumE, part, unit);
      else if (stat === 'maxEE') raiseTo(error.maxAbsE, part.map(Math.sqrt));
      else if (stat === 'maxAbsE') raiseTo(error.maxAbsE, part);
      else if (stat === 'clipEE') error.clipEE += unit * unit * sumOf(part);
      else error.nonFinite += sumOf(part);
    }
  }
  sums.forEach(({ value }, i) => (value.sumXX += energy[i] as number));
  for (const [error, { edge, sumEE }] of noise) {
    addWorst(error.worst, { sample, sumXX: energy[edge] as number, sumEE });
  }
}

function addTo(target: Float64Array, part: Float32Array, unit: number): number {
  let sum = 0;
  for (let c = 0; c < target.length; c++) {
    const value = unit * (part[c] as number);
    target[c] = (target[c] as number) + value;
    sum += value;
  }
  return sum;
}

function raiseTo(target: Float64Array, part: Float32Array): void {
  for (let c = 0; c < target.length; c++) {
    const value = part[c] as number;
    if (value > (target[c] as number)) target[c] = value;
  }
}

function lowerTo(target: Float64Array, part: Float32Array): void {
  for (let c = 0; c < target.length; c++) {
    const value = part[c] as number;
    if (value < (target[c] as number)) target[c] = value;
  }
}

function sumOf(part: Float32Array): number {
  let sum = 0;
  for (const value of part) sum += value;
  return sum;
}
