/** Whole networks, brought to the operator set that TFLite graphs have and to the newest one, beside their files. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { tensorOf, type DType, type Graph, type Shape, type TensorId } from '../../../src/ir/graph.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';
import { upgradeOpset } from '../../../src/ir/upgrade/index.js';
import { loadModel } from '../../../src/loader/index.js';

const ROOT = join(import.meta.dirname, '../../..');
const SHARED = '../shared/models';
const OPTIONS = { graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, logSeverityLevel: 4 } as const;

/** Of graphs inside nodes, of sequences, of types that the runtime cannot be fed with, or trained: not to be run here. */
const NOT_RUN =
  /control-flow|sequence|tensor-types|batch-norm-training|modern|functions|quantized-onnx|qdq.(branches|half)/;

function onnxFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.onnx') && !NOT_RUN.test(file))
    .map((file) => `${folder}/${file}`)
    .sort();
}

/** Deterministic values in [-1, 1). Symbolic extents are 1 for a batch, 64 for a picture. */
function feed(dtype: DType | undefined, shape: Shape | undefined): ort.Tensor {
  const dims = (shape ?? []).map((dim, axis) => (typeof dim === 'number' ? dim : axis < 2 ? 1 : 64));
  const count = dims.reduce((product, dim) => product * dim, 1);
  const wave = Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 2001) / 1000.5 - 1);
  if (dtype === 'int64')
    return new ort.Tensor(
      'int64',
      BigInt64Array.from(wave, () => 1n),
      dims,
    );
  if (dtype === 'uint8')
    return new ort.Tensor(
      'uint8',
      Uint8Array.from(wave, (x) => 128 + 100 * x),
      dims,
    );
  return new ort.Tensor('float32', wave, dims);
}

function feeds(graph: Graph): Record<string, ort.Tensor> {
  return Object.fromEntries(
    graph.inputs.map((id) => {
      const { name, dtype, shape } = tensorOf(graph, id);
      return [name, feed(dtype, shape)];
    }),
  );
}

async function values(session: ort.InferenceSession, graph: Graph): Promise<readonly ort.Tensor[]> {
  const results = await session.run(feeds(graph));
  await session.release();
  return session.outputNames.map((name) => results[name]!);
}

async function run(graph: Graph, tensors: readonly TensorId[]): Promise<readonly ort.Tensor[]> {
  const { model, positions } = inferenceProgram(graph, FLOAT_LANE, tensors);
  const folder = model.externalDirectory;
  const session = await ort.InferenceSession.create(model.bytes, {
    ...OPTIONS,
    ...(folder && { extra: { session: { model_external_initializers_file_folder_path: folder } } }),
  });
  const results = await values(session, graph);
  return positions.map((position) => results[position]!);
}

/** Largest difference, relative to the largest value, over all outputs. */
function apart(found: readonly ort.Tensor[], wanted: readonly ort.Tensor[]): number {
  expect(found.map(({ type, dims }) => ({ type, dims }))).toEqual(
    wanted.map(({ type, dims }) => ({ type, dims })),
  );
  const numbers = ({ data }: ort.Tensor): number[] => Array.from(data as Float32Array, Number);
  return Math.max(
    ...wanted.map((output, i) => {
      const [is, was] = [numbers(found[i]!), numbers(output)];
      const peak = was.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const most = was.reduce((largest, value, at) => {
        // The same infinity, or no number in both.
        return Object.is(value, is[at]) ? largest : Math.max(largest, Math.abs(value - is[at]!));
      }, 0);
      return most === 0 ? 0 : most / peak;
    }),
  );
}

/** Every activation, in float: kernels of two versions differ in the last bit, which is a whole code where values are rounded. */
async function expectSame(file: string, version: number): Promise<void> {
  const path = join(ROOT, file);
  const { graph, lane } = await loadModel(path);
  const target = Math.max(version, graph.opsets.get('') ?? 0);
  const upgraded = upgradeOpset(graph, target).graph;
  expect(upgraded.opsets.get('')).toBe(target);
  const activations = graph.nodes.flatMap(({ outputs }) => outputs.filter((id) => id !== null));
  const found = await run(upgraded, [...activations, ...graph.outputs]);
  const wanted = await run(graph, activations);
  expect(apart(found.slice(0, wanted.length), wanted)).toBeLessThanOrEqual(1e-5);
  // A quantized file is its graph in its lane.
  if (lane !== undefined) return;
  const original = await values(await ort.InferenceSession.create(path, OPTIONS), graph);
  expect(apart(found.slice(wanted.length), original)).toBeLessThanOrEqual(1e-5);
}

describe('a network computes the same in a newer operator set', () => {
  it.each(onnxFiles('fixtures').flatMap((file) => [20, 23].map((target) => [file, target] as const)))(
    '%s in %i',
    expectSame,
  );

  const shared = existsSync(join(ROOT, SHARED)) ? onnxFiles(SHARED) : [];
  describe.skipIf(shared.length === 0)('real ones', () => {
    it.each(shared.flatMap((file) => [20, 23].map((target) => [file, target] as const)))(
      '%s in %i',
      expectSame,
    );
  });
});
