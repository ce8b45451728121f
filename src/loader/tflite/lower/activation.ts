/** Activation functions and what normalizes along the last axis. */
import type { TensorId } from '../../../ir/graph.js';
import { Unlowerable, type AttrValue, type Lowering, type Rule } from './lowering.js';
import { withoutCodes } from './operands.js';

/** One node on the input, in whatever order of axes that has. */
function activation(op: string, attrs: Readonly<Record<string, AttrValue>> = {}): Rule {
  return (lowering) => {
    const layout = lowering.layoutOf(0);
    lowering.write(0, layout, op, [lowering.input(0, layout)], attrs);
  };
}

function clip(min: number, max: number): Rule {
  return (lowering) => {
    const layout = lowering.layoutOf(0);
    const limits = [lowering.floats([min], []), lowering.floats([max], [])];
    lowering.write(0, layout, 'Clip', [lowering.input(0, layout), ...limits]);
  };
}

/** The slopes broadcast to the input, mostly as one per channel. */
const prelu: Rule = (lowering) => {
  const layout = lowering.layoutOf(0);
  const [rank, slopeRank] = [lowering.shape(0).length, lowering.shape(1).length];
  if (slopeRank > rank) throw new Unlowerable(`slopes of rank ${slopeRank} for an input of rank ${rank}`);
  const slope = lowering.operand(1, layout, rank);
  lowering.write(0, layout, 'PRelu', [lowering.input(0, layout), slope]);
};

const leakyRelu: Rule = (lowering) => {
  activation('LeakyRelu', { alpha: { float: lowering.floatOption('alpha') } })(lowering);
};

const gelu: Rule = (lowering) => {
  activation('Gelu', { approximate: lowering.boolOption('approximate') ? 'tanh' : 'none' })(lowering);
};

/** Writes a node that works along what is the last axis in the file. */
function alongLastAxis(
  lowering: Lowering,
  op: string,
  prepare: (input: TensorId) => TensorId = (input) => input,
): void {
  const layout = lowering.layoutOf(0);
  const axis = lowering.axisIn(layout, lowering.shape(0).length, -1);
  lowering.write(0, layout, op, [prepare(lowering.input(0, layout))], { axis });
}

/** exp(beta x) over its sum. */
const softmax: Rule = (lowering) => {
  const beta = lowering.floatOption('beta');
  alongLastAxis(lowering, 'Softmax', (input) =>
    beta === 1 ? input : lowering.step('Mul', [input, lowering.floats([beta], [])]),
  );
};

const logSoftmax: Rule = (lowering) => {
  alongLastAxis(lowering, 'LogSoftmax');
};

/**
 * x over its Euclidean length. The kernel takes the length for at least 1e-6, so that 0 stays 0, as in ONNX Runtime; only vectors
 * that are shorter but not 0 differ: they come out longer here (1) than there.
 */
const l2Normalization: Rule = (lowering) => {
  const layout = lowering.layoutOf(0);
  const axis = lowering.axisIn(layout, lowering.shape(0).length, -1);
  lowering.writeActivated(0, layout, 'LpNormalization', [lowering.input(0, layout)], { axis, p: 2 });
};

export const ACTIVATION_RULES: Readonly<Record<string, Rule>> = {
  ELU: activation('Elu'),
  GELU: gelu,
  HARD_SWISH: activation('HardSwish'),
  L2_NORMALIZATION: l2Normalization,
  LEAKY_RELU: leakyRelu,
  LOGISTIC: activation('Sigmoid'),
  LOG_SOFTMAX: logSoftmax,
  PRELU: prelu,
  RELU: activation('Relu'),
  RELU6: clip(0, 6),
  RELU_0_TO_1: clip(0, 1),
  RELU_N1_TO_1: clip(-1, 1),
  SOFTMAX: softmax,
  STABLEHLO_LOGISTIC: withoutCodes(activation('Sigmoid')),
  STABLEHLO_TANH: withoutCodes(activation('Tanh')),
  TANH: activation('Tanh'),
};
