/** Islands of ONNX networks with quantizers on their edges, and of TFLite subgraphs. */
import { describe, expect, it } from 'vitest';
import { tensorOf, type Graph } from '../../../src/ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../../../src/ir/lane.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import { islandsOf, labelsOf } from '../../../src/quant/placement/lane-islands.js';
import { planOfLane } from '../../../src/quant/placement/lane-plan.js';
import { graph, producerOf, tensorNamed, type GraphBuilder } from '../../support/graph-builder.js';
import { nodeNames, withFloatTensors } from '../../support/plan-view.js';
import { HandmadeSubgraph } from '../../support/tflite-subgraph.js';

const INT8: QuantParams = {
  dtype: 'int8',
  qmin: -128,
  qmax: 127,
  granularity: { kind: 'per-tensor' },
  scale: Float32Array.of(0.5),
  zeroPoint: Int32Array.of(0),
  source: 'file',
};

function laneOf(g: Graph, names: readonly string[], rest: Partial<Lane> = {}): Lane {
  const tensors = new Map(names.map((name) => [tensorNamed(g, name).id, INT8]));
  return { name: 'file', tensors, uses: new Map(), ...rest };
}

function view(g: Graph, lane: Lane) {
  const name = (id: Parameters<typeof tensorOf>[1]): string => tensorOf(g, id).name;
  return islandsOf(g, lane).map(({ nodes, entries, exits, cause }) => ({
    nodes: labelsOf(g, nodes),
    from: entries.map(name),
    to: exits.map(name),
    cause,
  }));
}

/** Conv a, Conv b, Conv c in a row, named after what they write. */
function row(between?: (b: GraphBuilder) => GraphBuilder): Graph {
  const start = graph()
    .input('x', 'float32', [1, 2, 4, 4])
    .constant('w', 'float32', [2, 2, 1, 1])
    .node('Conv', { inputs: ['x', 'w'], outputs: ['a'], name: 'a' });
  const middle =
    between === undefined
      ? start.node('Conv', { inputs: ['a', 'w'], outputs: ['b'], name: 'b' })
      : between(start);
  return withFloatTensors(
    middle
      .node('Conv', { inputs: ['b', 'w'], outputs: ['c'], name: 'c' })
      .output('c')
      .build(),
  );
}

describe('an ONNX network with quantizers on all edges', () => {
  it('has no islands', () => {
    const g = row();
    const lane = laneOf(g, ['x', 'w', 'a', 'b', 'c']);
    expect(view(g, lane)).toEqual([]);
    expect(nodeNames(g, planOfLane(g, lane).quantizedNodes)).toEqual(['a', 'b', 'c']);
  });

  it('needs none between an operator and the Relu that becomes part of it', () => {
    const g = row((b) =>
      b
        .node('Conv', { inputs: ['a', 'w'], outputs: ['inner'], name: 'inner' })
        .node('Relu', { inputs: ['inner'], outputs: ['b'], name: 'relu' }),
    );
    expect(view(g, laneOf(g, ['x', 'w', 'a', 'b', 'c']))).toEqual([]);
  });

  it('has one where the runtime has no integer form of what stands between quantizers', () => {
    const g = row((b) => b.node('Softplus', { inputs: ['a'], outputs: ['b'], name: 'softplus' }));
    expect(view(g, laneOf(g, ['x', 'w', 'a', 'b', 'c']))).toEqual([
      { nodes: ['softplus'], from: ['a'], to: ['b'], cause: 'no-integer-form' },
    ]);
  });
});

describe('an island of an ONNX network', () => {
  it('holds what passes floats on, with where integers end and begin', () => {
    const g = row((b) =>
      b
        .node('Erf', { inputs: ['a'], outputs: ['e'], name: 'erf' })
        .node('Relu', { inputs: ['e'], outputs: ['b'], name: 'relu' }),
    );
    expect(view(g, laneOf(g, ['x', 'w', 'a', 'b', 'c']))).toEqual([
      { nodes: ['erf', 'relu'], from: ['a'], to: ['b'], cause: 'no-integer-form' },
    ]);
  });

  it('of a node that was left out has a float weight', () => {
    const g = row((b) =>
      b
        .constant('v', 'float32', [2, 2, 1, 1])
        .node('Conv', { inputs: ['a', 'v'], outputs: ['b'], name: 'b' }),
    );
    expect(view(g, laneOf(g, ['x', 'w', 'a', 'b', 'c']))).toMatchObject([
      { nodes: ['b'], cause: 'constant' },
    ]);
  });

  it('is at the start or the end, or excluded between integers', () => {
    const plain = (name: string) => (b: GraphBuilder) =>
      b
        .node('Add', { inputs: ['a', 'a'], outputs: ['t'], name: 'first' })
        .node('Sigmoid', { inputs: ['t'], outputs: ['b'], name });
    const g = row(plain('second'));
    expect(view(g, laneOf(g, ['x', 'w', 'a', 'b', 'c']))).toMatchObject([
      { nodes: ['first', 'second'], from: ['a'], to: ['b'], cause: 'excluded' },
    ]);
  });

  it('begins with a product whose output nobody quantizes', () => {
    const g = row();
    expect(view(g, laneOf(g, ['x', 'w', 'a', 'b']))).toMatchObject([{ nodes: ['c'], cause: 'output' }]);
  });

  it('tells what could not be understood', () => {
    const g = row();
    const { id } = producerOf(g, 'b');
    const lane = laneOf(g, ['x', 'w', 'a', 'c'], {
      unfolded: [{ node: id, reason: 'its scale is computed' }],
    });
    expect(islandsOf(g, lane)[0]).toMatchObject({
      cause: 'unfolded',
      reason: 'its scale is computed',
    });
  });
});

describe('a network with integers in its weights alone', () => {
  it('is grouped by cause: dynamic activations, weights made float', () => {
    const g = row();
    const dynamic = new Map([
      [useKey(producerOf(g, 'b').id, 0), { kind: 'dynamic-quantize-linear' } as const],
    ]);
    expect(view(g, laneOf(g, ['w'], { dynamic })).map(({ nodes, cause }) => [nodes, cause])).toEqual([
      [['a', 'c'], 'weights-only'],
      [['b'], 'dynamic'],
    ]);
  });
});

describe('an island of a TFLite network', () => {
  it('names the operator without an integer kernel, through a change of axes', () => {
    const net = new HandmadeSubgraph();
    const codes = { type: 'INT8', scale: 0.5, zeroPoint: 0 } as const;
    const x = net.input([1, 4], { ...codes, name: 'x' });
    const a = net.tensor([1, 4], { ...codes, name: 'a' });
    net.op('TANH', [x], [a]);
    const float = net.tensor([1, 4], { name: 'float' });
    net.op('DEQUANTIZE', [a], [float]);
    const cosine = net.tensor([1, 4], { name: 'cosine' });
    net.op('COS', [float], [cosine]);
    const { graph: made, lane } = buildGraph(net.build(cosine));
    const g: Graph = { ...made, metadata: new Map(), producer: '' };
    expect(view(g, lane!)).toEqual([
      { nodes: ['COS#2'], from: ['float'], to: ['cosine'], cause: 'no-integer-form' },
    ]);
    expect(islandsOf(g, lane!)[0]!.reason).toBe('TensorFlow Lite has no integer form of COS');
  });
});
