/**
 * The graph while it is made. Tensor i of the file is tensor i of the IR; what the file does not have comes behind.
 * Every tensor may be asked for in several orders of axes ("forms"); each is made once.
 */
import type { Attr, ConstantData, Node, NodeId, Origin, Tensor, TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { movesNothing, reshaped, transposed } from '../constants.js';
import type { FileTensor } from '../file-tensors.js';
import { inverse, isIdentity, permInto } from './layout.js';
import type { Attrs, AttrValue, Layout } from './lowering.js';

/** Parameters and codes that the lane gets, axes in the IR's order. */
export interface Annotation {
  readonly params: QuantParams;
  readonly codes?: ConstantData;
}

interface Mark {
  readonly tensors: number;
  readonly nodes: number;
}

/** A form of a tensor of the file: extents that it is first given, and the order into which they are then brought. */
interface Form {
  readonly dims: readonly number[];
  readonly perm: readonly number[];
}

export class DraftGraph {
  readonly nodes: Node[] = [];
  readonly inner = new Set<TensorId>();
  readonly #file: readonly FileTensor[];
  readonly #tensors: Tensor[];
  readonly #annotations = new Map<TensorId, Annotation>();
  readonly #forms: Map<string, TensorId>[];
  readonly #layouts: Layout[];
  readonly #own = new Map<string, TensorId>();

  constructor(file: readonly FileTensor[]) {
    this.#file = file;
    this.#tensors = file.map(({ name, dtype, dims, data }, i) => ({
      id: i as TensorId,
      name,
      dtype,
      shape: dims,
      ...(data === undefined ? {} : { data }),
    }));
    this.#forms = file.map(() => new Map<string, TensorId>());
    this.#layouts = file.map((): Layout => 'file');
    file.forEach(({ params, codes }, i) => {
      if (params !== undefined) {
        this.#annotations.set(i as TensorId, { params, ...(codes === undefined ? {} : { codes }) });
      }
    });
  }

  get tensors(): readonly Tensor[] {
    return this.#tensors;
  }

  get annotations(): ReadonlyMap<TensorId, Annotation> {
    return this.#annotations;
  }

  fileTensor(index: number): FileTensor {
    const tensor = this.#file[index];
    if (tensor === undefined) throw new RangeError(`tensor ${index} is not in the file`);
    return tensor;
  }

  /** To `restore` to, should an operator turn out not to be lowerable halfway. */
  mark(): Mark {
    return { tensors: this.#tensors.length, nodes: this.nodes.length };
  }

  restore({ tensors, nodes }: Mark): void {
    for (const forms of this.#forms) {
      for (const [key, id] of forms) if (id >= tensors) forms.delete(key);
    }
    for (const [key, id] of this.#own) if (id >= tensors) this.#own.delete(key);
    for (let id = tensors; id < this.#tensors.length; id++) {
      this.inner.delete(id as TensorId);
      this.#annotations.delete(id as TensorId);
    }
    this.#tensors.length = tensors;
    this.nodes.length = nodes;
  }

  /** Order in which the tensor is written. */
  layoutOf(index: number): Layout {
    return this.#layouts[index] ?? 'file';
  }

  /** Makes the tensor of the file one that is written in `layout`. */
  writtenIn(index: number, layout: Layout): TensorId {
    const { dims } = this.fileTensor(index);
    const perm = permInto(layout, dims.length);
    const id = index as TensorId;
    this.#layouts[index] = isIdentity(perm) ? 'file' : layout;
    this.#forms[index]?.clear();
    this.#place(id, index, { dims, perm });
    return id;
  }

  /** The tensor in a layout; `rank` above its own puts extents of 1 in front, in the file's order. */
  inLayout(index: number, layout: Layout, rank: number, origin: Origin): TensorId {
    const { dims } = this.fileTensor(index);
    const padded = [...Array<number>(Math.max(0, rank - dims.length)).fill(1), ...dims];
    const perm = permInto(layout, padded.length);
    if (padded.length === dims.length && isIdentity(perm))
      return this.#form(index, 'file', { dims, perm }, origin);
    const key = padded.length === dims.length ? layout : `${layout}:${rank}`;
    return this.#form(index, key, { dims: padded, perm }, origin);
  }

  permuted(index: number, perm: readonly number[], origin: Origin): TensorId {
    const { dims } = this.fileTensor(index);
    return this.#form(index, isIdentity(perm) ? 'file' : `perm:${perm.join()}`, { dims, perm }, origin);
  }

  constant(dtype: 'float32' | 'int64', values: readonly number[], dims: readonly number[]): TensorId {
    const key = `${dtype}[${dims.join()}]${values.join()}`;
    const known = this.#own.get(key);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(
      dtype === 'int64' ? BigInt64Array.from(values, BigInt).buffer : Float32Array.from(values).buffer,
    );
    const data: ConstantData = { dtype, dims, byteLength: bytes.byteLength, bytes: () => bytes };
    const id = this.#add({ name: 'constant', dtype, shape: dims, data });
    this.inner.add(id);
    this.#own.set(key, id);
    return id;
  }

  /** A tensor that the file does not have, type and shape yet to be inferred. */
  addInner(name: string): TensorId {
    const id = this.#add({ name, dtype: undefined, shape: undefined });
    this.inner.add(id);
    return id;
  }

  node(
    op: string,
    domain: string,
    inputs: readonly (TensorId | null)[],
    outputs: readonly (TensorId | null)[],
    attrs: Attrs,
    origin: Origin,
  ): void {
    const entries = Object.entries(attrs).map(([name, value]): [string, Attr] => [name, attrOf(value)]);
    const id = this.nodes.length as NodeId;
    this.nodes.push({ id, op, domain, inputs, outputs, attrs: new Map(entries), origin });
  }

  #add(tensor: Omit<Tensor, 'id'>): TensorId {
    const id = this.#tensors.length as TensorId;
    this.#tensors.push({ ...tensor, id });
    return id;
  }

  #form(index: number, key: string, form: Form, origin: Origin): TensorId {
    const { data } = this.fileTensor(index);
    const forms = this.#forms[index] as Map<string, TensorId>;
    const known = forms.get(key);
    if (known !== undefined) return known;
    const id =
      data === undefined
        ? this.#moved(index, key, form, origin)
        : this.#stored(index, forms.size === 0, form);
    forms.set(key, id);
    return id;
  }

  /** A constant is stored in the wanted form; the first one asked for takes the place of the file's tensor. */
  #stored(index: number, first: boolean, form: Form): TensorId {
    const id = first ? (index as TensorId) : this.#add(this.#tensors[index] as Tensor);
    this.#place(id, index, form);
    return id;
  }

  /** An activation is brought into the form by a node, from the order in which it is written. */
  #moved(index: number, key: string, { dims, perm }: Form, origin: Origin): TensorId {
    const own = this.fileTensor(index).dims;
    const written = permInto(this.#layouts[index] ?? 'file', own.length);
    if (key === (this.#layouts[index] ?? 'file')) return index as TensorId;
    const id = this.#add({ name: this.fileTensor(index).name, dtype: undefined, shape: undefined });
    this.inner.add(id);
    const wanted = perm.map((axis) => dims[axis] ?? 1);
    const pad = dims.length - own.length;
    // From the written order to the wanted one, extents of 1 in front left out.
    const back = inverse(written);
    const between = perm.filter((axis) => axis >= pad).map((axis) => back[axis - pad] ?? 0);
    const from = written.map((axis) => own[axis] ?? 1);
    const layout = { ...origin, part: 'layout' as const };
    if (movesNothing(from, between)) {
      const shape = this.constant('int64', wanted, [wanted.length]);
      this.node('Reshape', '', [index as TensorId, shape], [id], {}, layout);
    } else if (pad === 0) {
      this.node('Transpose', '', [index as TensorId], [id], { perm: between }, layout);
    } else {
      const turned = this.addInner(this.fileTensor(index).name);
      this.node('Transpose', '', [index as TensorId], [turned], { perm: between }, layout);
      const shape = this.constant('int64', wanted, [wanted.length]);
      this.node('Reshape', '', [turned, shape], [id], {}, layout);
    }
    const { dtype } = this.fileTensor(index);
    this.#tensors[id] = { ...(this.#tensors[id] as Tensor), dtype, shape: wanted };
    this.#annotate(id, index, dims.length, perm);
    return id;
  }

  /** Gives the tensor the form: extents, elements, parameters. With extents of 1 in front, the file does not have its axes. */
  #place(id: TensorId, index: number, { dims, perm }: Form): void {
    const { name, dtype, dims: own, data, codes } = this.fileTensor(index);
    const isPadded = dims.length > own.length;
    const stored = (constant: ConstantData): ConstantData =>
      transposed(isPadded ? reshaped(constant, dims) : constant, perm);
    this.#tensors[id] = {
      id,
      name,
      dtype,
      shape: perm.map((axis) => dims[axis] ?? 1),
      ...(data === undefined ? {} : { data: stored(data) }),
      ...(isPadded || isIdentity(perm) ? {} : { fileAxes: inverse(perm) }),
    };
    this.#annotate(id, index, dims.length, perm, codes === undefined ? undefined : stored(codes));
  }

  #annotate(id: TensorId, index: number, rank: number, perm: readonly number[], codes?: ConstantData): void {
    const { params, dims } = this.fileTensor(index);
    if (params === undefined) return;
    const { granularity } = params;
    const moved =
      granularity.kind === 'per-tensor'
        ? granularity
        : { ...granularity, axis: inverse(perm)[granularity.axis + rank - dims.length] ?? granularity.axis };
    this.#annotations.set(id, {
      params: { ...params, granularity: moved },
      ...(codes === undefined ? {} : { codes }),
    });
  }
}

/** Numbers are integers unless marked as floats. */
function attrOf(value: AttrValue): Attr {
  if (typeof value === 'number') return { type: 'int', value: BigInt(value) };
  if (typeof value === 'string') return { type: 'string', value };
  if ('float' in value) return { type: 'float', value: value.float };
  return { type: 'ints', value: value.map(BigInt) };
}
