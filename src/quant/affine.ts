/**
 * Affine quantization: a real range to scale and zero point, values to codes, values through a quantizer and back.
 *
 * The numbers are those of ONNX Runtime bit by bit: ranges as `compute_scale_zp` of its Python quantizer turns them
 * into parameters, values as its CPU kernels of QuantizeLinear and DequantizeLinear compute them in float32, biases
 * as its quantizer rounds them in float64. https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
 */
import type { Granularity, QDType, QuantParams } from '../ir/lane.js';
import { QRANGE } from '../ir/lane.js';
import type { TensorScheme } from './scheme.js';

/** The part of a scheme that decides how a range becomes scale and zero point. */
export type AffineScheme = Pick<TensorScheme, 'dtype' | 'symmetric' | 'narrowRange' | 'zeroPointTies'>;

/** Smallest normal float32: a scale below it is taken as "no range at all". */
const FLOAT32_TINY = 2 ** -126;

/**
 * Adding and subtracting 1.5 * 2^52 leaves no fraction bits in a float64, and the hardware rounds half to even:
 * the fastest exact rounding JavaScript has for |x| <= 2^51. It also turns -0 into 0.
 */
const ROUNDER = 6755399441055744;

/** Nearest integer, halves to the even one. |x| <= 2^51. */
export function roundHalfEven(x: number): number {
  return x + ROUNDER - ROUNDER;
}

/** Integer limits of a scheme: those of the type, without the lowest code of a signed type when `narrowRange`. */
export function codeRange(scheme: Pick<TensorScheme, 'dtype' | 'narrowRange'>): {
  readonly qmin: number;
  readonly qmax: number;
} {
  const [qmin, qmax] = QRANGE[scheme.dtype];
  return { qmin: scheme.narrowRange && qmin < 0 ? qmin + 1 : qmin, qmax };
}

/**
 * Scale and zero point for real ranges: one range per tensor, or one per index of the axis.
 *
 * Equal to ONNX Runtime's `compute_scale_zp(float32(rmin), float32(rmax), qmin, qmax, symmetric)`; its symmetric int8
 * and int16 are `narrowRange` here. Ranges are widened to contain zero; symmetric ones to the larger magnitude on
 * both sides, with the zero point in the middle of the codes (128 for uint8). The scale is computed in float64, the
 * zero point from that, and then the scale is rounded to float32. A range so small that the scale is not a normal
 * float32 (all zero, or below about 1e-36 for 8 bits) gets scale 1, zero point 0: every such value becomes zero.
 *
 * @throws RangeError for a bound that is NaN, infinite or beyond float32 (no quantizer represents it), for
 *   rmin > rmax, and when the numbers of bounds do not fit the granularity.
 */
export function paramsFromRange(
  rmin: ArrayLike<number>,
  rmax: ArrayLike<number>,
  scheme: AffineScheme,
  granularity: Granularity,
  source: QuantParams['source'],
): QuantParams {
  if (rmin.length !== rmax.length || (granularity.kind === 'per-tensor' && rmin.length !== 1)) {
    throw new RangeError(
      `${granularity.kind} range has ${rmin.length} lower and ${rmax.length} upper bounds, ` +
        (granularity.kind === 'per-tensor' ? 'wants 1 of each' : 'wants as many of each'),
    );
  }
  const { qmin, qmax } = codeRange(scheme);
  const scale = new Float32Array(rmin.length);
  const zeroPoint = new Int32Array(rmin.length);
  for (let i = 0; i < rmin.length; i++) {
    let low = Math.fround(rmin[i]!);
    let high = Math.fround(rmax[i]!);
    if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
      const where = granularity.kind === 'per-axis' ? ` of index ${i}` : '';
      throw new RangeError(`range${where} is [${rmin[i]}, ${rmax[i]}], wants finite float32 bounds in order`);
    }
    low = Math.min(low, 0);
    high = Math.max(high, 0);
    if (scheme.symmetric) {
      high = Math.max(-low, high);
      low = -high;
    }
    const step = (high - low) / (qmax - qmin);
    if (step < FLOAT32_TINY) {
      scale[i] = 1;
    } else {
      scale[i] = step;
      const point = scheme.symmetric ? (qmin + qmax) / 2 : qmin - low / step;
      // std::round of TensorFlow's getNudgedScaleAndZeroPoint; an input of -1 to 1 is such a tie.
      zeroPoint[i] =
        scheme.zeroPointTies === 'away'
          ? Math.sign(point) * Math.round(Math.abs(point))
          : roundHalfEven(point);
    }
  }
  return { dtype: scheme.dtype, qmin, qmax, granularity, scale, zeroPoint, source };
}

/**
 * Codes of the values, as QuantizeLinear gives them: clamp(roundHalfEven(float32(x / scale)) + zeroPoint, qmin, qmax).
 * int32, the type of biases, divides in float64 as ONNX Runtime's quantizer does; its operator set has no int32 kernel.
 * Infinities saturate; NaN becomes qmin, as in ONNX Runtime's CPU kernels (the specification leaves it open).
 *
 * @param dims shape of `x`, row-major
 * @throws RangeError when shape, data and parameters do not fit each other
 */
export function quantize(x: Float32Array, dims: readonly number[], params: QuantParams): Int32Array {
  const { outer, channels, inner, low, high, inverse } = prepare(x.length, dims, params);
  const { scale, zeroPoint } = params;
  const wide = params.dtype === 'int32';
  const codes = new Int32Array(x.length);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const divisor = scale[c]!;
      const factor = inverse[c]!;
      const bottom = low[c]!;
      const top = high[c]!;
      const zero = zeroPoint[c]!;
      const end = i + inner;
      for (; i < end; i++) {
        const v = wide ? x[i]! / divisor : Math.fround(x[i]! * factor);
        const clamped = v > bottom ? (v < top ? v : top) : bottom;
        codes[i] = clamped + ROUNDER - ROUNDER + zero;
      }
    }
  }
  return codes;
}

/**
 * Values of the codes, as DequantizeLinear gives them: float32(float32(q - zeroPoint) * scale).
 *
 * @param dims shape of `codes`, row-major
 * @throws RangeError when shape, data and parameters do not fit each other
 */
export function dequantize(
  codes: Int32Array,
  dims: readonly number[],
  params: QuantParams,
  out: Float32Array = new Float32Array(codes.length),
): Float32Array {
  const { outer, channels, inner } = prepare(codes.length, dims, params);
  const { scale, zeroPoint } = params;
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const end = i + inner;
      for (; i < end; i++) out[i] = Math.fround(codes[i]! - zeroPoint[c]!) * scale[c]!;
    }
  }
  return out;
}

/**
 * Values through the quantizer: equal to `dequantize(quantize(x))`, in one pass.
 *
 * @param dims shape of `x`, row-major
 * @param out receives the values; may be `x` itself
 * @throws RangeError when shape, data and parameters do not fit each other
 */
export function fakeQuantize(
  x: Float32Array,
  dims: readonly number[],
  params: QuantParams,
  out: Float32Array = new Float32Array(x.length),
): Float32Array {
  if (out.length !== x.length) throw new RangeError(`out has ${out.length} elements, x has ${x.length}`);
  if (params.dtype === 'int32') return dequantize(quantize(x, dims, params), dims, params, out);
  const { outer, channels, inner, low, high, inverse } = prepare(x.length, dims, params);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const scale = params.scale[c]!;
      const factor = inverse[c]!;
      const bottom = low[c]!;
      const top = high[c]!;
      const end = i + inner;
      for (; i < end; i++) {
        const v = Math.fround(x[i]! * factor);
        const clamped = v > bottom ? (v < top ? v : top) : bottom;
        out[i] = (clamped + ROUNDER - ROUNDER) * scale;
      }
    }
  }
  return out;
}

/** Extents before, of and after an axis: element (o, c, i) lies at (o * channels + c) * inner + i. */
export interface AxisLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/**
 * How a row-major tensor is strided around `axis`; without one, the whole tensor is one channel.
 *
 * @throws RangeError when the axis is not one of the shape, or the shape does not hold `length` elements
 */
export function axisLayout(length: number, dims: readonly number[], axis?: number): AxisLayout {
  const product = (extents: readonly number[]): number => extents.reduce((size, dim) => size * dim, 1);
  if (product(dims) !== length) {
    throw new RangeError(`shape [${dims.join(', ')}] has ${product(dims)} elements, the data ${length}`);
  }
  if (axis === undefined) return { outer: 1, channels: 1, inner: length };
  const channels = dims[axis];
  if (channels === undefined) throw new RangeError(`axis ${axis} is not in shape [${dims.join(', ')}]`);
  return { outer: product(dims.slice(0, axis)), channels, inner: product(dims.slice(axis + 1)) };
}

interface Prepared extends AxisLayout {
  /** Limits of the code without zero point. Clamping to whole numbers before rounding gives what clamping after it gives. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /**
   * 1 / scale in float64. float32(x * inverse) is exactly float32(x / scale), at half the cost: the product is off by
   * less than 2^-52, while a quotient of two 24-bit numbers stays 2^-49 away from every midpoint between float32
   * numbers. (Quotients below the normal range can differ; they round to zero either way.)
   */
  readonly inverse: Float64Array;
}

function prepare(length: number, dims: readonly number[], params: QuantParams): Prepared {
  const { granularity, scale, zeroPoint } = params;
  const layout = axisLayout(length, dims, granularity.kind === 'per-axis' ? granularity.axis : undefined);
  if (scale.length !== layout.channels || zeroPoint.length !== layout.channels) {
    throw new RangeError(
      `${granularity.kind} parameters have ${scale.length} scales and ${zeroPoint.length} zero points, ` +
        `want ${layout.channels}`,
    );
  }
  const low = new Float64Array(layout.channels);
  const high = new Float64Array(layout.channels);
  const inverse = new Float64Array(layout.channels);
  for (let c = 0; c < layout.channels; c++) {
    low[c] = params.qmin - zeroPoint[c]!;
    high[c] = params.qmax - zeroPoint[c]!;
    inverse[c] = 1 / scale[c]!;
  }
  return { ...layout, low, high, inverse };
}

/** Bits of one code. */
export function bitsOf(dtype: QDType): number {
  // Its limits are those of a double.
  if (dtype === 'int64') return 64;
  const [qmin, qmax] = QRANGE[dtype];
  return Math.log2(qmax - qmin + 1);
}
