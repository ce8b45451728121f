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
  const wanted = new Map<string, QuantParams>();
  /** Reached through an operator that moves codes. */
  const moved = new Set<string>();
  for (const node of draft.nodes.toReversed()) {
    for (const [name, params] of parametersOf(node, state, readers)) {
      wanted.set(name, params);
      moved.delete(name);
    }
    const params = writesMoved(node.op) ? wanted.get(node.outputs[0] ?? '') : undefined;
    if (params?.granularity.kind !== 'per-tensor') continue;
    for (const slot of movedInputs(node.domain, node.op, node.inputs)) {
      const name = node.inputs[slot] ?? '';
      if (wanted.has(name)) continue;
      wanted.set(name, params);
      moved.add(name);
    }
  }
  for (const [name, params] of wanted) {
    if (!WRITABLE.has(params.dtype) || dtypeOf(state, name) !== params.dtype) continue;
    const isInput = draft.inputs.includes(name) && !state.captured.has(name);
    const isConstant = draft.constants.has(name) && moved.has(name);
    const float = state.parameters.floatOf(params);
    if (isInput && params.granularity.kind !== 'per-block') {
      state.known.set(name, { kind: 'codes', tensor: name, params });
      state.types.set(name, { dtype: float, shape: draft.types.get(name)?.shape });
      state.note(name, 'codes', name);
    } else if (isConstant) {
      const tensor = state.constantValues(name, params, float);
      state.known.set(name, { kind: 'codes', tensor, params });
    }
  }
}

/** Codes that the operator reads, and the parameters that it reads them with where they are constants. */
function parametersOf(node: DraftNode, state: FoldState, readers: FileReaders): [string, QuantParams][] {
  const folding = new NodeFolding(node, state, readers);
  const found: [string, QuantParams][] = [];
  const note = (slot: number, read: () => QuantParams): void => {
    const name = node.inputs[slot] ?? '';
    if (name !== '') state.attempt(() => void found.push([name, read()]));
  };
  if (node.op === 'DequantizeLinear' && linearRuleOf(node) !== undefined) {
    note(0, () => linearParams(folding, { input: 0 }));
  }
  for (const [codes, scale, zeroPoint] of CODED_INPUTS[node.op] ?? []) {
    note(codes, () => folding.params(scale, zeroPoint, { input: codes }));
  }
  return found;
}
