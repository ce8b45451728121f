/** Quantizers. */
import type { Call, Family, Rule, Value } from './rule.js';
import { dtypeAttr } from './datatype.js';
import { input } from './rule.js';

/** dtype of the zero point, else of `output_dtype` (opset 21), else uint8. */
const quantizeLinear: Rule = (call) => [
  { dtype: input(call, 2).dtype ?? storageDType(call), shape: input(call, 0).shape },
];

function storageDType(call: Call): Value['dtype'] {
  return call.inputs[2] === undefined ? (dtypeAttr(call.node, 'output_dtype') ?? 'uint8') : undefined;
}

/** dtype of the scale, unless `output_dtype` (opset 23) says another. */
const dequantizeLinear: Rule = (call) => [
  { dtype: dtypeAttr(call.node, 'output_dtype') ?? input(call, 1).dtype, shape: input(call, 0).shape },
];

export const QUANTIZE = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: (call) => [
    { dtype: 'uint8', shape: input(call, 0).shape },
    { dtype: 'float32', shape: [] },
    { dtype: 'uint8', shape: [] },
  ],
} as const satisfies Family;
