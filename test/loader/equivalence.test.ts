/**
 * Loaded graphs, written back as ONNX, beside the original files: ONNX Runtime must compute the same from both. Of float files: those
 * that are quantized load as a float graph and a lane, and onnx-quantized/ compares the two together.
 */
import { existsSync } from 'node:fs';
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

const SESSION: ort.InferenceSession.SessionOptions = {
  graphOptimizationLevel: 'disabled',
  intraOpNumThreads: 1,
  logSeverityLevel: 3,
};

async function run(session: ort.InferenceSession, feeds: Feeds): Promise<number[][]> {
  const results = await session.run(feeds);
  return session.outputNames.map((name) =>
    Array.from(results[name]!.data as ArrayLike<number | bigint>, Number),
  );
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
  const wanted = await run(await ort.InferenceSession.create(path, SESSION), feeds);
  const found = await run(await ort.InferenceSession.create(emitOnnx(graph, naming), SESSION), renamedFeeds);
  expect(found).toHaveLength(wanted.length);
  const peaks = wanted.map((values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  expect(Math.max(...peaks)).toBeGreaterThan(0);
  wanted.forEach((values, i) => {
    expect(found[i]).toHaveLength(values.length);
    const apart = values.reduce((most, value, at) => Math.max(most, Math.abs(value - found[i]![at]!)), 0);
    expect(apart).toBeLessThanOrEqual(peaks[i]! * 1e-5);
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

  it('with initializers listed among the inputs', async () => {
    await expectEqualRuns(join(FIXTURES, 'batch-norm-opset7.onnx'), { x: tensor(1, 4, 5, 5) });
  });

  it('with nodes listed out of order', async () => {
    await expectEqualRuns(join(FIXTURES, 'shapes.onnx'), { image: tensor(1, 3, 2, 2), scale: tensor(1) });
  });

  describe.skipIf(!existsSync(SHARED))('on real models', () => {
    it.each([
      ['resnet20/resnet20_float.onnx', { input: tensor(1, 3, 32, 32) }],
      ['pcb/simple_cnn_float.onnx', { input: tensor(1, 1, 64, 64) }],
      ['tinymobilenet/model.onnx', { input: tensor(1, 3, 32, 32) }],
    ])('%s', async (file, feeds) => {
      await expectEqualRuns(join(SHARED, file), feeds);
    });
  });
});
