/** TFLite files of a few tables, written slot by slot with the library's own builder: the broken ones that no converter makes. */
import { Builder } from 'flatbuffers';

export interface TensorSpec {
  readonly name?: string;
  /** TensorType; 0 is FLOAT32. */
  readonly type?: number;
  readonly shape?: readonly number[];
  readonly buffer?: number;
  readonly isVariable?: boolean;
  readonly externalBuffer?: number;
  /** Number of the union QuantizationDetails, with an empty table. */
  readonly details?: number;
}

export interface OperatorSpec {
  readonly code?: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Conv2DOptions with this padding. */
  readonly padding?: number;
}

export interface CodeSpec {
  readonly builtin?: number;
  readonly deprecated?: number;
  readonly custom?: string;
}

export interface ModelSpec {
  readonly version?: number;
  readonly codes?: readonly CodeSpec[];
  /** Of the main subgraph; absent for a model without subgraphs. */
  readonly tensors?: readonly TensorSpec[];
  readonly inputs?: readonly number[];
  readonly outputs?: readonly number[];
  readonly operators?: readonly OperatorSpec[];
  /** From the second on; the first is the empty one. A number is an offset outside the FlatBuffer, with size 4. */
  readonly buffers?: readonly (Uint8Array | number)[];
  /** Tensor and subgraph of a signature's only input. */
  readonly signature?: readonly [tensor: number, subgraph: number];
  /** Buffer of metadata called "note". */
  readonly metadata?: number;
}

type Offset = number;

class Writer {
  readonly builder = new Builder(256);

  table(slots: number, fill: (builder: Builder) => void): Offset {
    this.builder.startObject(slots);
    fill(this.builder);
    return this.builder.endObject();
  }

  ints(values: readonly number[]): Offset {
    this.builder.startVector(4, values.length, 4);
    for (const value of values.toReversed()) this.builder.addInt32(value);
    return this.builder.endVector();
  }

  offsets(values: readonly Offset[]): Offset {
    this.builder.startVector(4, values.length, 4);
    for (const value of values.toReversed()) this.builder.addOffset(value);
    return this.builder.endVector();
  }

  tensor(spec: TensorSpec): Offset {
    const { name = '', type = 0, shape = [1], buffer = 0, isVariable = false, externalBuffer = 0 } = spec;
    const nameAt = this.builder.createString(name);
    const shapeAt = this.ints(shape);
    let quantization = 0;
    if (spec.details !== undefined) {
      const details = this.table(0, () => undefined);
      quantization = this.table(7, (builder) => {
        builder.addFieldInt8(4, spec.details ?? 0, 0);
        builder.addFieldOffset(5, details, 0);
      });
    }
    return this.table(11, (builder) => {
      builder.addFieldOffset(0, shapeAt, 0);
      builder.addFieldInt8(1, type, 0);
      builder.addFieldInt32(2, buffer, 0);
      builder.addFieldOffset(3, nameAt, 0);
      builder.addFieldOffset(4, quantization, 0);
      builder.addFieldInt8(5, isVariable ? 1 : 0, 0);
      builder.addFieldInt32(10, externalBuffer, 0);
    });
  }

  operator({ code = 0, inputs, outputs, padding }: OperatorSpec): Offset {
    const inputsAt = this.ints(inputs);
    const outputsAt = this.ints(outputs);
    const options =
      padding === undefined ? 0 : this.table(7, (builder) => builder.addFieldInt8(0, padding, 0));
    return this.table(14, (builder) => {
      builder.addFieldInt32(0, code, 0);
      builder.addFieldOffset(1, inputsAt, 0);
      builder.addFieldOffset(2, outputsAt, 0);
      builder.addFieldInt8(3, padding === undefined ? 0 : 1, 0);
      builder.addFieldOffset(4, options, 0);
    });
  }

  code({ builtin = 0, deprecated = 0, custom }: CodeSpec): Offset {
    const name = custom === undefined ? 0 : this.builder.createString(custom);
    return this.table(4, (builder) => {
      builder.addFieldInt8(0, deprecated, 0);
      builder.addFieldOffset(1, name, 0);
      builder.addFieldInt32(3, builtin, 0);
    });
  }

  buffer(contents: Uint8Array | number): Offset {
    if (typeof contents === 'number') {
      return this.table(3, (builder) => {
        builder.addFieldInt64(1, BigInt(contents), 0n);
        builder.addFieldInt64(2, 4n, 0n);
      });
    }
    const data = this.builder.createByteVector(contents);
    return this.table(3, (builder) => builder.addFieldOffset(0, data, 0));
  }

  signature([tensor, subgraph]: readonly [number, number]): Offset {
    const name = this.builder.createString('x');
    const map = this.table(2, (builder) => {
      builder.addFieldOffset(0, name, 0);
      builder.addFieldInt32(1, tensor, 0);
    });
    const inputs = this.offsets([map]);
    const key = this.builder.createString('serve');
    return this.table(5, (builder) => {
      builder.addFieldOffset(0, inputs, 0);
      builder.addFieldOffset(2, key, 0);
      builder.addFieldInt32(4, subgraph, 0);
    });
  }

  note(buffer: number): Offset {
    const name = this.builder.createString('note');
    return this.table(2, (builder) => {
      builder.addFieldOffset(0, name, 0);
      builder.addFieldInt32(1, buffer, 0);
    });
  }

  subgraph({ tensors = [], inputs = [], outputs = [], operators = [] }: ModelSpec): Offset {
    const fields = [
      this.offsets(tensors.map((spec) => this.tensor(spec))),
      this.ints(inputs),
      this.ints(outputs),
      this.offsets(operators.map((spec) => this.operator(spec))),
    ];
    return this.table(6, (builder) => fields.forEach((at, slot) => builder.addFieldOffset(slot, at, 0)));
  }
}

/** The bytes of a file; the parts that are not given are left out or empty. One RELU code is there where none is given. */
export function modelBytes(spec: ModelSpec): Uint8Array {
  const writer = new Writer();
  const { version = 3, codes = [{ builtin: 19, deprecated: 19 }], buffers = [] } = spec;
  const subgraphs = spec.tensors === undefined ? [] : [writer.subgraph(spec)];
  const fields: [slot: number, at: Offset][] = [
    [1, writer.offsets(codes.map((code) => writer.code(code)))],
    [2, writer.offsets(subgraphs)],
    [4, writer.offsets([new Uint8Array(0), ...buffers].map((buffer) => writer.buffer(buffer)))],
  ];
  if (spec.metadata !== undefined) fields.push([6, writer.offsets([writer.note(spec.metadata)])]);
  if (spec.signature !== undefined) fields.push([7, writer.offsets([writer.signature(spec.signature)])]);
  const root = writer.table(10, (builder) => {
    builder.addFieldInt32(0, version, 0);
    for (const [slot, at] of fields) builder.addFieldOffset(slot, at, 0);
  });
  writer.builder.finish(root, 'TFL3');
  return writer.builder.asUint8Array();
}
