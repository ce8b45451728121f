import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { UnsupportedError } from '../../../src/errors.js';
import {
  tensorOf,
  type Graph,
  type Node,
  type NodeId,
  type OpaqueGraph,
  type TensorId,
} from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { useKey, type Lane, type QuantParams, type UseKey } from '../../../src/ir/lane.js';
import { operatorsOf } from '../../../src/ir/operators.js';
import { upgradeOpset } from '../../../src/ir/upgrade/index.js';
import { refusal } from '../../loader/model-files.js';
import { float, graph, producerOf, tensorNamed } from '../../support/graph-builder.js';

function params(scale: number, zeroPoint = 0): QuantParams {
  return {
    dtype: 'int8',
    qmin: -128,
    qmax: 127,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(zeroPoint),
    source: 'file',
  };
}

/** Operators of opset 11 that change, between those that do not; two inputs of one node are the same tensor. */
function oldGraph(): Graph {
  return inferShapes(
    graph({ opset: 11 })
      .input('x', 'float32', [2, 3, 4])
      .node('Relu', { inputs: ['x'], outputs: ['positive'], name: 'first' })
      .node('Softmax', { inputs: ['positive'], outputs: ['parts'], name: 'softmax' })
      .node('Clip', { inputs: ['parts'], outputs: ['kept'] })
      .node('ReduceMean', { inputs: ['kept'], outputs: ['mean'], attrs: { axes: [-1] }, name: 'mean' })
      .node('Mul', { inputs: ['mean', 'mean'], outputs: ['y'], name: 'square' })
      .output('y')
      .build(),
  );
}

function node(of: Graph, op: string): Node {
  const found = of.nodes.find((candidate) => candidate.op === op);
  if (found === undefined) throw new Error(`no ${op}`);
  return found;
}

function expectConsistent(upgraded: Graph): void {
  const written = new Set<TensorId>(upgraded.inputs);
  for (const { id, data } of upgraded.tensors) if (data !== undefined) written.add(id);
  upgraded.nodes.forEach((candidate, i) => {
    expect(candidate.id).toBe(i);
    for (const input of candidate.inputs) if (input !== null) expect(written).toContain(input);
    for (const output of candidate.outputs) if (output !== null) written.add(output);
  });
  upgraded.tensors.forEach(({ id }, i) => {
    expect(id).toBe(i);
  });
  for (const output of upgraded.outputs) expect(written).toContain(output);
}

describe('upgrading the operator set of a graph', () => {
  it('gives the very same objects back when the version is the one it has', () => {
    const before = oldGraph();
    const lane: Lane = { name: 'lane', tensors: new Map(), uses: new Map() };
    expect(upgradeOpset(before, 11)).toEqual({ graph: before });
    const after = upgradeOpset(before, 11, lane);
    expect(after.graph).toBe(before);
    expect(after.lane).toBe(lane);
  });

  it('changes nothing but the version where no operator changed', () => {
    const before = graph({ opset: 13, opsets: { 'com.microsoft': 1 } })
      .input('x', 'float32', [2])
      .node('Relu', { inputs: ['x'], outputs: ['y'] })
      .output('y')
      .build();
    const lane: Lane = { name: 'lane', tensors: new Map(), uses: new Map() };
    const after = upgradeOpset(before, 20, lane);
    expect([...after.graph.opsets]).toEqual([
      ['', 20],
      ['com.microsoft', 1],
    ]);
    expect(after.graph).toEqual({ ...before, opsets: after.graph.opsets });
    expect(after.graph.nodes).toBe(before.nodes);
    expect(after.graph.tensors).toBe(before.tensors);
    expect(after.lane).toBe(lane);
  });

  it('gives a graph without operators of ai.onnx any version', () => {
    const before = { ...oldGraph(), opsets: new Map([['custom', 1]]), nodes: [] };
    expect([...upgradeOpset(before, 1).graph.opsets]).toEqual([
      ['custom', 1],
      ['', 1],
    ]);
  });

  it('stops at changes of later versions', () => {
    expect(node(upgradeOpset(oldGraph(), 17).graph, 'ReduceMean').attrs.has('axes')).toBe(true);
    expect(node(upgradeOpset(oldGraph(), 18).graph, 'ReduceMean').attrs.has('axes')).toBe(false);
  });

  it('keeps tensors, and puts those between the nodes of an operator behind them, marked as inner', () => {
    const before = { ...oldGraph(), inner: new Set([0 as TensorId]), metadata: new Map([['key', 'value']]) };
    const { graph: after } = upgradeOpset(before, 20);
    expect(after.tensors.slice(0, before.tensors.length)).toEqual(before.tensors);
    const added = after.tensors.slice(before.tensors.length);
    expect(added.length).toBeGreaterThan(0);
    expect([...after.inner!]).toEqual([0, ...added.map(({ id }) => id)]);
    expect(added.every(({ dtype, shape }) => dtype !== undefined && shape !== undefined)).toBe(true);
    expect(after.metadata).toBe(before.metadata);
    expect(after.inputs).toBe(before.inputs);
    expect(after.outputs).toBe(before.outputs);
    expectConsistent(after);
    expectConsistent(inferShapes(after));
  });

  it('leaves one node to stand for each operator, with the others as its steps', () => {
    const before = oldGraph();
    const { graph: after } = upgradeOpset(before, 20);
    const operators = operatorsOf(after);
    expect(operators.map(({ main }) => main.origin)).toEqual(before.nodes.map(({ origin }) => origin));
    expect(operators.map(({ nodes }) => nodes.map(({ op }) => op))).toEqual([
      ['Relu'],
      ['Flatten', 'Softmax', 'Reshape'],
      ['Clip'],
      ['ReduceMean'],
      ['Mul'],
    ]);
    expect(operators[1]!.main.op).toBe('Softmax');
  });

  it('says of steps of a node that was a step that they are steps, and names what the node absorbed once', () => {
    const before = oldGraph();
    const origin = { name: 'fused', op: 'CONV', index: 3, absorbed: ['bn'], part: 'step' } as const;
    const nodes = before.nodes.map((candidate) =>
      candidate.op === 'Softmax' ? { ...candidate, origin } : candidate,
    );
    const { graph: after } = upgradeOpset({ ...before, nodes }, 20);
    const { absorbed, ...rest } = origin;
    expect(absorbed).toEqual(['bn']);
    expect(node(after, 'Softmax').origin).toEqual(origin);
    expect(node(after, 'Flatten').origin).toEqual(rest);
  });

  it('refuses to bring a graph back to an older version', () => {
    expect(() => upgradeOpset(oldGraph(), 10)).toThrow(RangeError);
  });

  it('refuses versions that it does not know', () => {
    expect(() => upgradeOpset(oldGraph(), 27)).toThrow(
      /opset 11 cannot be brought to 27; 7 to 26 are supported/,
    );
    expect(() => upgradeOpset({ ...oldGraph(), opsets: new Map([['', 6]]) }, 20)).toThrow(UnsupportedError);
  });

  it('names every node that cannot be brought over, with the reason', async () => {
    const body: OpaqueGraph = { captures: [], encode: () => new Uint8Array() };
    const before = graph({ opset: 11, opsets: { custom: 1 } })
      .input('x', 'float32', [1, 1, 4, 4])
      .input('mystery', undefined, undefined)
      .node('If', {
        inputs: ['x'],
        outputs: ['a'],
        name: 'branch',
        attrs: { then: { type: 'graph', value: body } },
      })
      .node('Beam', {
        domain: 'custom',
        inputs: ['x'],
        outputs: ['b'],
        attrs: { body: { type: 'graph', value: body } },
      })
      .node('Own', { domain: 'custom', inputs: ['x'], outputs: ['c'] })
      .node('Imagined', { inputs: ['x'], outputs: ['d'], name: 'odd' })
      .node('Unsqueeze', { inputs: ['x'], outputs: ['e'], attrs: { axes: [0] } })
      .node('Resize', {
        inputs: ['x', '', '', 'x'],
        outputs: ['f'],
        name: 'tf',
        attrs: { mode: 'linear', coordinate_transformation_mode: 'tf_half_pixel_for_nn' },
      })
      .build();
    const error = await refusal(Promise.resolve().then(() => upgradeOpset(before, 20)));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toBe('4 nodes of ai.onnx opset 11 cannot be brought to opset 20');
    expect(error.places).toEqual([
      'branch (If): it has a graph inside, which is not looked into',
      'Beam#1 (Beam): it has a graph inside, which is not looked into',
      'odd (Imagined): opset 20 has no such operator',
      'tf (Resize): opset 13 has no tf_half_pixel_for_nn, nor what it does with mode linear',
    ]);
    expect(error.hint).toContain('opset_version=20');
  });

  it.each([
    ['Slice', 9, { starts: [0] }, 'its attribute ends is missing'],
    ['TopK', 9, {}, 'its attribute k is missing'],
    ['Pad', 10, {}, 'its attribute pads is missing'],
    ['Upsample', 7, {}, 'its attribute scales is missing'],
    ['Clip', 10, { min: float(0) }, 'the type of its elements is not known'],
    ['GroupNormalization', 20, {}, 'its attribute num_groups is missing'],
    ['Upsample', 10, {}, 'opset 21 has no such operator'],
    ['Scatter', 11, {}, 'opset 21 has no such operator'],
  ] as const)('refuses a %s of opset %i with attributes %o', async (op, opset, attrs, reason) => {
    const before = graph({ opset })
      .input('x')
      .node(op, { inputs: ['x'], outputs: ['y'], attrs })
      .build();
    const error = await refusal(Promise.resolve().then(() => upgradeOpset(before, 21)));
    expect(error.places).toEqual([`${op}#0 (${op}): ${reason}`]);
  });

  it('refuses a node without the input that the change is about', async () => {
    const before = graph({ opset: 12 })
      .node('Softmax', { outputs: ['y'] })
      .build();
    const error = await refusal(Promise.resolve().then(() => upgradeOpset(before, 13)));
    expect(error.places).toEqual(['Softmax#0 (Softmax): its input 0 is missing']);
  });

  it('writes the first fifty of many problems and counts the others', async () => {
    const builder = graph({ opset: 9 }).input('x');
    for (let i = 0; i < 60; i++) builder.node('Imagined', { inputs: ['x'], outputs: [`y${i}`] });
    const error = await refusal(Promise.resolve().then(() => upgradeOpset(builder.build(), 20)));
    expect(error.places).toHaveLength(51);
    expect(error.places!.at(-1)).toBe('and 10 more');
  });

  it('casts a mask of Dropout that something reads to the type that it had', () => {
    const before = graph({ opset: 7 })
      .input('x', 'float32', [2])
      .node('Dropout', { inputs: ['x'], outputs: ['kept', 'mask'], attrs: { ratio: 0.5 } })
      .node('Add', { inputs: ['kept', 'mask'], outputs: ['y'] })
      .output('y')
      .build();
    const { graph: after } = upgradeOpset(before, 20);
    expect(after.nodes.map(({ op }) => op)).toEqual(['Dropout', 'Cast', 'Add']);
    expect(producerOf(after, 'mask').op).toBe('Cast');
    expect(node(after, 'Dropout').attrs.size).toBe(0);
    expectConsistent(after);
  });

  it('says that a BatchNormalization trains by the attribute, where its outputs said so', async () => {
    const training = (read: string) =>
      graph({ opset: 9 })
        .input('x', 'float32', [2, 3])
        .node('BatchNormalization', {
          inputs: ['x', 's', 'b', 'm', 'v'],
          outputs: ['y', 'mean', 'var', 'saved_mean', 'saved_var'],
        })
        .node('Identity', { inputs: [read], outputs: ['z'] })
        .output('z')
        .build();
    const { graph: after } = upgradeOpset(training('mean'), 14);
    const trained = node(after, 'BatchNormalization');
    expect(trained.outputs.map((id) => tensorOf(after, id!).name)).toEqual(['y', 'mean', 'var']);
    expect(trained.attrs.get('training_mode')).toEqual({ type: 'int', value: 1n });
    const error = await refusal(Promise.resolve().then(() => upgradeOpset(training('saved_var'), 14)));
    expect(error.places).toEqual([
      'BatchNormalization#0 (BatchNormalization): opset 14 has no output 4 of it',
    ]);
  });

  it('takes time in proportion to the nodes', () => {
    const builder = graph({ opset: 9 }).input('t0', 'float32', [1, 2, 3]);
    for (let i = 0; i < 50_000; i++) {
      const op = i % 2 === 0 ? 'Softmax' : 'Relu';
      builder.node(op, { inputs: [`t${i}`], outputs: [`t${i + 1}`] });
    }
    const before = inferShapes(builder.build());
    const started = performance.now();
    const { graph: after } = upgradeOpset(before, 23);
    // A second at most on an idle machine; minutes if every node looked at all others.
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(after.nodes).toHaveLength(100_000);
  });
});

describe('upgrading a lane with its graph', () => {
  it('moves every key to the node and slot that now read the tensor', () => {
    const before = oldGraph();
    const keyed = (op: string, slot: number): UseKey => useKey(node(before, op).id, slot);
    const [first, second, third, fourth] = [params(0.1), params(0.2), params(0.3), params(0.4)];
    const dynamic = { kind: 'dynamic-quantize-linear' } as const;
    const tensors = new Map([[tensorNamed(before, 'x').id, params(1)]]);
    const lane: Lane = {
      name: 'candidate',
      tensors,
      uses: new Map([
        [keyed('Softmax', 0), first],
        [keyed('ReduceMean', 0), second],
        [keyed('Mul', 0), third],
        [keyed('Mul', 1), fourth],
      ]),
      dynamic: new Map([[keyed('Clip', 0), dynamic]]),
      hybrid: new Map([
        [node(before, 'Softmax').id, 'symmetric'],
        [node(before, 'Mul').id, 'packed'],
      ]),
      unfolded: [{ node: node(before, 'ReduceMean').id, reason: 'because' }],
      codes: new Map(),
    };
    const { graph: after, lane: moved } = upgradeOpset(before, 20, lane);
    const now = (op: string): NodeId => node(after, op).id;
    expect([...moved!.uses]).toEqual([
      [useKey(now('Flatten'), 0), first],
      [useKey(now('ReduceMean'), 0), second],
      [useKey(now('Mul'), 0), third],
      [useKey(now('Mul'), 1), fourth],
    ]);
    expect([...moved!.dynamic!]).toEqual([[useKey(now('Clip'), 0), dynamic]]);
    expect([...moved!.hybrid!]).toEqual([
      [now('Softmax'), 'symmetric'],
      [now('Mul'), 'packed'],
    ]);
    expect(moved!.unfolded).toEqual([{ node: now('ReduceMean'), reason: 'because' }]);
    expect(moved!.tensors).toBe(tensors);
    expect(moved!.codes).toBe(lane.codes);
    expect(moved!.name).toBe('candidate');
  });

  it('tells apart two inputs of a node that are one tensor', () => {
    const before = graph({ opset: 7 })
      .input('x', 'float32', [2, 3])
      .constant('ones', 'float32', [3], [1, 1, 1])
      .constant('zeros', 'float32', [3])
      .node('Relu', { inputs: ['x'], outputs: ['r'] })
      .node('BatchNormalization', {
        inputs: ['r', 'ones', 'zeros', 'zeros', 'ones'],
        outputs: ['y'],
        attrs: { spatial: 0 },
      })
      .output('y')
      .build();
    const lane: Lane = {
      name: 'l',
      tensors: new Map(),
      uses: new Map([[useKey(1 as NodeId, 4), params(0.5)]]),
    };
    const { graph: after, lane: moved } = upgradeOpset(before, 20, lane);
    const [key] = [...moved!.uses.keys()];
    const [id, slot] = key!.split(':').map(Number);
    const reader = after.nodes[id!]!;
    expect(reader.op).toBe('Reshape');
    expect(reader.inputs[slot!]).toBe(tensorNamed(after, 'ones').id);
    const normalization = node(after, 'BatchNormalization');
    expect(normalization.inputs[4]).toBe(reader.outputs[0]);
    expect(normalization.inputs[1]).not.toBe(reader.outputs[0]);
  });

  it('computes the same in the quantized lane', async () => {
    const before = inferShapes(
      graph({ opset: 10 })
        .input('x', 'float32', [1, 2, 3, 4])
        .constant('scales', 'float32', [4], [1, 1, 2, 0.5])
        .node('Resize', { inputs: ['x', 'scales'], outputs: ['resized'] })
        .node('Pad', {
          inputs: ['resized'],
          outputs: ['padded'],
          attrs: { pads: [0, 0, 1, 0, 0, 0, 0, 1], value: float(0.3) },
        })
        .node('Softmax', { inputs: ['padded'], outputs: ['parts'], attrs: { axis: 2 } })
        .node('Squeeze', { inputs: ['parts'], outputs: ['less'], attrs: { axes: [0] } })
        .node('Add', { inputs: ['less', 'less'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const lane: Lane = {
      name: 'lane',
      tensors: new Map([[tensorNamed(before, 'parts').id, params(1 / 128, -3)]]),
      uses: new Map([
        [useKey(0 as NodeId, 0), params(0.05)],
        [useKey(2 as NodeId, 0), params(0.07, 5)],
        [useKey(4 as NodeId, 1), params(0.03)],
      ]),
    };
    const upgraded = upgradeOpset(before, 20, lane);
    const [was, is] = [await runLane(before, lane), await runLane(upgraded.graph, upgraded.lane!)];
    expect(was.length).toBe(42);
    expect(is).toEqual(was);
    expect(is).not.toEqual(await runLane(upgraded.graph, { ...upgraded.lane!, uses: new Map() }));
  });
});

async function runLane(of: Graph, lane: Lane): Promise<number[]> {
  const { model } = inferenceProgram(of, lane, of.outputs);
  const session = await ort.InferenceSession.create(model.bytes, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.7) * 3);
  const results = await session.run({ x: new ort.Tensor('float32', x, [1, 2, 3, 4]) });
  await session.release();
  return Array.from(results[session.outputNames[0]!]!.data as Float32Array);
}
