/** Computes one operator of the file in a lane: by its integer or hybrid kernel where there is one, else in float between quantizers. */
import { isFloat, nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../ir/graph.js';
import type { Operator } from '../ir/operators.js';
import { useKey, type Lane } from '../ir/lane.js';
import { HYBRID_KERNELS } from './integer/hybrid.js';
import { INTEGER_KERNELS, TAKE_REALS } from './integer/index.js';
import { KernelCall } from './integer/kernel-call.js';
import type { IntegerKernel } from './integer/kernel.js';
import { ONNXRUNTIME_KERNELS } from './integer/onnxruntime/index.js';
import type { Held, Hold, LaneTensors } from './lane-tensors.js';
import type { ModelWriter, Value } from './model-writer.js';

/** What a node writes as its first output, in place of what it would compute itself; undefined where that is as good. */
type Substitute = (node: Node, operands: readonly (Value | null)[]) => Value | undefined;

/** By whose kernels, and the operator's name in the file. */
const KERNELS: Readonly<Record<NonNullable<Lane['arithmetic']>, Readonly<Record<string, IntegerKernel>>>> = {
  tflite: INTEGER_KERNELS,
  onnxruntime: ONNXRUNTIME_KERNELS,
};

export class OperatorRunner {
  readonly #writer: ModelWriter;
  readonly #graph: Graph;
  readonly #tensors: LaneTensors;

  constructor(writer: ModelWriter, graph: Graph, tensors: LaneTensors) {
    this.#writer = writer;
    this.#graph = graph;
    this.#tensors = tensors;
  }

  /** Outputs of the operator's nodes, those between them only where they were computed. `hold` gives its inputs. */
  run(operator: Operator, hold: Hold): ReadonlyMap<TensorId, Held> {
    return (
      this.#integers(operator, hold) ??
      this.#floats(operator.nodes, hold, this.#hybridProduct(operator, hold))
    );
  }

  /** The output of a node that only changes the order of axes: where integer kernels compute, it moves codes. */
  move(node: Node, hold: Hold): ReadonlyMap<TensorId, Held> {
    const [input, shape = null] = node.inputs;
    const [output] = node.outputs;
    const isCoded =
      this.#tensors.lane.arithmetic !== undefined &&
      input !== null &&
      input !== undefined &&
      this.#tensors.params(input) !== undefined;
    if (!isCoded || output === null || output === undefined) return this.#floats([node], hold);
    const codes = this.#tensors.codes(input, hold(input));
    const operands = shape === null ? [codes] : [codes, this.#tensors.value(shape, hold(shape))];
    const [moved] = this.#apply(node, operands, hold);
    return moved === undefined ? new Map() : new Map([[output, { codes: moved }]]);
  }

  #floats(nodes: readonly Node[], hold: Hold, substitute?: Substitute): ReadonlyMap<TensorId, Held> {
    const made = new Map<TensorId, Held>();
    const held: Hold = (tensor) => made.get(tensor) ?? hold(tensor);
    for (const node of nodes) {
      const inputs = node.inputs.map((id, slot) =>
        id === null ? null : this.#tensors.through(node, slot, id, held(id)),
      );
      const substituted = substitute?.(node, inputs);
      const values = substituted === undefined ? this.#apply(node, inputs, held) : [substituted];
      node.outputs.forEach((id, i) => {
        const raw = values[i];
        if (id !== null && raw !== undefined) made.set(id, { raw });
      });
    }
    return made;
  }

  #apply(node: Node, inputs: readonly (Value | null)[], hold: Hold): readonly Value[] {
    const captured = (id: TensorId): Value => this.#tensors.through(node, -1, id, hold(id));
    return this.#writer.node(node, nodeLabel(node), inputs, captured);
  }

  #integers(operator: Operator, hold: Hold): ReadonlyMap<TensorId, Held> | undefined {
    const { arithmetic } = this.#tensors.lane;
    if (arithmetic === undefined) return undefined;
    const kernel = KERNELS[arithmetic][operator.main.origin.op];
    if (kernel === undefined || !this.#isInteger(operator)) return undefined;
    const results = kernel(new KernelCall(this.#writer, this.#graph, operator, this.#tensors, hold));
    if (results === undefined) return undefined;
    return new Map(
      [...results].map(([tensor, value]): [TensorId, Held] => [
        tensor,
        this.#tensors.params(tensor) === undefined ? { raw: value } : { codes: value },
      ]),
    );
  }

  /** The node that stands for an operator with a float activation and stored codes for weights, as its hybrid kernel computes it. */
  #hybridProduct(operator: Operator, hold: Hold): Substitute | undefined {
    const { main } = operator;
    const { arithmetic, hybrid } = this.#tensors.lane;
    const input = arithmetic === 'tflite' ? hybrid?.get(main.id) : undefined;
    const kernel = HYBRID_KERNELS[main.origin.op];
    if (input === undefined || kernel === undefined) return undefined;
    const call = new KernelCall(this.#writer, this.#graph, operator, this.#tensors, hold);
    return (node, operands) => (node === main ? kernel({ call, input, operands }) : undefined);
  }

  /** Whether every float activation that the operator reads and writes has a quantizer, and the tensor's own, everywhere and both ways. */
  #isInteger({ main, nodes }: Operator): boolean {
    const written = new Set(nodes.flatMap(({ outputs }) => outputs));
    const between = (id: TensorId): boolean => written.has(id) && this.#graph.inner?.has(id) === true;
    const isOpen = (id: TensorId | null): boolean =>
      id !== null &&
      isFloat(tensorOf(this.#graph, id).dtype) &&
      tensorOf(this.#graph, id).data === undefined &&
      !between(id) &&
      this.#tensors.params(id) === undefined;
    const isReadOtherwise = (id: TensorId | null): boolean =>
      id !== null && this.#tensors.params(id)?.read !== undefined;
    const { uses } = this.#tensors.lane;
    return nodes.every(
      (node) =>
        (TAKE_REALS.has(main.origin.op) || !node.inputs.some(isOpen)) &&
        !node.outputs.some(isOpen) &&
        ![...node.inputs, ...node.outputs].some(isReadOtherwise) &&
        node.inputs.every((_, slot) => !uses.has(useKey(node.id, slot))),
    );
  }
}
