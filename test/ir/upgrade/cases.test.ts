/** Operators of old operator sets, brought to newer ones, beside what ONNX Runtime computes at the old ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import type { Graph } from '../../../src/ir/graph.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';
import { upgradeOpset } from '../../../src/ir/upgrade/index.js';
import { readOnnx } from '../../../src/loader/onnx/reader.js';

interface Encoded {
  readonly dtype: ort.Tensor.Type;
  readonly dims: readonly number[];
  readonly data: string;
}

interface Case {
  readonly name: string;
  readonly opset: number;
  readonly targets: readonly number[];
  readonly model: string;
  readonly inputs: Readonly<Record<string, Encoded>>;
  readonly outputs: readonly Encoded[];
}

const CASES = readFileSync(join(import.meta.dirname, '../../../fixtures/upgrade/cases.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const TYPED = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
} as const;

function tensorOf({ dtype, dims, data }: Encoded): ort.Tensor {
  const Elements = TYPED[dtype as keyof typeof TYPED];
  const { buffer } = new Uint8Array(Buffer.from(data, 'base64'));
  return new ort.Tensor(dtype, new Elements(buffer), dims);
}

function load({ model }: Case): Graph {
  const bytes = Buffer.from(model, 'base64');
  return inferShapes(readOnnx(bytes, '/case.onnx', { foldBatchNorm: false, shapes: new Map() }).graph);
}

async function run(graph: Graph, inputs: Case['inputs']): Promise<ort.Tensor[]> {
  const { model, positions } = inferenceProgram(graph, FLOAT_LANE, graph.outputs);
  const session = await ort.InferenceSession.create(model.bytes, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const feeds = Object.entries(inputs).map(([name, value]) => [name, tensorOf(value)] as const);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return positions.map((position) => results[model.outputs[position]!]!);
}

describe('an operator of an older operator set computes the same in a newer one', () => {
  const rows = CASES.flatMap((entry) => entry.targets.map((target) => [entry.name, target, entry] as const));
  it.each(rows)('%s, in %i', async (_name, target, entry) => {
    const { graph } = upgradeOpset(load(entry), target);
    expect(graph.opsets.get('')).toBe(target);
    const found = await run(graph, entry.inputs);
    expect(found).toHaveLength(entry.outputs.length);
    entry.outputs.map(tensorOf).forEach((wanted, i) => {
      const { type, dims, data } = found[i]!;
      expect({ type, dims }).toEqual({ type: wanted.type, dims: wanted.dims });
      const [was, is] = [wanted.data, data].map((elements) => Array.from(elements as Float32Array, Number));
      was!.forEach((value, at) => {
        if (Number.isFinite(value))
          expect(Math.abs(is![at]! - value)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(value)));
        else expect(is![at]).toBe(value);
      });
    });
  });
});
