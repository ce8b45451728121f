/** Constants of a candidate beside those of the reference: are they the same weights, rounded? */
import { toFloat32 } from '../ir/elements.js';
import { tensorOf, type Graph, type NodeId, type TensorId } from '../ir/graph.js';
import type { Lane, QuantParams } from '../ir/lane.js';
import { emptyErrorSums, type ValueSums } from '../ir/sums.js';
import { weightsOf } from '../ir/weights.js';
import { axisLayout } from '../quant/affine.js';
import type { AlignedConstant, Alignment } from './alignment/alignment.js';
import { measurementOf, type ErrorMeasurement } from './measurement.js';

/** One output channel of a weight. */
export interface ChannelComparison {
  /** Pearson's; absent when one side has no spread. */
  readonly correlation?: number;
  /** Factor that the reference is to be multiplied with to come closest to the candidate (least squares); absent for a channel of zeros. */
  readonly gain?: number;
  /** sqrt(Σy² / Σx²): what the candidate has of the reference's magnitude; absent for a channel of zeros. */
  readonly level?: number;
  /** Σe² / Σx² of the reference; absent for a channel of zeros. */
  readonly relativeNoise?: number;
  /** Largest error in steps of the candidate's own quantizer; absent for a constant without codes. */
  readonly steps?: number;
}

export interface ConstantComparison extends Pick<AlignedConstant, 'reference' | 'candidate' | 'role'> {
  /** Of the candidate: the operator that reads it. */
  readonly node: NodeId;
  readonly quant: QuantParams | undefined;
  readonly error: ErrorMeasurement | undefined;
  readonly correlation: number | undefined;
  /** Factor that the whole reference is to be multiplied with to come closest to the candidate; undefined for zeros. */
  readonly gain: number | undefined;
  /** One for a constant without channels. */
  readonly channels: readonly ChannelComparison[];
}

export interface ComparedNetworks {
  readonly candidate: Graph;
  readonly lane: Lane;
  readonly alignment: Alignment;
}

/** All aligned constants, in graph order. */
export function comparedConstants({ candidate, lane, alignment }: ComparedNetworks): ConstantComparison[] {
  const axes = new Map(weightsOf(candidate).map(({ tensor, axis }) => [tensor, axis]));
  return alignment.operators.flatMap(({ candidate: [node], constants }) =>
    constants.flatMap((constant): ConstantComparison[] => {
      const found = tensorOf(candidate, constant.candidate).data;
      const x = constant.values();
      if (x === undefined || found === undefined || node === undefined) return [];
      const y = toFloat32(found);
      if (x.length !== y.length || x.length === 0) return [];
      const quant = lane.tensors.get(constant.candidate);
      const axis = constant.role === 'bias' ? biasAxis(found.dims) : axes.get(constant.candidate);
      return [{ ...compared(x, y, found.dims, axis, quant), ...picked(constant), node, quant }];
    }),
  );
}

function picked({
  reference,
  candidate,
  role,
}: AlignedConstant): Pick<AlignedConstant, 'reference' | 'candidate' | 'role'> {
  return { reference, candidate, role };
}

function biasAxis(dims: readonly number[]): number | undefined {
  const axis = dims.findIndex((dim) => dim > 1);
  return axis < 0 ? undefined : axis;
}

function compared(
  x: Float32Array,
  y: Float32Array,
  dims: readonly number[],
  axis: number | undefined,
  quant: QuantParams | undefined,
): Pick<ConstantComparison, 'error' | 'correlation' | 'gain' | 'channels'> {
  const { outer, channels, inner } = axisLayout(x.length, dims, axis);
  const value: ValueSums = { count: x.length, nonFinite: 0, sumXX: 0, clipped: 0 };
  const error = emptyErrorSums(channels);
  const channelXX = new Float64Array(channels);
  const stepOf = steps(quant, dims);
  const moments = Array.from({ length: channels }, () => ({
    n: 0,
    x: 0,
    y: 0,
    xx: 0,
    yy: 0,
    xy: 0,
    ee: 0,
    steps: 0,
  }));
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const sum = moments[c]!;
      for (const end = i + inner; i < end; i++) {
        const a = x[i]!;
        const b = y[i]!;
        const e = b - a;
        if (e - e !== 0) {
          value.nonFinite++;
          error.nonFinite++;
          continue;
        }
        sum.n++;
        sum.x += a;
        sum.y += b;
        sum.xx += a * a;
        sum.yy += b * b;
        sum.xy += a * b;
        sum.ee += e * e;
        error.sumE[c]! += e;
        const far = Math.abs(e);
        if (far > error.maxAbsE[c]!) error.maxAbsE[c] = far;
        const step = stepOf?.(i) ?? 0;
        if (step > 0 && far / step > sum.steps) sum.steps = far / step;
      }
    }
  }
  moments.forEach(({ xx, ee }, c) => {
    channelXX[c] = xx;
    value.sumXX += xx;
    error.sumEE[c] = ee;
  });
  const all = moments.reduce((a, b) => ({
    n: a.n + b.n,
    x: a.x + b.x,
    y: a.y + b.y,
    xx: a.xx + b.xx,
    yy: a.yy + b.yy,
    xy: a.xy + b.xy,
    ee: a.ee + b.ee,
    steps: Math.max(a.steps, b.steps),
  }));
  return {
    error: measurementOf(value, error, channelXX),
    correlation: correlationOf(all),
    gain: all.xx > 0 ? all.xy / all.xx : undefined,
    channels: moments.map((sum) => {
      const correlation = correlationOf(sum);
      return {
        ...(correlation === undefined ? {} : { correlation }),
        ...(sum.xx > 0
          ? {
              gain: sum.xy / sum.xx,
              level: Math.sqrt(sum.yy / sum.xx),
              relativeNoise: sum.ee / sum.xx,
            }
          : {}),
        ...(stepOf === undefined ? {} : { steps: sum.steps }),
      };
    }),
  };
}

interface Moments {
  readonly n: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}

function correlationOf({ n, x, y, xx, yy, xy }: Moments): number | undefined {
  const spread = (xx - (x * x) / n) * (yy - (y * y) / n);
  const correlation = (xy - (x * y) / n) / Math.sqrt(spread);
  return Number.isFinite(correlation) ? Math.max(-1, Math.min(1, correlation)) : undefined;
}

/** Step of the quantizer for element `i`; undefined without one. */
function steps(quant: QuantParams | undefined, dims: readonly number[]): ((i: number) => number) | undefined {
  if (quant === undefined) return undefined;
  const { granularity, scale } = quant;
  if (granularity.kind === 'per-tensor') return () => scale[0] ?? 0;
  const inner = dims.slice(granularity.axis + 1).reduce((size, dim) => size * dim, 1);
  const extent = dims[granularity.axis] ?? 1;
  if (granularity.kind === 'per-axis') return (i) => scale[Math.floor(i / inner) % extent] ?? 0;
  const blocks = Math.ceil(extent / granularity.blockSize);
  return (i) => {
    const outer = Math.floor(i / (inner * extent));
    const block = Math.floor((Math.floor(i / inner) % extent) / granularity.blockSize);
    return scale[(outer * blocks + block) * inner + (i % inner)] ?? 0;
  };
}

/** Tensors of the candidate that are constants with a counterpart. */
export function alignedConstants(alignment: Alignment): ReadonlyMap<TensorId, AlignedConstant> {
  return new Map(
    alignment.operators.flatMap(({ constants }) => constants.map((one) => [one.candidate, one])),
  );
}
