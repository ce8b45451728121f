/** What hybrid kernels have in common: codes that are made while they run, stored codes, and sums of their products as floats. */
import type { ConstantData } from '../../ir/graph.js';
import type { HybridInput, QuantParams } from '../../ir/lane.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { signedCodes } from './constant-codes.js';
import { quantizedWhileRunning, type DynamicCodes } from './dynamic-quantization.js';
import type { OperatorCall } from './kernel.js';
import type { Sums } from './requantize.js';

/** The node that stands for an operator with a float activation and stored codes for weights. */
export interface HybridCall {
  readonly call: OperatorCall;
  readonly input: HybridInput;
  /** What the node reads in the lane, weights dequantized. */
  readonly operands: readonly (Value | null)[];
}

/** What the node writes; undefined when the kernel does not apply, and float arithmetic stands in. */
export type HybridKernel = (hybrid: HybridCall) => Value | undefined;

export interface HybridOperands {
  readonly x: DynamicCodes;
  /** As the kernel reads them, float32: less no zero point, bytes signed. */
  readonly codes: ConstantData;
  readonly weights: QuantParams;
  readonly bias: Value | undefined;
}

/** Elements of the activation along `axes` share a scale. Undefined where the lane has no codes of the weights. */
export function hybridOperands(
  { call, input, operands }: HybridCall,
  axes: readonly number[],
): HybridOperands | undefined {
  const [x, , bias] = operands;
  const weightTensor = call.main.inputs[1];
  if (x == null || weightTensor == null) return undefined;
  const stored = call.constantCodes(weightTensor);
  const weights = call.params(weightTensor);
  if (stored === undefined || weights === undefined) return undefined;
  return {
    x: quantizedWhileRunning(call.writer, x, axes, input),
    codes: signedCodes(stored),
    weights,
    bias: bias ?? undefined,
  };
}

/** As the kernels round sums of 32 bits to floats. */
export function floatSums(writer: ModelWriter, { value }: Sums): Value {
  return writer.op('Cast', [value], { to: ONNX_DATA_TYPE.float32 });
}

export function product(writer: ModelWriter, ...factors: readonly [Value, ...Value[]]): Value {
  return factors.reduce((x, y) => writer.op('Mul', [x, y]));
}

export function withBias(writer: ModelWriter, sums: Value, bias: Value | undefined): Value {
  return bias === undefined ? sums : writer.op('Add', [sums, bias]);
}

/** Scales of the weights, one for each output along the first of `dims` where there are several. */
export function weightScales(
  writer: ModelWriter,
  { scale }: QuantParams,
  behind: readonly number[] = [],
): Value {
  return writer.literal('float32', scale, scale.length === 1 ? [] : [scale.length, ...behind]);
}
