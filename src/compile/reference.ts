/** What the tensors of a lane are compared with: the same network in float, or another network that should compute the same. */
import { isFloat, tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { FLOAT_LANE, type Lane } from '../ir/lane.js';
import { ONNX_DATA_TYPE } from '../ir/onnx-data-type.js';
import type { View } from '../ir/view.js';
import { declareInputs, LaneValues } from './lane-values.js';
import { ModelWriter, type Value } from './model-writer.js';

/** The tensor of another network that has a tensor's values, and in which order of elements. */
export interface Counterpart {
  readonly tensor: TensorId;
  readonly view?: View;
}

/** Another network beside the one that is measured. Both graphs have fixed extents and the same opset. */
export interface ReferenceNetwork {
  readonly graph: Graph;
  readonly lane: Lane;
  /** By tensor of the measured graph; all its inputs are among them. */
  readonly counterparts: ReadonlyMap<TensorId, Counterpart>;
}

/** What a tensor of the measured graph should be; undefined where nothing says. */
export type Reference = (tensor: TensorId) => Value | undefined;

/** A writer for programs that run the graph, beside another network or alone. */
export function writerFor(graph: Graph, other?: ReferenceNetwork): ModelWriter {
  const { opsets = new Map<string, number>(), irVersion = 0 } = other?.graph ?? {};
  if (other !== undefined && opsets.get('') !== graph.opsets.get('')) {
    throw new RangeError(`opset ${graph.opsets.get('')} beside opset ${opsets.get('')}: one model has one`);
  }
  return new ModelWriter(new Map([...opsets, ...graph.opsets]), Math.max(graph.irVersion, irVersion));
}

/** Values of lanes of one graph, all from the same inputs, and of what they are compared with. */
export class ComparedRuns {
  readonly reference: Reference;
  /** The other network's own values. */
  readonly other: LaneValues | undefined;
  readonly #writer: ModelWriter;
  readonly #graph: Graph;
  readonly #inputs: ReadonlyMap<TensorId, Value>;

  /** @param fusedAway tensors inside fused operators of the graph, which say nothing about the integer network */
  constructor(
    writer: ModelWriter,
    graph: Graph,
    fusedAway: ReadonlySet<TensorId>,
    other: ReferenceNetwork | undefined,
  ) {
    this.#writer = writer;
    this.#graph = graph;
    if (other === undefined) {
      this.#inputs = declareInputs(writer, graph);
      const float = new LaneValues(writer, graph, FLOAT_LANE, this.#inputs);
      this.other = undefined;
      this.reference = (tensor) => {
        const { data } = tensorOf(graph, tensor);
        const isOpen = data !== undefined || fusedAway.has(tensor) || graph.inner?.has(tensor) === true;
        return isOpen ? undefined : float.value(tensor);
      };
      return;
    }
    const inputs = declareInputs(writer, other.graph);
    const values = new LaneValues(writer, other.graph, other.lane, inputs);
    this.other = values;
    const arranged = (tensor: TensorId, value: (of: TensorId) => Value | undefined): Value | undefined => {
      const counterpart = other.counterparts.get(tensor);
      const of = counterpart === undefined ? undefined : value(counterpart.tensor);
      return counterpart === undefined || of === undefined
        ? undefined
        : this.#arranged(other.graph, counterpart, of, tensor);
    };
    this.reference = (tensor) => arranged(tensor, (of) => values.value(of));
    // Raw: a quantizer of the reference's own input is no part of the data.
    const raw = graph.inputs.map((id): [TensorId, Value] => {
      const value = arranged(id, (of) => inputs.get(of));
      if (value === undefined) throw new RangeError(`input ${tensorOf(graph, id).name} has no counterpart`);
      return [id, value];
    });
    this.#inputs = new Map(raw);
  }

  lane(lane: Lane): LaneValues {
    return new LaneValues(this.#writer, this.#graph, lane, this.#inputs);
  }

  /** The value of another graph's tensor with the type, order of elements and dims of `tensor`. */
  #arranged(from: Graph, { tensor: source, view }: Counterpart, value: Value, tensor: TensorId): Value {
    const wanted = tensorOf(this.#graph, tensor);
    const given = tensorOf(from, source);
    let arranged = value;
    let dims = given.shape ?? [];
    if (given.dtype !== wanted.dtype && (isFloat(wanted.dtype) || this.#graph.inputs.includes(tensor))) {
      arranged = this.#writer.op('Cast', [arranged], { to: ONNX_DATA_TYPE[wanted.dtype ?? 'float32'] });
    }
    if (view !== undefined) {
      arranged = this.#reshaped(arranged, dims, view.dims);
      arranged = this.#writer.op('Transpose', [arranged], { perm: [...view.perm] });
      dims = view.perm.map((axis) => view.dims[axis] as number);
    }
    return this.#reshaped(arranged, dims, wanted.shape ?? []);
  }

  #reshaped(value: Value, from: Graph['tensors'][number]['shape'], to: typeof from): Value {
    if (from?.join() === to?.join()) return value;
    const dims = (to ?? []).map(Number);
    return this.#writer.op('Reshape', [value, this.#writer.literal('int64', dims, [dims.length])]);
  }
}
