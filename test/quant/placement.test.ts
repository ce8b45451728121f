import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/ir/graph.js';
import { tensorOf } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { loadModel } from '../../src/loader/index.js';
import { observedTensors } from '../../src/quant/placement/plan.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES, overrideScheme } from '../../src/quant/presets.js';
import type { Scheme } from '../../src/quant/scheme.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import type { Selection } from '../../src/quant/select.js';
import { float, graph } from '../support/graph-builder.js';
import type { GraphBuilder } from '../support/graph-builder.js';
import { floatReasons, nodeNames, planView, tensorNames, withFloatTensors } from '../support/plan-view.js';

const ORT = SCHEMES['ort']!;

function planned(builder: GraphBuilder, scheme: Scheme = ORT, selection: Partial<Selection> = {}) {
  return view(withFloatTensors(builder.build()), scheme, selection);
}

function view(built: Graph, scheme: Scheme = ORT, selection: Partial<Selection> = {}) {
  const plan = planQuantization(built, scheme, { ...NO_SELECTION, ...selection });
  return { built, plan, view: planView(built, plan) };
}

function conv(g: GraphBuilder, x: string, y: string): GraphBuilder {
  return g
    .constant(`${y}.w`, 'float32', [4, 4, 3, 3])
    .constant(`${y}.b`, 'float32', [4])
    .node('Conv', { inputs: [x, `${y}.w`, `${y}.b`], outputs: [y], name: y });
}

/** x -> c1 -> r1 (Relu) -> c2 -> flat (Flatten) */
function chain(): GraphBuilder {
  const g = conv(graph().input('x', 'float32'), 'x', 'c1');
  conv(g.node('Relu', { inputs: ['c1'], outputs: ['r1'], name: 'r1' }), 'r1', 'c2');
  return g.node('Flatten', { inputs: ['c2'], outputs: ['flat'], name: 'flat' }).output('flat');
}

describe('planQuantization', () => {
  it('plans for the ort scheme what it does by default', () => {
    const { built, plan, view } = planned(chain());
    expect(view).toEqual({
      x: 'own',
      'c1.w': 'own',
      r1: 'own',
      'c2.w': 'own',
      c2: 'own',
      flat: 'like c2',
      'c1.b': 'bias x*c1.w',
      'c2.b': 'bias r1*c2.w',
    });
    expect(plan.quantizers.map(({ role }) => role)).toEqual([
      ...['input', 'weight', 'activation', 'weight', 'activation', 'output', 'bias', 'bias'],
    ]);
    expect(tensorNames(built, plan.fusedAway)).toEqual(['c1']);
    expect(nodeNames(built, plan.quantizedNodes)).toEqual(['c1', 'r1', 'c2', 'flat']);
  });

  it('has calibration observe activations with ranges of their own, and no constants', () => {
    const { built, plan } = planned(chain());
    const observed = observedTensors(built, plan);
    expect([...observed.keys()].map((tensor) => tensorOf(built, tensor).name)).toEqual(['x', 'r1', 'c2']);
    expect([...observed.values()].every(({ dtype }) => dtype === 'uint8')).toBe(true);
  });

  it('quantizes floating-point tensors of every width, and neither integers, booleans nor unknown types', () => {
    const g = graph();
    for (const dtype of ['float16', 'bfloat16', 'float64', 'int32', 'bool', undefined] as const) {
      g.input(`${dtype}`, dtype).value(`${dtype}!`, dtype);
      g.node('Add', { inputs: [`${dtype}`, `${dtype}`], outputs: [`${dtype}!`], name: `add ${dtype}` });
    }
    const { built, plan, view: found } = view(g.build());
    const floats = ['float16', 'bfloat16', 'float64'];
    expect(Object.keys(found)).toEqual(floats.flatMap((dtype) => [dtype, `${dtype}!`]));
    expect(nodeNames(built, plan.quantizedNodes)).toEqual(floats.map((dtype) => `add ${dtype}`));
    expect(floatReasons(built, plan)).toEqual({ 'add undefined': "'undefined' is not quantized" });
  });

  it('leaves control flow and operators of other domains in float, and says so', () => {
    const g = conv(graph({ opsets: { custom: 1 } }).input('x', 'float32'), 'x', 'c');
    const body = { captures: [], encode: () => new Uint8Array() };
    g.node('If', {
      inputs: ['c'],
      outputs: ['i'],
      name: 'if',
      attrs: { then: { type: 'graph', value: body } },
    });
    g.node('Conv', { inputs: ['i'], outputs: ['y'], name: 'mine', domain: 'custom' });
    g.node('constructor', { inputs: ['y'], outputs: ['z'], name: 'odd' }).output('z');
    const { built, plan, view: found } = planned(g);
    expect(Object.keys(found).sort()).toEqual(['c', 'c.b', 'c.w', 'x']);
    expect(floatReasons(built, plan)).toEqual({
      if: 'ort does not quantize If',
      mine: 'ort does not quantize Conv',
      odd: 'ort does not quantize constructor',
    });
  });

  it('keeps the quantizer in front of a Relu whose input a subgraph reads as well', () => {
    const g = conv(graph().input('x', 'float32'), 'x', 'c').node('Relu', { inputs: ['c'], outputs: ['r'] });
    const built = withFloatTensors(g.output('r').build());
    const captured = built.tensors.find(({ name }) => name === 'c')!.id;
    const value = { captures: [captured], encode: () => new Uint8Array() };
    const loop = {
      ...built.nodes[1]!,
      op: 'Loop',
      inputs: [],
      outputs: [],
      attrs: new Map([['body', { type: 'graph', value } as const]]),
    };
    const nodes = [...built.nodes, { ...loop, id: built.nodes.length as (typeof loop)['id'] }];
    expect(view({ ...built, nodes }).view).toHaveProperty('c');
  });

  it('says why a node that could be quantized is not', () => {
    const g = graph({ opset: 10 })
      .input('x', 'float32')
      .node('Flatten', { inputs: ['x'], outputs: ['f'], name: 'f' });
    conv(g, 'x', 'c')
      .node('MaxPool', { inputs: ['c'], outputs: ['p'], name: 'p' })
      .output('p')
      .output('f');
    const { built, plan } = planned(g);
    expect(floatReasons(built, plan)).toEqual({
      f: "its input 'x' is not quantized",
      p: 'ort quantizes MaxPool from opset 12, the model has 10',
    });
  });

  it('plans weights alone when activations are float, with nothing fused', () => {
    const { built, plan, view: found } = planned(chain(), overrideScheme(ORT, { activations: 'float' }));
    expect(found).toEqual({ 'c1.w': 'own', 'c2.w': 'own' });
    expect(plan.fusedAway).toEqual([]);
    expect(nodeNames(built, plan.quantizedNodes)).toEqual([]);
  });

  it('plans activations alone when weights are float', () => {
    const { view: found } = planned(chain(), overrideScheme(ORT, { weights: 'float' }));
    expect(found).toEqual({ x: 'own', r1: 'own', c2: 'own', flat: 'like c2' });
  });

  it('lets no operator share the parameters of a weight that has one scale per channel', () => {
    const g = conv(graph().input('x', 'float32'), 'x', 'c').output('c');
    g.node('Flatten', { inputs: ['c.w'], outputs: ['f'], name: 'f' }).output('f');
    expect(planned(g).view).toMatchObject({ f: 'like c.w' });
    expect(planned(g, overrideScheme(ORT, { granularity: 'per-axis' })).view).not.toHaveProperty('f');
  });

  it('leaves a bias in float whose factor is zero', () => {
    const g = graph().input('x', 'float32').constant('w', 'float32', [4, 8]).constant('b', 'float32', [8]);
    g.node('Gemm', { inputs: ['x', 'w', 'b'], outputs: ['y'], attrs: { beta: float(0) } }).output('y');
    expect(planned(g).view).toEqual({ x: 'own', w: 'own', y: 'own' });
  });

  it('leaves a bias in float that has no element per channel of a per-axis weight', () => {
    const g = graph().input('x', 'float32').constant('w', 'float32', [4, 8]).constant('b', 'float32', [1]);
    g.node('Gemm', { inputs: ['x', 'w', 'b'], outputs: ['y'] }).output('y');
    expect(planned(g, overrideScheme(ORT, { granularity: 'per-axis' })).view).not.toHaveProperty('b');
    expect(planned(g).view).toHaveProperty('b');
  });
});

describe('planQuantization with a selection', () => {
  it('places nothing for a skipped node, as nodes_to_exclude does', () => {
    const { built, plan, view: found } = planned(chain(), ORT, { skip: ['c2'] });
    // r1 stays: c1 and its Relu write it. The pattern also names the tensor c2.
    expect(found).toEqual({ x: 'own', 'c1.w': 'own', r1: 'own', 'c1.b': 'bias x*c1.w' });
    expect(floatReasons(built, plan)).toEqual({
      c2: 'left out by --only or --skip',
      flat: "its input 'c2' is not quantized",
    });
  });

  it('quantizes the edges of the nodes that --only names and no others', () => {
    const { view: found } = planned(chain(), ORT, { only: ['op:Conv'], skip: ['c1'] });
    expect(found).toEqual({ r1: 'own', 'c2.w': 'own', c2: 'own', 'c2.b': 'bias r1*c2.w' });
  });

  it('drops the quantizer of a skipped tensor and the bias that needs its scale', () => {
    const { built, plan, view: found } = planned(chain(), ORT, { skip: ['c1.w'] });
    expect(found).not.toHaveProperty(['c1.w']);
    expect(found).not.toHaveProperty(['c1.b']);
    expect(floatReasons(built, plan)).toEqual({ c1: "'c1.w' is not quantized" });
  });

  it('gives a tensor that shared the parameters of a skipped one the same range', () => {
    const g = graph()
      .input('x', 'float32')
      .node('Softmax', { inputs: ['x'], outputs: ['s'] });
    g.node('Flatten', { inputs: ['s'], outputs: ['f'] }).output('f');
    expect(planned(g, ORT, { skip: ['s'] }).view).toEqual({ x: 'own', f: '[0, 1]' });
    expect(planned(chain(), ORT, { only: ['flat'] }).view).toEqual({ flat: 'range of c2' });
  });

  it('quantizes a tensor that --only names as the whole plan does', () => {
    const g = chain();
    expect(planned(g, ORT, { only: ['r1', 'c1.w'] }).view).toEqual({ r1: 'own', 'c1.w': 'own' });
  });
});

interface DigitsReference {
  readonly models: {
    readonly digits: Readonly<
      Record<
        'perTensor' | 'perAxis',
        { readonly tensors: Readonly<Record<string, { dtype: string; axis?: number }>> }
      >
    >;
  };
}

describe('the ort placement on the digits network', () => {
  const folder = fileURLToPath(new URL('../../fixtures/digits/', import.meta.url));
  const { digits } = (
    JSON.parse(readFileSync(`${folder}digits_ort_reference.json`, 'utf8')) as DigitsReference
  ).models;

  it.each([
    ['perTensor', ORT],
    ['perAxis', overrideScheme(ORT, { granularity: 'per-axis' })],
  ] as const)(
    'quantizes the tensors that quantize_static does, with its types and axes: %s',
    async (key, scheme) => {
      const built = inferShapes((await loadModel(`${folder}digits.onnx`)).graph);
      const plan = planQuantization(built, scheme, NO_SELECTION);
      const found = plan.quantizers.map(({ tensor, scheme: { dtype }, axis }) => [
        // The reference calls the bias of a folded BatchNormalization after the convolution.
        tensorOf(built, tensor).name.replace(/\.weight_bias$/, '.bias'),
        axis === undefined ? { dtype } : { dtype, axis },
      ]);
      const expected = Object.entries(digits[key].tensors).map(([name, { dtype, axis }]) => [
        name,
        axis === undefined ? { dtype } : { dtype, axis },
      ]);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    },
  );
});
