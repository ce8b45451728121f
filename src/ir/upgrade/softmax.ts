import type { Shape } from '../graph.js';
import type { Family, Rule } from './call.js';

/**
 * Opset 13 of Softmax, LogSoftmax and Hardmax: along one axis. Before, over all axes from `axis` on (1 by default), as one row of a
 * matrix. https://onnx.ai/onnx/operators/onnx__Softmax.html
 */
const alongOneAxis: Rule = (call) => {
  const x = call.required(0);
  const axis = call.int('axis') ?? 1;
  const shape = call.shapeOf(x);
  const only = shape && onlyAxis(shape, axis);
  if (only !== undefined) {
    call.replace({ attrs: { axis: only } });
    return;
  }
  const { tensor } = x;
  const dtype = call.dtypeOf(x);
  const matrix = { dtype, shape: [null, null] };
  const rows = call.step('Flatten', [x], { axis }, matrix);
  const result = call.between(matrix);
  call.replace({ inputs: [rows], outputs: [result.tensor], attrs: { axis: 1 } });
  const dims = shape && withOneUnknown(shape);
  // The extents of the tensor alone: its quantizer does not matter.
  const extents = dims ? call.listed(dims) : call.step('Shape', [{ tensor }], {}, { dtype: 'int64' });
  call.add('Reshape', [result, extents], {}, call.outputs);
};

/** The one axis from `axis` on that has more than one index; undefined when there may be several. */
function onlyAxis(shape: Shape, axis: number): number | undefined {
  const first = axis < 0 ? axis + shape.length : axis;
  if (first < 0 || first >= shape.length) return undefined;
  const long = shape.flatMap((dim, i) => (i >= first && dim !== 1 ? [i] : []));
  return long.length > 1 ? undefined : (long[0] ?? first);
}

/** Extents as Reshape takes them; undefined when more than one is unknown, or when one is 0, which would mean another thing. */
function withOneUnknown(shape: Shape): readonly number[] | undefined {
  const dims = shape.map((dim) => (typeof dim === 'number' ? dim : -1));
  return dims.filter((dim) => dim === -1).length > 1 || dims.includes(0) ? undefined : dims;
}

export const SOFTMAX_13 = {
  Softmax: alongOneAxis,
  LogSoftmax: alongOneAxis,
  Hardmax: alongOneAxis,
} as const satisfies Family;
