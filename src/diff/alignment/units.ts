/**
 * A graph reduced to its units of work: a convolution with the scale, bias and activation function behind it is one. What only
 * moves elements or works on each of them alone belongs to the unit whose result it works on.
 */
import {
  isFloat,
  stringAttr,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { axesOf, dimsOf, viewBetween, type Axes } from './axes.js';
import { applied, floatsOf, isElementwise, isMover, POINTS } from './elementwise.js';
import { foldedChain, type Folded } from './folded.js';
import { kernelOf, type Kernel } from './kernel.js';
import { isCommutative, isCompute, kindOf } from './kinds.js';

/** A tensor that is, element by element, a function of the result of a unit. */
export interface Member {
  readonly tensor: TensorId;
  /** Undefined for the result itself. */
  readonly node: Node | undefined;
  /** Values of the function at POINTS; undefined inside of what is folded, and where it cannot be told. */
  readonly samples: readonly number[] | undefined;
  readonly isMoved: boolean;
}

/** One result of a unit with all that is computed from it alone, in graph order. */
export interface Region {
  readonly unit: number;
  readonly slot: number;
  readonly root: TensorId;
  readonly members: Member[];
}

export interface Operand {
  readonly tensor: TensorId;
  readonly region: Region;
}

export interface Unit {
  readonly index: number;
  /** Units of two networks can be the same only if their kinds are equal. */
  readonly kind: string;
  /** Of its first result, in the file. */
  readonly name: string;
  /** The node that computes; undefined for a graph input. */
  readonly node: Node | undefined;
  /** Padding before it. */
  readonly before: readonly Node[];
  readonly operands: readonly Operand[];
  readonly isCommutative: boolean;
  readonly regions: readonly Region[];
  readonly kernel: Kernel | undefined;
  readonly folded: Folded | undefined;
  /** Elements of its first result; undefined when unknown. */
  readonly size: number | undefined;
  /** Whether it multiplies and accumulates. */
  readonly isCompute: boolean;
  /** Units that read a result of this one; each once, in graph order. */
  readonly readers: number[];
}

export interface Skeleton {
  readonly graph: Graph;
  readonly lane: Lane | undefined;
  readonly axes: readonly (Axes | undefined)[];
  readonly units: readonly Unit[];
  /** By tensor; undefined for constants and what is computed from shapes alone. */
  readonly regionOf: readonly (Region | undefined)[];
}

export function skeletonOf(graph: Graph, lane: Lane | undefined): Skeleton {
  return new SkeletonBuilder(graph, lane).build();
}

class SkeletonBuilder {
  readonly #graph: Graph;
  readonly #lane: Lane | undefined;
  readonly #axes: readonly (Axes | undefined)[];
  readonly #units: Unit[] = [];
  readonly #regionOf: (Region | undefined)[];
  readonly #memberOf: (Member | undefined)[];
  /** Tensors that follow from shapes and constants alone. */
  readonly #static: Uint8Array;
  /** Nodes folded into the unit before them. */
  readonly #folded = new Set<Node>();
  readonly #settled = new Set<TensorId>();
  readonly #pads = new Map<TensorId, Node>();

  constructor(graph: Graph, lane: Lane | undefined) {
    this.#graph = graph;
    this.#lane = lane;
    this.#axes = axesOf(graph);
    this.#regionOf = new Array<Region | undefined>(graph.tensors.length).fill(undefined);
    this.#memberOf = new Array<Member | undefined>(graph.tensors.length).fill(undefined);
    this.#static = Uint8Array.from(graph.tensors, ({ data }) => (data === undefined ? 0 : 1));
  }

  build(): Skeleton {
    for (const input of this.#graph.inputs) this.#addUnit(undefined, 'input', [input], [], undefined);
    for (const node of this.#graph.nodes) this.#add(node);
    return {
      graph: this.#graph,
      lane: this.#lane,
      axes: this.#axes,
      units: this.#units,
      regionOf: this.#regionOf,
    };
  }

  #add(node: Node): void {
    const captures = [...node.attrs.values()].flatMap((attr) =>
      attr.type === 'graph' ? attr.value.captures : [],
    );
    const read = [...node.inputs, ...captures].filter(
      (id) => id !== null && this.#static[id] === 0,
    ) as TensorId[];
    const outputs = node.outputs.filter((id) => id !== null);
    if (node.op === 'Shape' || node.op === 'Size' || read.length === 0) {
      for (const output of outputs) this.#static[output] = 1;
      return;
    }
    if (this.#joinsRegion(node, read) || this.#isPadding(node)) this.#extend(node, read, outputs);
    else this.#addNode(node, read, outputs);
  }

  #joinsRegion(node: Node, read: readonly TensorId[]): boolean {
    const [first] = read;
    const region = first === undefined ? undefined : this.#regionOf[first];
    if (first === undefined || region === undefined) return false;
    if (isMover(node)) return node.inputs[0] === first;
    const output = node.outputs[0] ?? undefined;
    if (output === undefined || !isElementwise(node)) return false;
    if (node.op === 'BatchNormalization' && node.inputs[0] !== first) return false;
    const size = this.#sizeOf(output);
    return read.every((id) => {
      const isSame = this.#regionOf[id] === region && (id === first || this.#isParallel(id, first));
      return isSame && (size === undefined || this.#sizeOf(id) === size);
    });
  }

  /** Whether elements at the same place come from the same place. */
  #isParallel(a: TensorId, b: TensorId): boolean {
    const [left, right] = [this.#axes[a], this.#axes[b]];
    return left !== undefined && right !== undefined && viewBetween(left.flat(), right.flat()) === null;
  }

  /** Zeros around the picture, which most convolutions and pools add themselves. */
  #isPadding(node: Node): boolean {
    const [source = null, , value = null] = node.inputs;
    const output = node.outputs[0] ?? undefined;
    if (node.op !== 'Pad' || source === null || output === undefined) return false;
    if (this.#regionOf[source] === undefined || (stringAttr(node, 'mode') ?? 'constant') !== 'constant')
      return false;
    const fill = value === null ? undefined : tensorOf(this.#graph, value).data;
    if (value !== null && (fill === undefined || floatsOf(fill)?.[0] !== 0)) return false;
    const uses = topologyOf(this.#graph).uses[output] ?? [];
    return (
      uses.length > 0 &&
      !this.#graph.outputs.includes(output) &&
      uses.every(({ node: user, slot }) => slot === 0 && /Conv|Pool/.test(this.#graph.nodes[user]?.op ?? ''))
    );
  }

  #extend(node: Node, read: readonly TensorId[], outputs: readonly TensorId[]): void {
    const [source] = read;
    const [output, ...others] = outputs;
    const region = source === undefined ? undefined : this.#regionOf[source];
    const before = source === undefined ? undefined : this.#memberOf[source];
    for (const other of others) this.#static[other] = 1;
    if (region === undefined || before === undefined || output === undefined) return;
    if (node.op === 'Pad') this.#pads.set(output, node);
    const isMoved = !isElementwise(node);
    const member: Member = {
      tensor: output,
      node,
      samples: this.#samplesOf(node, before, output, isMoved),
      isMoved,
    };
    region.members.push(member);
    this.#regionOf[output] = region;
    this.#memberOf[output] = member;
  }

  #samplesOf(node: Node, before: Member, output: TensorId, isMoved: boolean): Member['samples'] {
    if (this.#settled.has(output)) return POINTS;
    if (this.#folded.has(node)) return undefined;
    if (isMoved) return before.samples;
    const operands = node.inputs.map((id) => (id === null ? undefined : this.#memberOf[id]?.samples));
    const isKnown = node.inputs.every(
      (id, slot) => id === null || this.#static[id] === 1 || operands[slot] !== undefined,
    );
    return isKnown ? applied(this.#graph, node, operands) : undefined;
  }

  #addNode(node: Node, read: readonly TensorId[], outputs: readonly TensorId[]): void {
    const kernel = kernelOf(this.#graph, node, this.#axes);
    this.#addUnit(node, kindOf(node, kernel), outputs, read, kernel);
  }

  #addUnit(
    node: Node | undefined,
    kind: string,
    outputs: readonly TensorId[],
    read: readonly TensorId[],
    kernel: Kernel | undefined,
  ): void {
    const index = this.#units.length;
    const [first] = outputs;
    const folded =
      kernel === undefined || first === undefined
        ? undefined
        : foldedChain(this.#graph, this.#axes, first, kernel);
    for (const step of folded?.nodes ?? []) this.#folded.add(step);
    if (folded !== undefined) this.#settled.add(folded.settled);
    const regions = outputs.map((root, slot): Region => {
      const isSettled = folded === undefined || folded.settled === root;
      const member: Member = {
        tensor: root,
        node: undefined,
        samples: isSettled ? POINTS : undefined,
        isMoved: false,
      };
      const region = { unit: index, slot, root, members: [member] };
      this.#regionOf[root] = region;
      this.#memberOf[root] = member;
      return region;
    });
    const before: Node[] = [];
    const operands = read.flatMap((id): Operand[] => {
      const pad = this.#pads.get(id);
      if (pad !== undefined) before.push(pad);
      const tensor = pad?.inputs[0] ?? id;
      const region = this.#regionOf[tensor];
      return region === undefined ? [] : [{ tensor, region }];
    });
    this.#units.push({
      index,
      kind,
      name: first === undefined ? '' : tensorOf(this.#graph, first).name,
      node,
      before,
      operands,
      isCommutative: node !== undefined && isCommutative(node),
      regions,
      kernel,
      folded,
      size: first === undefined ? undefined : this.#sizeOf(first),
      isCompute: node !== undefined && (kernel !== undefined || isCompute(node)),
      readers: [],
    });
    for (const source of new Set(operands.map(({ region }) => region.unit)))
      this.#units[source]?.readers.push(index);
  }

  #sizeOf(tensor: TensorId): number | undefined {
    return dimsOf(this.#graph, tensor)?.reduce((product, dim) => product * dim, 1);
  }
}

/** Whether values of the tensor are floating-point numbers in the file's terms, and a tensor of the file at all. */
export function isComparable(graph: Graph, tensor: TensorId): boolean {
  const { dtype } = tensorOf(graph, tensor);
  return isFloat(dtype) && graph.inner?.has(tensor) !== true;
}

/** By what they do and how much of it. */
export function canBeSame(a: Unit, b: Unit): boolean {
  return (
    a.kind === b.kind &&
    a.kind !== 'input' &&
    (a.size === undefined || b.size === undefined || a.size === b.size)
  );
}
