/** Codes that nothing in the file writes: integer inputs of the network, and constants that are moved before they are dequantized. */
import type { QDType, QuantParams } from '../../../ir/lane.js';
import type { DraftNode } from '../draft.js';
import type { FileReaders } from './file-readers.js';
import type { FoldState } from './fold-state.js';
import { linearParams, linearRuleOf } from './linear.js';
import { movedInputs, writesMoved } from './moves.js';
import { dtypeOf, NodeFolding } from './node-folding.js';

type Slots = readonly [codes: number, scale: number, zeroPoint: number];

const UNARY: readonly Slots[] = [[0, 1, 2]];
const BINARY: readonly Slots[] = [
  [0, 1, 2],
  [3, 4, 5],
];

/** Inputs of operators that hold codes with one scale and zero point for the tensor. */
const CODED_INPUTS: Readonly<Record<string, readonly Slots[]>> = {
  QLinearConv: UNARY,
  QLinearMatMul: BINARY,
  QGemm: UNARY,
  QLinearAdd: BINARY,
  QLinearMul: BINARY,
  QLinearAveragePool: UNARY,
  QLinearGlobalAveragePool: UNARY,
  QLinearReduceMean: UNARY,
  QLinearLeakyRelu: UNARY,
  QLinearSigmoid: UNARY,
  QLinearSoftmax: UNARY,
};

interface Root {
  readonly params: QuantParams;
  /** The first node that reads the codes with them. */
  readonly node: DraftNode;
}

/** Types of codes that a QuantizeLinear can write, if some reader of the input wants the codes after all. */
const WRITABLE: ReadonlySet<string> = new Set<QDType>([
  'int2',
  'int4',
  'uint4',
  'int8',
  'uint8',
  'int16',
  'uint16',
]);

/** Notes what the codes stand for, as the first of their readers says it. */
export function findRoots(state: FoldState, readers: FileReaders): void {
  const { draft } = state;
  const inputs = new Set(draft.inputs);
  const wanted = new Map<string, Root>();
  /** Constants that an operator moves, with the parameters that what it writes is read with. */
  const moved = new Map<string, Root>();
  /** Whether codes of this name may be such. */
  const isOpen = (name: string): boolean => {
    const { op = '', domain = '', inputs: from = [] } = readers.producer.get(name) ?? {};
    return inputs.has(name) || movedInputs(domain, op, from).length > 0;
  };
  for (const node of draft.nodes.toReversed()) {
    for (const [name, params] of parametersOf(node, state, readers, isOpen))
      wanted.set(name, { params, node });
    const written = writesMoved(node.op) ? node.outputs : [];
    const root = written.map((name) => wanted.get(name)).find((found) => found !== undefined);
    if (root?.params.granularity.kind !== 'per-tensor') continue;
    for (const slot of movedInputs(node.domain, node.op, node.inputs)) {
      const name = node.inputs[slot] ?? '';
      if (draft.constants.has(name)) moved.set(name, root);
      else if (!wanted.has(name)) wanted.set(name, root);
    }
  }
  const isWritable = (name: string, { params }: Root): boolean =>
    WRITABLE.has(params.dtype) && dtypeOf(state, name) === params.dtype;
  for (const [name, root] of wanted) {
    const { params, node } = root;
    if (!inputs.has(name) || state.captured.has(name) || params.granularity.kind === 'per-block') continue;
    if (!isWritable(name, root)) continue;
    state.known.set(name, { kind: 'codes', tensor: name, params, origin: node.origin });
    state.types.set(name, { dtype: state.parameters.floatOf(params), shape: draft.types.get(name)?.shape });
    state.note(name, 'codes', name, params);
  }
  for (const [name, root] of moved) {
    const { params, node } = root;
    if (!isWritable(name, root)) continue;
    const tensor = state.constantValues(name, params, state.parameters.floatOf(params));
    state.known.set(name, { kind: 'codes', tensor, params, origin: node.origin });
  }
}

/** Codes that the operator reads, and the parameters that it reads them with where they are constants. */
function parametersOf(
  node: DraftNode,
  state: FoldState,
  readers: FileReaders,
  isOpen: (name: string) => boolean,
): [string, QuantParams][] {
  const folding = new NodeFolding(node, state, readers);
  const found: [string, QuantParams][] = [];
  const note = (slot: number, read: () => QuantParams): void => {
    const name = node.inputs[slot] ?? '';
    if (isOpen(name)) state.attempt(() => void found.push([name, read()]));
  };
  if (node.op === 'DequantizeLinear' && linearRuleOf(node) !== undefined) {
    note(0, () => linearParams(folding, { input: 0 }));
  }
  for (const [codes, scale, zeroPoint] of CODED_INPUTS[node.op] ?? []) {
    note(codes, () => folding.params(scale, zeroPoint, { input: codes }));
  }
  return found;
}
