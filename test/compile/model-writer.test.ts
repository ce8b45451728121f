import { describe, expect, it } from 'vitest';
import * as ort from 'onnxruntime-node';
import { ModelWriter, type CompiledModel } from '../../src/compile/model-writer.js';
import type { ConstantData } from '../../src/ir/graph.js';
import { compiled } from '../support/compiled.js';
import { constantData, graph, float, floats } from '../support/graph-builder.js';

const writer = (opset = 17, irVersion = 8): ModelWriter => new ModelWriter(new Map([['', opset]]), irVersion);

async function run(model: CompiledModel, feeds: Record<string, ort.Tensor> = {}): Promise<unknown[]> {
  const session = await ort.InferenceSession.create(model.bytes, { logSeverityLevel: 3 });
  const results = await session.run(feeds);
  return model.outputs.map((name) => Array.from(results[name]!.data as ArrayLike<unknown>));
}

describe('a written model', () => {
  it('has each operator on the same inputs and attributes once', () => {
    const w = writer();
    const x = w.input('x', 'float32', [2]);
    expect(w.op('Relu', [x])).toBe(w.op('Relu', [x]));
    expect(w.op('Concat', [x, x], { axis: 0 })).toBe(w.op('Concat', [x, x], { axis: 0 }));
    expect(w.op('Concat', [x, x], { axis: -1 })).not.toBe(w.op('Concat', [x, x], { axis: 0 }));
    expect(w.op('Relu', [x], {}, 'other')).not.toBe(w.op('Relu', [x]));
    expect(w.op('Clip', [x, null, x])).not.toBe(w.op('Clip', [x, x, null]));
  });

  it('has each constant and each literal once, and two of equal bytes but another type or shape twice', () => {
    const w = writer();
    const data = constantData('float32', [2], [1, 2]);
    expect(w.constant(data)).toBe(w.constant(data));
    expect(w.literal('float32', [1], [])).toBe(w.literal('float32', [1], []));
    const different = [
      w.literal('float32', [1], []),
      w.literal('float32', [1], [1]),
      w.literal('int64', [1], []),
      w.literal('int8', [1], []),
      w.literal('float32', [-1], []),
    ];
    expect(new Set(different).size).toBe(different.length);
  });

  it('keeps two nodes of the network apart that are written twice in it', () => {
    const g = graph()
      .input('x', 'float32', [4])
      .node('Dropout', { inputs: ['x'], outputs: ['a'] })
      .node('Dropout', { inputs: ['x'], outputs: ['b'] })
      .build();
    const w = writer();
    const x = w.input('x', 'float32', [4]);
    const outside = (): never => {
      throw new Error('nothing is captured');
    };
    const [first, second] = g.nodes;
    expect(w.node(first!, 'a', [x], outside)).toEqual(w.node(first!, 'a', [x], outside));
    expect(w.node(first!, 'a', [x], outside)).not.toEqual(w.node(second!, 'b', [x], outside));
  });

  it('leaves out what the outputs do not need', () => {
    const w = writer();
    const x = w.input('x', 'float32', [1]);
    const used = w.op('Add', [x, w.literal('float32', [1], [])]);
    w.op('Mul', [used, w.literal('float32', [2], [])]);
    const model = w.encode([used]);
    expect(model.nodeCount).toBe(1);
    expect(compiled(model).nodes.map(({ op }) => op)).toEqual(['Add']);
    expect(compiled(model).initializers).toHaveLength(1);
  });

  it('writes literals of every type so that the runtime reads their values', async () => {
    const w = writer(21, 10);
    const casted = (['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16', 'int64', 'float32'] as const).map(
      (dtype) => {
        const values = { int4: [-8, 7, -1], uint4: [0, 15, 9] }[dtype as string] ?? [0, 100, 127];
        return w.op('Cast', [w.literal(dtype, values, [3])], { to: 1 });
      },
    );
    const signed = [w.literal('int8', [-128, -1], [2]), w.literal('int16', [-32768, 1], [2])].map((value) =>
      w.op('Cast', [value], { to: 1 }),
    );
    expect(await run(w.encode([...casted, ...signed]))).toEqual([
      [-8, 7, -1],
      [0, 15, 9],
      ...Array.from({ length: 6 }, () => [0, 100, 127]),
      [-128, -1],
      [-32768, 1],
    ]);
  });

  it('writes attributes of every kind as the network has them', async () => {
    const g = graph()
      .input('x', 'float32', [1, 1, 1, 2])
      .node('Elu', { inputs: ['x'], outputs: ['e'], attrs: { alpha: float(2) } })
      .node('Constant', { outputs: ['c'], attrs: { value: constantData('float32', [1], [10]) } })
      .node('Constant', { outputs: ['k'], attrs: { value_floats: floats([100, 200]) } })
      .node('Constant', { outputs: ['i'], attrs: { value_int: { type: 'int', value: 2n ** 53n + 1n } } })
      .node('Transpose', { inputs: ['e'], outputs: ['t'], attrs: { perm: [3, 0, 1, 2] } })
      .node('DepthToSpace', {
        inputs: ['x'],
        outputs: ['d'],
        attrs: { blocksize: 1, mode: 'CRD' },
      })
      .build();
    const w = writer();
    const values = new Map([[0, w.input('x', 'float32', [1, 1, 1, 2])]]);
    for (const node of g.nodes) {
      const inputs = node.inputs.map((id) => values.get(id!)!);
      const [out] = w.node(node, '', inputs, () => inputs[0]!);
      values.set(node.outputs[0]!, out!);
    }
    const wanted = ['t', 'c', 'k', 'i', 'd'].map((name) =>
      g.tensors.findIndex((tensor) => tensor.name === name),
    );
    const x = new ort.Tensor('float32', [-1, 3], [1, 1, 1, 2]);
    const [t, c, k, i, d] = await run(w.encode(wanted.map((id) => values.get(id)!)), { x });
    expect((t as number[])[0]).toBeCloseTo(2 * (Math.exp(-1) - 1), 6);
    expect((t as number[])[1]).toBe(3);
    expect([c, k, i, d]).toEqual([[10], [100, 200], [2n ** 53n + 1n], [-1, 3]]);
  });

  it('refers to constants outside of the model where they are, from the first folder; others it copies', () => {
    const outside = (directory: string, offset: number): ConstantData => ({
      ...constantData('float32', [2], [1, 2]),
      external: { directory, location: 'weights.bin', offset },
    });
    const w = writer();
    const values = [outside('/a', 8), outside('/b', 0), outside('/a', 64)].map((data) => w.constant(data));
    const model = w.encode([w.op('Sum', values)]);
    expect(model.externalDirectory).toBe('/a');
    const text = Buffer.from(model.bytes).toString('latin1');
    expect(text.match(/weights\.bin/g)).toHaveLength(2);
    expect(text).toContain('64');
  });

  it('imports the operator sets of the network and that of the runtime, in an IR version that takes constants', () => {
    const model = new ModelWriter(
      new Map([
        ['', 7],
        ['my.domain', 3],
      ]),
      3,
    );
    const x = model.input('x', 'float32', ['N', null, 3]);
    const bytes = model.encode([model.op('Relu', [x])]);
    expect(compiled(bytes).opsets).toEqual({ '': 7, 'my.domain': 3, 'com.microsoft': 1 });
    expect(bytes.inputs).toEqual(['x']);
    expect([...bytes.bytes.subarray(0, 2)]).toEqual([8, 4]);
  });
});
