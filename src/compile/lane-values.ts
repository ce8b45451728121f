/** Emits a graph under lanes: for every tensor the value it has in a lane, quantizers included. */
import {
  isFloat,
  nodeLabel,
  tensorOf,
  type ConstantData,
  type Graph,
  type Node,
  type TensorId,
} from '../ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../ir/lane.js';
import { toFloat32 as floatsOf } from '../ir/elements.js';
import { fakeQuantize as fakeQuantizeArray } from '../quant/affine.js';
import type { ModelWriter, Value } from './model-writer.js';
import { fakeQuantize, fromFloat32, toFloat32 } from './operators.js';

/** Declares the graph's inputs in the model; the values are shared by all lanes. */
export function declareInputs(writer: ModelWriter, graph: Graph): ReadonlyMap<TensorId, Value> {
  return new Map(
    graph.inputs.map((id) => {
      const { name, dtype, shape } = tensorOf(graph, id);
      return [id, writer.input(name, dtype ?? 'float32', shape ?? [])];
    }),
  );
}

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

/** Values of one lane. Nodes are emitted on demand of `run`, in graph order; what nothing asks for is dropped on encoding. */
export class LaneValues {
  readonly #writer: ModelWriter;
  readonly #graph: Graph;
  readonly #lane: Lane;
  /** Before the tensor's own quantizer. */
  readonly #raw = new Map<TensorId, Value>();

  constructor(writer: ModelWriter, graph: Graph, lane: Lane, inputs: ReadonlyMap<TensorId, Value>) {
    this.#writer = writer;
    this.#graph = graph;
    this.#lane = lane;
    for (const [id, value] of inputs) this.#raw.set(id, value);
    for (const node of graph.nodes) {
      const outputs = this.apply(node, (tensor, slot) => this.#seen(node, tensor, slot));
      node.outputs.forEach((id, i) => {
        const value = outputs[i];
        if (id !== null && value !== undefined) this.#raw.set(id, value);
      });
    }
  }

  /** What consumers of the tensor (and a graph output) read in this lane. */
  value(tensor: TensorId): Value {
    const params = this.#lane.tensors.get(tensor);
    const raw = this.#rawValue(tensor);
    return params === undefined ? raw : this.#quantized(tensor, raw, params);
  }

  /** The tensor as input `slot` of `node` in this lane, given its value before any quantizer. */
  through(node: Node, slot: number, tensor: TensorId, raw: Value): Value {
    const params = this.#lane.uses.get(useKey(node.id, slot)) ?? this.#lane.tensors.get(tensor);
    return params === undefined ? raw : this.#quantized(tensor, raw, params);
  }

  /** The node's outputs on inputs given by `input`; constants come from this lane. */
  apply(node: Node, input: (tensor: TensorId, slot: number) => Value): readonly Value[] {
    const values = node.inputs.map((id, slot) => (id === null ? null : input(id, slot)));
    return this.#writer.node(node, nodeLabel(node), values, (captured) => input(captured, -1));
  }

  #seen(node: Node, tensor: TensorId, slot: number): Value {
    return this.through(node, slot, tensor, this.#rawValue(tensor));
  }

  #rawValue(tensor: TensorId): Value {
    const known = this.#raw.get(tensor);
    if (known !== undefined) return known;
    const { data, name } = tensorOf(this.#graph, tensor);
    if (data === undefined) throw new RangeError(`tensor ${name} is read before it is written`);
    return this.#writer.constant(data);
  }

  #quantized(tensor: TensorId, raw: Value, params: QuantParams): Value {
    const { data } = tensorOf(this.#graph, tensor);
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
