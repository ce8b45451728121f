/** Kernels of operators whose output code is a function of one input code: tables. */
import { floatAttr, stringAttr, type Node } from '../../ir/graph.js';
import {
  absoluteOf,
  hardSwishOf,
  inverseSquareRootOf,
  leakyReluOf,
  negatedOf,
  reluOf,
  requantizedOf,
  squareRootOf,
  type UnarySpec,
} from './activations.js';
import type { Operand } from './affine.js';
import { floatTableOf, type FloatFunctionName } from './float-tables.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';
import { quantizeReals } from './quantize.js';
import { logistic16Of, tanh16Of } from './sigmoid16.js';
import { lookUp, type Formula } from './tables.js';
import { fileExtents, inVectors, product } from './vector-loop.js';
import type { Value } from '../model-writer.js';

type Operands = { readonly input: Operand; readonly output: Operand };

/** A kernel that looks up what `look` does. */
function table(look: (call: OperatorCall, operands: Operands) => Value | undefined): IntegerKernel {
  return (call) => {
    const operands = unaryOf(call);
    return operands === undefined ? undefined : codesOf(operands.output, look(call, operands));
  };
}

/** A kernel with one formula; `more` are numbers of the operator's own. */
function formula<S>(of: Formula<UnarySpec & S>, more: (main: Node) => S): IntegerKernel {
  return table((call, { input, output }) => lookUp(call, input, of, { input, output, ...more(call.main) }));
}

const plain = (of: Formula<UnarySpec>): IntegerKernel => formula(of, () => ({}));

const float = (name: FloatFunctionName): IntegerKernel => formula(floatTableOf, () => ({ name }));

const relu = (lowest: number, highest: number | null): IntegerKernel =>
  formula(reluOf, () => ({ lowest, highest }));

/** Float tables for 8 bits, a table and an interpolation of the kernel's own for 16. */
function sigmoid(name: 'LOGISTIC' | 'TANH', of16: Formula<{ readonly scale: number }>): IntegerKernel {
  const of8 = float(name);
  const wide = table((call, { input }) => lookUp(call, input, of16, { scale: input.scale }));
  return (call) => (unaryOf(call)?.input.dtype === 'int16' ? wide(call) : of8(call));
}

const rsqrt: IntegerKernel = (call) => {
  const kernel = unaryOf(call)?.input.dtype === 'int16' ? float('RSQRT') : plain(inverseSquareRootOf);
  return kernel(call);
};

/** QUANTIZE of codes. Between 8-bit types the kernel works in vectors of 16. */
const requantize: IntegerKernel = table((call, { input, output }) => {
  const look = (isVector: boolean): Value | undefined =>
    lookUp(call, input, requantizedOf, { input, output, inVectors: isVector });
  if (input.dtype === 'int16' || output.dtype === 'int16') return look(false);
  const length = product(fileExtents(call, output.tensor));
  const where = inVectors(call, output.tensor, { length, width: 16 });
  if (where === 'all' || where === 'none') return look(where === 'all');
  const [body, tail] = [look(true), look(false)];
  return body === undefined || tail === undefined ? undefined : call.writer.op('Where', [where, body, tail]);
});

const quantize: IntegerKernel = (call) =>
  unaryOf(call) === undefined ? quantizeReals(call) : requantize(call);

export const UNARY_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  ABS: plain(absoluteOf),
  ELU: float('ELU'),
  EXP: float('EXP'),
  GELU: formula(floatTableOf, (main) => ({
    name: stringAttr(main, 'approximate') === 'tanh' ? ('GELU_APPROXIMATE' as const) : ('GELU' as const),
  })),
  HARD_SWISH: plain(hardSwishOf),
  LEAKY_RELU: formula(leakyReluOf, (main) => ({ alpha: floatAttr(main, 'alpha') ?? 0 })),
  LOG: float('LOG'),
  LOGISTIC: sigmoid('LOGISTIC', logistic16Of),
  NEG: plain(negatedOf),
  QUANTIZE: quantize,
  RELU: relu(0, null),
  RELU6: relu(0, 6),
  RELU_0_TO_1: relu(0, 1),
  RELU_N1_TO_1: relu(-1, 1),
  RSQRT: rsqrt,
  SQRT: plain(squareRootOf),
  TANH: sigmoid('TANH', tanh16Of),
};
