/** What is known of the values of a file while its quantizers are folded, and the nodes of the folded graph so far. */
import { bitsPerElement, packedByteLength } from '../../../ir/elements.js';
import { isFloat, type ConstantData, type FloatDType } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { draftLabel, type Draft, type DraftNode } from '../draft.js';
import { FreshNames } from '../fresh-names.js';
import type { ValueType } from '../value-type.js';
import { constantBehind } from './constant-chains.js';
import { dequantized } from './dequantized.js';
import { Unfoldable, type Operand } from './folding.js';
import { isWholeRange, Parameters } from './parameters.js';

/** What a value of the file is in the folded graph, where it is not simply the tensor of its name. */
export interface Known {
  /** 'codes' of the tensor, or the tensor read back from them. */
  readonly kind: 'codes' | 'values';
  readonly tensor: string;
  readonly params: QuantParams;
  /** Of a node that has to stand for the quantizer. */
  readonly origin: DraftNode['origin'];
  /** The QuantizeLinear that writes the codes. */
  readonly writer?: DraftNode;
}

/** A node of the folded graph. */
export interface Emission {
  readonly node: DraftNode;
  /** In place of the node's inputs; null = omitted. */
  readonly reads: readonly (Operand | null)[];
  /**
   * 'values': an Identity for a quantizer that no reader can stand for. 'codes': a QuantizeLinear for readers of codes that cannot
   * be folded; it gives the same codes whether it reads the tensor itself or through the quantizer. A quantizer with narrower limits
   * than its type has to be read through.
   */
  readonly made?: 'values' | 'codes';
}

/** Codes of a constant under one set of parameters. */
export interface CodedConstant {
  readonly codes: string;
  readonly tensor: string;
}

const NO_GRAPHS: Pick<DraftNode, 'graphs' | 'captures'> = { graphs: new Map(), captures: [] };
/** Before this opset ai.onnx has QuantizeLinear for 8 bits only; ONNX Runtime's own operator has all. */
const ALL_WIDTHS = 21;

export class FoldState {
  readonly draft: Draft;
  readonly opset: number;
  readonly parameters: Parameters;
  readonly names: FreshNames;
  readonly known = new Map<string, Known>();
  readonly constants: Map<string, ConstantData>;
  /** As the file says them, and of tensors that were codes. */
  readonly types: Map<string, ValueType>;
  /** Of the values of the file, as far as they follow from its inputs. */
  readonly inferred: ReadonlyMap<string, ValueType>;
  readonly emissions: Emission[] = [];
  readonly absorbed = new Set<DraftNode>();
  /** Tensors that the file does not have. */
  readonly inner = new Set<string>();
  readonly codedConstants: CodedConstant[] = [];
  /** Constants whose values were made from codes. */
  readonly codes = new Map<string, { readonly data: ConstantData; readonly params: QuantParams }>();
  /** Names in the file of codes of a tensor, and of values read back from them, with their parameters. */
  readonly stored = new Map<string, Record<Known['kind'], Map<string, QuantParams>>>();
  /** Values that nested graphs read by name. */
  readonly captured: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
  /** Names that emitted nodes write. */
  readonly written = new Set<string>();
  readonly #dequantized = new Map<string, Map<QuantParams, string>>();
  /** Values that have a tensor of their name. */
  readonly #materialized = new Set<string>();
  /** Codes that are there again, under these names. */
  readonly #again = new Map<string, string>();
  readonly #undo: (() => void)[] = [];
  #depth = 0;

  constructor(
    draft: Draft,
    opset: number,
    producers: ReadonlyMap<string, DraftNode>,
    inferred: ReadonlyMap<string, ValueType>,
  ) {
    this.inferred = inferred;
    this.draft = draft;
    this.opset = opset;
    this.constants = new Map(draft.constants);
    this.types = new Map(draft.types);
    this.parameters = new Parameters((name) => constantBehind(name, draft.constants, producers));
    this.captured = new Set(draft.nodes.flatMap(({ captures }) => captures));
    this.outputs = new Set(draft.outputs);
    const written = draft.nodes.flatMap(({ outputs }) => outputs);
    this.names = new FreshNames(
      new Set([...draft.inputs, ...draft.constants.keys(), ...written, ...this.captured]),
    );
  }

  /** Runs `rule`; the reason when it throws Unfoldable, and then nothing of what it did remains. */
  attempt(rule: () => void): string | undefined {
    if (this.#depth++ === 0) this.#undo.length = 0;
    const start = this.#undo.length;
    try {
      rule();
      return undefined;
    } catch (error) {
      if (!(error instanceof Unfoldable)) throw error;
      while (this.#undo.length > start) this.#undo.pop()?.();
      return error.message;
    } finally {
      this.#depth--;
    }
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    this.#undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)));
    map.set(key, value);
  }

  add<T>(set: Set<T>, value: T): void {
    if (set.has(value)) return;
    set.add(value);
    this.#undo.push(() => set.delete(value));
  }

  push<T>(list: T[], value: T): void {
    list.push(value);
    this.#undo.push(() => list.pop());
  }

  emit(emission: Emission): void {
    this.push(this.emissions, emission);
    for (const output of emission.node.outputs) if (output !== '') this.add(this.written, output);
  }

  /** Where the file has codes of a tensor, and values read back from them. */
  note(tensor: string, kind: Known['kind'], name: string, params: QuantParams): void {
    const names = this.stored.get(tensor) ?? {
      codes: new Map<string, QuantParams>(),
      values: new Map<string, QuantParams>(),
    };
    if (!this.stored.has(tensor)) this.set(this.stored, tensor, names);
    this.set(names[kind], name, params);
  }

  /** Float type of a tensor whose codes have these parameters. */
  floatOf(tensor: string, params: QuantParams): FloatDType {
    const dtype = (this.constants.get(tensor) ?? this.types.get(tensor) ?? this.inferred.get(tensor))?.dtype;
    return isFloat(dtype) ? dtype : this.parameters.floatOf(params);
  }

  /** The value as an input of a node that computes with what the file gives it. */
  operand(name: string, reader: string): Operand {
    const known = this.known.get(name);
    if (known === undefined || this.draft.constants.has(name)) return { name };
    if (known.kind === 'values') return { name: known.tensor, through: known.params };
    return { name: this.#codesAgain(name, known, reader) };
  }

  /** A constant of codes as the tensor of what they stand for. */
  constantValues(codes: string, params: QuantParams, float: FloatDType): string {
    const data = this.constants.get(codes);
    if (data === undefined) throw new RangeError(`${codes} is not a constant`);
    const made = this.#dequantized.get(codes) ?? new Map<QuantParams, string>();
    this.#dequantized.set(codes, made);
    const known = made.get(params);
    if (known !== undefined) return known;
    const tensor = this.names.next(`${codes}_values`);
    this.set(made, params, tensor);
    this.set(this.constants, tensor, dequantized(data, params, float));
    this.set(this.codes, tensor, { data, params });
    this.push(this.codedConstants, { codes, tensor });
    this.note(tensor, 'codes', codes, params);
    return tensor;
  }

  /** A node that writes what a DequantizeLinear gave, under its name, for readers that need a tensor of it. */
  materializeValues(name: string, known: Known): string {
    const { origin } = known;
    if (this.#materialized.has(name)) return name;
    this.add(this.#materialized, name);
    const node = {
      op: 'Identity',
      domain: '',
      attrs: new Map(),
      ...NO_GRAPHS,
      inputs: [],
      outputs: [name],
      origin,
    };
    this.emit({ node, reads: [{ name: known.tensor, through: known.params }], made: 'values' });
    const type = this.types.get(name);
    const shape = type?.shape ?? this.types.get(known.tensor)?.shape;
    this.set(this.types, name, { dtype: this.floatOf(known.tensor, known.params), shape });
    return name;
  }

  /** Codes once more, for a reader that cannot be folded. */
  #codesAgain(name: string, known: Known, reader: string): string {
    const again = this.#again.get(name);
    if (again !== undefined) return again;
    const { writer, params, tensor, origin } = known;
    const made = isWholeRange(params) ? { made: 'codes' as const } : {};
    // An output of the network of that name has the values.
    const isFree = tensor !== name && !this.outputs.has(name);
    const output = isFree ? name : this.names.next(`${name}_codes`);
    this.set(this.#again, name, output);
    const read = { name: tensor, through: params };
    const unfolded = `${reader} reads its codes`;
    if (writer !== undefined) {
      const [, ...others] = writer.inputs;
      const node = { ...writer, outputs: [output], unfolded };
      const reads = others.map((input) => (input === '' ? null : { name: input }));
      this.emit({ node, reads: [read, ...reads], ...made });
      return output;
    }
    const dims = params.granularity.kind === 'per-tensor' ? [] : [params.scale.length];
    const scale = this.addConstant(`${name}_scale`, { dtype: 'float32', dims, ...bytesOf(params.scale) });
    const points = storedPoints(params);
    const zeroPoint = this.addConstant(`${name}_zero_point`, {
      dtype: params.dtype,
      dims,
      ...bytesOf(points),
    });
    const node: DraftNode = {
      op: 'QuantizeLinear',
      domain: this.opset >= ALL_WIDTHS || points.BYTES_PER_ELEMENT === 1 ? '' : 'com.microsoft',
      attrs: new Map(
        params.granularity.kind === 'per-tensor'
          ? []
          : [['axis', { type: 'int', value: BigInt(params.granularity.axis) }]],
      ),
      ...NO_GRAPHS,
      inputs: [],
      outputs: [output],
      origin: { ...origin, part: 'step' },
      unfolded,
    };
    for (const inner of [output, scale, zeroPoint]) this.add(this.inner, inner);
    this.emit({ node, reads: [read, { name: scale }, { name: zeroPoint }], ...made });
    return output;
  }

  addConstant(base: string, data: ConstantData): string {
    const name = this.names.next(base);
    this.set(this.constants, name, data);
    return name;
  }
}

function bytesOf(values: ArrayBufferView): Pick<ConstantData, 'byteLength' | 'bytes'> {
  const { buffer, byteOffset, byteLength } = values;
  return { byteLength, bytes: () => new Uint8Array(buffer, byteOffset, byteLength) };
}

/** Zero points as a file stores them. */
function storedPoints({ dtype, zeroPoint }: QuantParams): Uint8Array | Int16Array {
  const bits = bitsPerElement(dtype);
  if (bits === 16) return Int16Array.from(zeroPoint);
  const packed = new Uint8Array(packedByteLength(dtype, [zeroPoint.length]));
  const mask = 2 ** bits - 1;
  zeroPoint.forEach((point, i) => {
    packed[Math.floor((i * bits) / 8)]! |= (point & mask) << ((i * bits) % 8);
  });
  return packed;
}

/** The operator as messages call it. */
export function readerLabel(node: DraftNode): string {
  return `${draftLabel(node)} (${node.origin.op})`;
}
