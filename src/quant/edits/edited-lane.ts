/** Lanes with other parameters in some places, and with everything that follows from those. */
import { nodeOf, tensorOf, type Graph, type TensorId, type Use } from '../../ir/graph.js';
import { hasSameCodes, useKey, type Lane, type QuantParams, type UseKey } from '../../ir/lane.js';
import { biasParams, leastWeightScale, paramsAt, widenWeight, type DraftLane } from '../lane.js';
import type { PlannedBias } from '../lane.js';
import { useOf } from '../placement/lane-plan.js';
import type { PlannedQuantizer, QuantPlan } from '../placement/plan.js';
import { biasAxis } from '../placement/quantizers.js';
import { constantParams } from './constant-params.js';

/** What an edit says outright; the rest follows. */
export interface LaneEdits {
  /** By the tensor that has the range, see `rangeKey`: every quantizer with that range gets the parameters. */
  readonly activations?: ReadonlyMap<TensorId, QuantParams>;
  /** Of constants. */
  readonly weights?: ReadonlyMap<TensorId, QuantParams>;
  /** Tensors that no longer have the parameters of another. */
  readonly splits?: readonly Split[];
  /** Activations that are no longer quantized. */
  readonly float?: readonly TensorId[];
}

/** Part of a group of tensors that share parameters, which gets its own. */
export interface Split {
  readonly tensors: readonly TensorId[];
  readonly params: QuantParams;
  /** Where one of them is read with the parameters of the rest of the group all the same: the operator requantizes it. */
  readonly requantized: readonly Use[];
}

/** The tensor by which edits name the range of a quantizer; undefined where its parameters are those of others. */
export function rangeKey({ tensor, range }: PlannedQuantizer): TensorId | undefined {
  if (range.kind === 'observed') return range.tensor;
  return range.kind === 'limits' || range.kind === 'fixed' ? tensor : undefined;
}

/** What the lane has in the place of the planned quantizer. */
export function paramsOf(
  lane: Pick<Lane, 'tensors' | 'uses'>,
  { tensor, use }: PlannedQuantizer,
): QuantParams | undefined {
  return use === undefined ? lane.tensors.get(tensor) : lane.uses.get(useKey(use.node, use.slot));
}

/**
 * The lane with the edits, as its target would have made it: tensors that share the parameters of an edited one follow, biases
 * have the scale of their products, and weights a scale that keeps the codes of their biases within the plan's limit, no larger
 * than that or their own range asks for.
 *
 * Where the lane has no quantizer, none is made: it may quantize less than the plan. A tensor that has other parameters than the
 * one that it shares them with in the plan was edited, or lost what bound them, and stays as it is. Quantizers that do not change
 * are the very objects of the lane, and the lane itself comes back when none does.
 */
export function editedLane(graph: Graph, plan: QuantPlan, lane: Lane, edits: LaneEdits): Lane {
  const draft = new Draft(lane);
  for (const quantizer of plan.quantizers) {
    if (tensorOf(graph, quantizer.tensor).data !== undefined) continue;
    const key = rangeKey(quantizer);
    const params = key === undefined ? undefined : edits.activations?.get(key);
    if (params !== undefined) draft.set(quantizer, params);
  }
  for (const [tensor, params] of edits.weights ?? []) draft.setTensor(tensor, params);
  follow(graph, plan, lane, draft);
  for (const split of edits.splits ?? []) separate(graph, draft, split);
  for (const tensor of edits.float ?? []) draft.tensors.delete(tensor);
  settleBiases(graph, plan, lane, draft);
  return draft.isChanged ? { ...lane, tensors: draft.tensors, uses: draft.uses } : lane;
}

class Draft implements DraftLane {
  readonly tensors: Map<TensorId, QuantParams>;
  readonly uses: Map<UseKey, QuantParams>;
  readonly values?: Lane['values'];
  readonly #lane: Lane;

  constructor(lane: Lane) {
    this.#lane = lane;
    this.tensors = new Map(lane.tensors);
    this.uses = new Map(lane.uses);
    if (lane.values !== undefined) this.values = lane.values;
  }

  get isChanged(): boolean {
    const differs = <K>(own: ReadonlyMap<K, QuantParams>, old: ReadonlyMap<K, QuantParams>): boolean =>
      own.size !== old.size || [...own].some(([key, params]) => old.get(key) !== params);
    return differs(this.tensors, this.#lane.tensors) || differs(this.uses, this.#lane.uses);
  }

  set(quantizer: PlannedQuantizer, params: QuantParams): void {
    const { tensor, use } = quantizer;
    if (use === undefined) this.setTensor(tensor, params);
    else this.setUse(useKey(use.node, use.slot), params);
  }

  /** Of a tensor that is quantized. */
  setTensor(tensor: TensorId, params: QuantParams): void {
    replace(this.tensors, this.#lane.tensors, tensor, params);
  }

  setUse(key: UseKey, params: QuantParams): void {
    replace(this.uses, this.#lane.uses, key, params);
  }

  delete({ tensor, use }: PlannedQuantizer): void {
    if (use === undefined) this.tensors.delete(tensor);
    else this.uses.delete(useKey(use.node, use.slot));
  }
}

function replace<K>(
  own: Map<K, QuantParams>,
  old: ReadonlyMap<K, QuantParams>,
  key: K,
  params: QuantParams,
): void {
  if (!own.has(key)) return;
  const before = old.get(key);
  own.set(key, before !== undefined && isSame(before, params) ? before : params);
}

function isSame(a: QuantParams, b: QuantParams): boolean {
  const at = ({ qmin, qmax, granularity }: QuantParams): string => JSON.stringify([qmin, qmax, granularity]);
  return hasSameCodes(a, b) && at(a) === at(b);
}

/** Gives what shares the parameters of an edited tensor those that it has now. */
function follow(graph: Graph, plan: QuantPlan, lane: Lane, draft: Draft): void {
  const planned = new Set<UseKey>();
  for (const quantizer of plan.quantizers) {
    const { range, use } = quantizer;
    if (use !== undefined) planned.add(useKey(use.node, use.slot));
    if (range.kind !== 'same-as') continue;
    const [before, now] = [lane.tensors.get(range.tensor), draft.tensors.get(range.tensor)];
    const own = paramsOf(lane, quantizer);
    if (before === undefined || now === undefined || now === before || own === undefined) continue;
    if (hasSameCodes(own, before)) draft.set(quantizer, { ...now, source: 'derived' });
  }
  // What an operator requantizes to the parameters of its result, since its input was split from it.
  for (const [key, own] of lane.uses) {
    if (planned.has(key)) continue;
    for (const output of nodeOf(graph, useOf(key).node).outputs) {
      const [before, now] = output === null ? [] : [lane.tensors.get(output), draft.tensors.get(output)];
      if (before === undefined || now === undefined || now === before || !hasSameCodes(own, before)) continue;
      draft.setUse(key, { ...now, source: 'derived' });
    }
  }
}

function separate(graph: Graph, draft: Draft, { tensors, params, requantized }: Split): void {
  const shared = new Map(tensors.map((tensor) => [tensor, draft.tensors.get(tensor)]));
  for (const { node, slot } of requantized) {
    const tensor = nodeOf(graph, node).inputs[slot];
    const held = tensor === null || tensor === undefined ? undefined : shared.get(tensor);
    const key = useKey(node, slot);
    if (held !== undefined && !draft.uses.has(key)) draft.uses.set(key, { ...held, source: 'derived' });
  }
  for (const tensor of tensors) draft.setTensor(tensor, params);
}

/** Biases whose input or weight is another one now, and the weights under them. */
function settleBiases(graph: Graph, plan: QuantPlan, lane: Lane, draft: Draft): void {
  const kept: { readonly bias: PlannedBias; readonly isStale: boolean }[] = [];
  for (const quantizer of plan.quantizers) {
    const { range } = quantizer;
    if (range.kind !== 'bias' || paramsOf(lane, quantizer) === undefined) continue;
    const [input, weight] = [range.input, range.weight].map((tensor) => ({
      before: paramsAt(graph, lane, range.node, tensor),
      now: paramsAt(graph, draft, range.node, tensor),
    }));
    if (input?.before === undefined || weight?.before === undefined) continue;
    if (input.now === undefined || weight.now === undefined) continue;
    const isStale = input.before !== input.now || weight.before !== weight.now;
    const bias = biasUnder(graph, { ...quantizer, range }, weight.now);
    // Kernels of 16-bit activations add an int64 bias, whose steps are below those of float32.
    const isFree = plan.placement === 'tflite' && input.now.dtype === 'int16';
    if (bias === undefined || isFree) draft.delete(quantizer);
    else kept.push({ bias, isStale });
  }
  const stale = new Set(kept.flatMap(({ bias, isStale }) => (isStale ? [bias.range.weight] : [])));
  const touched = kept.flatMap(({ bias }) => (stale.has(bias.range.weight) ? [bias] : []));
  for (const weight of stale) narrow(graph, plan, lane, draft, weight, touched);
  for (const bias of touched) widenWeight(graph, draft, bias, plan.biasLimit);
  for (const weight of stale) draft.setTensor(weight, draft.tensors.get(weight) as QuantParams);
  for (const bias of touched) draft.set(bias, biasParams(graph, draft, bias));
}

/** The bias with one scale for each that its weight has; undefined where it has no dimension for them, and stays in float. */
function biasUnder(
  graph: Graph,
  { tensor, use, role, scheme, range }: PlannedBias,
  { granularity, scale }: QuantParams,
): PlannedBias | undefined {
  const bias: PlannedBias = { tensor, ...(use === undefined ? {} : { use }), role, scheme, range };
  if (granularity.kind !== 'per-axis') return bias;
  const axis = biasAxis(graph, tensor, scale.length);
  return axis === undefined ? undefined : { ...bias, axis };
}

/** Takes back what the weight was widened by for its biases at their former scale; a weight that is edited itself is as it should be. */
function narrow(
  graph: Graph,
  plan: QuantPlan,
  lane: Lane,
  draft: Draft,
  weight: TensorId,
  biases: readonly PlannedBias[],
): void {
  const params = lane.tensors.get(weight);
  const planned = plan.quantizers.find(({ tensor, use }) => tensor === weight && use === undefined);
  const data = lane.values?.get(weight) ?? tensorOf(graph, weight).data;
  if (params === undefined || params !== draft.tensors.get(weight)) return;
  if (planned === undefined || data === undefined) return;
  const former: DraftLane = { ...lane, tensors: new Map(lane.tensors), uses: new Map(lane.uses) };
  const widened = biases
    .filter(({ range }) => range.weight === weight)
    .map((bias) => leastWeightScale(graph, former, bias, plan.biasLimit));
  const isWidened = params.scale.map((scale, i) => (widened.some((least) => least[i] === scale) ? 1 : 0));
  if (!isWidened.includes(1)) return;
  const { granularity } = params;
  const axis = granularity.kind === 'per-axis' ? granularity.axis : undefined;
  const own = constantParams(data, planned.scheme, axis);
  const scale = params.scale.map((now, i) => (isWidened[i] === 1 ? Math.min(now, own.scale[i] ?? now) : now));
  draft.tensors.set(weight, { ...params, scale });
}
