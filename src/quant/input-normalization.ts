/** What the first nodes of a network do to an input before any layer sees it: (value - mean) / std by constants. */
import { elementCount, toFloat32 } from '../ir/elements.js';
import {
  floatAttr,
  isFloat,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type NodeId,
  type TensorId,
} from '../ir/graph.js';

/** value * factor + offset; one number for all channels, or one for each. */
export interface InputNormalization {
  /** That do it, in order. */
  readonly nodes: readonly NodeId[];
  /** What they make of the input. */
  readonly output: TensorId;
  readonly factor: readonly number[];
  readonly offset: readonly number[];
}

/** Nodes looked at from an input on. */
const DEEPEST = 8;
/** Constants of more elements than channels of any sensor are something else. */
const MOST_CHANNELS = 16;

/** Values pass as they are. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Identity', 'Cast', 'Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Dropout'],
  ...['QuantizeLinear', 'DequantizeLinear'],
]);
/** They read extents only. */
const SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** Undefined when the first nodes behind the input do no such thing. */
export function inputNormalization(graph: Graph, input: TensorId): InputNormalization | undefined {
  const { uses } = topologyOf(graph);
  let factor: readonly number[] = [1];
  let offset: readonly number[] = [0];
  const nodes: NodeId[] = [];
  let tensor = input;
  let normalized = input;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const readers = (uses[tensor] ?? []).filter(({ node }) => !SHAPES.has(nodeOf(graph, node).op));
    const [use] = readers;
    if (use === undefined || readers.length !== 1) break;
    const node = nodeOf(graph, use.node);
    const step = PASSING.has(node.op) && use.slot === 0 ? UNCHANGED : stepOf(graph, node, use.slot);
    const [output] = node.outputs;
    if (step === undefined || output === undefined || output === null || node.domain !== '') break;
    const { factor: by, offset: plus } = step;
    if (step !== UNCHANGED) {
      nodes.push(node.id);
      normalized = output;
    }
    factor = combined(factor, by, (a, b) => a * b);
    offset = combined(
      combined(offset, by, (a, b) => a * b),
      plus,
      (a, b) => a + b,
    );
    tensor = output;
  }
  return nodes.length === 0 || factor.includes(0) || ![...factor, ...offset].every(Number.isFinite)
    ? undefined
    : { nodes, output: normalized, factor, offset };
}

interface Step {
  readonly factor: readonly number[];
  readonly offset: readonly number[];
}

const UNCHANGED: Step = { factor: [1], offset: [0] };

function stepOf(graph: Graph, node: Node, slot: number): Step | undefined {
  if (node.op === 'BatchNormalization') return slot === 0 ? batchNormStep(graph, node) : undefined;
  const values = numbersOf(graph, node.inputs[1 - slot]);
  if (values === undefined) return undefined;
  const [negated, ones] = [values.map((value) => -value), values.map(() => 1)];
  switch (node.op) {
    case 'Add':
      return { factor: ones, offset: values };
    case 'Sub':
      return slot === 0 ? { factor: ones, offset: negated } : { factor: ones.map(() => -1), offset: values };
    case 'Mul':
      return { factor: values, offset: [0] };
    case 'Div':
      return slot === 0 ? { factor: values.map((value) => 1 / value), offset: [0] } : undefined;
    default:
      return undefined;
  }
}

/** y = scale * (x - mean) / sqrt(variance + epsilon) + bias */
function batchNormStep(graph: Graph, node: Node): Step | undefined {
  const [scale, bias, mean, variance] = node.inputs.slice(1, 5).map((id) => numbersOf(graph, id));
  if (scale === undefined || bias === undefined || mean === undefined || variance === undefined)
    return undefined;
  const epsilon = floatAttr(node, 'epsilon') ?? 1e-5;
  const factor = combined(scale, variance, (a, b) => a / Math.sqrt(b + epsilon));
  return { factor, offset: bias.map((value, i) => value - (mean[i] ?? 0) * (factor[i] ?? 0)) };
}

/** A float constant with one number, or with one for each channel: all other extents are 1. */
function numbersOf(graph: Graph, id: TensorId | null | undefined): number[] | undefined {
  if (id === null || id === undefined) return undefined;
  const { data } = tensorOf(graph, id);
  if (data === undefined || !isFloat(data.dtype)) return undefined;
  const count = elementCount(data.dims);
  const isVector = data.dims.filter((dim) => dim !== 1).length <= 1;
  return count > 0 && count <= MOST_CHANNELS && isVector ? [...toFloat32(data)] : undefined;
}

function combined(
  a: readonly number[],
  b: readonly number[],
  by: (a: number, b: number) => number,
): readonly number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) =>
    by(a[a.length === 1 ? 0 : i] ?? NaN, b[b.length === 1 ? 0 : i] ?? NaN),
  );
}

/** Values of [min, max] behind the normalization, in any channel. */
export function normalizedRange(
  { factor, offset }: InputNormalization,
  { min, max }: { readonly min: number; readonly max: number },
): { min: number; max: number } {
  const ends = combined(factor, offset, (a, b) => a * min + b).concat(
    combined(factor, offset, (a, b) => a * max + b),
  );
  return { min: Math.min(...ends), max: Math.max(...ends) };
}
