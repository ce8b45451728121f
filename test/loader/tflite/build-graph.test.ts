/** A subgraph of the file as a graph of the IR: which tensor is which, where axes change places, what is not lowered. */
import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { fileShape } from '../../../src/ir/file-axes.js';
import { intsAttr, stringAttr, type Graph, type Node, type TensorId } from '../../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../../src/ir/lane.js';
import { operatorsOf } from '../../../src/ir/operators.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import type { TfliteSubgraph } from '../../../src/loader/tflite/model.js';
import { compiled } from '../../support/compiled.js';
import { HAS_SHARED, openNetwork, runLane } from '../../support/tflite-network.js';
import { CONV, DENSE, DEPTHWISE, HandmadeSubgraph, POOL } from '../../support/tflite-subgraph.js';

function built(subgraph: TfliteSubgraph): { graph: Graph; lane: Lane | undefined } {
  const { graph, lane } = buildGraph(subgraph);
  return { graph: { ...graph, metadata: new Map(), producer: '' }, lane };
}

/** Operators of ONNX in order; those that the file does not have are marked. */
function ops({ nodes }: Graph): string[] {
  return nodes.map(({ op, origin: { part } }) => (part === undefined ? op : `${op} (${part})`));
}

function nodesOf(graph: Graph, op: string): Node[] {
  return graph.nodes.filter((node) => node.op === op);
}

/** A 1x1 convolution that leaves its input as it is. */
function identityConv(net: HandmadeSubgraph, x: number, shape: readonly number[]): number {
  const channels = shape.at(-1)!;
  const weight = Array.from({ length: channels * channels }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0));
  const y = net.tensor(shape);
  net.op('CONV_2D', [x, net.constant([channels, 1, 1, channels], weight)], [y], CONV);
  return y;
}

describe('tensors', () => {
  const net = new HandmadeSubgraph();
  const x = net.input([1, 4, 6, 3], { name: 'x' });
  const w = net.constant([5, 3, 2, 3], 1, { name: 'w' });
  const b = net.constant([5], 1, { name: 'b' });
  const y = net.tensor([1, 4, 6, 5], { name: 'y' });
  net.op('CONV_2D', [x, w, b], [y], { ...CONV, fusedActivationFunction: 'RELU6' });
  const { graph } = built(net.build(y));

  it('of the file keep their index and name; what the file does not have comes behind and is inner', () => {
    expect(graph.tensors.slice(0, 4).map(({ id, name }) => [id, name])).toEqual([
      [0, 'x'],
      [1, 'w'],
      [2, 'b'],
      [3, 'y'],
    ]);
    expect(graph.tensors.length).toBeGreaterThan(4);
    expect([...graph.inner!]).toEqual(graph.tensors.slice(4).map(({ id }) => id));
    graph.tensors.forEach(({ id }, i) => expect(id).toBe(i));
  });

  it('that are computed channels-first say where the axes of the file are', () => {
    expect(graph.tensors[y]).toMatchObject({ shape: [1, 5, 4, 6], fileAxes: [0, 2, 3, 1] });
    expect(graph.tensors[w]).toMatchObject({ shape: [5, 3, 3, 2], fileAxes: [0, 2, 3, 1] });
    expect(graph.tensors[x]).not.toHaveProperty('fileAxes');
    for (const [index, shape] of [
      [x, [1, 4, 6, 3]],
      [w, [5, 3, 2, 3]],
      [b, [5]],
      [y, [1, 4, 6, 5]],
    ] as const)
      expect(fileShape(graph.tensors[index]!)).toEqual(shape);
  });

  it('are nodes in topological order, with ids that are positions', () => {
    const written = new Set<TensorId>(graph.inputs);
    graph.nodes.forEach(({ id, inputs, outputs }, i) => {
      expect(id).toBe(i);
      for (const input of inputs)
        expect(input === null || written.has(input) || graph.tensors[input]!.data !== undefined).toBe(true);
      for (const output of outputs) if (output !== null) written.add(output);
    });
  });

  it('without a name are called by their index, and inputs of one name by both', () => {
    const other = new HandmadeSubgraph();
    const [first, second] = [other.input([2], { name: 'x' }), other.input([2], { name: 'x' })];
    const sum = other.tensor([2], { name: '' });
    const twice = other.tensor([2], { name: 'x' });
    other.op('ADD', [first, second], [sum], { fusedActivationFunction: 'NONE' });
    other.op('ADD', [sum, sum], [twice], { fusedActivationFunction: 'NONE' });
    const { graph: named } = built(other.build(twice));
    // Data is fed by name; everything else is known by its index.
    expect(named.tensors.map(({ name }) => name)).toEqual(['x', 'x#1', 'tensor#2', 'x']);
  });

  it('have unique names among the inputs whatever these are', () => {
    const other = new HandmadeSubgraph();
    const inputs = ['x#2', 'x', 'x', 'x#2', ''].map((name) => other.input([2], { name }));
    const y2 = other.tensor([2]);
    other.op('ADD', inputs.slice(0, 2), [y2], { fusedActivationFunction: 'NONE' });
    const { graph: named } = built(other.build(y2));
    expect(new Set(named.inputs.map((id) => named.tensors[id]!.name)).size).toBe(5);
  });
});

describe('axes change places', () => {
  it('once at the input and once at the output of convolutions, pools, activations and sums', () => {
    const net = new HandmadeSubgraph();
    const shape = [1, 8, 8, 4];
    const x = net.input(shape);
    const first = identityConv(net, x, shape);
    const relu = net.tensor(shape);
    net.op('RELU', [first], [relu]);
    const second = net.tensor(shape);
    net.op('DEPTHWISE_CONV_2D', [relu, net.constant([1, 3, 3, 4], 1)], [second], DEPTHWISE);
    const sum = net.tensor(shape);
    net.op('ADD', [relu, second], [sum], { fusedActivationFunction: 'RELU' });
    const scaled = net.tensor(shape);
    net.op('MUL', [sum, net.constant([4], [1, 2, 3, 4])], [scaled], { fusedActivationFunction: 'NONE' });
    const pooled = net.tensor([1, 4, 4, 4]);
    net.op('MAX_POOL_2D', [scaled], [pooled], POOL);
    const swish = net.tensor([1, 4, 4, 4]);
    net.op('HARD_SWISH', [pooled], [swish]);
    const { graph } = built(net.build(swish));
    const layouts = graph.nodes.filter(({ origin }) => origin.part === 'layout');
    expect(layouts.map(({ op, inputs }) => [op, inputs[0]])).toEqual([
      ['Transpose', x],
      ['Transpose', swish],
    ]);
    expect(nodesOf(graph, 'Transpose')).toHaveLength(2);
  });

  it('not at all for one channel, which is a Reshape', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 8, 8, 1]);
    const y = net.tensor([1, 1, 1, 4]);
    net.op('CONV_2D', [x, net.constant([4, 8, 8, 1], 1)], [y], { ...CONV, padding: 'VALID' });
    const { graph } = built(net.build(y));
    expect(ops(graph)).toEqual(['Reshape (layout)', 'Conv', 'Reshape (layout)']);
  });

  it('only at the input of a network that ends in a classifier', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 8, 8, 4]);
    const conv = identityConv(net, x, [1, 8, 8, 4]);
    const mean = net.tensor([1, 4]);
    net.op('MEAN', [conv, net.integers([1, 2])], [mean], { keepDims: false });
    const logits = net.tensor([1, 3]);
    net.op('FULLY_CONNECTED', [mean, net.constant([3, 4], 1), net.constant([3], 1)], [logits], DENSE);
    const { graph } = built(net.build(logits));
    expect(ops(graph)).toEqual(['Transpose (layout)', 'Conv', 'ReduceMean', 'Gemm']);
    expect(nodesOf(graph, 'ReduceMean')[0]!.inputs[0]).toBe(conv);
  });

  it('not for a picture of one pixel that is flattened', () => {
    const net = new HandmadeSubgraph();
    const conv = identityConv(net, net.input([1, 8, 8, 4]), [1, 8, 8, 4]);
    const pooled = net.tensor([1, 1, 1, 4]);
    net.op('AVERAGE_POOL_2D', [conv], [pooled], { ...POOL, filterWidth: 8, filterHeight: 8 });
    const flat = net.tensor([1, 4]);
    net.op('RESHAPE', [pooled, net.integers([1, 4])], [flat], { newShape: [1, 4] });
    const { graph } = built(net.build(flat));
    expect(ops(graph)).toEqual(['Transpose (layout)', 'Conv', 'AveragePool', 'Reshape']);
  });

  it('for a picture of many pixels that is flattened, whose elements are in the order of the file', () => {
    const net = new HandmadeSubgraph();
    const conv = identityConv(net, net.input([1, 8, 8, 4]), [1, 8, 8, 4]);
    const flat = net.tensor([1, 256]);
    net.op('RESHAPE', [conv, net.integers([1, 256])], [flat], { newShape: [1, 256] });
    const { graph } = built(net.build(flat));
    expect(ops(graph)).toEqual(['Transpose (layout)', 'Conv', 'Transpose (layout)', 'Reshape']);
  });

  it('nowhere between convolutions that are concatenated along their channels', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 8, 8, 4]);
    const [a, b] = [identityConv(net, x, [1, 8, 8, 4]), identityConv(net, x, [1, 8, 8, 4])];
    const both = net.tensor([1, 8, 8, 8]);
    net.op('CONCATENATION', [a, b], [both], { axis: -1, fusedActivationFunction: 'NONE' });
    const last = net.tensor([1, 8, 8, 2]);
    net.op('CONV_2D', [both, net.constant([2, 1, 1, 8], 1)], [last], CONV);
    const { graph } = built(net.build(last));
    // The input is turned once for both.
    expect(ops(graph)).toEqual([
      'Transpose (layout)',
      'Conv',
      'Conv',
      'Concat',
      'Conv',
      'Transpose (layout)',
    ]);
    expect(nodesOf(graph, 'Concat')[0]!.attrs.get('axis')).toEqual({ type: 'int', value: 1n });
  });

  it('once for an input that is not a picture only where a convolution reads it too', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 8, 8, 4]);
    const square = net.tensor([1, 8, 8, 4]);
    net.op('MUL', [x, x], [square], { fusedActivationFunction: 'NONE' });
    const conv = identityConv(net, x, [1, 8, 8, 4]);
    const { graph } = built(net.build(square, conv));
    expect(ops(graph)).toEqual(['Mul', 'Transpose (layout)', 'Conv', 'Transpose (layout)']);
    expect(nodesOf(graph, 'Mul')[0]!.inputs).toEqual([x, x]);
  });

  it('so that outputs of four dimensions come back in the order of the file', async () => {
    const net = new HandmadeSubgraph();
    const shape = [1, 2, 3, 4];
    const x = net.input(shape, { name: 'x' });
    const { graph } = built(net.build(identityConv(net, x, shape)));
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    const samples = {
      count: 1,
      async *samples() {
        yield await Promise.resolve({
          id: 'x',
          index: 0,
          feeds: new Map([['x', { dtype: 'float32' as const, dims: shape, data }]]),
        });
      },
    };
    let seen: number[] = [];
    await runLane(graph, FLOAT_LANE, graph.outputs, samples, ([output]) => {
      seen = Array.from(output as Float32Array);
    });
    expect(seen).toEqual(Array.from(data));
    expect(graph.tensors[graph.outputs[0]!]!.shape).toEqual(shape);
  });

  describe.skipIf(!HAS_SHARED)('in resnet8 of ../shared', () => {
    it.each(['resnet8_float', 'resnet8_int8'])('once, at its input: %s', async (name) => {
      const { graph, lane } = await openNetwork(`../shared/models/mlperf-ic/${name}.tflite`);
      expect(nodesOf(graph, 'Transpose').map(({ inputs }) => inputs[0])).toEqual([graph.inputs[0]]);
      const { model } = inferenceProgram(graph, lane, graph.outputs);
      expect(compiled(model).count('Transpose')).toBe(1);
    });
  });
});

describe('a fused activation', () => {
  function fused(activation: string): Graph {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4]);
    const y = net.tensor([1, 3], { name: 'y' });
    const options = { ...DENSE, fusedActivationFunction: activation };
    net.op('FULLY_CONNECTED', [x, net.constant([3, 4], 1), -1], [y], options);
    return built(net.build(y)).graph;
  }

  it.each([
    ['RELU', 'Relu'],
    ['RELU6', 'Clip'],
    ['RELU_N1_TO_1', 'Clip'],
    ['TANH', 'Tanh'],
  ])('%s is a step of its operator', (activation, op) => {
    const graph = fused(activation);
    expect(ops(graph)).toEqual(['Gemm', `${op} (step)`]);
    const [main, step] = graph.nodes;
    expect(main!.origin).toEqual({ name: '', op: 'FULLY_CONNECTED', index: 0 });
    expect(step!.origin).toEqual({ ...main!.origin, part: 'step' });
    // Between the two is nothing that the file has.
    expect(graph.inner!.has(main!.outputs[0]!)).toBe(true);
    expect(step!.outputs).toEqual(graph.outputs);
    expect(operatorsOf(graph)).toHaveLength(1);
  });

  it('NONE is no node', () => {
    expect(ops(fused('NONE'))).toEqual(['Gemm']);
  });

  it('that is none of those makes its operator opaque, and leaves nothing of it behind', () => {
    const graph = fused('SIGN_BIT');
    expect(graph.nodes).toHaveLength(1);
    expect(graph.nodes[0]).toMatchObject({
      op: 'FULLY_CONNECTED',
      domain: 'opaque',
      inputs: [0, 2, null],
      outputs: [1],
    });
    expect(stringAttr(graph.nodes[0]!, 'reason')).toBe('its fused activation function is SIGN_BIT');
    expect(graph.inner!.size).toBe(0);
    expect(graph.tensors).toHaveLength(3);
  });
});

describe('an operator that is not lowered', () => {
  /** x -> convolution -> `op` -> relu -> y */
  function around(write: (net: HandmadeSubgraph, input: number, output: number) => void): Graph {
    const net = new HandmadeSubgraph();
    const conv = identityConv(net, net.input([1, 8, 8, 4]), [1, 8, 8, 4]);
    const middle = net.tensor([1, 8, 8, 4], { name: 'middle' });
    write(net, conv, middle);
    const y = net.tensor([1, 8, 8, 4]);
    net.op('RELU', [middle], [y]);
    return built(net.build(y)).graph;
  }

  function opaque(graph: Graph): (string | undefined)[] {
    return graph.nodes.filter(({ domain }) => domain !== '').map((node) => stringAttr(node, 'reason'));
  }

  it('is opaque, with the reason; what is before it is intact', () => {
    const graph = around((net, input, output) => net.op('MyOp', [input], [output], {}, true));
    expect(ops(graph)).toEqual(['Transpose (layout)', 'Conv', 'MyOp', 'Relu']);
    expect(opaque(graph)).toEqual(['MyOp is a custom operator: what it computes is not in the file']);
    expect(graph.nodes[2]).toMatchObject({ domain: 'opaque', origin: { name: '', op: 'MyOp', index: 1 } });
    // In the order of the file, since nobody knows better.
    expect(fileShape(graph.tensors[graph.nodes[2]!.outputs[0]!]!)).toEqual([1, 8, 8, 4]);
    expect(graph.tensors[graph.nodes[2]!.outputs[0]!]).not.toHaveProperty('fileAxes');
  });

  it('is opaque when its rule cannot handle this use of it, and nothing of the attempt is left', () => {
    // It has written its output channels-first by the time it meets the activation.
    const options = { axis: 0, fusedActivationFunction: 'SIGN_BIT' };
    const graph = around((net, input, output) => net.op('CONCATENATION', [input], [output], options));
    expect(ops(graph)).toEqual(['Transpose (layout)', 'Conv', 'CONCATENATION', 'Relu']);
    expect(opaque(graph)).toEqual(['its fused activation function is SIGN_BIT']);
    expect(graph.tensors[3]).toMatchObject({ name: 'middle', shape: [1, 8, 8, 4] });
    expect(graph.tensors[3]).not.toHaveProperty('fileAxes');
  });

  it('does not take with it a copy of a tensor that later operators need', () => {
    const net = new HandmadeSubgraph();
    const shape = [1, 8, 8, 4];
    const x = net.input(shape);
    const broken = net.tensor([1, 8, 8, 4]);
    // Turned for a pool whose window then turns out to have no stride.
    net.op('MAX_POOL_2D', [x], [broken], { ...POOL, strideW: 0 });
    const conv = identityConv(net, x, shape);
    const { graph } = built(net.build(broken, conv));
    expect(ops(graph)).toEqual(['MAX_POOL_2D', 'Transpose (layout)', 'Conv', 'Transpose (layout)']);
    for (const { inputs, outputs } of graph.nodes)
      for (const id of [...inputs, ...outputs]) if (id !== null) expect(graph.tensors[id]).toBeDefined();
  });

  it('is one that reads what is kept from one run to the next', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4]);
    const state = net.tensor([1, 4], { name: 'state', isVariable: true });
    const y = net.tensor([1, 4]);
    net.op('ADD', [x, state], [y], { fusedActivationFunction: 'NONE' });
    const { graph } = built(net.build(y));
    expect(opaque(graph)).toEqual(["'state' keeps its value from one run to the next"]);
  });

  it('may leave out inputs', () => {
    const graph = around((net, input, output) => net.op('MyOp', [-1, input, -1], [output], {}, true));
    expect(graph.nodes[2]!.inputs).toEqual([null, graph.nodes[1]!.outputs[0], null]);
  });
});

describe('constants', () => {
  it('are stored in the order in which they are read, codes and scales with them', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4, 4, 2], { type: 'INT8', scale: 0.5 });
    const codes = Array.from({ length: 2 * 3 * 3 * 2 }, (_, i) => i - 18);
    const w = net.constant([2, 3, 3, 2], codes, { type: 'INT8', scale: [0.5, 0.25], axis: 0 });
    const dw = net.constant([1, 3, 3, 2], codes.slice(0, 18), { type: 'INT8', scale: [1, 2], axis: 3 });
    const [mid, y] = [
      net.tensor([1, 4, 4, 2], { type: 'INT8', scale: 1 }),
      net.tensor([1, 4, 4, 2], { type: 'INT8', scale: 1 }),
    ];
    net.op('CONV_2D', [x, w], [mid], CONV);
    net.op('DEPTHWISE_CONV_2D', [mid, dw], [y], DEPTHWISE);
    const { graph, lane } = built(net.build(y));
    expect(graph.tensors[w]!.data!.dims).toEqual([2, 2, 3, 3]);
    expect(lane!.tensors.get(w as TensorId)!.granularity).toEqual({ kind: 'per-axis', axis: 0 });
    expect(graph.tensors[dw]!.data!.dims).toEqual([2, 1, 3, 3]);
    expect(lane!.tensors.get(dw as TensorId)!.granularity).toEqual({ kind: 'per-axis', axis: 0 });
    const stored = lane!.codes!.get(dw as TensorId)!;
    expect(stored).toMatchObject({ dtype: 'int8', dims: [2, 1, 3, 3] });
    const even = codes.slice(0, 18).filter((_, i) => i % 2 === 0);
    const odd = codes.slice(0, 18).filter((_, i) => i % 2 === 1);
    expect(Array.from(new Int8Array(stored.bytes()))).toEqual([...even, ...odd]);
    const values = new Float32Array(new Uint8Array(graph.tensors[dw]!.data!.bytes()).buffer);
    expect(Array.from(values)).toEqual([...even, ...odd.map((code) => 2 * code)]);
    expect(lane).toMatchObject({ name: 'file', arithmetic: 'tflite', faults: [] });
  });

  it('that are wanted in two orders are there twice, in each', () => {
    const net = new HandmadeSubgraph();
    const shape = [1, 2, 2, 3];
    const x = net.input(shape);
    const c = net.constant(shape, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], { name: 'c' });
    const first = net.tensor(shape);
    net.op('ADD', [x, c], [first], { fusedActivationFunction: 'NONE' });
    const second = net.tensor(shape);
    net.op('ADD', [identityConv(net, x, shape), c], [second], { fusedActivationFunction: 'NONE' });
    const { graph } = built(net.build(first, second));
    const [a, b] = nodesOf(graph, 'Add').map(({ inputs }) => graph.tensors[inputs[1]!]!);
    expect([a!.name, a!.shape, b!.name, b!.shape]).toEqual(['c', shape, 'c', [1, 3, 2, 2]]);
    const values = ({ data }: typeof a & object): number[] =>
      Array.from(new Float32Array(new Uint8Array(data!.bytes()).buffer));
    expect(values(a!)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(values(b!)).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  });

  it('in half precision or behind DEQUANTIZE are what the operator reads', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 3]);
    const codes = net.constant([2, 3], [1, 2, 3, 4, 5, 6], { type: 'INT8', scale: [0.5, 2], axis: 0 });
    const w = net.tensor([2, 3], { name: 'w' });
    net.op('DEQUANTIZE', [codes], [w]);
    const y = net.tensor([1, 2]);
    net.op('FULLY_CONNECTED', [x, w, -1], [y], DENSE);
    const { graph, lane } = built(net.build(y));
    expect(ops(graph)).toEqual(['Gemm']);
    expect(graph.nodes[0]!.inputs[1]).toBe(w);
    const values = new Float32Array(new Uint8Array(graph.tensors[w]!.data!.bytes()).buffer);
    expect(Array.from(values)).toEqual([0.5, 1, 1.5, 8, 10, 12]);
    expect(lane!.tensors.get(w as TensorId)).toMatchObject({ dtype: 'int8', source: 'file' });
    // Weights alone are no integer arithmetic.
    expect(lane).not.toHaveProperty('arithmetic');
  });

  it('behind DEQUANTIZE have the extents of the codes, whatever the file says of the output', () => {
    const net = new HandmadeSubgraph();
    const shape = [1, 2, 2, 4];
    const codes = net.constant([4], [1, 2, 3, 4], { type: 'INT8', scale: 0.5 });
    const factor = net.tensor([2, 3], { name: 'factor' });
    net.op('DEQUANTIZE', [codes], [factor]);
    const y = net.tensor(shape);
    const picture = identityConv(net, net.input(shape), shape);
    net.op('MUL', [picture, factor], [y], { fusedActivationFunction: 'NONE' });
    const { graph } = built(net.build(y));
    const [, operand] = nodesOf(graph, 'Mul')[0]!.inputs;
    expect(graph.tensors[operand!]!.shape).toEqual([1, 4, 1, 1]);
    const values = new Float32Array(new Uint8Array(graph.tensors[operand!]!.data!.bytes()).buffer);
    expect(Array.from(values)).toEqual([0.5, 1, 1.5, 2]);
  });

  it('are none of the float network when nothing is quantized', () => {
    const net = new HandmadeSubgraph();
    const y = net.tensor([1, 2]);
    net.op('FULLY_CONNECTED', [net.input([1, 3]), net.constant([2, 3], 1), -1], [y], DENSE);
    expect(built(net.build(y)).lane).toBeUndefined();
  });
});

describe('an activation in another order of axes', () => {
  it('has the parameters of the activation, its axis moved', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4, 4, 2], { type: 'INT8', scale: [0.5, 0.25], axis: 3 });
    const y = net.tensor([1, 4, 4, 2], { type: 'INT8', scale: 1 });
    net.op('CONV_2D', [x, net.constant([2, 1, 1, 2], 1, { type: 'INT8', scale: 1 })], [y], CONV);
    const { graph, lane } = built(net.build(y));
    const [turn] = graph.nodes;
    expect(intsAttr(turn!, 'perm')).toEqual([0, 3, 1, 2]);
    expect(lane!.tensors.get(turn!.outputs[0]!)!.granularity).toEqual({ kind: 'per-axis', axis: 1 });
    expect(lane!.tensors.get(x as TensorId)!.granularity).toEqual({ kind: 'per-axis', axis: 3 });
  });
});
