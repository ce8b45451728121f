/** What convolutions and matrix products have in common: products of codes are summed, rescaled and clamped. */
import { tensorOf, type Node, type TensorId } from '../../ir/graph.js';
import { toFloat64 } from '../../ir/elements.js';
import type { QDType, QuantParams } from '../../ir/lane.js';
import type { Value } from '../model-writer.js';
import { affineOf, type Affine } from './affine.js';
import { scalar, type Spread } from './doubles.js';
import { activationRange } from './fused-activation.js';
import type { OperatorCall } from './kernel.js';
import { centeredRange, type Bias, type Centered } from './products.js';
import { requantize, type Rounding, type Sums } from './requantize.js';

/** The operands of a kernel, with the steps in front of the sums done. */
export interface LinearCall {
  readonly call: OperatorCall;
  readonly main: Node;
  readonly x: Centered;
  readonly input: Affine;
  readonly output: Affine;
  readonly outputTensor: TensorId;
  readonly weightTensor: TensorId;
  readonly weights: QuantParams;
  /** Type of the bias as stored; undefined without one. */
  readonly biasType: QDType | undefined;
  readonly bias: Bias | undefined;
}

/** Steps behind the sums: activation functions are ranges of codes, the rest moves codes. */
const ACTIVATIONS: ReadonlySet<string> = new Set(['Relu', 'Clip', 'Tanh']);
const MOVES: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten']);

/** Undefined where the operator has another form than the kernels know. */
export function linearCall(call: OperatorCall): LinearCall | undefined {
  const { main, nodes, outputs } = call;
  const [data, weightTensor, biasTensor = null] = main.inputs;
  const [outputTensor] = outputs;
  if (data == null || weightTensor == null || outputTensor === undefined || outputs.length > 1)
    return undefined;
  const before = nodes.slice(0, nodes.indexOf(main));
  const after = nodes.slice(nodes.indexOf(main) + 1);
  if (!after.every(({ op }) => ACTIVATIONS.has(op) || MOVES.has(op))) return undefined;
  const read = [data, ...before.flatMap(({ inputs }) => inputs)];
  const source = read.find((id) => id !== null && call.params(id) !== undefined);
  const params = source == null ? undefined : call.params(source);
  const input = affineOf(params);
  const output = affineOf(call.params(outputTensor));
  const weights = call.params(weightTensor);
  const bias = biasTensor === null ? undefined : biasOf(call, biasTensor);
  if (params === undefined || input === undefined || output === undefined || weights === undefined)
    return undefined;
  if (biasTensor !== null && bias === undefined) return undefined;
  return {
    call,
    main,
    x: { value: moved(call, before, data), range: centeredRange(params) },
    input,
    output,
    outputTensor,
    weightTensor,
    weights,
    biasType: bias?.dtype,
    bias: bias?.values,
  };
}

/** `data` as the nodes in front of the sums make it of centered codes. */
function moved(call: OperatorCall, before: readonly Node[], data: TensorId): Value {
  const made = new Map<TensorId, Value>();
  const read = (tensor: TensorId): Value =>
    made.get(tensor) ?? (call.params(tensor) === undefined ? call.value(tensor) : call.centered(tensor));
  for (const node of before) {
    const values = call.apply(
      node,
      node.inputs.map((id) => (id === null ? null : read(id))),
    );
    node.outputs.forEach((id, i) => {
      const value = values[i];
      if (id !== null && value !== undefined) made.set(id, value);
    });
  }
  return read(data);
}

function biasOf(
  call: OperatorCall,
  tensor: TensorId,
): { readonly dtype: QDType; readonly values: Bias } | undefined {
  const { data } = tensorOf(call.graph, tensor);
  const codes = call.constantCodes(tensor);
  const params = call.params(tensor);
  if (params !== undefined && codes !== undefined) return { dtype: params.dtype, values: toFloat64(codes) };
  // Some exporters leave the scale of a bias out; the kernels do not read it.
  const stored = data?.dtype === 'int32' || data?.dtype === 'int64' ? data : undefined;
  return stored === undefined
    ? undefined
    : { dtype: stored.dtype as 'int32' | 'int64', values: toFloat64(stored) };
}

/**
 * Real factors of the sums, over channels along the first of `dims`. Undefined where the weights' scales lie along another axis
 * than `axis`.
 */
export function factorsOf(
  { input, output, weights }: LinearCall,
  axis: number,
  dims: readonly number[],
  product: (inputScale: number, weightScale: number) => number,
): Spread | undefined {
  const { granularity, scale } = weights;
  const factors = Array.from(scale, (step) => product(input.scale, step) / output.scale);
  if (granularity.kind === 'per-tensor') return scalar(factors[0] ?? 0);
  if (granularity.kind !== 'per-axis' || granularity.axis !== axis) return undefined;
  return { values: factors, dims: [factors.length, ...dims] };
}

/** PopulateConvolutionQuantizationParams: per channel, in double precision. */
export function doubleProduct(inputScale: number, weightScale: number): number {
  return inputScale * weightScale;
}

/** GetQuantizedConvolutionMultipler: per tensor, rounded to float32 on the way. */
export function singleProduct(inputScale: number, weightScale: number): number {
  return Math.fround(inputScale * weightScale);
}

/** Codes of the operator's output. */
export function rescaled(
  { call, main, output, outputTensor }: LinearCall,
  sums: Sums | undefined,
  factors: Spread | undefined,
  rounding: Rounding,
): ReadonlyMap<TensorId, Value> | undefined {
  if (sums === undefined || factors === undefined) return undefined;
  const range = activationRange(call, output);
  let codes = requantize(call.writer, sums, factors, rounding, { zeroPoint: output.zeroPoint, range });
  for (const node of call.nodes.slice(call.nodes.indexOf(main) + 1)) {
    if (codes === undefined) return undefined;
    if (!MOVES.has(node.op)) continue;
    const [, ...others] = node.inputs;
    [codes] = call.apply(node, [codes, ...others.map((id) => (id === null ? null : call.value(id)))]);
  }
  return codes === undefined ? undefined : new Map([[outputTensor, codes]]);
}
