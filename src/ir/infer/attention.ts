/** Attention of ai.onnx (opset 23) and rotary embedding. */
import { intAttr } from '../graph.js';
import { addDims, divDims, mulDims } from './dims.js';
import type { Call, Family, Rule, Value } from './rule.js';
import { input, sameType } from './rule.js';
import type { Dim } from '../graph.js';

interface Heads {
  readonly batch: Dim;
  readonly count: Dim;
  readonly sequence: Dim;
  /** Extent of one head. */
  readonly size: Dim;
}

/** [batch, heads, sequence, size], or [batch, sequence, heads · size] with the count in an attribute. */
function headsOf(call: Call, value: Value, countAttribute: string): Heads | undefined {
  const { shape } = value;
  if (shape?.length === 4) {
    const [batch = null, count = null, sequence = null, size = null] = shape;
    return { batch, count, sequence, size };
  }
  if (shape?.length !== 3) return undefined;
  const [batch = null, sequence = null, hidden = null] = shape;
  const count = intAttr(call.node, countAttribute) ?? null;
  return { batch, count, sequence, size: count === null ? null : divDims(hidden, count) };
}

/** Outputs: Y, present key, present value, the product of Q and K. */
const attention: Rule = (call) => {
  const q = headsOf(call, input(call, 0), 'q_num_heads');
  const k = headsOf(call, input(call, 1), 'kv_num_heads');
  const v = headsOf(call, input(call, 2), 'kv_num_heads');
  const { dtype } = input(call, 0);
  const valueType = input(call, 2).dtype;
  if (q === undefined || k === undefined || v === undefined) return [{ dtype }];
  const past = call.inputs[4] === undefined ? 0 : (input(call, 4).shape?.[2] ?? null);
  const total = addDims(past, k.sequence);
  const flat = input(call, 0).shape?.length === 3;
  const y = flat ? [q.batch, q.sequence, mulDims(q.count, v.size)] : [q.batch, q.count, q.sequence, v.size];
  return [
    { dtype, shape: y },
    { dtype: input(call, 1).dtype, shape: [k.batch, k.count, total, k.size] },
    { dtype: valueType, shape: [v.batch, v.count, total, v.size] },
    { dtype, shape: [q.batch, q.count, q.sequence, total] },
  ];
};

export const ATTENTION = {
  Attention: attention,
  RotaryEmbedding: (call) => [sameType(input(call, 0))],
} as const satisfies Family;
