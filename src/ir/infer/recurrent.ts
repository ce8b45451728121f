/** RNN, GRU and LSTM: X [sequence, batch, input], or [batch, sequence, input] with layout 1. */
import { intAttr, stringAttr } from '../graph.js';
import type { Family, Rule } from './rule.js';
import { flag, input } from './rule.js';

const recurrent: Rule = (call) => {
  const [x, recurrence] = [input(call, 0), input(call, 2)];
  const { dtype } = x;
  const batchFirst = flag(call.node, 'layout');
  const sequence = x.shape?.[batchFirst ? 1 : 0] ?? null;
  const batch = x.shape?.[batchFirst ? 0 : 1] ?? null;
  const directions = stringAttr(call.node, 'direction') === 'bidirectional' ? 2 : 1;
  const hidden = intAttr(call.node, 'hidden_size') ?? recurrence.shape?.[2] ?? null;
  const state = { dtype, shape: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden] };
  const all = batchFirst ? [batch, sequence, directions, hidden] : [sequence, directions, batch, hidden];
  // The third output is the cell state, of LSTM alone.
  return [{ dtype, shape: all }, state, state];
};

export const RECURRENT = { RNN: recurrent, GRU: recurrent, LSTM: recurrent } as const satisfies Family;
