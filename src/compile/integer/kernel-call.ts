/** An operator as its integer kernel sees it. */
import {
  nodeLabel,
  tensorOf,
  type ConstantData,
  type Graph,
  type Node,
  type TensorId,
} from '../../ir/graph.js';
import type { QuantParams } from '../../ir/lane.js';
import type { Operator } from '../../ir/operators.js';
import type { Hold, LaneTensors } from '../lane-tensors.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { centeredCodes, codesOf, floatCodes } from './constant-codes.js';
import type { OperatorCall } from './kernel.js';

export class KernelCall implements OperatorCall {
  readonly writer: ModelWriter;
  readonly graph: Graph;
  readonly nodes: readonly Node[];
  readonly main: Node;
  readonly outputs: readonly TensorId[];
  readonly #tensors: LaneTensors;
  readonly #hold: Hold;

  constructor(
    writer: ModelWriter,
    graph: Graph,
    { main, nodes }: Operator,
    tensors: LaneTensors,
    hold: Hold,
  ) {
    this.writer = writer;
    this.graph = graph;
    this.main = main;
    this.nodes = nodes;
    this.outputs = nodes
      .flatMap(({ outputs }) => outputs)
      .filter((id): id is TensorId => id !== null && graph.inner?.has(id) !== true);
    this.#tensors = tensors;
    this.#hold = hold;
  }

  params(tensor: TensorId): QuantParams | undefined {
    return this.#tensors.params(tensor);
  }

  centered(tensor: TensorId): Value {
    const constant = this.constantCodes(tensor);
    if (constant === undefined) return this.#tensors.centered(tensor, this.#hold(tensor));
    return this.writer.constant(centeredCodes(constant, this.#paramsOf(tensor)));
  }

  codes(tensor: TensorId): Value {
    const constant = this.constantCodes(tensor);
    if (constant === undefined) return this.#tensors.codes(tensor, this.#hold(tensor));
    return this.writer.constant(floatCodes(constant));
  }

  constantCodes(tensor: TensorId): ConstantData | undefined {
    const { data } = tensorOf(this.graph, tensor);
    const params = this.params(tensor);
    if (data === undefined || params === undefined) return undefined;
    return this.#tensors.lane.codes?.get(tensor) ?? codesOf(data, params);
  }

  value(tensor: TensorId): Value {
    return this.#tensors.value(tensor, this.#hold(tensor));
  }

  apply(node: Node, inputs: readonly (Value | null)[]): readonly Value[] {
    return this.writer.node(node, nodeLabel(node), inputs, (captured) => this.value(captured));
  }

  #paramsOf(tensor: TensorId): QuantParams {
    const params = this.params(tensor);
    if (params === undefined) throw new RangeError(`tensor ${tensor} has no codes`);
    return params;
  }
}
