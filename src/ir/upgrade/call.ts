/** One operator while it is brought to a newer operator set: what rules see of it, and how they write what takes its place. */
import { toFloat32 } from '../elements.js';
import type { Attr, DType, Shape, TensorId } from '../graph.js';
import { ONNX_DATA_TYPE } from '../onnx-data-type.js';
import type { Additions } from './additions.js';

/** A tensor that a node reads. `slot`: the input of the operator as the graph has it whose quantizer this use has, if any. */
export interface Operand {
  readonly tensor: TensorId;
  readonly slot?: number;
}

/** A node that takes the place, or a part of the place, of a node of the graph. */
export interface Draft {
  readonly op: string;
  readonly attrs: ReadonlyMap<string, Attr>;
  readonly inputs: readonly (Operand | null)[];
  readonly outputs: readonly (TensorId | null)[];
  /** Whether it stands for the operator; the others are steps beside it. */
  readonly isMain: boolean;
}

/**
 * What a node of the version before a change is in the version with it. Emits nothing when it is the same there.
 *
 * @throws NotUpgradable when nothing there has its meaning
 */
export type Rule = (call: Call) => void;

/** Rules by operator, of one change of ai.onnx or one kind of change. */
export type Family = Readonly<Record<string, Rule>>;

/** Why a node cannot be brought to a newer operator set: one clause for the user, behind the name of the node. */
export class NotUpgradable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NotUpgradable';
  }
}

export type AttrEdits = Readonly<Record<string, number | string | undefined>>;

/** What is known of a tensor. */
export interface Type {
  readonly dtype: DType | undefined;
  readonly shape?: Shape | undefined;
}

/** Changes of a node; what is not given stays. */
export interface Edits {
  readonly op?: string;
  readonly inputs?: Draft['inputs'];
  readonly outputs?: Draft['outputs'];
  /** Integers and strings to set; undefined removes the attribute. */
  readonly attrs?: AttrEdits;
}

/** Longest list of elements that a rule reads from a constant: scales have one an axis. */
const MAX_LISTED = 64;

export class Call {
  readonly drafts: Draft[] = [];
  readonly #draft: Draft;
  readonly #additions: Additions;

  constructor(draft: Draft, additions: Additions) {
    this.#draft = draft;
    this.#additions = additions;
  }

  get inputs(): Draft['inputs'] {
    return this.#draft.inputs;
  }

  get outputs(): Draft['outputs'] {
    return this.#draft.outputs;
  }

  /** null where the input is omitted. */
  input(slot: number): Operand | null {
    return this.#draft.inputs[slot] ?? null;
  }

  /** @throws NotUpgradable when the input is omitted */
  required(slot: number): Operand {
    const operand = this.input(slot);
    if (operand === null) throw new NotUpgradable(`its input ${slot} is missing`);
    return operand;
  }

  /** Whether anything reads the output; an output of the network counts. */
  isRead(slot: number): boolean {
    const output = this.#draft.outputs[slot] ?? null;
    return output !== null && this.#additions.isRead(output);
  }

  shapeOf({ tensor }: Operand): Shape | undefined {
    return this.#additions.tensor(tensor).shape;
  }

  /** Undefined while the type is not known. */
  dtypeOf({ tensor }: Operand): DType | undefined {
    return this.#additions.tensor(tensor).dtype;
  }

  /** @throws NotUpgradable when the type is not known */
  knownDtypeOf(operand: Operand): DType {
    const dtype = this.dtypeOf(operand);
    if (dtype === undefined) throw new NotUpgradable('the type of its elements is not known');
    return dtype;
  }

  /** Elements of a short constant as float32; undefined for activations, for long ones and for types that are no numbers. */
  numbers({ tensor }: Operand): readonly number[] | undefined {
    const { data } = this.#additions.tensor(tensor);
    if (data?.dtype !== 'float32' || data.dims.some((dim) => dim > MAX_LISTED) || data.dims.length > 1) {
      return undefined;
    }
    return Array.from(toFloat32(data));
  }

  int(name: string): number | undefined {
    const attr = this.#draft.attrs.get(name);
    return attr?.type === 'int' ? Number(attr.value) : undefined;
  }

  float(name: string): number | undefined {
    const attr = this.#draft.attrs.get(name);
    return attr?.type === 'float' ? attr.value : undefined;
  }

  string(name: string): string | undefined {
    const attr = this.#draft.attrs.get(name);
    return attr?.type === 'string' ? attr.value : undefined;
  }

  ints(name: string): readonly bigint[] | undefined {
    const attr = this.#draft.attrs.get(name);
    return attr?.type === 'ints' ? attr.value : undefined;
  }

  floats(name: string): readonly number[] | undefined {
    const attr = this.#draft.attrs.get(name);
    return attr?.type === 'floats' ? attr.value : undefined;
  }

  /** A constant of int64, [values.length]. */
  listed(values: readonly (bigint | number)[]): Operand {
    return this.#constant('int64', BigInt64Array.from(values, BigInt), [values.length]);
  }

  /** A scalar of int64. */
  integer(value: number): Operand {
    return this.#constant('int64', BigInt64Array.of(BigInt(value)), []);
  }

  /** A constant of float32, [values.length]. */
  reals(values: readonly number[]): Operand {
    return this.#constant('float32', Float32Array.from(values), [values.length]);
  }

  /** A scalar of a type of floating point, with a value that was a float32 attribute. */
  real(value: number, dtype: DType): Operand {
    const scalar = this.#constant('float32', Float32Array.of(value), []);
    if (dtype === 'float32') return scalar;
    return this.step('Cast', [scalar], { to: ONNX_DATA_TYPE[dtype] }, { dtype, shape: [] });
  }

  /** A tensor between the nodes of the operator. */
  between(type: Type): Operand {
    return { tensor: this.#additions.activation(type.dtype, type.shape) };
  }

  /** A node beside the one that stands for the operator. */
  add(op: string, inputs: Draft['inputs'], attrs: AttrEdits, outputs: Draft['outputs']): void {
    this.drafts.push({ op, attrs: edited(new Map(), attrs), inputs, outputs, isMain: false });
  }

  /** Such a node with one output, for another node to read. */
  step(op: string, inputs: Draft['inputs'], attrs: AttrEdits, type: Type): Operand {
    const output = this.between(type);
    this.add(op, inputs, attrs, [output.tensor]);
    return output;
  }

  /** The node itself with changes: it stands for the operator if it did before. */
  replace({ op, inputs, outputs, attrs }: Edits): void {
    const draft = this.#draft;
    this.drafts.push({
      op: op ?? draft.op,
      attrs: attrs === undefined ? draft.attrs : edited(draft.attrs, attrs),
      inputs: inputs ?? draft.inputs,
      outputs: outputs ?? draft.outputs,
      isMain: draft.isMain,
    });
  }

  #constant(dtype: DType, values: BigInt64Array | Float32Array, dims: readonly number[]): Operand {
    return { tensor: this.#additions.constant(dtype, values, dims) };
  }
}

function edited(attrs: ReadonlyMap<string, Attr>, edits: AttrEdits): ReadonlyMap<string, Attr> {
  const result = new Map(attrs);
  for (const [name, value] of Object.entries(edits)) {
    if (value === undefined) result.delete(name);
    else if (typeof value === 'string') result.set(name, { type: 'string', value });
    else result.set(name, { type: 'int', value: BigInt(value) });
  }
  return result;
}
