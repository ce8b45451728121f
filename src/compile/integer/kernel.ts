/** What an integer kernel sees of one operator of a quantized file, and what it gives back. */
import type { ConstantData, Graph, Node, TensorId } from '../../ir/graph.js';
import type { QuantParams } from '../../ir/lane.js';
import type { ModelWriter, Value } from '../model-writer.js';

/** One operator of the file, all of whose float inputs and outputs have quantizers. */
export interface OperatorCall {
  readonly writer: ModelWriter;
  readonly graph: Graph;
  /** The nodes that the operator became, in order; the inputs of later ones may be outputs of earlier ones. */
  readonly nodes: readonly Node[];
  /** The one that stands for the operator; `main.origin.op` is its name in the file, `main.attrs` are its ONNX attributes. */
  readonly main: Node;
  /** Outputs of the operator that later operators (or the network's outputs) read. */
  readonly outputs: readonly TensorId[];
  /** Undefined for tensors without a quantizer: integers that are no codes, and tensors between the operator's nodes. */
  params(tensor: TensorId): QuantParams | undefined;
  /**
   * Codes minus zero point of a quantized tensor that the operator reads, as float32 (which holds them exactly up to 2^24) in the
   * tensor's shape: the real value is this times the scale, and 0 is 0, so whatever only moves elements works on it as on values.
   */
  centered(tensor: TensorId): Value;
  /** The codes themselves, as float32. */
  codes(tensor: TensorId): Value;
  /** Codes of a quantized constant as stored: int64 biases are beyond float32. Undefined for activations. */
  constantCodes(tensor: TensorId): ConstantData | undefined;
  /** The real value, or the value of a tensor that is not quantized. */
  value(tensor: TensorId): Value;
  /** A node of the operator on other inputs. */
  apply(node: Node, inputs: readonly (Value | null)[]): readonly Value[];
}

/**
 * Computes the codes of every tensor in `call.outputs` as the integer kernel of the file's runtime does: float32 integers within
 * [qmin, qmax], in the tensor's shape; of tensors that are not quantized (indices, truth values) the elements. Undefined when the
 * kernel does not apply to this use; float arithmetic between quantizers then stands in.
 */
export type IntegerKernel = (call: OperatorCall) => ReadonlyMap<TensorId, Value> | undefined;
