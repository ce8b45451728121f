/** States of shards as text: JSON with the typed arrays behind it, deflated, in base64. */
import { deflateSync, inflateSync } from 'node:zlib';

const ARRAYS = { Float64Array, Float32Array, Int32Array } as const;
type ArrayName = keyof typeof ARRAYS;
type Stored = InstanceType<(typeof ARRAYS)[ArrayName]>;

/** Key of what JSON has no form for; no name in a state begins like it. */
const SPECIAL = '\u0000';
/** So that every array can be a view. */
const ALIGNMENT = 8;
/** What the state of a network of a thousand layers takes, many times over. */
const MOST_BYTES = 2 ** 30;

export function textOfState(state: unknown): string {
  const arrays: Stored[] = [];
  let end = 0;
  const json = JSON.stringify(state, (_, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) return { [SPECIAL]: String(value) };
    if (!isStored(value)) return value;
    const place = [value.constructor.name, end, value.length];
    arrays.push(value);
    end += aligned(value.byteLength);
    return { [SPECIAL]: place };
  });
  const head = Buffer.from(json, 'utf8');
  const start = ALIGNMENT + aligned(head.length);
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, ALIGNMENT);
  let at = start;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += aligned(byteLength);
  }
  return deflateSync(bytes).toString('base64');
}

/** @throws Error of any kind when the text is no such state */
export function stateOfText(text: string): unknown {
  const inflated = inflateSync(Buffer.from(text, 'base64'), { maxOutputLength: MOST_BYTES });
  // A copy begins at a multiple of 8.
  const bytes = new Uint8Array(inflated);
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const start = ALIGNMENT + aligned(length);
  const json = Buffer.from(bytes.subarray(ALIGNMENT, ALIGNMENT + length)).toString('utf8');
  return JSON.parse(json, (key, value: unknown) => {
    if (key === '__proto__') return undefined;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, SPECIAL)) return value;
    const special = (value as Readonly<Record<string, unknown>>)[SPECIAL];
    return Array.isArray(special) ? arrayAt(bytes, start, special) : Number(special);
  });
}

function arrayAt(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  [name, at, length]: readonly unknown[],
): Stored {
  if (typeof name !== 'string' || !Object.hasOwn(ARRAYS, name)) throw new RangeError('no such array');
  return new ARRAYS[name as ArrayName](bytes.buffer, start + Number(at), Number(length));
}

function isStored(value: unknown): value is Stored {
  return Object.values(ARRAYS).some((Type) => value instanceof Type);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
