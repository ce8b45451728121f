/**
 * Operators between QuantizeLinear and DequantizeLinear that hand codes on without computing with them. On the values that the codes
 * stand for they do the same, and what they write has the same parameters. An operator that is not listed, or not in the form that
 * is exact for all codes, keeps its codes.
 */
import { toInts } from '../../../ir/elements.js';
import type { ConstantData } from '../../../ir/graph.js';
import type { Granularity, QuantParams } from '../../../ir/lane.js';
import { dequantized } from './dequantized.js';
import { Unfoldable, type Folding, type FoldRule, type FoldTable, type Operand } from './folding.js';
import { limitsOf } from './parameters.js';

interface Move {
  /** Inputs that hold codes; all others are read as they are. 'all': every input. */
  readonly coded?: readonly number[] | 'all';
  /** Outputs that hold codes; default all. */
  readonly writes?: readonly number[];
  /** Input that is one code to fill with, 0 where it is omitted: it becomes the value that the code stands for. */
  readonly fill?: number;
  /** Whether it fills with the code 0, which has to be the value 0. */
  readonly fillsZero?: boolean;
  /** Larger and smaller values need larger and smaller codes. */
  readonly ordered?: boolean;
  /** @throws Unfoldable for a form that computes */
  readonly check?: (folding: Folding) => void;
  /** Where the axis of several scales goes; undefined where that is not known. */
  readonly axis?: (folding: Folding, axis: number) => number | undefined;
}

const same = (_: Folding, axis: number): number => axis;

const MOVES: Readonly<Record<string, Move>> = {
  Identity: { axis: same },
  Reshape: {},
  Flatten: {},
  Squeeze: {},
  Unsqueeze: {},
  Transpose: { axis: transposedAxis },
  Slice: {},
  Gather: {},
  GatherElements: {},
  GatherND: {},
  Expand: {},
  Tile: {},
  Split: {},
  Concat: { coded: 'all' },
  DepthToSpace: {},
  SpaceToDepth: {},
  ReverseSequence: {},
  Compress: {},
  Where: { coded: [1, 2] },
  ScatterElements: { coded: [0, 2], check: replaces },
  ScatterND: { coded: [0, 2], check: replaces },
  Pad: { fill: 2, check: padValueIsInput },
  Trilu: { fillsZero: true },
  MaxPool: { writes: [0], ordered: true },
  GlobalMaxPool: { ordered: true },
  ReduceMax: { ordered: true },
  ReduceMin: { ordered: true },
  Max: { coded: 'all', ordered: true },
  Min: { coded: 'all', ordered: true },
  Relu: { fillsZero: true, ordered: true },
  Clip: {},
  TopK: { writes: [0], ordered: true },
  ArgMax: { writes: [], ordered: true },
  ArgMin: { writes: [], ordered: true },
  Resize: { check: nearest },
  Upsample: { check: nearest },
};

/** Inputs of a node that may hold codes which the operator only hands on; none for all other operators. */
export function movedInputs(domain: string, op: string, inputs: readonly string[]): readonly number[] {
  const move = domain === '' && Object.hasOwn(MOVES, op) ? MOVES[op] : undefined;
  if (move === undefined) return [];
  return move.coded === 'all' ? inputs.map((_, slot) => slot) : (move.coded ?? [0]);
}

/** Whether what the operator writes are the codes that it reads. */
export function writesMoved(op: string): boolean {
  return Object.hasOwn(MOVES, op) && MOVES[op]?.writes?.includes(0) !== false;
}

export const MOVE_RULES: FoldTable = {
  ...Object.fromEntries(
    Object.entries(MOVES).map(([op, move]): [string, FoldRule] => [
      `:${op}`,
      (folding) => {
        foldMove(folding, op, move);
      },
    ]),
  ),
  ':Clip': clip,
};

/** Codes cut to a narrower range, as exporters write what has fewer bits than a byte: limits of the quantizer before it. */
function clip(folding: Folding): void {
  if (folding.opset < 12) throw new Unfoldable(`Clip of opset ${folding.opset} is not defined on codes`);
  const codes = folding.codes(0);
  if (codes === undefined) throw new Unfoldable('it reads no codes');
  const { operand, params } = codes;
  const qmin = Math.max(params.qmin, limitOf(folding, 1) ?? params.qmin);
  const qmax = Math.min(params.qmax, limitOf(folding, 2) ?? params.qmax);
  if (qmin > qmax) throw new Unfoldable(`no code is from ${qmin} to ${qmax}`);
  folding.handsOnCodes(0, operand.name, { ...params, qmin, qmax });
}

function limitOf(folding: Folding, slot: number): number | undefined {
  if (!folding.has(slot)) return undefined;
  const data = folding.constant(slot);
  if (data === undefined) throw new Unfoldable(`input ${slot}, the limit of its codes, is not a constant`);
  return toInts(data)[0];
}

function foldMove(folding: Folding, op: string, move: Move): void {
  const { node } = folding;
  move.check?.(folding);
  const coded = new Set(movedInputs('', op, node.inputs));
  let params: QuantParams | undefined;
  const inputs = node.inputs.map((name, slot): Operand | null => {
    if (name === '') return null;
    if (!coded.has(slot)) return folding.real(slot);
    const codes = folding.codes(slot);
    if (codes === undefined)
      throw new Unfoldable(`it moves '${name}', codes of no known tensor, together with others`);
    if (params !== undefined && params !== codes.params) {
      throw new Unfoldable(`it puts codes with different parameters into one tensor ('${name}')`);
    }
    params = codes.params;
    return codes.operand;
  });
  if (params === undefined) throw new Unfoldable('it reads no codes');
  if (move.ordered === true) requireOrder(params);
  if (move.fillsZero === true && params.zeroPoint.some((point) => point !== 0)) {
    throw new Unfoldable(`code 0 is not the value 0: the zero point is ${params.zeroPoint[0]}`);
  }
  if (move.fill !== undefined) {
    while (inputs.length <= move.fill) inputs.push(null);
    inputs[move.fill] = fillOf(folding, move.fill, params);
  }
  const moved = movedParams(folding, op, move, params);
  // What it fills with may be outside of narrower limits.
  const written =
    move.fill === undefined && move.fillsZero !== true ? moved : { ...moved, ...limitsOf(moved.dtype) };
  const outputs = node.outputs.map((name, slot) =>
    name !== '' && move.writes?.includes(slot) !== false ? folding.writesCodes(slot, written) : name,
  );
  folding.emit({ op: node.op, domain: node.domain, inputs, attrs: node.attrs, outputs });
}

function movedParams(folding: Folding, op: string, { axis }: Move, params: QuantParams): QuantParams {
  const { granularity } = params;
  if (granularity.kind === 'per-tensor') return params;
  const moved = granularity.kind === 'per-axis' ? axis?.(folding, granularity.axis) : undefined;
  if (moved === undefined) throw new Unfoldable(`${op} on codes with ${granularity.kind} scales`);
  if (moved === granularity.axis) return params;
  const there: Granularity = { kind: 'per-axis', axis: moved };
  return { ...params, granularity: there };
}

/** One code as the value that it stands for. */
function fillOf(folding: Folding, slot: number, params: QuantParams): Operand {
  const data = folding.constant(slot);
  if (folding.has(slot) && data === undefined) {
    throw new Unfoldable(`input ${slot}, the code that it fills with, is not a constant`);
  }
  if (params.granularity.kind !== 'per-tensor')
    throw new Unfoldable('it fills with one code for several scales');
  const name = folding.node.inputs[slot] ?? '';
  const value = dequantized(data ?? ZERO, params, folding.floatType(params));
  return folding.addConstant(name === '' ? `${folding.node.outputs[0] ?? ''}_fill` : name, value);
}

const ZERO: ConstantData = { dtype: 'int8', dims: [], byteLength: 1, bytes: () => new Uint8Array(1) };

function requireOrder({ scale }: QuantParams): void {
  const wrong = scale.find((value) => !(value > 0));
  if (wrong !== undefined)
    throw new Unfoldable(`it compares codes with scale ${wrong}, which does not keep their order`);
}

function transposedAxis({ node }: Folding, axis: number): number | undefined {
  const perm = node.attrs.get('perm');
  if (perm?.type !== 'ints') return undefined;
  const moved = perm.value.indexOf(BigInt(axis));
  return moved < 0 ? undefined : moved;
}

function replaces({ node }: Folding): void {
  const reduction = node.attrs.get('reduction');
  if (reduction?.type === 'string' && reduction.value !== 'none') {
    throw new Unfoldable(`it computes with codes: reduction ${reduction.value}`);
  }
}

function nearest({ node }: Folding): void {
  const mode = node.attrs.get('mode');
  if (mode?.type === 'string' && mode.value !== 'nearest')
    throw new Unfoldable(`it interpolates codes: mode ${mode.value}`);
  const transformation = node.attrs.get('coordinate_transformation_mode');
  if (transformation?.type === 'string' && transformation.value === 'tf_crop_and_resize') {
    throw new Unfoldable('it fills with extrapolation_value, a number that is no code');
  }
}

/** Before opset 11 the value and the widths are attributes, and operators on codes are not defined. */
function padValueIsInput({ opset }: Folding): void {
  if (opset < 11) throw new Unfoldable(`Pad of opset ${opset} is not defined on codes`);
}
