/**
 * 8-bit codes of a float activation with parameters from its own values, as hybrid kernels make them each time they run.
 *
 * Source: NeonSymmetricQuantizeFloats and NeonAsymmetricQuantizeFloats of
 * tensorflow/lite/kernels/internal/optimized/neon_tensor_utils.cc, which x86 runs too. Ties go away from zero. Every code is the
 * kernel's, but for the largest float below 1/2 in the last elements of a run, which the kernel rounds one by one.
 */
import type { HybridInput } from '../../ir/lane.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { reduce } from '../operators.js';
import { Doubles } from './doubles.js';
import type { Centered } from './products.js';

/** All values are float32. */
export interface DynamicCodes {
  readonly codes: Value;
  /** Codes less zero points, with limits to bound sums of products by. */
  readonly centered: Centered;
  /** One for each run of elements that share it; the reduced axes have extent 1. */
  readonly scale: Value;
  /** As `scale`; undefined where it is 0 throughout. */
  readonly zeroPoint: Value | undefined;
}

/**
 * Around a zero point 0 is one of the codes, and no two are further apart than this. Sums are largest where all codes are on one side
 * of 0, and the same on either.
 */
const ONE_SIDED = [0, 255] as const;

/** The largest float32. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** Codes of `x`, a float32 tensor of which the elements along `axes` share a scale. */
export function quantizedWhileRunning(
  writer: ModelWriter,
  x: Value,
  axes: readonly number[],
  input: HybridInput,
): DynamicCodes {
  return input === 'asymmetric' ? asymmetric(writer, x, axes) : symmetric(writer, x, axes);
}

function symmetric(writer: ModelWriter, x: Value, axes: readonly number[]): DynamicCodes {
  const float = (value: number): Value => writer.literal('float32', [value], []);
  const largest = reduce(writer, 'ReduceMax', writer.op('Abs', [x]), axes);
  // Zeros have scale 1.
  const isZero = writer.op('Equal', [largest, float(0)]);
  const range = writer.op('Where', [isZero, float(127), largest]);
  const steps = rounded(writer, writer.op('Mul', [x, quotient(writer, 127, range)]));
  const codes = writer.op('Clip', [steps, float(-127), float(127)]);
  return {
    codes,
    centered: { value: codes, range: [-127, 127] },
    scale: writer.op('Div', [range, float(127)]),
    zeroPoint: undefined,
  };
}

function asymmetric(writer: ModelWriter, x: Value, axes: readonly number[]): DynamicCodes {
  const float = (value: number): Value => writer.literal('float32', [value], []);
  const lowest = writer.op('Min', [reduce(writer, 'ReduceMin', x, axes), float(0)]);
  const highest = writer.op('Max', [reduce(writer, 'ReduceMax', x, axes), float(0)]);
  const span = writer.op('Sub', [highest, lowest]);
  const isZero = writer.op('Equal', [span, float(0)]);
  // Zeros have scale 1 and zero point 0.
  const range = writer.op('Where', [isZero, float(255), span]);
  const nudged = nudgedZeroPoint(writer, lowest, highest, range);
  const zeroPoint = writer.op('Where', [isZero, float(0), nudged]);
  const scale = writer.op('Div', [range, float(255)]);
  const steps = rounded(writer, writer.op('Mul', [x, quotient(writer, 1, scale)]));
  const codes = writer.op('Clip', [writer.op('Add', [steps, zeroPoint]), float(-128), float(127)]);
  const centered = { value: writer.op('Sub', [codes, zeroPoint]), range: ONE_SIDED };
  return { codes, centered, scale, zeroPoint };
}

/** In double precision, from the end of the range where rounding costs less. */
function nudgedZeroPoint(writer: ModelWriter, lowest: Value, highest: Value, range: Value): Value {
  const doubles = new Doubles(writer);
  const double = (value: number): Value => writer.literal('float64', [value], []);
  const scale = writer.op('Div', [doubles.of(range), double(255)]);
  const from = (end: Value, code: number): { readonly point: Value; readonly error: Value } => {
    const steps = writer.op('Div', [doubles.of(end), scale]);
    return {
      point: writer.op('Sub', [double(code), steps]),
      error: writer.op('Add', [writer.op('Abs', [steps]), double(Math.abs(code))]),
    };
  };
  const [below, above] = [from(lowest, -128), from(highest, 127)];
  const isBelow = writer.op('Less', [below.error, above.error]);
  const point = writer.op('Where', [isBelow, below.point, above.point]);
  return writer.op('Cast', [doubles.round(doubles.clip(point, -128, 127))], { to: ONNX_DATA_TYPE.float32 });
}

/** Finite also where scales are so small that float32 has none of their inverses. */
function quotient(writer: ModelWriter, dividend: number, divisor: Value): Value {
  const float = (value: number): Value => writer.literal('float32', [value], []);
  return writer.op('Min', [writer.op('Div', [float(dividend), divisor]), float(LARGEST)]);
}

/** Nearest integers, ties away from zero, by a sum in float32. */
function rounded(writer: ModelWriter, x: Value): Value {
  const half = writer.literal('float32', [0.5], []);
  const size = writer.op('Floor', [writer.op('Add', [writer.op('Abs', [x]), half])]);
  return writer.op('Mul', [writer.op('Sign', [x]), size]);
}
