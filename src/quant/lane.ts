/** A plan and the ranges of its activations, made into the quantization parameters of a lane. */
import { DataError, LoadError } from '../errors.js';
import { toFloat32 } from '../ir/elements.js';
import type { ConstantData, Graph, NodeId, TensorId } from '../ir/graph.js';
import { nodeOf, tensorOf } from '../ir/graph.js';
import type { Lane, QDType, QuantParams, UseKey } from '../ir/lane.js';
import { QRANGE, useKey } from '../ir/lane.js';
import { paramsFromRange } from './affine.js';
import type { Range } from './observers/index.js';
import type { PlannedQuantizer, QuantPlan, RangeSource } from './placement/plan.js';
import { channelRanges } from './weights.js';
import { weightRanges } from './weight-ranges.js';

/** Types of weights whose scale may grow to keep a bias in its range: symmetric ones with zero point 0. */
const WIDENED_DTYPES: ReadonlySet<QDType> = new Set(['int8', 'int16']);

type BiasSource = Extract<RangeSource, { kind: 'bias' }>;
export type PlannedBias = PlannedQuantizer & { readonly range: BiasSource };

/**
 * Scale and zero point for every quantizer of the plan: of weights from their elements, of activations from `ranges`,
 * of biases from the scales they are added at.
 *
 * A weight whose bias would need a code beyond the plan's limit gets a larger scale (in the channels concerned), as
 * both ONNX Runtime's and TensorFlow Lite's quantizers do. Activations saturate at the limits of their type, also where
 * a symmetric scheme leaves the lowest code out of the scale: QuantizeLinear knows no narrower range.
 *
 * @param ranges of the activations that `observedTensors(graph, plan)` names; they need not contain zero
 * @throws LoadError naming every weight or bias with NaN or infinite values
 * @throws DataError naming every activation whose range is not finite
 */
export function buildLane(
  graph: Graph,
  plan: QuantPlan,
  ranges: (tensor: TensorId) => Range,
  name: string,
): Lane {
  const lane = { name, tensors: new Map<TensorId, QuantParams>(), uses: new Map<UseKey, QuantParams>() };
  const problems: Problems = { constants: new Map(), activations: [] };
  const biases: PlannedBias[] = [];
  const followers: PlannedQuantizer[] = [];
  for (const quantizer of plan.quantizers) {
    const { range } = quantizer;
    if (range.kind === 'bias') biases.push({ ...quantizer, range });
    else if (range.kind === 'same-as') followers.push(quantizer);
    else place(lane, quantizer, ownParams(graph, quantizer, range, ranges, problems));
  }
  for (const { tensor } of biases) floatsOf(graph, tensor, problems);
  throwProblems(problems);
  for (const quantizer of followers) {
    const leader = quantizer.range.kind === 'same-as' ? lane.tensors.get(quantizer.range.tensor) : undefined;
    if (leader === undefined) throw new RangeError(`tensor ${quantizer.tensor} has no leader in the plan`);
    place(lane, quantizer, { ...leader, source: 'derived' });
  }
  for (const bias of biases) widenWeight(graph, lane, bias, plan.biasLimit);
  for (const bias of biases) place(lane, bias, biasParams(graph, lane, bias));
  return lane;
}

/** Quantizers while they are being decided. */
export interface DraftLane {
  readonly tensors: Map<TensorId, QuantParams>;
  readonly uses: Map<UseKey, QuantParams>;
  /** As of Lane. */
  readonly values?: Lane['values'];
}

interface Problems {
  /** Name -> non-finite values. */
  readonly constants: Map<string, number>;
  readonly activations: string[];
}

function throwProblems({ constants, activations }: Problems): void {
  if (constants.size > 0) {
    throw new LoadError(
      `${constants.size === 1 ? 'a constant has' : `${constants.size} constants have`} values that are NaN or infinite; integers can hold neither`,
      {
        places: [...constants].map(
          ([name, count]) => `'${name}': ${count} ${count === 1 ? 'value' : 'values'}`,
        ),
        hint: '--skip NAME leaves a tensor in floating point',
      },
    );
  }
  if (activations.length > 0) {
    throw new DataError('calibration met values that are NaN or infinite; a quantizer wants a finite range', {
      places: activations,
      hint: '--skip NAME leaves a tensor in floating point',
    });
  }
}

function place(lane: DraftLane, { tensor, use }: PlannedQuantizer, params: QuantParams): void {
  if (use === undefined) lane.tensors.set(tensor, params);
  else lane.uses.set(useKey(use.node, use.slot), params);
}

function ownParams(
  graph: Graph,
  quantizer: PlannedQuantizer,
  range: Exclude<RangeSource, { kind: 'bias' | 'same-as' }>,
  ranges: (tensor: TensorId) => Range,
  problems: Problems,
): QuantParams {
  const { scheme, axis } = quantizer;
  const [qmin, qmax] = QRANGE[scheme.dtype];
  const granularity =
    axis === undefined ? ({ kind: 'per-tensor' } as const) : ({ kind: 'per-axis', axis } as const);
  switch (range.kind) {
    case 'fixed': {
      const scale = Float32Array.of(range.scale);
      const zeroPoint = Int32Array.of(range.zeroPoint);
      return { dtype: scheme.dtype, qmin, qmax, granularity, scale, zeroPoint, source: 'fixed' };
    }
    case 'limits':
      return { ...paramsFromRange([range.rmin], [range.rmax], scheme, granularity, 'fixed'), qmin };
    case 'observed': {
      const { data } = tensorOf(graph, range.tensor);
      if (data === undefined) {
        const { rmin, rmax } = finiteRange(graph, range.tensor, ranges(range.tensor), problems);
        return { ...paramsFromRange([rmin], [rmax], scheme, granularity, 'observer'), qmin };
      }
      const key = JSON.stringify([scheme, axis]);
      const known = constantParams.get(data)?.get(key);
      if (known !== undefined) return known;
      const faults = problems.constants.size;
      const elements = floatsOf(graph, range.tensor, problems);
      const { rmin, rmax } = weightRanges(elements, data.dims, axis, scheme);
      const params = paramsFromRange(rmin, rmax, scheme, granularity, 'observer');
      if (problems.constants.size > faults) return params;
      const ofData = constantParams.get(data) ?? new Map<string, QuantParams>();
      constantParams.set(data, ofData.set(key, params));
      return params;
    }
  }
}

/** By scheme and axis: a sweep builds hundreds of lanes over the same constants, and reading them all takes longer than the rest. */
const constantParams = new WeakMap<ConstantData, Map<string, QuantParams>>();

function finiteRange(graph: Graph, tensor: TensorId, range: Range, problems: Problems): Range {
  const { rmin, rmax } = range;
  if (Number.isFinite(rmin) && Number.isFinite(rmax)) return range;
  problems.activations.push(`'${tensorOf(graph, tensor).name}': ${rmin} to ${rmax}`);
  return { rmin: 0, rmax: 0 };
}

/** Elements of a constant; its non-finite ones are noted and read as zero. */
function floatsOf(graph: Graph, tensor: TensorId, problems: Problems): Float32Array {
  const { name } = tensorOf(graph, tensor);
  const elements = toFloat32(dataOf(graph, tensor));
  const { nonFinite } = channelRanges(elements, [1, elements.length], 0);
  if (nonFinite === 0) return elements;
  problems.constants.set(name, nonFinite);
  return elements.map((x) => (Number.isFinite(x) ? x : 0));
}

function dataOf(graph: Graph, tensor: TensorId): ConstantData {
  const { data, name } = tensorOf(graph, tensor);
  if (data === undefined) throw new RangeError(`tensor '${name}' is planned as a constant and is none`);
  return data;
}

/** Parameters with which the node reads the tensor; undefined where it reads it in float. */
export function paramsAt(
  graph: Graph,
  lane: Pick<Lane, 'tensors' | 'uses'>,
  node: NodeId,
  tensor: TensorId,
): QuantParams | undefined {
  const slot = nodeOf(graph, node).inputs.indexOf(tensor);
  return lane.uses.get(useKey(node, slot)) ?? lane.tensors.get(tensor);
}

function paramsRead(graph: Graph, lane: DraftLane, node: NodeId, tensor: TensorId): QuantParams {
  const params = paramsAt(graph, lane, node, tensor);
  if (params === undefined) throw new RangeError(`tensor ${tensor} is not quantized for node ${node}`);
  return params;
}

/** Gives the weight under the bias a scale with which the codes of the bias stay within the limit. Both are quantized in the lane. */
export function widenWeight(graph: Graph, lane: DraftLane, bias: PlannedBias, limit: number): void {
  const { node, weight } = bias.range;
  const params = paramsRead(graph, lane, node, weight);
  const isWidened =
    WIDENED_DTYPES.has(params.dtype) && params.zeroPoint.every((zeroPoint) => zeroPoint === 0);
  if (!isWidened || tensorOf(graph, weight).data === undefined) return;
  const least = leastWeightScale(graph, lane, bias, limit);
  const scale = params.scale.map((old, i) => (old > 0 && old < least[i]! ? least[i]! : old));
  if (scale.some((value, i) => value !== params.scale[i])) lane.tensors.set(weight, { ...params, scale });
}

/** Of each channel of the weight under the bias: the smallest scale with which the codes of the bias stay within the limit. */
export function leastWeightScale(
  graph: Graph,
  lane: DraftLane,
  bias: PlannedBias,
  limit: number,
): Float32Array {
  const { node, input, factor } = bias.range;
  const inputScale = paramsRead(graph, lane, node, input).scale[0]! * factor;
  return Float32Array.from(biasMagnitudes(graph, lane, bias), (magnitude) => magnitude / limit / inputScale);
}

/** Largest |bias| for each scale of the bias. */
function biasMagnitudes(graph: Graph, { values }: DraftLane, { tensor, axis }: PlannedBias): Float32Array {
  const data = values?.get(tensor) ?? dataOf(graph, tensor);
  const elements = toFloat32(data);
  const { min, max } =
    axis === undefined
      ? channelRanges(elements, [1, elements.length], 0)
      : channelRanges(elements, data.dims, axis);
  return max.map((high, i) => Math.max(high, -min[i]!));
}

/** int32 at the product of the scales with which its node reads input and weight, both quantized in the lane. */
export function biasParams(graph: Graph, lane: DraftLane, { range, axis }: PlannedBias): QuantParams {
  const inputScale = paramsRead(graph, lane, range.node, range.input).scale[0]!;
  const weight = paramsRead(graph, lane, range.node, range.weight);
  const [qmin, qmax] = QRANGE.int32;
  return {
    dtype: 'int32',
    qmin,
    qmax,
    granularity: axis === undefined ? { kind: 'per-tensor' } : { kind: 'per-axis', axis },
    // Products of float32 numbers, each rounded to float32, as both quantizers compute them.
    scale: weight.scale.map((scale) => Math.fround(inputScale * scale) * range.factor),
    zeroPoint: new Int32Array(weight.scale.length),
    source: 'derived',
  };
}
