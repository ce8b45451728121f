/** Changes to a file as they come up, in names and positions; then as one set of edits. */
import type { ConstantData, DType } from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import {
  editedNode,
  tensorProto,
  type ModelEdits,
  type NodeEdit,
  type WireModel,
  type WireNode,
} from '../../onnx/wire-model.js';
import { nestedNames, withRenamedCaptures } from '../../onnx/wire-subgraphs.js';
import type { Parts } from '../../onnx/wire.js';
import { MICROSOFT } from '../model-writer.js';
import { valueInfo } from './new-nodes.js';

/** Before it, initializers have to be listed as graph inputs too. */
const INITIALIZERS_ALONE = 4;

export class FileEdits {
  readonly notes: string[] = [];
  readonly #file: WireModel;
  readonly #first: Uint8Array[] = [];
  readonly #before = new Map<number, Uint8Array[]>();
  readonly #behind = new Map<number, Uint8Array[]>();
  readonly #removed = new Set<number>();
  /** Inputs of nodes that are given anew. */
  readonly #inputs = new Map<number, string[]>();
  /** Outputs of nodes that are given anew. */
  readonly #outputs = new Map<number, readonly string[]>();
  /** Name of a value -> the name under which its readers find it. */
  readonly #reads = new Map<string, string>();
  /** The same for values that graphs inside nodes read. */
  readonly #captures = new Map<string, string>();
  /** Name of a value -> the name under which its node writes it. */
  readonly #writes = new Map<string, string>();
  /** Inputs of single nodes: they go before `#reads`. */
  readonly #slots = new Map<number, Map<number, string>>();
  readonly #initializers = new Map<string, readonly Parts[]>();
  readonly #addedInitializers: Parts[] = [];
  readonly #removedInputs = new Map<string, Parts>();
  readonly #addedInputs: Uint8Array[] = [];
  readonly #opsets = new Map<string, number>();

  constructor(file: WireModel) {
    this.#file = file;
  }

  addInitializer(name: string, dtype: DType, dims: readonly number[], raw: Uint8Array): string {
    this.#addedInitializers.push(tensorProto(name, ONNX_DATA_TYPE[dtype], dims, raw));
    this.#listAsInput(name, dtype, dims);
    return name;
  }

  /**
   * A constant that has other values than in the file, or is not in the file.
   *
   * @param constant position of the Constant that gives it
   */
  setConstant(name: string, data: ConstantData, constant: number | undefined): void {
    const tensor = tensorProto(name, ONNX_DATA_TYPE[data.dtype], data.dims, data.bytes());
    if (constant !== undefined) this.#removed.add(constant);
    if (this.#file.initializers.has(name)) this.#initializers.set(name, [tensor]);
    else {
      this.#addedInitializers.push(tensor);
      this.#listAsInput(name, data.dtype, data.dims);
    }
  }

  /** Takes out a constant whose name something else has now. */
  removeConstant(name: string, constant: number | undefined): void {
    if (constant !== undefined) this.#removed.add(constant);
    if (this.#file.initializers.has(name)) this.#initializers.set(name, []);
    if (!this.#file.inputs.has(name)) return;
    this.#removedInputs.set(name, []);
    if (this.#file.irVersion >= INITIALIZERS_ALONE)
      this.notes.push(`'${name}' was an input with a default value, and is a constant now`);
  }

  /** Nodes to put before the one at `position`, or before all. */
  insertBefore(position: number | undefined, nodes: Parts): void {
    this.#insert(this.#before, position, nodes);
  }

  /** Nodes to put behind the one at `position`, or before all where the value is a graph input. */
  insertBehind(position: number | undefined, nodes: Parts): void {
    this.#insert(this.#behind, position, nodes);
  }

  /** All nodes of the file that read the value read another. */
  renameReads(name: string, to: string, isCaptured: boolean): void {
    this.#reads.set(name, to);
    if (isCaptured) this.#captures.set(name, to);
  }

  /** The node that writes the value writes it under another name, and only what is inserted reads that one. */
  renameOutput(name: string, to: string): void {
    this.#writes.set(name, to);
  }

  renameInput(position: number, slot: number, to: string): void {
    const slots = this.#slots.get(position) ?? new Map<number, string>();
    this.#slots.set(position, slots.set(slot, to));
  }

  /** Name of the value as its node writes it. */
  writtenName(name: string): string {
    return this.#writes.get(name) ?? name;
  }

  /** Name of the value as nodes read it. */
  readName(name: string): string {
    return this.#reads.get(name) ?? name;
  }

  inputOf(position: number, slot: number): string | undefined {
    return this.#file.nodes[position]?.inputs[slot];
  }

  /** Name under which a node reads an input now. */
  inputNow(position: number, slot: number): string | undefined {
    const name = this.#inputs.get(position)?.[slot] ?? this.inputOf(position, slot);
    return this.#slots.get(position)?.get(slot) ?? (name === undefined ? undefined : this.readName(name));
  }

  /** A convolution takes the place of the normalizations behind it, with constants that hold them. */
  fold(position: number, norms: readonly number[], weight: string, bias: string): void {
    const output = this.#node(norms.at(-1) ?? position).outputs[0] ?? '';
    this.#inputs.set(position, [this.inputOf(position, 0) ?? '', weight, bias]);
    this.#outputs.set(position, [output]);
    for (const norm of norms) this.#removed.add(norm);
  }

  importMicrosoft(): void {
    if (!this.#file.opsets.has(MICROSOFT)) this.#opsets.set(MICROSOFT, 1);
  }

  finish(): ModelEdits {
    const nodes = new Map<number, NodeEdit>();
    const read = new Set(this.#file.outputs);
    this.#file.nodes.forEach((node, at) => {
      const now = this.#removed.has(at) ? undefined : this.#edited(node, at, read);
      const before = this.#before.get(at) ?? [];
      const after = this.#behind.get(at) ?? [];
      if (now !== node.bytes || before.length > 0 || after.length > 0)
        nodes.set(at, { before, node: now, after });
    });
    this.#removeUnread(nodes, read);
    return {
      first: this.#first,
      nodes,
      initializers: this.#initializers,
      addedInitializers: this.#addedInitializers,
      inputs: this.#removedInputs,
      addedInputs: this.#addedInputs,
      opsets: this.#opsets,
    };
  }

  /** Notes what it reads. */
  #edited(node: WireNode, at: number, read: Set<string>): Uint8Array {
    const slots = this.#slots.get(at);
    const given = this.#inputs.get(at) ?? node.inputs;
    const inputs = given.map((name, slot) => slots?.get(slot) ?? this.#reads.get(name) ?? name);
    const outputs = (this.#outputs.get(at) ?? node.outputs).map((name) => this.#writes.get(name) ?? name);
    for (const name of inputs) read.add(name);
    const nested = nestedNames(node.bytes);
    for (const name of nested) read.add(name);
    const isCapturing = [...this.#captures.keys()].some((name) => nested.has(name));
    if (!isCapturing && isEqual(inputs, node.inputs) && isEqual(outputs, node.outputs)) return node.bytes;
    return editedNode(node, inputs, outputs, (attribute) =>
      isCapturing ? withRenamedCaptures(attribute, this.#captures) : attribute,
    );
  }

  /** Takes out constants that only nodes read that now read others. */
  #removeUnread(nodes: Map<number, NodeEdit>, read: ReadonlySet<string>): void {
    const constants = new Map<string, number>();
    this.#file.nodes.forEach(({ op, outputs }, at) => {
      if (op === 'Constant' && outputs[0] !== undefined) constants.set(outputs[0], at);
    });
    for (const at of [...nodes.keys()]) {
      for (const name of this.#node(at).inputs) {
        if (read.has(name) || this.#initializers.has(name)) continue;
        const constant = constants.get(name);
        if (constant !== undefined && !this.#removed.has(constant)) {
          this.#removed.add(constant);
          const { before = [], after = [] } = nodes.get(constant) ?? {};
          nodes.set(constant, { before, node: undefined, after });
        }
        if (this.#file.initializers.has(name)) this.removeConstant(name, undefined);
      }
    }
  }

  #insert(beside: Map<number, Uint8Array[]>, position: number | undefined, nodes: Parts): void {
    const there = position === undefined ? this.#first : (beside.get(position) ?? []);
    there.push(...nodes);
    if (position !== undefined) beside.set(position, there);
  }

  #listAsInput(name: string, dtype: DType, dims: readonly number[]): void {
    if (this.#file.irVersion < INITIALIZERS_ALONE) this.#addedInputs.push(valueInfo(name, dtype, dims));
  }

  #node(position: number): WireNode {
    const node = this.#file.nodes[position];
    if (node === undefined) throw new RangeError(`the file has no node ${position}`);
    return node;
  }
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}
