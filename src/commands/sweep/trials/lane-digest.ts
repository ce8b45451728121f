/** What a lane is, by content: two lanes of one graph with the same digest compute the same. */
import { createHash } from 'node:crypto';
import type { ConstantData, TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';

const ofParams = new WeakMap<QuantParams, string>();
const ofConstants = new WeakMap<ConstantData, string>();

/** Of all that decides codes and the values that they stand for. */
export function paramsDigest(params: QuantParams): string {
  return remembered(ofParams, params, ({ dtype, qmin, qmax, granularity, scale, zeroPoint, read }) => {
    const hash = createHash('sha256').update(JSON.stringify([dtype, qmin, qmax, granularity]));
    for (const values of [scale, zeroPoint, ...(read === undefined ? [] : [read.scale, read.zeroPoint])]) {
      hash.update(`/${values.length}/`).update(bytesOf(values));
    }
    return hash.digest('base64');
  });
}

export function constantDigest(data: ConstantData): string {
  return remembered(ofConstants, data, ({ dtype, dims, strings }) => {
    const hash = createHash('sha256').update(JSON.stringify([dtype, dims]));
    if (strings === undefined) hash.update(data.bytes());
    for (const text of strings ?? []) hash.update(`/${text.length}/`).update(text);
    return hash.digest('base64');
  });
}

/** In hex. The name does not count, nor what the lane only says of its file. */
export function laneDigest({ tensors, uses, codes, arithmetic, hybrid, dynamic, values }: Lane): string {
  const parts = [
    [...tensors].map(([id, params]) => [id, paramsDigest(params)]).sort(byTensor),
    [...uses].map(([key, params]) => [key, paramsDigest(params)]).sort(byText),
    constants(codes),
    constants(values),
    arithmetic ?? '',
    [...(hybrid ?? [])].sort(byTensor),
    [...(dynamic ?? [])].map(([key, { kind }]) => [key, kind]).sort(byText),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function constants(given: ReadonlyMap<TensorId, ConstantData> = new Map()): (string | number)[][] {
  return [...given].map(([id, data]) => [id, constantDigest(data)]).sort(byTensor);
}

type Keyed = readonly (string | number)[];

function byTensor([a]: Keyed, [b]: Keyed): number {
  return Number(a) - Number(b);
}

/** By code units, which no locale changes. */
function byText([a = '']: Keyed, [b = '']: Keyed): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function remembered<K extends object>(known: WeakMap<K, string>, key: K, digest: (of: K) => string): string {
  const made = known.get(key) ?? digest(key);
  known.set(key, made);
  return made;
}
