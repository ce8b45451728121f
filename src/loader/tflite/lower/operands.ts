/** What the tables of operators share: operands that broadcast, and numbers in a type that the runtime has a kernel for. */
import type { DType, TensorId } from '../../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import { Unlowerable, type AttrValue, type Layout, type Lowering, type Rule } from './lowering.js';

/** Types of ONNX Runtime's Where. */
export const CHOSEN_TYPES: ReadonlySet<DType> = new Set([
  'float32',
  'float64',
  'float16',
  'int8',
  'uint8',
  'int32',
  'uint32',
  'int64',
]);

/** Inputs that broadcast against each other as in numpy, and the order of the axes in which they do. */
export interface Operands {
  readonly layout: Layout;
  readonly inputs: readonly TensorId[];
}

/** The inputs of the given slots as operands of one elementwise node. */
export function operandsOf(lowering: Lowering, slots: readonly number[]): Operands {
  const rank = Math.max(...slots.map((slot) => lowering.shape(slot).length));
  const layout = lowering.commonLayout(slots);
  return { layout, inputs: slots.map((slot) => lowering.operand(slot, layout, rank)) };
}

/** The tensor in another type; itself when it is of that type. */
export function cast(lowering: Lowering, tensor: TensorId, from: DType, to: DType): TensorId {
  return from === to ? tensor : lowering.step('Cast', [tensor], { to: ONNX_DATA_TYPE[to] });
}

/** `write` of output 0 for a node whose result has type `computed`: cast to the output's own where that is another. */
export function writeFrom(
  lowering: Lowering,
  computed: DType,
  layout: Layout,
  op: string,
  inputs: readonly (TensorId | null)[],
  attrs: Readonly<Record<string, AttrValue>> = {},
): void {
  const wanted = lowering.outputDtype();
  if (wanted === computed) lowering.write(0, layout, op, inputs, attrs);
  else lowering.write(0, layout, 'Cast', [lowering.main(op, inputs, attrs)], { to: ONNX_DATA_TYPE[wanted] });
}

/** Types that hold every value of a type for which ONNX Runtime leaves out kernels. */
const WIDER: Partial<Record<DType, DType>> = {
  bool: 'int32',
  int8: 'int32',
  uint8: 'int32',
  int16: 'int32',
  uint16: 'int32',
  uint32: 'int64',
};

/**
 * The type itself where the runtime has a kernel for it, else a wider one.
 * @param kernels types of the operator's kernels in ONNX Runtime's CPU provider
 * @throws Unlowerable for strings, complex numbers and whatever else has none
 */
export function computedIn(dtype: DType, kernels: ReadonlySet<DType>): DType {
  if (kernels.has(dtype)) return dtype;
  const wider = WIDER[dtype];
  if (wider === undefined || !kernels.has(wider)) throw new Unlowerable(`its elements are ${dtype}`);
  return wider;
}

/**
 * For operators whose kernels take codes for numbers, scale and zero point aside.
 * @throws Unlowerable when one of the inputs of those slots, or output 0, is quantized
 */
export function refuseCodes(lowering: Lowering, slots: readonly number[]): void {
  if (slots.some((slot) => lowering.isQuantized(slot)) || lowering.isQuantizedOutput()) {
    throw new Unlowerable('it works on the codes of a quantized tensor');
  }
}

/** The rule, for an operator that takes the codes of all its inputs for numbers. */
export function withoutCodes(rule: Rule): Rule {
  return (lowering) => {
    refuseCodes(
      lowering,
      lowering.op.inputs.map((_, slot) => slot),
    );
    rule(lowering);
  };
}

/** @throws Unlowerable where input and weights have different types: codes whose scale the file leaves out */
export function requireOneType(lowering: Lowering, input: number, weights: number): void {
  const [a, b] = [lowering.dtype(input), lowering.dtype(weights)];
  if (a !== b) throw new Unlowerable(`its input is ${a} and its weights are ${b}, without a scale`);
}
