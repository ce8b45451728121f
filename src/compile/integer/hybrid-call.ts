/** What hybrid kernels have in common: operands, and sums of products with codes that are made while they run. */
import type { ConstantData } from '../../ir/graph.js';
import type { HybridInput, QuantParams } from '../../ir/lane.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { byteCodes } from './constant-codes.js';
import { quantizedWhileRunning, type DynamicCodes } from './dynamic-quantization.js';
import type { OperatorCall } from './kernel.js';
import type { Centered, Product } from './products.js';
import type { Sums } from './requantize.js';

/** The node that stands for an operator whose activation is float and whose weights are stored codes. */
export interface HybridCall {
  readonly call: OperatorCall;
  readonly input: HybridInput;
  /** What the node reads in the lane, weights dequantized. */
  readonly operands: readonly (Value | null)[];
}

/** What the node writes; undefined when the kernel does not apply, and float arithmetic stands in. */
export type HybridKernel = (hybrid: HybridCall) => Value | undefined;

/** Operands of a product of codes. */
export interface HybridProduct extends Product {
  readonly writer: ModelWriter;
  readonly x: DynamicCodes;
  /** Centered codes, as the sums take them. */
  readonly centered: Centered;
  /** float32 integers as the kernel reads them. */
  readonly codes: ConstantData;
  readonly weights: QuantParams;
  readonly bias: undefined;
  readonly floatBias: Value | null;
}

/**
 * Codes less their zero point: 0 is one of them, and no two are further apart. Sums are largest where all are of one sign, and which
 * one makes no difference.
 */
const CENTERED_RANGE = [0, 255] as const;

/** `axes` of the activation share a scale. Undefined where the weights have no codes in this lane. */
export function hybridProduct(
  { call, input, operands }: HybridCall,
  axes: readonly number[],
): HybridProduct | undefined {
  const [x, , floatBias = null] = operands;
  const weightTensor = call.main.inputs[1];
  if (x == null || weightTensor == null) return undefined;
  const stored = call.constantCodes(weightTensor);
  const weights = call.params(weightTensor);
  if (stored === undefined || weights === undefined) return undefined;
  const { writer, main } = call;
  const made = quantizedWhileRunning(writer, x, axes, input);
  return {
    call,
    writer,
    main,
    x: made,
    centered: { value: made.centered, range: CENTERED_RANGE },
    codes: byteCodes(stored),
    weights,
    bias: undefined,
    floatBias,
  };
}
