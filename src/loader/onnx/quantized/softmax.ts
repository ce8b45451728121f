/**
 * QLinearSoftmax says itself of which opset its Softmax is. From opset 13 on it is along one axis; before, over all dimensions from
 * the axis on together, as if they were one.
 */
import { Unfoldable, type Emitted, type Folding } from './folding.js';
import { int, ints } from './operands.js';

/** Opset of the Softmax along one axis. */
const ONE_AXIS = 13;

/**
 * Emits Softmax as the operator set of the file has it, with the meaning that the operator has.
 *
 * @throws Unfoldable
 */
export function foldSoftmax(folding: Folding, node: Emitted): void {
  const meant = folding.intAttr('opset', 0);
  if (meant < 1) throw new Unfoldable('it does not say of which opset its softmax is');
  const rank = folding.rank(0);
  // The schema's default, whatever the opset: ONNX Runtime fills it in before its kernel could choose another.
  const stated = folding.intAttr('axis', -1);
  const axis = stated < 0 && rank !== undefined ? stated + rank : stated;
  const isLast = axis === -1 || (rank !== undefined && axis === rank - 1);
  if (isLast && (axis >= 0 || folding.opset >= 11)) return folding.emit(softmax(node, axis));
  if (rank === undefined || axis < 0 || axis >= rank) {
    throw new Unfoldable(`its axis is ${stated} of ${rank ?? 'an unknown number of'} dimensions`);
  }
  if (meant >= ONE_AXIS === folding.opset >= ONE_AXIS) return folding.emit(softmax(node, axis));
  if (meant >= ONE_AXIS) emitTransposed(folding, node, axis, rank);
  else emitFlattened(folding, node, axis);
}

function softmax(node: Emitted, axis: number): Emitted {
  return { ...node, attrs: new Map([['axis', int(axis)]]) };
}

/** Along one axis in an opset that has it along the last one. */
function emitTransposed(folding: Folding, node: Emitted, axis: number, rank: number): void {
  const [output = ''] = node.outputs;
  const perm = Array.from({ length: rank }, (_, at) => at);
  [perm[axis], perm[rank - 1]] = [rank - 1, axis];
  const attrs = new Map([['perm', ints(perm)]]);
  const [moved, made] = [folding.fresh(`${output}_input`), folding.fresh(`${output}_last`)];
  folding.emit({ op: 'Transpose', inputs: node.inputs, attrs, outputs: [moved], part: 'step' });
  folding.emit({ ...softmax(node, rank - 1), inputs: [{ name: moved }], outputs: [made] });
  folding.emit({ op: 'Transpose', inputs: [{ name: made }], attrs, outputs: [output], part: 'step' });
}

/** Over the dimensions from the axis on in an opset that has it along one. */
function emitFlattened(folding: Folding, node: Emitted, axis: number): void {
  const [output = ''] = node.outputs;
  const name = (part: string): string => folding.fresh(`${output}_${part}`);
  const [shape, flat, made] = [name('shape'), name('rows'), name('softmax')];
  const attrs = new Map([['axis', int(axis)]]);
  folding.emit({ op: 'Shape', inputs: node.inputs, outputs: [shape], part: 'step' });
  folding.emit({ op: 'Flatten', inputs: node.inputs, attrs, outputs: [flat], part: 'step' });
  folding.emit({ ...softmax(node, 1), inputs: [{ name: flat }], outputs: [made] });
  folding.emit({
    op: 'Reshape',
    inputs: [{ name: made }, { name: shape }],
    outputs: [output],
    part: 'step',
  });
}
