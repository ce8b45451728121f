/**
 * The ONNX wire format: onnx-proto, made lossless.
 *
 * onnx-proto was generated from ONNX 1.10 and forgets, on decode, every field added since (operator overloads, defaults of
 * function attributes, metadata). The codecs are wrapped here so that such fields are kept as bytes and written back, and
 * so that a message whose fields do not have the wire type of the schema is refused instead of misread.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { createRequire } from 'node:module';
import type { onnx as Onnx } from 'onnx-proto';
import type * as Protobuf from 'protobufjs';

declare global {
  /** 64-bit integer of protobufjs: the type that onnx-proto's declarations name but do not import. */
  interface Long {
    readonly low: number;
    readonly high: number;
    readonly unsigned: boolean;
  }
}

export type ModelProto = Onnx.IModelProto;
export type GraphProto = Onnx.IGraphProto;
export type NodeProto = Onnx.INodeProto;
export type FunctionProto = Onnx.IFunctionProto;
export type AttributeProto = Onnx.IAttributeProto;
export type TensorProto = Onnx.ITensorProto;
export type SparseTensorProto = Onnx.ISparseTensorProto;
export type ValueInfoProto = Onnx.IValueInfoProto;
export type OperatorSetIdProto = Onnx.IOperatorSetIdProto;
export type TensorAnnotation = Onnx.ITensorAnnotation;
/** A 64-bit field: decoding gives Long, encoding takes either. */
export type Int64 = number | Long;

// Not by import: the scan of its 300 kB for named exports takes ten times as long as running it.
const require = createRequire(import.meta.url);

/** Message classes and enums; decode and encode keep fields that are newer than the schema. */
export const { onnx } = require('onnx-proto') as { readonly onnx: typeof Onnx };

// A second copy of protobufjs would bring a second Reader class that onnx-proto does not recognise: this is the very copy
// it loads itself, wherever the package manager put it.
const protobuf = createRequire(require.resolve('onnx-proto'))('protobufjs/minimal') as typeof Protobuf;

const UNKNOWN: unique symbol = Symbol.for('qdbg.onnx.unknownFields');
const WRAPPED = Symbol.for('qdbg.onnx.wrapped');

type Message = object & { [UNKNOWN]?: readonly Uint8Array[] };

interface Codec {
  decode(source: Protobuf.Reader | Uint8Array, length?: number): Message;
  encode(message: Message, writer?: Protobuf.Writer): Protobuf.Writer;
}

/** Fields that onnx-proto decodes, by wire type. Repeated numbers may come packed, so they stand twice. */
interface KnownFields {
  readonly varint?: readonly number[];
  readonly fixed64?: readonly number[];
  readonly bytes: readonly number[];
  readonly fixed32?: readonly number[];
}
const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const KNOWN: Readonly<Record<string, KnownFields>> = {
  ModelProto: { varint: [1, 5], bytes: [2, 3, 4, 6, 7, 8, 14, 20, 25] },
  GraphProto: { bytes: [1, 2, 5, 10, 11, 12, 13, 14, 15] },
  NodeProto: { bytes: [1, 2, 3, 4, 5, 6, 7] },
  FunctionProto: { bytes: [1, 4, 5, 6, 7, 8, 9, 10] },
  ValueInfoProto: { bytes: [1, 2, 3] },
  TypeProto: { bytes: [1, 4, 5, 6, 8, 9] },
  TensorProto: {
    varint: [1, 2, 5, 7, 11, 14],
    fixed64: [10],
    bytes: [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    fixed32: [4],
  },
  AttributeProto: {
    varint: [3, 8, 20],
    bytes: [1, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 21, 22, 23],
    fixed32: [2, 7],
  },
};

/** Field number -> bit set of the wire types it may have. */
function wireTypes(known: KnownFields): ReadonlyMap<number, number> {
  const allowed = new Map<number, number>();
  for (const kind of ['varint', 'fixed64', 'bytes', 'fixed32'] as const) {
    for (const field of known[kind] ?? []) {
      allowed.set(field, (allowed.get(field) ?? 0) | (1 << WIRE_TYPE[kind]));
    }
  }
  return allowed;
}

function wrap(name: string, codec: Codec, known: KnownFields): void {
  // This module may be evaluated twice (test runners do that): wrapping twice would write every unknown field twice.
  if (Object.hasOwn(codec, WRAPPED)) return;
  Object.defineProperty(codec, WRAPPED, { value: true });
  const decode = codec.decode.bind(codec);
  const encode = codec.encode.bind(codec);
  const allowed = wireTypes(known);
  codec.decode = (source, length) => {
    const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source);
    const start = reader.pos;
    const end = length === undefined ? reader.len : start + length;
    const message = decode(reader, length);
    // A message that runs past its own end is misread; refusing it also keeps the work linear in the size of the file.
    if (reader.pos !== end) throw new Error(`${name} at byte ${start} has the wrong length`);
    const unknown: Uint8Array[] = [];
    reader.pos = start;
    while (reader.pos < end) {
      const at = reader.pos;
      const tag = reader.uint32();
      reader.skipType(tag & 7);
      const types = allowed.get(tag >>> 3);
      if (types === undefined) unknown.push(reader.buf.subarray(at, reader.pos));
      else if ((types & (1 << (tag & 7))) === 0) {
        throw new Error(`field ${tag >>> 3} of ${name} at byte ${at} has wire type ${tag & 7}`);
      }
    }
    reader.pos = end;
    if (unknown.length > 0) keepUnknown(message, unknown);
    return message;
  };
  codec.encode = (message, writer) => {
    const out = encode(message, writer);
    for (const field of message[UNKNOWN] ?? []) writeRaw(out, field);
    return out;
  };
}

function keepUnknown(message: Message, fields: readonly Uint8Array[]): void {
  Object.defineProperty(message, UNKNOWN, { value: fields, configurable: true });
}

/** Writer.raw of protobufjs 8; where a consumer's tree resolved onnx-proto to protobufjs 6, the push it is made of. */
function writeRaw(writer: Protobuf.Writer, bytes: Uint8Array): void {
  const raw = writer as unknown as {
    raw?(bytes: Uint8Array): void;
    _push(
      write: (value: Uint8Array, buffer: Uint8Array, at: number) => void,
      size: number,
      value: Uint8Array,
    ): void;
  };
  if (raw.raw !== undefined) raw.raw(bytes);
  else raw._push((value, buffer, at) => buffer.set(value, at), bytes.length, bytes);
}

const codecs = onnx as unknown as Readonly<Record<string, Codec>>;
for (const [name, known] of Object.entries(KNOWN)) {
  const codec = codecs[name];
  if (codec !== undefined) wrap(name, codec, known);
}

/**
 * Decodes a model. Bytes fields (raw_data) are views of `bytes`, not copies.
 *
 * @throws Error (RangeError on an overrun or when messages are nested beyond the stack) when the bytes are malformed.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return onnx.ModelProto.decode(bytes);
}

export function encodeModel(model: ModelProto): Uint8Array {
  return onnx.ModelProto.encode(model).finish();
}

export function decodeGraph(bytes: Uint8Array): GraphProto {
  return onnx.GraphProto.decode(bytes);
}

export function encodeGraph(graph: GraphProto): Uint8Array {
  return onnx.GraphProto.encode(graph).finish();
}

export function decodeAttribute(bytes: Uint8Array): AttributeProto {
  return onnx.AttributeProto.decode(bytes);
}

export function encodeAttribute(attribute: AttributeProto): Uint8Array {
  return onnx.AttributeProto.encode(attribute).finish();
}

/** A copy of a decoded message with some fields changed; fields newer than the schema stay (a spread would lose them). */
export function withFields<T extends object>(message: T, changes: Partial<T>): T {
  const prototype = Object.getPrototypeOf(message) as object | null;
  const copy = Object.assign(Object.create(prototype) as T, message, changes);
  const unknown = (message as Message)[UNKNOWN];
  if (unknown !== undefined) keepUnknown(copy, unknown);
  return copy;
}

/** Payloads of one length-delimited field that is newer than the schema of onnx-proto, in file order. */
function newerField(message: object, field: number): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  for (const bytes of (message as Message)[UNKNOWN] ?? []) {
    const reader = protobuf.Reader.create(bytes);
    const tag = reader.uint32();
    if (tag >>> 3 === field && (tag & 7) === WIRE_TYPE.bytes) payloads.push(reader.bytes());
  }
  return payloads;
}

/** `overload` of a call or a function, '' when it has none (ONNX 1.16). */
export function overloadOf(message: NodeProto | FunctionProto): string {
  const field = 'opType' in message ? 8 : 13;
  return new TextDecoder().decode(newerField(message, field).at(-1));
}

/** Attributes of a function that have a default (`attribute_proto`, ONNX 1.13). */
export function attributeDefaults(definition: FunctionProto): AttributeProto[] {
  return newerField(definition, 11).map(decodeAttribute);
}

/** Value of a 64-bit field, exact. */
export function toBigInt(value: Int64): bigint {
  if (typeof value === 'number') return BigInt(value);
  const high = value.unsigned ? value.high >>> 0 : value.high | 0;
  return (BigInt(high) << 32n) | BigInt(value.low >>> 0);
}

/** Value of a 64-bit field as a number: exact up to 2^53, rounded beyond. */
export function toNumber(value: Int64): number {
  if (typeof value === 'number') return value;
  return (value.unsigned ? value.high >>> 0 : value.high | 0) * 2 ** 32 + (value.low >>> 0);
}

/** A 64-bit field of exactly this value: protobufjs would round a number beyond 2^53. */
export function toLong(value: bigint): Long {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
}
