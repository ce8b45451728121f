/** Loaded graphs, written back as ONNX, beside the original files: ONNX Runtime must compute the same from both. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Graph, TensorId } from '../../src/ir/graph.js';
import { loadModel } from '../../src/loader/index.js';
import { emitOnnx } from './emit-onnx.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures/loader');
const SHARED = join(import.meta.dirname, '../../../shared/models');

type Feeds = Record<string, ort.Tensor>;

/** Deterministic values in [-2, 2). */
function wave(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 4001) / 1000.25 - 2);
}

function tensor(...dims: number[]): ort.Tensor {
  return new ort.Tensor('float32', wave(dims.reduce((a, b) => a * b, 1)), dims);
}

async function run(model: Uint8Array, feeds: Feeds): Promise<Float32Array[]> {
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const results = await session.run(feeds);
  return session.outputNames.map((name) => results[name]!.data as Float32Array);
}

async function expectEqualRuns(
  path: string,
  feeds: Feeds,
  name?: (graph: Graph) => (id: TensorId) => string,
) {
  const { graph } = await loadModel(path);
  const naming = name?.(graph) ?? ((id: TensorId) => graph.tensors[id]!.name);
  const named = new Map(graph.inputs.map((id) => [graph.tensors[id]!.name, naming(id)]));
  const renamedFeeds = Object.fromEntries(
    Object.entries(feeds).map(([input, value]) => [named.get(input)!, value]),
  );
  const wanted = await run(readFileSync(path), feeds);
  const found = await run(emitOnnx(graph, naming), renamedFeeds);
  expect(found).toHaveLength(wanted.length);
  wanted.forEach((values, i) => {
    const peak = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(values.length).toBeGreaterThan(0);
    const apart = values.reduce((most, value, at) => Math.max(most, Math.abs(value - found[i]![at]!)), 0);
    expect(apart).toBeLessThanOrEqual(peak * 1e-5);
  });
}

describe('a loaded graph computes what its file computes', () => {
  it('with convolutions and their folded batch normalizations', async () => {
    await expectEqualRuns(join(FIXTURES, 'conv-batch-norm.onnx'), { x: tensor(1, 4, 5, 5) });
  });

  it.each([true, false])('with inlined functions (flag %s)', async (flag) => {
    const feeds = { x: tensor(2, 3), flag: new ort.Tensor('bool', [flag], []) };
    await expectEqualRuns(join(FIXTURES, 'functions.onnx'), feeds);
    await expectEqualRuns(join(FIXTURES, 'functions.onnx'), feeds, () => (id) => `~${id}`);
  });

  it('with control flow whose captured values are renamed', async () => {
    await expectEqualRuns(join(FIXTURES, 'control-flow.onnx'), { x: tensor(2, 3) }, () => (id) => `~${id}`);
  });

  it('with control flow whose captured values take names that the body uses itself', async () => {
    const clashes = new Map([
      ['x', 'sum'],
      ['w', 'local'],
    ]);
    await expectEqualRuns(join(FIXTURES, 'control-flow.onnx'), { x: tensor(2, 3) }, (graph) => (id) => {
      const { name } = graph.tensors[id]!;
      return clashes.get(name) ?? name;
    });
  });

  it('with shapes listed out of order and initializers among the inputs', async () => {
    const feeds = { x: tensor(1, 4, 5, 5) };
    await expectEqualRuns(join(FIXTURES, 'batch-norm-opset7.onnx'), feeds);
  });

  describe.skipIf(!existsSync(SHARED))('on real models', () => {
    it.each([
      ['resnet20/resnet20_float.onnx', { input: tensor(1, 3, 32, 32) }],
      ['pcb/simple_cnn_float.onnx', { input: tensor(1, 1, 64, 64) }],
      ['pcb/simple_cnn_qdq.onnx', { input: tensor(1, 1, 64, 64) }],
      ['tinymobilenet/model_qoperator.onnx', { input: tensor(1, 3, 32, 32) }],
    ])('%s', async (file, feeds) => {
      await expectEqualRuns(join(SHARED, file), feeds);
    });
  });
});
