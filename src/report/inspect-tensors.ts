/** The quantized tensors of a file with what their parameters mean, and which of them are odd. */
import { nodeLabel, nodeOf, tensorOf, topologyOf, type Graph, type TensorId } from '../ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../ir/lane.js';
import { fileShape } from '../ir/file-axes.js';
import { realRange } from '../quant/input-fingerprint.js';
import type { PlannedQuantizer, QuantPlan } from '../quant/placement/plan.js';
import { reportedQuant } from './assemble.js';
import type { Extremes, InspectedTensor, TensorMark } from './inspect-report.js';
import { Places } from './places.js';

/** A tensor has as many scales as channels; blocks of a large weight are millions, which no document should hold. */
const MOST_SCALES = 65_536;
/** From this ratio of the largest to the smallest scale of a weight on, some of its channels are dead or blown up. */
const HUGE_SPREAD = 1000;
/** Tensors of different operators with the very same parameters from which on they are no coincidence. */
const MANY_ALIKE = 3;

/**
 * Odd ones first, then in graph order.
 *
 * @param plan of the lane
 * @param complete with the parameters themselves, for a document
 */
export function tensorsOf(graph: Graph, lane: Lane, plan: QuantPlan, complete: boolean): InspectedTensor[] {
  const places = new Places(graph, plan);
  const alike = alikeActivations(graph, lane, plan);
  const faults = new Map((lane.faults ?? []).map(({ tensor, message }) => [tensor, message]));
  const rows = plan.quantizers.flatMap((quantizer) => {
    const params = paramsOf(lane, quantizer);
    if (params === undefined) return [];
    const marks = [
      ...illegalMarks(params, faults.get(quantizer.tensor)),
      ...readMarks(params),
      ...spreadMarks(params),
      ...(alike.get(quantizer.tensor) ?? []),
    ];
    const { tensor, use } = quantizer;
    const written = places.of(tensor, use?.node);
    const reader = use === undefined ? undefined : nodeOf(graph, use.node);
    const place =
      reader === undefined ? written : { ...written, node: nodeLabel(reader), op: reader.origin.op };
    return [{ row: rowOf(graph, lane, quantizer, params, marks, place, complete), order: place.order }];
  });
  const rank = ({ row }: (typeof rows)[number]): number =>
    row.marks.reduce<number>((worst, { kind }) => Math.min(worst, MARK_ORDER[kind]), MARK_ORDER.none);
  return rows.sort((a, b) => rank(a) - rank(b) || a.order - b.order).map(({ row }) => row);
}

const MARK_ORDER = { illegal: 0, 'read-back': 1, 'default-range': 2, 'scale-spread': 3, none: 4 } as const;

function paramsOf(lane: Lane, { tensor, use }: PlannedQuantizer): QuantParams | undefined {
  return use === undefined ? lane.tensors.get(tensor) : lane.uses.get(useKey(use.node, use.slot));
}

function rowOf(
  graph: Graph,
  lane: Lane,
  { tensor: id, role, use }: PlannedQuantizer,
  params: QuantParams,
  marks: readonly TensorMark[],
  { node, op }: { readonly node: string; readonly op: string },
  complete: boolean,
): InspectedTensor {
  const tensor = tensorOf(graph, id);
  const { scale, zeroPoint, granularity, dtype, read } = params;
  const quant = reportedQuant(
    scale.length > MOST_SCALES ? { ...params, ...firstScale(params) } : params,
    tensor,
  );
  const stored = lane.stored?.get(id);
  const range = finite(realRange(params));
  return {
    tensor: tensor.name,
    role,
    node,
    op,
    shape: fileShape(tensor) ?? [],
    dtype,
    granularity: granularity.kind,
    ...(quant.axis === undefined ? {} : { axis: quant.axis }),
    ...(quant.blockSize === undefined ? {} : { blockSize: quant.blockSize }),
    scales: { count: scale.length, ...extremes(scale) },
    zeroPoints: extremes(zeroPoint),
    ...(range === undefined ? {} : { represents: range }),
    ...(use === undefined ? {} : { onlyInput: use.slot }),
    ...(stored === undefined ? {} : { stored: { codes: [...stored.codes], values: [...stored.values] } }),
    ...(read === undefined
      ? {}
      : { read: { scales: extremes(read.scale), zeroPoints: extremes(read.zeroPoint) } }),
    ...(complete ? { quant } : {}),
    marks,
  };
}

function firstScale({ scale, zeroPoint }: QuantParams): Pick<QuantParams, 'scale' | 'zeroPoint'> {
  return { scale: scale.subarray(0, MOST_SCALES), zeroPoint: zeroPoint.subarray(0, MOST_SCALES) };
}

/** Empty where not all values are finite numbers, or there are none. */
function extremes(values: ArrayLike<number>): Partial<Extremes> {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (!Number.isFinite(value)) return {};
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return values.length === 0 ? {} : { min, max };
}

function finite(range: Extremes): Extremes | undefined {
  return Number.isFinite(range.min) && Number.isFinite(range.max) ? range : undefined;
}

function illegalMarks(
  { scale, zeroPoint, qmin, qmax, dtype }: QuantParams,
  fault: string | undefined,
): TensorMark[] {
  const bad = scale.filter((value) => !(value > 0 && Number.isFinite(value)));
  const outside = zeroPoint.filter((value) => value < qmin || value > qmax);
  return [
    ...(fault === undefined ? [] : [{ kind: 'illegal', text: fault } as const]),
    ...(bad.length === 0 ? [] : [{ kind: 'illegal', text: `scale ${bad[0]} is not positive` } as const]),
    ...(outside.length === 0
      ? []
      : [{ kind: 'illegal', text: `zero point ${outside[0]} is no ${dtype} code` } as const]),
  ];
}

function readMarks({ scale, read }: QuantParams): TensorMark[] {
  if (read === undefined) return [];
  const factor = (read.scale[0] ?? NaN) / (scale[0] ?? NaN);
  const times = factor === 1 ? 'another zero point' : `scale ${Number(factor.toPrecision(3))} times as large`;
  return [{ kind: 'read-back', text: `read with ${times}` }];
}

function spreadMarks({ scale, granularity }: QuantParams): TensorMark[] {
  const { min = 0, max = 0 } = extremes(scale);
  if (granularity.kind === 'per-tensor' || min <= 0 || max / min < HUGE_SPREAD) return [];
  return [{ kind: 'scale-spread', text: `largest scale ${(max / min).toPrecision(2)} times the smallest` }];
}

/** They move codes and rightly have the parameters of what they read. */
const MOVING: ReadonlySet<string> = new Set([
  ...['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Transpose', 'Flatten', 'MaxPool', 'AveragePool'],
  ...['Slice', 'Split', 'Gather', 'Concat', 'Pad', 'Resize', 'DepthToSpace', 'SpaceToDepth', 'Expand'],
  ...['ReduceMax', 'ReduceMin', 'Max', 'Min', 'Tile', 'GlobalMaxPool', 'Clip', 'Relu'],
]);
/** Their ranges are given: several of them are rightly alike. */
const BOUNDED: ReadonlySet<string> = new Set([
  ...['Sigmoid', 'Softmax', 'Tanh', 'HardSigmoid', 'LogSoftmax', 'LpNormalization'],
]);

/**
 * Activations of several operators that have the very same range although nothing bounds them: a converter that was told default
 * ranges gives them to all tensors that it has none for.
 */
function alikeActivations(graph: Graph, lane: Lane, plan: QuantPlan): Map<TensorId, TensorMark[]> {
  const groups = new Map<string, TensorId[]>();
  const { producer } = topologyOf(graph);
  for (const { tensor, role, use } of plan.quantizers) {
    const writer = producer[tensor];
    if (use !== undefined || role === 'weight' || role === 'bias' || writer === undefined) continue;
    const { op, origin } = nodeOf(graph, writer);
    const params = lane.tensors.get(tensor);
    const isStep = origin.part !== undefined;
    if (params === undefined || isStep || MOVING.has(op) || BOUNDED.has(op) || isClamp(params)) continue;
    const key = `${params.dtype} ${params.scale[0]} ${params.zeroPoint[0]}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [tensor]);
    else group.push(tensor);
  }
  const marks = new Map<TensorId, TensorMark[]>();
  for (const ids of groups.values()) {
    if (ids.length < MANY_ALIKE) continue;
    const text = `same range as ${ids.length - 1} others: a default?`;
    for (const id of ids) marks.set(id, [{ kind: 'default-range', text }]);
  }
  return marks;
}

/** Ranges that activation functions leave: 0 to 6 and the like. */
function isClamp(params: QuantParams): boolean {
  const { min, max } = realRange(params);
  const isLimit = (limit: number): boolean => Math.abs(max - limit) <= (1.5 * limit) / 255;
  return (min === 0 && [1, 6].some(isLimit)) || (isLimit(1) && Math.abs(min + 1) <= 0.02);
}
