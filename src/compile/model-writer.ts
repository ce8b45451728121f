/**
 * Writes one ONNX model node by node, hash-consed: asking twice for the same operator on the same inputs gives the
 * same value back. Lanes that agree up to some edge therefore share everything before it, without being told to.
 */
import type { Attr, ConstantData, DType, Node, Shape, TensorId } from '../ir/graph.js';
import { ONNX_DATA_TYPE } from '../ir/onnx-data-type.js';
import {
  encodeModel,
  onnx,
  type AttributeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../onnx/proto.js';
import {
  encodeAttribute,
  encodeLiteral,
  literalAttributes,
  type LiteralAttrs,
  type LiteralDType,
} from './encoded-values.js';

/** Name of a value in the model being written. */
export type Value = string & { readonly __value: true };

/** Domain of ONNX Runtime's own operators: its QuantizeLinear knows 16 and 4 bit at every opset, ai.onnx only from 21. */
export const MICROSOFT = 'com.microsoft';

/** The writer's own names start like this. Those of inputs, which are the user's, may too. */
const PREFIX = '~';

export interface CompiledModel {
  readonly bytes: Uint8Array;
  /** Folder against which the runtime resolves external initializers; undefined when there are none. */
  readonly externalDirectory: string | undefined;
  /** Names of the network's inputs, in the order of the model's, which may be called otherwise. */
  readonly inputs: readonly string[];
  readonly outputs: readonly Value[];
  readonly nodeCount: number;
}

interface Entry {
  readonly domain: string;
  readonly op: string;
  readonly label: string;
  readonly inputs: readonly (Value | null)[];
  readonly captures: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: () => AttributeProto[];
}

export class ModelWriter {
  readonly #opsets: Map<string, number>;
  readonly #irVersion: number;
  readonly #inputs: ValueInfoProto[] = [];
  readonly #inputNames: string[] = [];
  readonly #memo = new Map<string, readonly Value[]>();
  readonly #producer = new Map<Value, Entry>();
  readonly #initializers = new Map<Value, () => TensorProto>();
  readonly #byData = new Map<ConstantData, Value>();
  readonly #byLiteral = new Map<string, Value>();
  readonly #attrKeys = new Map<ReadonlyMap<string, Attr>, number>();
  #externalDirectory: string | undefined;
  #names = 0;

  constructor(opsets: ReadonlyMap<string, number>, irVersion: number) {
    this.#opsets = new Map(opsets);
    this.#opsets.set(MICROSOFT, 1);
    // External data needs IR 3; below IR 4 initializers would also have to be listed as inputs.
    this.#irVersion = Math.max(irVersion, 4);
  }

  /** Version of ai.onnx, which decides where operators take their axes. */
  get opset(): number {
    return this.#opsets.get('') ?? 1;
  }

  input(name: string, dtype: DType, shape: Shape): Value {
    // The runtime's C interface ends a name at its first NUL, and feeds are properties of an object.
    const value = name.includes('\0') || name === '__proto__' ? this.#name() : (name as Value);
    const dim = shape.map((d) =>
      typeof d === 'number' ? { dimValue: d } : typeof d === 'string' ? { dimParam: d } : {},
    );
    const type = { tensorType: { elemType: ONNX_DATA_TYPE[dtype], shape: { dim } } };
    this.#inputs.push({ name: value, type });
    this.#inputNames.push(name);
    return value;
  }

  /** An initializer with the bytes of `data`, written once however often it is asked for. */
  constant(data: ConstantData): Value {
    const known = this.#byData.get(data);
    if (known !== undefined) return known;
    const value = this.#name();
    this.#byData.set(data, value);
    const { external } = data;
    this.#initializers.set(value, () => {
      const tensor = { name: value, dims: [...data.dims], dataType: ONNX_DATA_TYPE[data.dtype] };
      if (external === undefined) {
        return data.strings === undefined
          ? { ...tensor, rawData: data.bytes() }
          : { ...tensor, stringData: [...data.strings] };
      }
      // Left where it is: a model beyond 2 GB does not fit into one protobuf message.
      if (this.#externalDirectory !== undefined && this.#externalDirectory !== external.directory) {
        return { ...tensor, rawData: data.bytes() };
      }
      this.#externalDirectory = external.directory;
      return {
        ...tensor,
        dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
        externalData: [
          { key: 'location', value: external.location },
          { key: 'offset', value: String(external.offset) },
          { key: 'length', value: String(data.byteLength) },
        ],
      };
    });
    return value;
  }

  /** A small constant of this program's own, shared by value. */
  literal(dtype: LiteralDType, values: ArrayLike<number>, dims: readonly number[]): Value {
    const key = `${dtype}[${dims.join()}]${Array.from(values).join()}`;
    const known = this.#byLiteral.get(key);
    if (known !== undefined) return known;
    const value = this.#name();
    this.#byLiteral.set(key, value);
    const tensor = {
      name: value,
      dims: [...dims],
      dataType: ONNX_DATA_TYPE[dtype],
      rawData: encodeLiteral(dtype, values),
    };
    this.#initializers.set(value, () => tensor);
    return value;
  }

  /** One operator of this program's own with one output. */
  op(op: string, inputs: readonly (Value | null)[], attrs: LiteralAttrs = {}, domain = ''): Value {
    return this.#own(op, inputs, 1, attrs, domain)[0] as Value;
  }

  /** One operator of this program's own with several outputs. */
  ops(op: string, inputs: readonly (Value | null)[], outputs: number): readonly Value[] {
    return this.#own(op, inputs, outputs, {}, '');
  }

  #own(
    op: string,
    inputs: readonly (Value | null)[],
    outputs: number,
    attrs: LiteralAttrs,
    domain: string,
  ): readonly Value[] {
    const key = `${domain}:${op}(${inputs.join()})${JSON.stringify(attrs)}/${outputs}`;
    const attributes = (): AttributeProto[] => literalAttributes(attrs);
    return this.#emit(key, { domain, op, label: '', inputs, captures: [], attributes }, outputs);
  }

  /**
   * A node of the user's graph on the given values. `captured` resolves the outer tensors that its subgraphs read.
   * Returns one value per output of the node, omitted outputs included.
   */
  node(
    node: Node,
    label: string,
    inputs: readonly (Value | null)[],
    captured: (tensor: TensorId) => Value,
  ): readonly Value[] {
    const captures: Value[] = [];
    for (const attr of node.attrs.values())
      if (attr.type === 'graph') captures.push(...attr.value.captures.map(captured));
    const key = `${node.domain}:${node.op}(${inputs.join()})#${this.#attrKey(node.attrs)}/${node.outputs.length}[${captures.join()}]`;
    const attributes = (): AttributeProto[] =>
      [...node.attrs].map(([name, attr]) => encodeAttribute(name, attr, (graph) => graph.encode(captured)));
    return this.#emit(
      key,
      { domain: node.domain, op: node.op, label, inputs, captures, attributes },
      node.outputs.length,
    );
  }

  /** The model that computes `outputs`, without anything they do not need. Output types are left to the runtime to infer. */
  encode(outputs: readonly Value[]): CompiledModel {
    const entries = this.#reachable(outputs);
    const needed = new Set<Value>(outputs);
    for (const entry of entries)
      for (const value of [...entry.inputs, ...entry.captures]) if (value !== null) needed.add(value);
    const initializer = [...this.#initializers]
      .filter(([value]) => needed.has(value))
      .map(([, make]) => make());
    const node = entries.map((entry, i) => ({
      opType: entry.op,
      domain: entry.domain,
      // The runtime's messages name the node; several lanes have it, and names must be unique.
      name: entry.label === '' ? '' : `${entry.label}${PREFIX}${i}`,
      input: entry.inputs.map((value) => value ?? ''),
      output: [...entry.outputs],
      attribute: entry.attributes(),
    }));
    const bytes = encodeModel({
      irVersion: this.#irVersion,
      producerName: 'qdbg',
      opsetImport: [...this.#opsets].map(([domain, version]) => ({ domain, version })),
      graph: {
        name: 'qdbg',
        node,
        initializer,
        input: this.#inputs,
        output: outputs.map((name) => ({ name })),
      },
    });
    return {
      bytes,
      externalDirectory: this.#externalDirectory,
      inputs: [...this.#inputNames],
      outputs,
      nodeCount: entries.length,
    };
  }

  #emit(key: string, entry: Omit<Entry, 'outputs'>, outputs: number): readonly Value[] {
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const values = Array.from({ length: outputs }, () => this.#name());
    const made: Entry = { ...entry, outputs: values };
    this.#memo.set(key, values);
    for (const value of values) this.#producer.set(value, made);
    return values;
  }

  /**
   * What `outputs` need, each entry right after the last one it reads (depth first), so that a probe stands beside what it
   * probes. The runtime's own order follows the file's: with the network first and all probes behind it, every activation
   * would be alive at once, and its memory planner would take quadratic time.
   */
  #reachable(outputs: readonly Value[]): Entry[] {
    const ordered = new Set<Entry>();
    const entered = new Set<Entry>();
    // A stack of its own: networks are deeper than the call stack.
    const pending: Entry[] = [];
    const push = (values: readonly (Value | null)[]): void => {
      for (let i = values.length - 1; i >= 0; i--) {
        const entry = this.#producer.get(values[i] as Value);
        if (entry !== undefined && !ordered.has(entry)) pending.push(entry);
      }
    };
    push(outputs);
    for (let entry = pending.at(-1); entry !== undefined; entry = pending.at(-1)) {
      if (entered.has(entry)) {
        ordered.add(entry);
        pending.pop();
      } else {
        entered.add(entry);
        push([...entry.inputs, ...entry.captures]);
      }
    }
    return [...ordered];
  }

  #name(): Value {
    const name = `${PREFIX}${this.#names++}` as Value;
    return this.#inputs.some((input) => input.name === name) ? this.#name() : name;
  }

  #attrKey(attrs: ReadonlyMap<string, Attr>): number {
    const known = this.#attrKeys.get(attrs);
    if (known !== undefined) return known;
    const key = this.#attrKeys.size;
    this.#attrKeys.set(attrs, key);
    return key;
  }
}
