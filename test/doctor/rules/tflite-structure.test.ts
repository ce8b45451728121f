/** Rules on structure see TFLite's operators as they are lowered: fused functions, RSQRT, SQUARED_DIFFERENCE, other orders of axes. */
import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../src/doctor/rule.js';
import { decodeQuantized } from '../../../src/doctor/rules/act/decode-quantized.js';
import { defaultRange } from '../../../src/doctor/rules/act/default-range.js';
import { maskConstant } from '../../../src/doctor/rules/act/mask-constant.js';
import { normDecomposed } from '../../../src/doctor/rules/act/norm-decomposed.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import { CONV, HandmadeSubgraph, type TensorSpec } from '../../support/tflite-subgraph.js';

const SHAPE = [1, 4, 4, 2];
const INT8: TensorSpec = { type: 'INT8', scale: 0.05 };
/** 0 to 6. */
const SIX: TensorSpec = { type: 'INT8', scale: 6 / 255, zeroPoint: -128 };

function said(rule: Rule, net: HandmadeSubgraph, ...outputs: readonly number[]): string[] {
  const { graph, lane = FLOAT_LANE } = buildGraph(net.build(...outputs));
  return rule
    .check({ graph: { ...graph, metadata: new Map(), producer: '' }, lane })
    .map(({ severity, subject: { node = '', tensor = '' } }) => `${severity} ${node} ${tensor}`);
}

function conv(net: HandmadeSubgraph, read: number, spec: TensorSpec, activation = 'NONE'): number {
  const weight = net.constant([2, 1, 1, 2], 1, { type: 'INT8', scale: 0.5 });
  const bias = net.constant([2], 0, { type: 'INT32', scale: 0.025 });
  const output = net.tensor(SHAPE, spec);
  net.op('CONV_2D', [read, weight, bias], [output], { ...CONV, fusedActivationFunction: activation });
  return output;
}

describe('of a TFLite file', () => {
  it('act.default-range takes 0 to 6 for RELU6 behind layers, stated or not, and not for scores', () => {
    for (const activation of ['NONE', 'RELU6']) {
      const net = new HandmadeSubgraph();
      let at = net.input(SHAPE, { ...INT8, name: 'x' });
      for (let i = 0; i < 4; i++) at = conv(net, at, { ...SIX, name: `y${i}` }, activation);
      expect(said(defaultRange, net, at)).toEqual([]);
    }
    const net = new HandmadeSubgraph();
    let at = net.input(SHAPE, { ...INT8, name: 'x' });
    for (let i = 0; i < 4; i++) at = conv(net, at, { type: 'INT8', scale: 12 / 255, name: `y${i}` });
    expect(said(defaultRange, net, at)).toEqual(['warning CONV_2D#0 y0']);
  });

  it('act.norm-decomposed knows SQUARED_DIFFERENCE and RSQRT', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 8], { ...INT8, name: 'x' });
    const mean = net.tensor([1, 1], { ...INT8, name: 'mean' });
    net.op('MEAN', [x, net.integers([1])], [mean], { keepDims: true });
    const squares = net.tensor([1, 8], { ...INT8, name: 'squares' });
    net.op('SQUARED_DIFFERENCE', [x, mean], [squares]);
    const variance = net.tensor([1, 1], { ...INT8, name: 'variance' });
    net.op('MEAN', [squares, net.integers([1])], [variance], { keepDims: true });
    const inverse = net.tensor([1, 1], { ...INT8, name: 'inverse' });
    net.op('RSQRT', [variance], [inverse]);
    const y = net.tensor([1, 8], { ...INT8, name: 'y' });
    net.op('MUL', [x, inverse], [y], { fusedActivationFunction: 'NONE' });
    expect(said(normDecomposed, net, y)).toEqual(['warning SQUARED_DIFFERENCE#1 squares']);
  });

  it('act.mask-constant follows ADD to SOFTMAX', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4], { ...INT8, name: 'x' });
    const mask = net.constant([1, 4], [0, -127, 0, 0], { type: 'INT8', scale: 78.74, name: 'mask' });
    const masked = net.tensor([1, 4], { type: 'INT8', scale: 39.3, zeroPoint: 127, name: 'masked' });
    net.op('ADD', [x, mask], [masked], { fusedActivationFunction: 'NONE' });
    const y = net.tensor([1, 4], { type: 'INT8', scale: 1 / 256, zeroPoint: -128, name: 'y' });
    net.op('SOFTMAX', [masked], [y], { beta: 1 });
    expect(said(maskConstant, net, y)).toEqual(['error ADD#0 masked']);
  });

  it('act.decode-quantized counts what is behind the last convolution, and not a softmax', () => {
    const net = new HandmadeSubgraph();
    const raw = conv(net, net.input(SHAPE, { ...INT8, name: 'x' }), { ...INT8, name: 'raw' });
    let at = raw;
    for (const [i, op] of ['EXP', 'MUL', 'ADD'].entries()) {
      const next = net.tensor(SHAPE, { ...INT8, name: `step${i}` });
      const beside = op === 'EXP' ? [] : [net.constant([1], 64, { ...INT8 })];
      net.op(op, [at, ...beside], [next], { fusedActivationFunction: 'NONE' });
      at = next;
    }
    expect(said(decodeQuantized, net, at)).toEqual(['warning EXP#1 step0']);
    const scores = new HandmadeSubgraph();
    const last = conv(scores, scores.input(SHAPE, INT8), INT8);
    const y = scores.tensor(SHAPE, { type: 'INT8', scale: 1 / 256, zeroPoint: -128 });
    scores.op('SOFTMAX', [last], [y], { beta: 1 });
    expect(said(decodeQuantized, scores, y)).toEqual([]);
  });
});
