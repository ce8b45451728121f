/**
 * QLinearConv, QLinearMatMul and QGemm: products of codes minus zero point are summed in 32 bits, then requantized.
 *
 * Source: onnxruntime/core/providers/cpu/quantization/qlinearconv.cc, quantize_linear_matmul.cc,
 * onnxruntime/contrib_ops/cpu/quantization/quant_gemm.cc. On x86 without VNNI the runtime's products of uint8 and int8 saturate where
 * two neighbours leave 16 bits, unless weights have 7 bits; that is left out here.
 */
import { floatAttr, intAttr, tensorOf, type Node, type TensorId } from '../../../ir/graph.js';
import type { Value } from '../../model-writer.js';
import { operandOf, type Operand } from '../affine.js';
import { centeredCodes } from '../constant-codes.js';
import type { IntegerKernel, OperatorCall } from '../kernel.js';
import { factorsOf, linearCall, singleProduct, type LinearCall } from '../linear.js';
import { centeredRange, convolved, multiplied, type Bias, type Centered } from '../products.js';
import type { Sums } from '../requantize.js';
import { aroundMain } from './around-main.js';
import { areBytes } from './byte-operands.js';
import { requantized } from './requantize.js';

interface Products extends LinearCall {
  readonly result: Operand;
}

function productsOf(call: OperatorCall, op: string): Products | undefined {
  if (call.main.op !== op) return undefined;
  const linear = linearCall(call);
  const result = operandOf(call, linear?.outputTensor);
  if (linear === undefined || result === undefined) return undefined;
  const isByte = linear.weights.dtype === 'int8' || linear.weights.dtype === 'uint8';
  const isInt32 = linear.biasType === undefined || linear.biasType === 'int32';
  const source = { ...linear.input, tensor: linear.outputTensor };
  return isByte && isInt32 && areBytes(result, source) ? { ...linear, result } : undefined;
}

const qLinearConv: IntegerKernel = (call) => {
  const linear = productsOf(call, 'Conv');
  const codes = linear && call.constantCodes(linear.weightTensor);
  if (linear === undefined || codes === undefined || linear.weights.granularity.kind === 'per-block')
    return undefined;
  const weights = centeredCodes(codes, linear.weights);
  const factors = factorsOf(linear, 0, Array<number>(codes.dims.length - 2).fill(1), singleProduct);
  if (factors === undefined) return undefined;
  return around(linear, (x) => {
    const sums = convolved(linear, x, weights, 0);
    return sums && requantized(call, sums, factors, linear.result);
  });
};

const qLinearMatMul: IntegerKernel = (call) => {
  const linear = productsOf(call, 'MatMul');
  return linear && matrixProduct(linear, call.main, undefined, singleProduct);
};

/** Sums of C and the products, in 32 bits; C and not only its product with beta, and alpha is part of the factor. */
const qGemm: IntegerKernel = (call) => {
  const { main } = call;
  const linear = productsOf(call, 'Gemm');
  if (linear === undefined) return undefined;
  const columns = tensorOf(call.graph, linear.weightTensor).shape?.at(intAttr(main, 'transB') === 1 ? 0 : 1);
  const bias = linear.bias && rowOf(call, main.inputs[2], linear.bias, columns);
  if (bias === undefined && linear.bias !== undefined) return undefined;
  const attrs = new Map([...main.attrs].filter(([name]) => name !== 'alpha' && name !== 'beta'));
  const alpha = floatAttr(main, 'alpha') ?? 1;
  return matrixProduct(linear, { ...main, attrs }, bias, (input, weight) =>
    singleProduct(Math.fround(alpha * input), weight),
  );
};

/** C as one number for each column; undefined where it has rows of its own. */
function rowOf(
  { graph }: OperatorCall,
  tensor: TensorId | null | undefined,
  bias: Bias,
  columns: unknown,
): Bias | undefined {
  if (typeof columns !== 'number' || tensor == null) return undefined;
  if (bias.length === 1) return new Float64Array(columns).fill(bias[0] ?? 0);
  return tensorOf(graph, tensor).shape?.at(-1) === columns && bias.length === columns ? bias : undefined;
}

function matrixProduct(
  linear: Products,
  main: Node,
  bias: Bias | undefined,
  product: (inputScale: number, weightScale: number) => number,
): ReadonlyMap<TensorId, Value> | undefined {
  const { call, weightTensor, weights } = linear;
  const { shape = [] } = tensorOf(call.graph, weightTensor);
  const isTransposed = intAttr(main, 'transB') === 1;
  const depth = shape.at(isTransposed ? -1 : -2);
  const isVector = (tensorOf(call.graph, linear.outputTensor).shape?.length ?? 2) < 2;
  if (isVector || shape.length < 2 || typeof depth !== 'number' || weights.granularity.kind === 'per-block')
    return undefined;
  const axis = isTransposed ? shape.length - 2 : shape.length - 1;
  const factors = factorsOf(linear, axis, [], product);
  if (factors === undefined) return undefined;
  const codes = call.constantCodes(weightTensor);
  const data = codes && centeredCodes(codes, weights);
  const value = data === undefined ? call.centered(weightTensor) : call.writer.constant(data);
  const y: Centered = { value, range: centeredRange(weights) };
  return around(linear, (x) => {
    const sums: Sums | undefined = multiplied({ call, main, bias }, x, y, depth, data && { data, axis });
    return sums && requantized(call, sums, factors, linear.result);
  });
}

function around(
  { call, x }: Products,
  compute: (x: Centered) => Value | undefined,
): ReadonlyMap<TensorId, Value> | undefined {
  return aroundMain(
    call,
    (tensor) => call.centered(tensor),
    (value) => compute({ ...x, value }),
  );
}

export const PRODUCT_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QGemm: qGemm,
};
