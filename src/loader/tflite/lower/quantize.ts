/** Changes of number type: quantizers, whose work is the lane's, and casts. */
import { isFloat, type DType, type TensorId } from '../../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import { Unlowerable, type Layout, type Lowering, type Rule } from './lowering.js';
import { cast, withoutCodes } from './operands.js';

/** The values stay; the annotations of input and output say which codes they get. Half precision becomes single. */
const requantize: Rule = (lowering) => {
  const layout = lowering.layoutOf(0);
  const input = lowering.input(0, layout);
  const [from, to] = [lowering.dtype(0), lowering.outputDtype()];
  if (from === to) lowering.write(0, layout, 'Identity', [input]);
  else if (isFloat(from) && isFloat(to))
    lowering.write(0, layout, 'Cast', [input], { to: ONNX_DATA_TYPE[to] });
  else throw new Unlowerable(`it makes ${to} of ${from} without a scale`);
};

/** Limits of the integers for which the kernel saturates floats, and the float type that holds them exactly. */
const SATURATED: Partial<Record<DType, readonly [min: number, max: number, holder: DType]>> = {
  int8: [-128, 127, 'float32'],
  uint8: [0, 255, 'float32'],
  int16: [-32768, 32767, 'float32'],
  uint16: [0, 65535, 'float32'],
  int32: [-2147483648, 2147483647, 'float64'],
  uint32: [0, 4294967295, 'float64'],
};

const CASTABLE = new Set<DType>([
  ...(['float32', 'float16', 'float64', 'bfloat16', 'bool'] as const),
  ...(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const),
]);

/** Floats are cut towards zero and saturate; integers wrap around. */
const castRule: Rule = (lowering) => {
  const [from, to] = [lowering.dtype(0), lowering.outputDtype()];
  for (const dtype of [from, to])
    if (!CASTABLE.has(dtype)) throw new Unlowerable(`a cast of ${from} to ${to}`);
  const layout = lowering.layoutOf(0);
  const input = saturated(lowering, layout, from, to);
  lowering.write(0, layout, 'Cast', [input], { to: ONNX_DATA_TYPE[to] });
};

function saturated(lowering: Lowering, layout: Layout, from: DType, to: DType): TensorId {
  const input = lowering.input(0, layout);
  const limits = SATURATED[to];
  if (limits === undefined || from !== 'float32') return input;
  const [min, max, holder] = limits;
  const scalar = (value: number): TensorId =>
    holder === 'float64'
      ? cast(lowering, lowering.ints([value], []), 'int64', holder)
      : lowering.floats([value], []);
  return lowering.step('Clip', [cast(lowering, input, from, holder), scalar(min), scalar(max)]);
}

/** Operators of the integer arithmetic itself. Codes become values and back by annotations alone. */
export const QUANTIZE_RULES: Readonly<Record<string, Rule>> = {
  CAST: withoutCodes(castRule),
  DEQUANTIZE: requantize,
  FAKE_QUANT: requantize,
  QUANTIZE: requantize,
  STABLEHLO_CONVERT: withoutCodes(castRule),
};
