/** Tensors of one lane as consumers read them: through their quantizers, as values or as codes. */
import { isFloat, tensorOf, type ConstantData, type Graph, type Node, type TensorId } from '../ir/graph.js';
import { sourceOf } from '../ir/operators.js';
import { useKey, type Lane, type QDType, type QuantParams } from '../ir/lane.js';
import { toFloat32 as floatsOf } from '../ir/elements.js';
import { ONNX_DATA_TYPE } from '../ir/onnx-data-type.js';
import { fakeQuantize as fakeQuantizeArray } from '../quant/affine.js';
import type { ModelWriter, Value } from './model-writer.js';
import { fakeQuantize, fromFloat32, quantizeLinear, toFloat32 } from './operators.js';

/** What is known of a tensor: its value before its own quantizer, or the codes an integer kernel gave it, as float32 integers. */
export type Held = { readonly raw: Value } | { readonly codes: Value };

/** Types that Cast reads at every opset, for codes of those that it does not. */
const WHOLE_BYTES: Partial<Record<QDType, QDType>> = { int2: 'int8', int4: 'int8', uint4: 'uint8' };

export type Hold = (tensor: TensorId) => Held;

/** `value` of `tensor` passed through a quantizer, in the tensor's own float type. */
export function quantized(
  writer: ModelWriter,
  graph: Graph,
  tensor: TensorId,
  value: Value,
  params: QuantParams,
): Value {
  const { dtype, shape } = tensorOf(graph, tensor);
  if (!isFloat(dtype)) return value;
  const codes = fakeQuantize(writer, toFloat32(writer, value, dtype), params, shape?.length ?? 1);
  return fromFloat32(writer, codes, dtype);
}

/** `value` of `tensor` through 8 bits with parameters from the value itself, in the tensor's own float type. */
function dynamicallyQuantized(writer: ModelWriter, graph: Graph, tensor: TensorId, value: Value): Value {
  const { dtype = 'float32' } = tensorOf(graph, tensor);
  const [codes, scale, zeroPoint] = writer.ops('DynamicQuantizeLinear', [toFloat32(writer, value, dtype)], 3);
  return fromFloat32(
    writer,
    writer.op('DequantizeLinear', [codes as Value, scale as Value, zeroPoint as Value]),
    dtype,
  );
}

export class LaneTensors {
  readonly lane: Lane;
  readonly #writer: ModelWriter;
  readonly #graph: Graph;

  constructor(writer: ModelWriter, graph: Graph, lane: Lane) {
    this.lane = lane;
    this.#writer = writer;
    this.#graph = graph;
  }

  /** A constant as the graph, or in its place the lane, has it. @throws RangeError for an activation. */
  constant(tensor: TensorId): Held {
    const { name } = tensorOf(this.#graph, tensor);
    const data = this.#data(tensor);
    if (data === undefined) throw new RangeError(`tensor ${name} is read before it is written`);
    return { raw: this.#writer.constant(data) };
  }

  /** The tensor's own quantizer; where integer kernels compute, an activation in another order of axes has that of the activation. */
  params(tensor: TensorId): QuantParams | undefined {
    const { tensors, arithmetic } = this.lane;
    const own = tensors.get(tensor);
    if (own !== undefined || arithmetic === undefined) return own;
    return tensors.get(sourceOf(this.#graph, tensor));
  }

  /** What consumers of the tensor (and a graph output) read. */
  value(tensor: TensorId, held: Held): Value {
    const params = this.params(tensor);
    if ('codes' in held) {
      return params === undefined ? held.codes : this.#dequantized(tensor, held.codes, params);
    }
    // A constant of a file with codes is what its codes stand for.
    const isStored = this.lane.codes?.has(tensor) === true && this.lane.values?.has(tensor) !== true;
    return params === undefined || isStored ? held.raw : this.#quantized(tensor, held.raw, params);
  }

  /** The tensor as input `slot` of `node`. */
  through(node: Node, slot: number, tensor: TensorId, held: Held): Value {
    const key = useKey(node.id, slot);
    if (this.lane.dynamic?.has(key) === true) {
      return dynamicallyQuantized(this.#writer, this.#graph, tensor, this.value(tensor, held));
    }
    const params = this.lane.uses.get(key);
    if (params === undefined) return this.value(tensor, held);
    return this.#quantized(tensor, 'raw' in held ? held.raw : this.value(tensor, held), params);
  }

  /** Codes of a quantized activation as float32. */
  codes(tensor: TensorId, held: Held): Value {
    if ('codes' in held) return held.codes;
    const params = this.params(tensor);
    const { dtype, shape, name } = tensorOf(this.#graph, tensor);
    if (params === undefined || !isFloat(dtype)) throw new RangeError(`tensor ${name} has no codes`);
    const codes = quantizeLinear(
      this.#writer,
      toFloat32(this.#writer, held.raw, dtype),
      { ...params, dtype: WHOLE_BYTES[params.dtype] ?? params.dtype },
      shape?.length ?? 1,
    );
    return this.#writer.op('Cast', [codes], { to: ONNX_DATA_TYPE.float32 });
  }

  /** Codes minus zero point of a quantized activation as float32. */
  centered(tensor: TensorId, held: Held): Value {
    const params = this.params(tensor);
    const codes = this.codes(tensor, held);
    return params === undefined ? codes : this.#centered(tensor, codes, params);
  }

  /** (code - zero point) * scale in float32, as DequantizeLinear computes it. */
  #dequantized(tensor: TensorId, codes: Value, params: QuantParams): Value {
    const scale = this.#writer.literal('float32', params.scale, this.#spread(tensor, params));
    const value = this.#writer.op('Mul', [this.#centered(tensor, codes, params), scale]);
    return fromFloat32(this.#writer, value, tensorOf(this.#graph, tensor).dtype ?? 'float32');
  }

  #centered(tensor: TensorId, codes: Value, params: QuantParams): Value {
    if (params.zeroPoint.every((point) => point === 0)) return codes;
    const zeroPoint = this.#writer.literal('float32', params.zeroPoint, this.#spread(tensor, params));
    return this.#writer.op('Sub', [codes, zeroPoint]);
  }

  /** Dims of one number per channel that broadcast over the tensor. */
  #spread(tensor: TensorId, { granularity, scale }: QuantParams): number[] {
    if (granularity.kind === 'per-tensor') return [];
    const rank = tensorOf(this.#graph, tensor).shape?.length ?? 1;
    return Array.from({ length: rank }, (_, axis) => (axis === granularity.axis ? scale.length : 1));
  }

  #data(tensor: TensorId): ConstantData | undefined {
    return this.lane.values?.get(tensor) ?? tensorOf(this.#graph, tensor).data;
  }

  #quantized(tensor: TensorId, raw: Value, params: QuantParams): Value {
    const data = this.#data(tensor);
    // No QuantizeLinear writes int32, and before opset 8 no Min or Max cuts a tensor to the limits of an integer range.
    if (data !== undefined && (params.dtype === 'int32' || this.#writer.opset < 8)) {
      return fromFloat32(this.#writer, this.#writer.constant(quantizedConstant(data, params)), data.dtype);
    }
    return quantized(this.#writer, this.#graph, tensor, raw, params);
  }
}

/** By quantizer and constant: lanes that share the two share the value, and with it every node behind it. */
const quantizedConstants = new WeakMap<QuantParams, Map<ConstantData, ConstantData>>();

/** The constant through its quantizer, computed here, as float32. */
function quantizedConstant(data: ConstantData, params: QuantParams): ConstantData {
  const ofParams = quantizedConstants.get(params) ?? new Map<ConstantData, ConstantData>();
  quantizedConstants.set(params, ofParams);
  const known = ofParams.get(data);
  if (known !== undefined) return known;
  const values = fakeQuantizeArray(floatsOf(data), data.dims, params);
  const made: ConstantData = {
    dtype: 'float32',
    dims: data.dims,
    byteLength: values.byteLength,
    bytes: () => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
  ofParams.set(data, made);
  return made;
}
