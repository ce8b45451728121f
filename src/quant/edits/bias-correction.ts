/**
 * Bias correction: what quantization adds to the mean of a layer's output is taken off its bias. Nagel et al., Data-Free
 * Quantization Through Weight Equalization and Bias Correction, 2019, section 4.2, with means that were measured instead of
 * derived. https://arxiv.org/abs/1906.04721
 */
import { channelAxisOf } from '../../ir/channels.js';
import { toFloat32 } from '../../ir/elements.js';
import {
  nodeOf,
  tensorOf,
  topologyOf,
  type ConstantData,
  type Graph,
  type Node,
  type NodeId,
  type TensorId,
} from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { weightsOf } from '../../ir/weights.js';
import { compensating, exactOf } from './constant-values.js';

/** A layer whose output has a constant of its own added to every channel. */
export interface BiasedLayer {
  readonly node: NodeId;
  readonly weight: TensorId;
  readonly bias: TensorId;
  /** Where the bias is in: before any activation. */
  readonly output: TensorId;
}

/** In graph order. Layers without a bias cannot be corrected: none is made for them. */
export function biasedLayers(graph: Graph): BiasedLayer[] {
  const axes = channelAxisOf(graph);
  return weightsOf(graph).flatMap(({ node, tensor: weight }): BiasedLayer[] => {
    const found = biasOf(graph, node);
    if (found === undefined) return [];
    const { bias, output } = found;
    const { data, dtype } = tensorOf(graph, bias);
    const axis = axes[output];
    const channels = axis === undefined ? undefined : tensorOf(graph, output).shape?.[axis];
    const elements = data?.dims.reduce((product, dim) => product * dim, 1);
    const isOwn = topologyOf(graph).uses[bias]?.length === 1 && !graph.outputs.includes(bias);
    if (!isOwn || dtype !== 'float32' || elements !== channels) return [];
    return [{ node: node.id, weight, bias, output }];
  });
}

/** The third input, or what an Add right behind the product adds along its last axis. */
function biasOf(graph: Graph, node: Node): { bias: TensorId; output: TensorId } | undefined {
  const [output] = node.outputs;
  if (output === undefined || output === null) return undefined;
  const bias = node.inputs[2];
  if (bias !== undefined && bias !== null) return { bias, output };
  const [use, ...others] = topologyOf(graph).uses[output] ?? [];
  if (node.op !== 'MatMul' || use === undefined || others.length > 0 || use.slot < 0) return undefined;
  const { op, domain, inputs, outputs } = nodeOf(graph, use.node);
  const added = inputs[1 - use.slot];
  const [sum] = outputs;
  if (op !== 'Add' || domain !== '' || added === undefined || added === null) return undefined;
  const dims = tensorOf(graph, added).data?.dims ?? [];
  const isRow = dims.length > 0 && dims.slice(0, -1).every((dim) => dim === 1);
  return isRow && sum !== undefined && sum !== null ? { bias: added, output: sum } : undefined;
}

/** By the bias: the mean error of each channel of what it is added to. */
export type MeanErrors = ReadonlyMap<TensorId, Float64Array>;

/** The lane with every error taken off its bias, in float: the quantizer of the bias rounds what is left. */
export function correctedLane(graph: Graph, lane: Lane, errors: MeanErrors): Lane {
  const values = new Map(lane.values);
  let isChanged = false;
  for (const [bias, error] of errors) {
    const data = biasIn(graph, lane, bias);
    const before = toFloat32(data);
    const after = before.map((value, c) => (Number.isFinite(error[c]) ? value - error[c]! : value));
    if (after.every((value, c) => value === before[c])) continue;
    values.set(bias, compensating(data, after));
    isChanged = true;
  }
  return isChanged ? { ...lane, values } : lane;
}

/** Whether the lane has a corrected bias already. */
export function isCorrected(graph: Graph, lane: Lane, bias: TensorId): boolean {
  const data = biasIn(graph, lane, bias);
  return exactOf(data) !== data;
}

function biasIn(graph: Graph, lane: Lane, bias: TensorId): ConstantData {
  const { data, name } = tensorOf(graph, bias);
  if (data === undefined) throw new RangeError(`bias ${name} is no constant`);
  return lane.values?.get(bias) ?? data;
}
