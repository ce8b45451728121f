/** The nodes around the one that stands for an operator: they move elements, or cut off what the range of the codes does anyway. */
import type { TensorId } from '../../../ir/graph.js';
import type { Value } from '../../model-writer.js';
import type { OperatorCall } from '../kernel.js';

const ACTIVATIONS: ReadonlySet<string> = new Set(['Relu', 'Clip']);

/**
 * Runs the nodes of the operator in order, `compute` in place of the main one.
 *
 * @param read what the nodes get for a quantized tensor: its codes or these minus zero point
 * @param compute output codes of the main node, from what its first input is by then
 * @returns the codes of the operator's one output
 */
export function aroundMain(
  call: OperatorCall,
  read: (tensor: TensorId) => Value,
  compute: (x: Value) => Value | undefined,
): ReadonlyMap<TensorId, Value> | undefined {
  const made = new Map<TensorId, Value>();
  const value = (id: TensorId): Value =>
    made.get(id) ?? (call.params(id) === undefined ? call.value(id) : read(id));
  for (const node of call.nodes) {
    const [first = null] = node.inputs;
    if (first === null) return undefined;
    let outputs: readonly (Value | undefined)[];
    if (node === call.main) outputs = [compute(value(first))];
    else if (ACTIVATIONS.has(node.op)) outputs = [value(first)];
    else
      outputs = call.apply(
        node,
        node.inputs.map((id) => (id === null ? null : value(id))),
      );
    for (const [i, id] of node.outputs.entries()) {
      const output = outputs[i];
      if (id === null) continue;
      if (output === undefined) return undefined;
      made.set(id, output);
    }
  }
  const [output, ...others] = call.outputs;
  const codes = output === undefined ? undefined : made.get(output);
  return output === undefined || codes === undefined || others.length > 0
    ? undefined
    : new Map([[output, codes]]);
}
