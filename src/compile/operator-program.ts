/** The program of operators that are each fed with their own inputs: what every one computes by itself, in codes. */
import {
  isFloat,
  nodeLabel,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import type { Operator } from '../ir/operators.js';
import { uncomputed } from './evaluation-order.js';
import { LaneTensors, type Held } from './lane-tensors.js';
import { ModelWriter, type CompiledModel, type Value } from './model-writer.js';
import { OperatorRunner } from './operator-runner.js';

/** A tensor of the file that an operator reads or writes, axes in the IR's order. */
interface Port {
  readonly tensor: TensorId;
  /** True: codes as float32 integers. False: elements of the tensor's own type. */
  readonly isCodes: boolean;
}

export interface OperatorInput extends Port {
  /** Of the model's input. */
  readonly name: string;
}

export interface OperatorOutput extends Port {
  /** Among the model's outputs. */
  readonly position: number;
}

export interface OperatorProgram {
  readonly model: CompiledModel;
  /** Activations; a copy in another order of axes is made from the tensor that the file has. */
  readonly inputs: readonly OperatorInput[];
  readonly outputs: readonly OperatorOutput[];
}

/**
 * Operators in one lane. None of them reads what another one writes: that tensor is an input too.
 *
 * @throws RangeError for an operator that nothing computes
 */
export function operatorProgram(
  graph: Graph,
  lane: Lane,
  ...operators: readonly Operator[]
): OperatorProgram {
  const missing = uncomputed(graph);
  const writer = new ModelWriter(graph.opsets, graph.irVersion);
  const tensors = new LaneTensors(writer, graph, lane);
  const runner = new OperatorRunner(writer, graph, tensors);
  const isCodes = (tensor: TensorId): boolean =>
    tensors.params(tensor) !== undefined && isFloat(tensorOf(graph, tensor).dtype);

  const inputs: OperatorInput[] = [];
  const held = new Map<TensorId, Held>();
  const declare = (tensor: TensorId): Held => {
    const { dtype = 'float32', shape = [] } = tensorOf(graph, tensor);
    const port = { tensor, name: `tensor ${tensor}`, isCodes: isCodes(tensor) };
    const value = writer.input(port.name, port.isCodes ? 'float32' : dtype, shape);
    inputs.push(port);
    return port.isCodes ? { codes: value } : { raw: value };
  };
  const hold = (tensor: TensorId): Held => {
    if (tensorOf(graph, tensor).data !== undefined) return tensors.constant(tensor);
    const producer = producerOf(graph, tensor);
    const moved = producer?.origin.part === 'layout' ? runner.move(producer, hold).get(tensor) : undefined;
    const known = held.get(tensor) ?? moved ?? declare(tensor);
    held.set(tensor, known);
    return known;
  };

  /** Position among the model's outputs: two tensors may have one value. */
  const positions = new Map<Value, number>();
  const outputs = operators.flatMap((operator) => {
    const written = operator.nodes.flatMap((node) => node.outputs.filter((id) => id !== null));
    const opaque = written.map((id) => missing.get(id)).find((node) => node !== undefined);
    if (opaque !== undefined) throw new RangeError(`${nodeLabel(opaque)} is computed by nothing`);
    const results = runner.run(operator, hold);
    return written
      .filter((id) => graph.inner?.has(id) !== true)
      .map((tensor): OperatorOutput => {
        const result = results.get(tensor);
        if (result === undefined) throw new RangeError(`an operator does not write tensor ${tensor}`);
        const read = isCodes(tensor) ? tensors.codes(tensor, result) : tensors.value(tensor, result);
        // Identity: an input or a constant may not be an output itself.
        const value = writer.op('Identity', [read]);
        const position = positions.get(value) ?? positions.size;
        positions.set(value, position);
        return { tensor, isCodes: isCodes(tensor), position };
      });
  });
  return { model: writer.encode([...positions.keys()]), inputs, outputs };
}

function producerOf(graph: Graph, tensor: TensorId): Node | undefined {
  const producer = topologyOf(graph).producer[tensor];
  return producer === undefined ? undefined : graph.nodes[producer];
}
