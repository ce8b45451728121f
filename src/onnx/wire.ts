/**
 * Protobuf messages as they lie in a file: fields are found and copied without knowing what they mean, so that a changed message
 * keeps all that is not changed to the byte, fields that are newer than any schema included.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */
import { LoadError } from '../errors.js';

const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, group: 3, endGroup: 4, fixed32: 5 } as const;

/** One field of a message. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Tag, length and payload: what a copy of the field is. A view. */
  readonly bytes: Uint8Array;
  /** What follows tag and length. A view. */
  readonly payload: Uint8Array;
}

/** Bytes of a message that is put together: written one after the other. */
export type Parts = readonly Uint8Array[];

const NO_BYTES = new Uint8Array(0);
/** ignoreBOM: a name that begins with one is another name without it. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Calls `visit` for every field of a message, in order; nothing is allocated for it.
 *
 * @param visit `start` is where the tag lies, `payload` what is behind tag and length, `end` the end of the field
 * @throws LoadError when the bytes are no message
 */
function scanFields(
  message: Uint8Array,
  visit: (number: number, wireType: number, start: number, payload: number, end: number) => void,
): void {
  const cursor = { at: 0 };
  while (cursor.at < message.length) {
    const start = cursor.at;
    const tag = varintAt(message, cursor);
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    let payload = cursor.at;
    if (wireType === WIRE_TYPE.bytes) {
      const length = varintAt(message, cursor);
      payload = cursor.at;
      cursor.at += length;
    } else skip(message, cursor, number, wireType);
    if (number === 0 || cursor.at > message.length) throw damaged(start);
    visit(number, wireType, start, payload, cursor.at);
  }
}

/** @throws LoadError when the bytes are no message */
export function wireFields(message: Uint8Array): WireField[] {
  const fields: WireField[] = [];
  scanFields(message, (number, wireType, start, payload, end) => {
    fields.push({
      number,
      wireType,
      bytes: message.subarray(start, end),
      payload: message.subarray(payload, end),
    });
  });
  return fields;
}

/** Payloads of one length-delimited field, in order. @throws LoadError as `scanFields` */
export function payloadsOf(message: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  scanFields(message, (number, wireType, _start, payload, end) => {
    if (number === field && wireType === WIRE_TYPE.bytes) found.push(message.subarray(payload, end));
  });
  return found;
}

/** A string field that is there once; the last one counts. '' when it is not there. @throws LoadError as `scanFields` */
export function stringOf(message: Uint8Array, field: number): string {
  return text(payloadsOf(message, field).at(-1) ?? NO_BYTES);
}

/** A number field that is there once; the last one counts. @throws LoadError as `scanFields` */
export function numberOf(message: Uint8Array, field: number): number | undefined {
  let value: number | undefined;
  scanFields(message, (number, wireType, _start, payload) => {
    if (number === field && wireType === WIRE_TYPE.varint) value = varintAt(message, { at: payload });
  });
  return value;
}

export function text(payload: Uint8Array): string {
  return decoder.decode(payload);
}

export function utf8(value: string): Uint8Array {
  return encoder.encode(value);
}

/** A length-delimited field: a message, a string or bytes. The payload is not copied. */
export function bytesField(number: number, payload: Uint8Array | Parts): Uint8Array[] {
  const parts = payload instanceof Uint8Array ? [payload] : payload;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.from([...varint(number * 8 + WIRE_TYPE.bytes), ...varint(length)]), ...parts];
}

export function stringField(number: number, value: string): Uint8Array[] {
  return bytesField(number, utf8(value));
}

/** A field of a number that is a whole one from 0 to 2^53. */
export function numberField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8 + WIRE_TYPE.varint), ...varint(value)]);
}

/** The bytes in one piece. */
export function joined(parts: Parts): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

interface Cursor {
  at: number;
}

/** Base-128 number, exact up to 2^53. */
function varintAt(bytes: Uint8Array, cursor: Cursor): number {
  const start = cursor.at;
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return value;
  }
  throw damaged(start);
}

/** Behind a field that is not length-delimited. Groups, which nothing writes any more, are passed over whole. */
function skip(bytes: Uint8Array, cursor: Cursor, number: number, wireType: number): void {
  const open: number[] = [];
  let current = { number, wireType };
  for (;;) {
    switch (current.wireType) {
      case WIRE_TYPE.varint:
        varintAt(bytes, cursor);
        break;
      case WIRE_TYPE.fixed64:
        cursor.at += 8;
        break;
      case WIRE_TYPE.bytes: {
        const length = varintAt(bytes, cursor);
        cursor.at += length;
        break;
      }
      case WIRE_TYPE.fixed32:
        cursor.at += 4;
        break;
      case WIRE_TYPE.group:
        open.push(current.number);
        break;
      default:
        if (current.wireType !== WIRE_TYPE.endGroup || open.pop() !== current.number)
          throw damaged(cursor.at);
    }
    if (open.length === 0) return;
    const tag = varintAt(bytes, cursor);
    current = { number: Math.floor(tag / 8), wireType: tag % 8 };
  }
}

function damaged(at: number): LoadError {
  return new LoadError(
    `the file is damaged: no field of a protobuf message begins at byte ${at} of its message`,
  );
}
