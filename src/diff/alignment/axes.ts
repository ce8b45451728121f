/**
 * What the axes of each tensor stand for, followed from operator to operator: so that a flattened picture still knows which of
 * its features are channels and which are rows, whatever order its exporter chose.
 */
import { toInts } from '../../ir/elements.js';
import { intAttr, intsAttr, tensorOf, type Graph, type Node, type TensorId } from '../../ir/graph.js';
import { channelAxisOf } from '../../ir/channels.js';
import type { View } from '../../ir/view.js';

/** A digit of an index along a named axis: floor(index / stride) mod extent. */
export interface Atom {
  readonly label: string;
  readonly stride: number;
  readonly extent: number;
}

/** For each dimension of a tensor its digits, the slowest first. */
export type Axes = readonly (readonly Atom[])[];

/** Operators that have their input and output as [N, C, spatial...]. */
const CHANNELS_FIRST: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'FusedConv', 'DeformConv', 'AveragePool', 'MaxPool', 'LpPool', 'LRN'],
  ...['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool', 'DepthToSpace', 'SpaceToDepth', 'GridSample'],
  ...[
    'InstanceNormalization',
    'BatchNormalization',
    'GroupNormalization',
    'RoiAlign',
    'MaxRoiPool',
    'Col2Im',
  ],
]);

const MATRIX: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'FusedMatMul', 'FusedGemm']);

/** Operators that keep every element and its row-major order; only extents change. */
const RESHAPES: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

function atom(label: string, extent: number): Atom {
  return { label, stride: 1, extent };
}

function channelsFirst(dims: readonly number[]): Axes {
  return dims.map((extent, axis) => [atom(roleOf(axis), extent)]);
}

/** Of [N, C, spatial...]. */
function roleOf(axis: number): string {
  return axis === 0 ? 'N' : axis === 1 ? 'C' : `S${axis - 2}`;
}

function positional(dims: readonly number[]): Axes {
  return dims.map((extent, axis) => [atom(`${dims.length}:${axis}`, extent)]);
}

/** Fixed extents, or undefined when one is not known. */
export function dimsOf(graph: Graph, tensor: TensorId): readonly number[] | undefined {
  const { shape } = tensorOf(graph, tensor);
  const dims = shape?.filter((dim) => typeof dim === 'number');
  return dims !== undefined && dims.length === shape?.length ? dims : undefined;
}

/** Axes by tensor id; undefined for constants and for tensors of unknown shape. Needs inferred shapes. */
export function axesOf(graph: Graph): (Axes | undefined)[] {
  const axes = new Array<Axes | undefined>(graph.tensors.length).fill(undefined);
  const names = new InputNames(graph);
  for (const input of graph.inputs) {
    const dims = dimsOf(graph, input);
    if (dims !== undefined) axes[input] = names.provisional(input, dims);
  }
  for (const node of graph.nodes) {
    if (CHANNELS_FIRST.has(node.op)) names.note(axes[node.inputs[0] ?? -1]);
    for (const output of node.outputs) {
      const dims = output === null ? undefined : dimsOf(graph, output);
      if (output !== null && dims !== undefined) axes[output] = after(graph, node, axes, dims);
    }
  }
  return axes.map((each) => each && names.settled(each));
}

/**
 * What the axes of the network's inputs stand for shows where the first operator reads them that has its own idea of it, behind
 * all that moves them there.
 */
class InputNames {
  readonly #graph: Graph;
  readonly #channels: readonly (number | undefined)[];
  /** By provisional name. */
  readonly #names = new Map<string, string>();
  readonly #otherwise = new Map<string, string>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#channels = channelAxisOf(graph);
  }

  provisional(input: TensorId, dims: readonly number[]): Axes {
    const usual = usualAxes(dims, this.#channels[input]);
    const position = this.#graph.inputs.indexOf(input);
    return dims.map((extent, axis) => {
      const name = `input ${position}:${axis}`;
      this.#otherwise.set(name, usual[axis] ?? name);
      return [atom(name, extent)];
    });
  }

  /** What an operator on [N, C, spatial...] reads. */
  note(read: Axes | undefined): void {
    read?.forEach((digits, axis) => {
      const [digit, ...others] = digits.filter(({ extent }) => extent !== 1);
      if (digit === undefined || others.length > 0 || digit.stride !== 1) return;
      if (this.#otherwise.has(digit.label) && !this.#names.has(digit.label))
        this.#names.set(digit.label, roleOf(axis));
    });
  }

  settled(axes: Axes): Axes {
    return axes.map((digits) =>
      digits.map((digit) => {
        const label = this.#names.get(digit.label) ?? this.#otherwise.get(digit.label);
        return label === undefined ? digit : { ...digit, label };
      }),
    );
  }
}

/** Names of the axes of an input of which no operator says what they are. */
function usualAxes(dims: readonly number[], channel: number | undefined): readonly string[] {
  if (dims.length < 4 || channel === undefined) return dims.map((_, axis) => `${dims.length}:${axis}`);
  const spatial = dims.map((_, axis) => axis).filter((axis) => axis !== 0 && axis !== channel);
  return dims.map((_, axis) => (axis === 0 ? 'N' : axis === channel ? 'C' : `S${spatial.indexOf(axis)}`));
}

function after(
  graph: Graph,
  node: Node,
  known: readonly (Axes | undefined)[],
  dims: readonly number[],
): Axes {
  const { op } = node;
  if (CHANNELS_FIRST.has(op)) return channelsFirst(dims);
  const first = node.inputs[0] ?? undefined;
  const from = first === undefined ? undefined : known[first];
  if (MATRIX.has(op)) return afterProduct(from, dims);
  if (RESHAPES.has(op)) return (from && reshaped(from, dims)) ?? positional(dims);
  if (op === 'Transpose') return (from && transposed(node, from)) ?? positional(dims);
  if (/^Reduce|^Arg(Max|Min)$/.test(op))
    return (from && reduced(graph, node, from, dims)) ?? positional(dims);
  return inherited(node, known, dims);
}

/** Rows stay what they are; the last axis is new. */
function afterProduct(from: Axes | undefined, dims: readonly number[]): Axes {
  const rows = from?.length === dims.length ? resized(from, dims).slice(0, -1) : undefined;
  const channels = [atom(dims.length === 1 ? '1:0' : 'C', dims.at(-1) ?? 1)];
  return [...(rows ?? positional(dims).slice(0, -1)), channels];
}

function transposed(node: Node, from: Axes): Axes | undefined {
  const perm = intsAttr(node, 'perm') ?? from.map((_, axis) => from.length - 1 - axis);
  const axes = perm.map((axis) => from[axis]).filter((axis) => axis !== undefined);
  return axes.length === from.length ? axes : undefined;
}

/** The same digits dealt out to other extents; undefined where an extent cuts a digit in a way that is no digit. */
function reshaped(from: Axes, dims: readonly number[]): Axes | undefined {
  const left = from.flat().filter(({ extent }) => extent !== 1);
  let next = 0;
  let rest: Atom | undefined;
  const result: Atom[][] = [];
  for (const extent of dims) {
    const digits: Atom[] = [];
    let wanted = extent;
    while (wanted > 1) {
      const digit: Atom | undefined = rest ?? left[next++];
      rest = undefined;
      if (digit === undefined || digit.extent === 0) return undefined;
      if (wanted % digit.extent === 0) {
        digits.push(digit);
        wanted /= digit.extent;
      } else if (digit.extent % wanted === 0) {
        const inner = digit.extent / wanted;
        digits.push({ ...digit, stride: digit.stride * inner, extent: wanted });
        rest = { ...digit, extent: inner };
        wanted = 1;
      } else return undefined;
    }
    result.push(digits);
  }
  return rest === undefined && next === left.length ? result : undefined;
}

function reduced(graph: Graph, node: Node, from: Axes, dims: readonly number[]): Axes | undefined {
  if (from.length === dims.length) return resized(from, dims);
  const list = node.inputs[1] ?? undefined;
  const data = list === undefined ? undefined : tensorOf(graph, list).data;
  const single = intAttr(node, 'axis');
  const given =
    intsAttr(node, 'axes') ??
    (data?.dtype === 'int64' && data.byteLength <= 512 ? toInts(data) : undefined) ??
    (single === undefined ? undefined : [single]);
  if (given === undefined) return undefined;
  const dropped = new Set(given.map((axis) => (axis < 0 ? axis + from.length : axis)));
  const left = from.filter((_, axis) => !dropped.has(axis));
  return left.length === dims.length ? left : undefined;
}

/** Each dimension keeps its name where its extent changes. */
function resized(from: Axes, dims: readonly number[]): Axes {
  return dims.map((extent, axis) => {
    const digits = from[axis] ?? [];
    const count = digits.reduce((product, digit) => product * digit.extent, 1);
    if (count === extent) return digits;
    const [only, ...others] = digits;
    return [atom(only !== undefined && others.length === 0 ? only.label : `${dims.length}:${axis}`, extent)];
  });
}

/** Of the activations of the output's rank, dimension by dimension the first that is not broadcast. */
function inherited(node: Node, known: readonly (Axes | undefined)[], dims: readonly number[]): Axes {
  const sources = node.inputs
    .map((id) => (id === null ? undefined : known[id]))
    .filter((axes) => axes?.length === dims.length);
  const [first] = sources;
  if (first === undefined) return positional(dims);
  const extent = (digits: readonly Atom[]): number => digits.reduce((n, digit) => n * digit.extent, 1);
  const widest = dims.map(
    (_, axis) =>
      sources.map((axes) => axes?.[axis] ?? []).find((digits) => extent(digits) > 1) ?? first[axis] ?? [],
  );
  return resized(widest, dims);
}

/**
 * The view that brings elements that lie in the order `from` into the order `to`; null when it is no view (the order is the same),
 * undefined when the two do not name the same digits.
 */
export function viewBetween(from: readonly Atom[], to: readonly Atom[]): View | null | undefined {
  const [left, right] = [refined(from, to), refined(to, from)];
  if (left.length !== right.length) return undefined;
  const position = new Map(left.map((digit, i) => [key(digit), i]));
  if (position.size !== left.length) return undefined;
  const perm = right.map((digit) => position.get(key(digit)));
  if (!perm.every((axis) => axis !== undefined) || new Set(perm).size !== perm.length) return undefined;
  return merged({ dims: left.map(({ extent }) => extent), perm });
}

function key({ label, stride, extent }: Atom): string {
  return `${label}/${stride}x${extent}`;
}

/** Digits cut where those of the other cut theirs, without those that have one value. */
function refined(digits: readonly Atom[], others: readonly Atom[]): Atom[] {
  return digits.flatMap((digit) => {
    const end = digit.stride * digit.extent;
    const cuts = others
      .filter(({ label }) => label === digit.label)
      .flatMap(({ stride, extent }) => [stride, stride * extent])
      .filter((cut) => cut > digit.stride && cut < end && cut % digit.stride === 0 && end % cut === 0);
    const bounds = [end, ...[...new Set(cuts)].sort((a, b) => b - a), digit.stride];
    return bounds
      .slice(1)
      .map((stride, i) => ({ label: digit.label, stride, extent: (bounds[i] ?? end) / stride }))
      .filter(({ extent }) => extent !== 1);
  });
}

/** Dimensions that stay neighbours are one. Null when nothing moves. */
export function merged({ dims, perm }: View): View | null {
  const kept = perm.filter((axis) => dims[axis] !== 1);
  const runs: number[][] = [];
  for (const axis of kept) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const isNext = last !== undefined && dims.slice(last + 1, axis).every((dim) => dim === 1) && axis > last;
    if (run !== undefined && isNext) run.push(axis);
    else runs.push([axis]);
  }
  if (runs.length < 2) return null;
  const order = runs.map((_, i) => i).sort((a, b) => (runs[a]?.[0] ?? 0) - (runs[b]?.[0] ?? 0));
  return {
    dims: order.map((run) => (runs[run] ?? []).reduce((product, axis) => product * (dims[axis] ?? 1), 1)),
    perm: runs.map((_, i) => order.indexOf(i)),
  };
}
