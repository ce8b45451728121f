import { describe, expect, it } from 'vitest';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { graph } from '../support/graph-builder.js';
import type { GraphBuilder } from '../support/graph-builder.js';
import { floatReasons, nodeNames, planView, withFloatTensors } from '../support/plan-view.js';

function planned(builder: GraphBuilder) {
  const built = withFloatTensors(builder.build());
  const plan = planQuantization(built, SCHEMES['tensorrt']!, NO_SELECTION);
  return { built, plan, view: planView(built, plan) };
}

function conv(g: GraphBuilder, x: string, y: string): GraphBuilder {
  return g
    .constant(`${y}.w`, 'float32', [4, 4, 3, 3])
    .constant(`${y}.b`, 'float32', [4])
    .node('Conv', { inputs: [x, `${y}.w`, `${y}.b`], outputs: [y], name: y });
}

describe('the tensorrt placement', () => {
  it('quantizes what each convolution reads, weights per axis, and neither biases nor outputs', () => {
    const g = conv(conv(graph().input('x', 'float32'), 'x', 'a'), 'x', 'b')
      .output('a')
      .output('b');
    const { built, plan, view } = planned(g);
    expect(view).toEqual({ 'a.w': 'own /0', 'b.w': 'own /0', 'x@a': 'own', 'x@b': 'own' });
    expect(nodeNames(built, plan.quantizedNodes)).toEqual(['a', 'b']);
    expect(plan.quantizers.find(({ use }) => use !== undefined)?.scheme).toMatchObject({
      dtype: 'int8',
      symmetric: true,
    });
  });

  it('quantizes the shortcut of a residual block and leaves the Add to the convolution in front of it', () => {
    const g = graph()
      .input('x', 'float32')
      .node('Relu', { inputs: ['x'], outputs: ['r'] });
    conv(g, 'r', 'c')
      .node('Add', { inputs: ['r', 'c'], outputs: ['y'], name: 'sum' })
      .output('y');
    const { built, plan, view } = planned(g);
    expect(view).toEqual({ 'c.w': 'own /0', 'r@c': 'own', 'r@sum': 'own' });
    expect(floatReasons(built, plan)).toMatchObject({ sum: 'tensorrt computes Add in floating point' });
  });

  it('quantizes one operand where both come from convolutions, and no constant that is added', () => {
    const g = conv(conv(graph().input('x', 'float32'), 'x', 'a'), 'x', 'b').constant(
      'k',
      'float32',
      [4, 1, 1],
    );
    g.node('Add', { inputs: ['a', 'b'], outputs: ['s'], name: 'sum' }).output('s');
    conv(g, 's', 'd')
      .node('Add', { inputs: ['d', 'k'], outputs: ['y'], name: 'offset' })
      .output('y');
    const { view } = planned(g);
    expect(Object.keys(view).filter((name) => !name.endsWith('.w'))).toEqual(['x@a', 'x@b', 'b@sum', 's@d']);
  });

  it('quantizes both operands of MatMul and the input of average pooling, not that of MaxPool and Softmax', () => {
    const g = graph().input('x', 'float32').input('q', 'float32');
    g.node('MatMul', { inputs: ['x', 'q'], outputs: ['m'], name: 'mm' });
    g.node('Softmax', { inputs: ['m'], outputs: ['s'], name: 'sm' });
    g.node('MaxPool', { inputs: ['s'], outputs: ['p'], name: 'mp' });
    g.node('GlobalAveragePool', { inputs: ['p'], outputs: ['y'], name: 'gap' }).output('y');
    expect(planned(g).view).toEqual({ 'x@mm': 'own', 'q@mm': 'own', 'p@gap': 'own' });
  });
});
