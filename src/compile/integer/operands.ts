/** The tensors that an operator of the file reads and writes, whatever nodes it became. */
import type { TensorId } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import { operandOf, type Operand } from './affine.js';
import type { OperatorCall } from './kernel.js';

/**
 * Quantized inputs: those of the main node, in its order; where that reads a tensor between nodes, the ones that all nodes
 * read, each once. Undefined when one has more than one scale.
 */
export function quantizedInputs(call: OperatorCall): readonly Operand[] | undefined {
  const isQuantized = (tensor: TensorId | null): tensor is TensorId =>
    tensor !== null && call.params(tensor) !== undefined;
  const { main, nodes } = call;
  const first = main.inputs[0] ?? null;
  const tensors = isQuantized(first)
    ? main.inputs.filter(isQuantized)
    : [...new Set(nodes.flatMap((node) => node.inputs))].filter(isQuantized);
  const operands = tensors.map((tensor) => operandOf(call, tensor));
  return operands.every((operand) => operand !== undefined) ? operands : undefined;
}

/** The one output, quantized as a whole. */
export function quantizedOutput(call: OperatorCall): Operand | undefined {
  return call.outputs.length === 1 ? operandOf(call, call.outputs[0]) : undefined;
}

/** Operands of an operator with one quantized input and one quantized output. */
export function unaryOf(call: OperatorCall): { input: Operand; output: Operand } | undefined {
  const [input] = quantizedInputs(call) ?? [];
  const output = quantizedOutput(call);
  return input === undefined || output === undefined ? undefined : { input, output };
}

/** Operands of an operator with two quantized inputs and one quantized output. */
export function binaryOf(call: OperatorCall): { a: Operand; b: Operand; output: Operand } | undefined {
  const [a, b] = quantizedInputs(call) ?? [];
  const output = quantizedOutput(call);
  return a === undefined || b === undefined || output === undefined ? undefined : { a, b, output };
}

/** A kernel's result: the codes of its one output. */
export function codesOf(output: Operand, codes: Value | undefined): ReadonlyMap<TensorId, Value> | undefined {
  return codes === undefined ? undefined : new Map([[output.tensor, codes]]);
}
