/** How the range of a quantizer compares with the values that come. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { Graph, TensorId } from '../ir/graph.js';
import { writerOf } from '../ir/operators.js';
import { isMove } from './joined.js';
import { PRESCRIBED, stepOf } from './quantizers.js';

export interface RangeWidth {
  readonly tensor: TensorId;
  /** Width of the range over that of the values, with 0; around 0 for a range that is. Above 1 codes are unused, below 1 values are clipped. */
  readonly times: number;
}

/** A Clip has the range of its bounds, whatever reaches them; what only moves values has that of what it moves. */
function isFree(graph: Graph, tensor: TensorId): boolean {
  const writer = writerOf(graph, tensor);
  return writer === undefined || !(PRESCRIBED.has(writer.op) || writer.op === 'Clip' || isMove(writer.op));
}

/** Of activations with one scale and at most 8 bits whose range data have set. */
export function rangeWidths(graph: Graph, edges: readonly EdgeMeasurement[]): RangeWidth[] {
  return edges.flatMap(({ edge: { tensor }, quant, range }): RangeWidth[] => {
    const step = stepOf(quant);
    if (quant === undefined || step === undefined || quant.read !== undefined) return [];
    const { qmin, qmax, zeroPoint } = quant;
    const [point = 0] = zeroPoint;
    if (qmax - qmin > 255 || quant.source === 'fixed' || !(range.max > range.min)) return [];
    if (!isFree(graph, tensor)) return [];
    const isCentred = point === Math.ceil((qmin + qmax) / 2);
    const times = isCentred
      ? ((qmax - point) * step) / Math.max(-range.min, range.max)
      : ((qmax - qmin) * step) / (Math.max(range.max, 0) - Math.min(range.min, 0));
    return [{ tensor, times }];
  });
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
