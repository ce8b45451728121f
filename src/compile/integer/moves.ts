/**
 * Operators that move or choose codes without looking at what they stand for: where the quantizers of input and output differ, which
 * the file may have by mistake, the codes stay as they are.
 */
import type { Node, TensorId } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import { operandOf, sameQuantizer } from './affine.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { quantizedInputs } from './operands.js';
import { lookUp, type Formula } from './tables.js';
import { clamp, roundHalfAway } from './fixed-point.js';
import type { UnarySpec } from './activations.js';

/** All outputs of the operator's nodes, on `given` for the tensors there and on real values for all others. */
export function evaluate(
  call: OperatorCall,
  given: ReadonlyMap<TensorId, Value>,
): ReadonlyMap<TensorId, Value> {
  const values = new Map(given);
  const input = (tensor: TensorId | null): Value | null =>
    tensor === null ? null : (values.get(tensor) ?? call.value(tensor));
  const write = (node: Node): void => {
    const outputs = call.apply(node, node.inputs.map(input));
    node.outputs.forEach((tensor, i) => {
      const value = outputs[i];
      if (tensor !== null && value !== undefined) values.set(tensor, value);
    });
  };
  call.nodes.forEach(write);
  return values;
}

/** The outputs among `values`. */
function outputsOf({ outputs }: OperatorCall, values: ReadonlyMap<TensorId, Value>): Map<TensorId, Value> {
  return new Map(
    outputs.flatMap((tensor): [TensorId, Value][] => {
      const value = values.get(tensor);
      return value === undefined ? [] : [[tensor, value]];
    }),
  );
}

/** Nothing where one quantizer is that of all: floats between equal quantizers move as exactly. */
const move: IntegerKernel = (call) => {
  const inputs = quantizedInputs(call) ?? [];
  const outputs = call.outputs.flatMap((tensor) => operandOf(call, tensor) ?? []);
  const [first] = outputs;
  if (first === undefined || inputs.length === 0) return undefined;
  const all = [...inputs, ...outputs];
  if (all.every((operand) => sameQuantizer(operand, first))) return undefined;
  if (all.some(({ dtype }) => dtype !== first.dtype)) return undefined;
  // What the operator fills up with is the output's zero point, which is 0 this way.
  const { writer } = call;
  const moved = (codes: Value, by: number): Value =>
    by === 0 ? codes : writer.op('Add', [codes, writer.literal('float32', [by], [])]);
  const given = inputs.map(({ tensor }): [TensorId, Value] => [
    tensor,
    moved(call.codes(tensor), -first.zeroPoint),
  ]);
  const values = outputsOf(call, evaluate(call, new Map(given)));
  for (const { tensor } of outputs) {
    const value = values.get(tensor);
    if (value !== undefined) values.set(tensor, moved(value, first.zeroPoint));
  }
  return values;
};

/** CONCATENATION of unsigned codes with other scales than the output's: in float32, once for every code. */
const rescaledOf: Formula<UnarySpec> = ({ input, output }) => {
  const f = Math.fround;
  const scale = f(input.scale * f(1 / output.scale));
  const bias = f(-input.zeroPoint * scale);
  return (x) => {
    const rounded = roundHalfAway(f(f(x * scale) + bias));
    return clamp(rounded + output.zeroPoint, output.lowest, output.highest);
  };
};

/** tensorflow/lite/kernels/internal/reference/concatenation.h: only unsigned codes are rescaled. */
const concatenation: IntegerKernel = (call) => {
  const { main, outputs } = call;
  const inputs = quantizedInputs(call);
  const output = operandOf(call, outputs[0]);
  if (output?.dtype !== 'uint8' || inputs?.length !== main.inputs.length) return move(call);
  if (inputs.every((input) => sameQuantizer(input, output))) return undefined;
  const codes = inputs.map((input): Value | undefined =>
    sameQuantizer(input, output)
      ? call.codes(input.tensor)
      : lookUp(call, input, rescaledOf, { input, output } satisfies UnarySpec),
  );
  if (!codes.every((value) => value !== undefined)) return undefined;
  const [joined] = call.apply(main, codes);
  return joined === undefined ? undefined : new Map([[output.tensor, joined]]);
};

const MOVES = [
  ...['BATCH_TO_SPACE_ND', 'BROADCAST_TO', 'DEPTH_TO_SPACE', 'EXPAND_DIMS', 'GATHER', 'GATHER_ND'],
  ...[
    'MAXIMUM',
    'MINIMUM',
    'MIRROR_PAD',
    'PACK',
    'RESHAPE',
    'RESIZE_NEAREST_NEIGHBOR',
    'REVERSE_SEQUENCE',
    'REVERSE_V2',
  ],
  ...['SELECT', 'SELECT_V2', 'SLICE', 'SPACE_TO_BATCH_ND', 'SPACE_TO_DEPTH', 'SPLIT', 'SPLIT_V'],
  ...['SQUEEZE', 'STRIDED_SLICE', 'TILE', 'TRANSPOSE', 'UNPACK'],
];

export const MOVE_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  ...Object.fromEntries(MOVES.map((op) => [op, move])),
  CONCATENATION: concatenation,
};
