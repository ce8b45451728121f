/** Operators that probes and quantizers are made of, in the form that the model's opset wants. */
import type { DType } from '../ir/graph.js';
import { QRANGE, type QDType, type QuantParams } from '../ir/lane.js';
import { ONNX_DATA_TYPE } from '../ir/onnx-data-type.js';
import { MICROSOFT, type ModelWriter, type Value } from './model-writer.js';

type Reduction = 'ReduceMin' | 'ReduceMax' | 'ReduceSum' | 'ReduceSumSquare';

/** Opset from which a reduction takes its axes as an input instead of an attribute. */
const AXES_AS_INPUT: Readonly<Record<Reduction, number>> = {
  ReduceMin: 18,
  ReduceMax: 18,
  ReduceSum: 13,
  ReduceSumSquare: 18,
};

/** Reduces `axes` (all when undefined), keeping the rank. */
export function reduce(
  writer: ModelWriter,
  op: Reduction,
  value: Value,
  axes: readonly number[] | undefined,
): Value {
  if (axes === undefined) return writer.op(op, [value], { keepdims: 1 });
  if (writer.opset < AXES_AS_INPUT[op]) return writer.op(op, [value], { keepdims: 1, axes });
  return writer.op(op, [value, writer.literal('int64', axes, [axes.length])], { keepdims: 1 });
}

/** x², by Pow: Mul would be drawn into the runtime's blocked convolution layout and cost a reorder of its own. */
export function square(writer: ModelWriter, value: Value): Value {
  return writer.op('Pow', [value, writer.literal('float32', [2], [])]);
}

/** `value` as float32, whatever float type the graph computes in. */
export function toFloat32(writer: ModelWriter, value: Value, dtype: DType): Value {
  return dtype === 'float32' ? value : writer.op('Cast', [value], { to: ONNX_DATA_TYPE.float32 });
}

export function fromFloat32(writer: ModelWriter, value: Value, dtype: DType): Value {
  return dtype === 'float32' ? value : writer.op('Cast', [value], { to: ONNX_DATA_TYPE[dtype] });
}

/** 1 where the value is finite, 0 where it is NaN or infinite, as bool. NaN compares false with everything. */
export function isFinite(writer: ModelWriter, value: Value): Value {
  const infinity = writer.literal('float32', [Infinity], []);
  return writer.op('Less', [writer.op('Abs', [value]), infinity]);
}

export function floatOfBool(writer: ModelWriter, value: Value): Value {
  return writer.op('Cast', [value], { to: ONNX_DATA_TYPE.float32 });
}

/** Quantizes and dequantizes `value`, a float32 tensor of the given rank; gives float32. */
export function fakeQuantize(writer: ModelWriter, value: Value, params: QuantParams, rank: number): Value {
  return dequantizeLinear(writer, quantizeLinear(writer, value, params, rank), params);
}

/** Codes of `value`, a float32 tensor of the given rank, in the type of `params` or a wider one. */
export function quantizeLinear(writer: ModelWriter, value: Value, params: QuantParams, rank: number): Value {
  const { scale, zeroPoint, attrs } = linearParams(writer, params);
  const [lowest, highest] = QRANGE[storageOf(params.dtype)];
  // QuantizeLinear saturates to the storage type only: a narrower integer range is cut before it.
  const isWhole = params.qmin === lowest && params.qmax === highest;
  const limited = isWhole ? value : limit(writer, value, params, rank);
  return writer.op('QuantizeLinear', [limited, scale, zeroPoint], attrs, MICROSOFT);
}

/** Values of codes that `quantizeLinear` gives, as their reader has them, as float32. */
function dequantizeLinear(writer: ModelWriter, codes: Value, params: QuantParams): Value {
  const { scale, zeroPoint, attrs } = linearParams(writer, { ...params, ...params.read });
  return writer.op('DequantizeLinear', [codes, scale, zeroPoint], attrs, MICROSOFT);
}

function linearParams(
  writer: ModelWriter,
  params: QuantParams,
): { scale: Value; zeroPoint: Value; attrs: { axis?: number } } {
  const { granularity } = params;
  const dtype = storageOf(params.dtype);
  if (dtype === 'int32' || dtype === 'int64' || granularity.kind === 'per-block')
    throw new RangeError(`${dtype} constants are quantized ahead of time: no QuantizeLinear writes them so`);
  const dims = granularity.kind === 'per-tensor' ? [] : [params.scale.length];
  return {
    scale: writer.literal('float32', params.scale, dims),
    zeroPoint: writer.literal(dtype, params.zeroPoint, dims),
    attrs: granularity.kind === 'per-tensor' ? {} : { axis: granularity.axis },
  };
}

/** No QuantizeLinear writes 2 bits; limits are cut before it anyway. */
function storageOf(dtype: QDType): Exclude<QDType, 'int2'> {
  return dtype === 'int2' ? 'int4' : dtype;
}

function limit(writer: ModelWriter, value: Value, params: QuantParams, rank: number): Value {
  const { granularity, scale, zeroPoint, qmin, qmax } = params;
  const dims =
    granularity.kind === 'per-tensor'
      ? []
      : Array.from({ length: rank }, (_, axis) => (axis === granularity.axis ? scale.length : 1));
  const bound = (q: number): Value =>
    writer.literal(
      'float32',
      Array.from(scale, (s, i) => s * (q - (zeroPoint[i] ?? 0))),
      dims,
    );
  return writer.op('Min', [writer.op('Max', [value, bound(qmin)]), bound(qmax)]);
}
