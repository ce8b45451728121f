import { describe, expect, it } from 'vitest';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { float, graph } from '../support/graph-builder.js';
import type { GraphBuilder } from '../support/graph-builder.js';
import { nodeNames, planView, tensorNames, withFloatTensors } from '../support/plan-view.js';

function planned(builder: GraphBuilder, scheme = 'tflite') {
  const built = withFloatTensors(builder.build());
  const plan = planQuantization(built, SCHEMES[scheme]!, NO_SELECTION);
  return { built, plan, view: planView(built, plan) };
}

/** x -> Conv -> y, with constants w and b named after the output. */
function conv(g: GraphBuilder, x: string, y: string): GraphBuilder {
  return g
    .constant(`${y}.w`, 'float32', [4, 4, 3, 3])
    .constant(`${y}.b`, 'float32', [4])
    .node('Conv', { inputs: [x, `${y}.w`, `${y}.b`], outputs: [y], name: y });
}

function relu(g: GraphBuilder, x: string, y: string): GraphBuilder {
  return g.node('Relu', { inputs: [x], outputs: [y], name: y });
}

/** The network of a TFLite file, in ONNX operators: two convolutions, a residual block, pooling, a classifier. */
function residualNetwork(): GraphBuilder {
  const g = graph().input('image', 'float32', [1, 1, 8, 8]);
  relu(conv(g, 'image', 'c1'), 'c1', 'r1');
  relu(conv(g, 'r1', 'c2'), 'c2', 'r2');
  g.node('MaxPool', { inputs: ['r2'], outputs: ['p2'], name: 'p2' });
  relu(conv(g, 'p2', 'dw'), 'dw', 'dw_r');
  conv(g, 'dw_r', 'pw');
  g.node('Add', { inputs: ['p2', 'pw'], outputs: ['sum'], name: 'sum' });
  g.node('MaxPool', { inputs: ['sum'], outputs: ['p3'], name: 'p3' });
  relu(conv(g, 'p3', 'c3'), 'c3', 'r3');
  g.constant('axes', 'int64', [2], [2, 3]);
  g.node('ReduceMean', { inputs: ['r3', 'axes'], outputs: ['mean'], name: 'mean', attrs: { keepdims: 0 } });
  g.constant('fc.w', 'float32', [10, 4]).constant('fc.b', 'float32', [10]);
  g.node('Gemm', { inputs: ['mean', 'fc.w', 'fc.b'], outputs: ['fc'], name: 'fc', attrs: { transB: 1 } });
  return g.node('Softmax', { inputs: ['fc'], outputs: ['probs'], name: 'probs' }).output('probs', 'float32');
}

describe('the tflite placement', () => {
  // Read off an int8 file that the converter made of this network in 2025: tensors 0 and 14 to 24 and the constants.
  it('quantizes a residual network as the converter does', () => {
    const { view } = planned(residualNetwork());
    expect(view).toEqual({
      image: 'own',
      r1: 'own',
      r2: 'own',
      p2: 'like r2',
      dw_r: 'own',
      pw: 'own',
      sum: 'own',
      p3: 'like sum',
      r3: 'own',
      mean: 'own',
      fc: 'own',
      probs: '1/256 -128',
      'c1.w': 'own /0',
      'c2.w': 'own /0',
      'dw.w': 'own /0',
      'pw.w': 'own /0',
      'c3.w': 'own /0',
      'fc.w': 'own /0',
      'c1.b': 'bias image*c1.w /0',
      'c2.b': 'bias r1*c2.w /0',
      'dw.b': 'bias p2*dw.w /0',
      'pw.b': 'bias dw_r*pw.w /0',
      'c3.b': 'bias p3*c3.w /0',
      'fc.b': 'bias mean*fc.w /0',
    });
  });

  it('computes every node of it with integers and has no value between a convolution and its Relu', () => {
    const { built, plan } = planned(residualNetwork());
    expect(nodeNames(built, plan.quantizedNodes)).toEqual(built.nodes.map(({ origin }) => origin.name));
    expect(plan.floatNodes).toEqual([]);
    expect(tensorNames(built, plan.fusedAway)).toEqual(['c1', 'c2', 'dw', 'c3']);
  });

  it('keeps biases in float for 16x8, whose int64 biases are never clamped, and prescribes 1/32768 outputs', () => {
    const { plan, view } = planned(residualNetwork(), 'tflite-16x8');
    expect(plan.quantizers.filter(({ role }) => role === 'bias')).toEqual([]);
    expect(view['probs']).toBe('1/32768 0');
    expect(plan.quantizers.find(({ role }) => role === 'input')?.scheme).toMatchObject({
      dtype: 'int16',
      symmetric: true,
    });
  });

  // https://ai.google.dev/edge/litert/models/quantization_spec
  it.each([
    ['Softmax', '1/256 -128'],
    ['Sigmoid', '1/256 -128'],
    ['LogSoftmax', '1/16 127'],
    ['Tanh', '1/128 0'],
    ['LpNormalization', '1/128 0'],
  ])('gives the output of %s the scale and zero point of the specification', (op, params) => {
    const { view } = planned(
      graph()
        .input('x', 'float32')
        .node(op, { inputs: ['x'], outputs: ['y'] })
        .output('y'),
    );
    expect(view).toEqual({ x: 'own', y: params });
  });

  it.each([
    'MaxPool',
    'AveragePool',
    'Reshape',
    'Transpose',
    'Pad',
    'Slice',
    'Split',
    'Resize',
    'SpaceToDepth',
  ])('hands the parameters of the input of %s down to its output', (op) => {
    const g = graph()
      .input('x', 'float32')
      .node(op, { inputs: ['x'], outputs: ['y'] })
      .output('y');
    expect(planned(g).view).toEqual({ x: 'own', y: 'like x' });
  });

  it.each(['Concat', 'Max', 'Min'])('hands the parameters of the result of %s up to its operands', (op) => {
    const g = graph().input('a', 'float32').input('b', 'float32').constant('c', 'float32', [1]);
    g.node(op, { inputs: ['a', 'b', 'c'], outputs: ['y'] }).output('y');
    expect(planned(g).view).toEqual({ a: 'like y', b: 'like y', c: 'like y', y: 'own' });
  });

  it('carries the parameters of a Concat through the pooling in front of it and the layout change behind it', () => {
    const g = relu(conv(graph().input('x', 'float32'), 'x', 'c'), 'c', 'r');
    g.node('MaxPool', { inputs: ['r'], outputs: ['p'] });
    conv(g, 'x', 'd').node('Concat', { inputs: ['p', 'd'], outputs: ['z'] });
    g.node('Transpose', { inputs: ['z'], outputs: ['t'] }).output('t');
    expect(planned(g).view).toMatchObject({ r: 'like z', p: 'like z', d: 'like z', z: 'own', t: 'like z' });
  });

  it('requantizes in front of the earlier of two Concats that want one tensor in different scales', () => {
    const g = graph().input('a', 'float32').input('b', 'float32').input('c', 'float32');
    g.node('Concat', { inputs: ['a', 'b'], outputs: ['y'], name: 'first' });
    g.node('Concat', { inputs: ['b', 'c'], outputs: ['z'], name: 'second' })
      .output('y')
      .output('z');
    expect(planned(g).view).toEqual({
      a: 'like y',
      y: 'own',
      b: 'like z',
      c: 'like z',
      z: 'own',
      'b@first': 'like y',
    });
  });

  it('solves a network in which every tensor is concatenated over and over', () => {
    const g = graph().input('t0', 'float32');
    for (let i = 0; i < 60; i++) g.node('Concat', { inputs: [`t${i}`, `t${i}`], outputs: [`t${i + 1}`] });
    const { view } = planned(g.output('t60'));
    expect(new Set(Object.values(view))).toEqual(new Set(['like t60', 'own']));
  });

  it('lets the result of a Concat overrule the prescribed output of a Sigmoid, and a Reshape follow it', () => {
    const g = graph().input('x', 'float32').input('box', 'float32');
    g.node('Sigmoid', { inputs: ['x'], outputs: ['s'] });
    g.node('Concat', { inputs: ['s', 'box'], outputs: ['z'] }).output('z');
    g.node('Sigmoid', { inputs: ['box'], outputs: ['t'] });
    g.node('Reshape', { inputs: ['t'], outputs: ['flat'] }).output('flat');
    expect(planned(g).view).toEqual({
      x: 'own',
      s: 'like z',
      box: 'like z',
      z: 'own',
      t: '1/256 -128',
      flat: '1/256 -128',
    });
  });

  it('takes the parameters of a looked-up table from the result, as a table has no calibrated range', () => {
    const g = graph().constant('table', 'float32', [10, 4]).input('words', 'int64', [3]);
    g.node('Gather', { inputs: ['table', 'words'], outputs: ['y'] }).output('y');
    expect(planned(g).view).toEqual({ table: 'like y', y: 'own' });
  });

  it('fuses Clip(0, 6) and Clip(-1, 1) but no other Clip', () => {
    for (const [low, high, isFused] of [
      [0, 6, true],
      [-1, 1, true],
      [0, 3.4e38, true],
      [0, 4, false],
    ] as const) {
      const g = conv(graph().input('x', 'float32'), 'x', 'c');
      g.constant('low', 'float32', [], [low]).constant('high', 'float32', [], [high]);
      g.node('Clip', { inputs: ['c', 'low', 'high'], outputs: ['y'] }).output('y');
      const { built, plan, view } = planned(g);
      expect(tensorNames(built, plan.fusedAway)).toEqual(isFused ? ['c'] : []);
      expect(view['c']).toBe(isFused ? undefined : 'range of y');
      expect(view['y']).toBe('own');
    }
    const g = conv(graph({ opset: 7 }).input('x', 'float32'), 'x', 'c');
    g.node('Clip', { inputs: ['c'], outputs: ['y'], attrs: { min: float(0), max: float(6) } }).output('y');
    expect(planned(g).view).not.toHaveProperty('c');
  });

  it('fuses neither a function whose input others read nor one behind an operator without fused functions', () => {
    const g = relu(conv(graph().input('x', 'float32'), 'x', 'c'), 'c', 'r')
      .output('r')
      .output('c');
    relu(g.node('HardSwish', { inputs: ['r'], outputs: ['h'] }), 'h', 'hr').output('hr');
    const { plan, view } = planned(g);
    expect(plan.fusedAway).toEqual([]);
    expect(view).toMatchObject({ c: 'own', r: 'own', h: 'own', hr: 'own' });
  });

  it('makes MatMul and the addition of a vector one fully connected operator, with its Relu', () => {
    const g = graph().input('x', 'float32').constant('w', 'float32', [4, 8]).constant('b', 'float32', [8]);
    g.node('MatMul', { inputs: ['x', 'w'], outputs: ['m'] }).node('Add', {
      inputs: ['b', 'm'],
      outputs: ['a'],
    });
    const { built, plan, view } = planned(relu(g, 'a', 'y').output('y'));
    expect(view).toEqual({ x: 'own', w: 'own /1', b: 'bias x*w /0', y: 'own' });
    expect(tensorNames(built, plan.fusedAway)).toEqual(['m', 'a']);
  });

  it('quantizes both operands of a MatMul of activations, and weights of other ranks than 2 per tensor', () => {
    const g = graph().input('a', 'float32').input('b', 'float32').constant('w', 'float32', [2, 4, 8]);
    g.node('MatMul', { inputs: ['a', 'b'], outputs: ['m'] });
    g.node('MatMul', { inputs: ['m', 'w'], outputs: ['y'] }).output('y');
    expect(planned(g).view).toEqual({ a: 'own', b: 'own', m: 'own', w: 'own', y: 'own' });
  });
});
