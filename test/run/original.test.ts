/** The file under triage as ONNX Runtime runs it, beside its simulation. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ReferenceNetwork } from '../../src/compile/reference.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { loadModel } from '../../src/loader/index.js';
import { openDataset } from '../../src/run/data/index.js';
import { runOriginal, type OriginalRuns } from '../../src/run/original/index.js';
import type { OtherRun } from '../../src/run/other-run.js';
import { inputSpecs } from '../../src/commands/preconditions.js';
import { FILES, openTriage } from '../support/dumped.js';
import { projectPath } from '../support/tflite-network.js';

const OPTIONS = { threads: 1, watch: () => undefined };

function ran(runs: Awaited<ReturnType<typeof runOriginal>>): OriginalRuns & { readonly unfused: OtherRun } {
  if ('notRun' in runs) throw new Error(runs.notRun);
  const { unfused } = runs;
  if ('notRun' in unfused) throw new Error(unfused.notRun);
  return { ...runs, unfused };
}

describe('a QDQ file', () => {
  it('has the simulated codes in every tensor, optimizations off', async () => {
    const { loaded, candidate, samples } = await openTriage(FILES.qdq, [1, 1, 8, 8]);
    const { unfused, optimized, processor } = ran(await runOriginal(loaded, candidate, samples, OPTIONS));
    expect(unfused.source).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, optimizations off$/);
    expect(unfused.samples).toBe(3);
    expect(unfused.skipped).toEqual([]);
    expect(unfused.tensors.length).toBeGreaterThan(9);
    for (const { tensor, differing, values, maxCodes } of unfused.tensors) {
      expect(values, tensor).toBeGreaterThan(0);
      expect({ tensor, differing, maxCodes }).toEqual({ tensor, differing: 0, maxCodes: 0 });
    }
    expect(unfused.firstDeparture).toBeUndefined();
    expect(optimized).toMatchObject({ samples: 3 });
    expect((optimized as OtherRun).tensors.map(({ tensor }) => tensor)).toEqual(['logits']);
    expect((optimized as OtherRun).tensors[0]!.maxCodes).toBeLessThanOrEqual(1);
    expect(processor.text).not.toBe('');
  });

  it('is seen to depart at the operator whose parameters the simulation has otherwise', async () => {
    const { loaded, candidate, samples } = await openTriage(FILES.qdq, [1, 1, 8, 8]);
    const { graph, lane } = candidate;
    const tensor = graph.tensors.find(({ name }) => name === 'block2/expand_relu6:out')!.id;
    const params = lane.tensors.get(tensor)!;
    const other: Lane = {
      ...lane,
      tensors: new Map([
        ...lane.tensors,
        [tensor, { ...params, scale: params.scale.map((scale) => scale * 2) }],
      ]),
    };
    const { unfused } = ran(await runOriginal(loaded, { graph, lane: other }, samples, OPTIONS));
    expect(unfused.firstDeparture).toBe('block2/expand_relu6:out');
    const at = unfused.tensors.findIndex(({ tensor: name }) => name === unfused.firstDeparture);
    expect(unfused.tensors.slice(0, at).every(({ differing }) => differing === 0)).toBe(true);
    expect(unfused.tensors[at]).toMatchObject({ inputsDiffer: false });
    for (const { differing, inputsDiffer } of unfused.tensors.slice(at + 1)) {
      if (differing > 0) expect(inputsDiffer).toBe(true);
    }
  });

  it('is measured beside another network that feeds it', async () => {
    const { loaded, candidate, samples } = await openTriage(FILES.qdq, [1, 1, 8, 8]);
    const float = await loadModel(projectPath('fixtures/digits/digits.onnx'));
    const reference = inferShapes(bindInputs(float.graph, new Map([['image', [1, 1, 8, 8]]])));
    const id = (name: string): (typeof reference.inputs)[number] =>
      reference.tensors.find((tensor) => tensor.name === name)!.id;
    const counterparts = candidate.graph.tensors.flatMap(({ id: tensor, name, data }) =>
      data === undefined && reference.tensors.some((other) => other.name === name && other.data === undefined)
        ? [[tensor, { tensor: id(name) }] as const]
        : [],
    );
    const other: ReferenceNetwork = {
      graph: { ...reference, opsets: candidate.graph.opsets },
      lane: FLOAT_LANE,
      counterparts: new Map(counterparts),
    };
    const runs = ran(await runOriginal(loaded, candidate, samples, { ...OPTIONS, other }));
    const measured = runs.unfused.tensors.filter((tensor) => tensor.reference !== undefined);
    expect(measured.length).toBeGreaterThan(7);
    for (const { tensor, reference: beside } of measured) {
      expect(beside?.sqnrDb, tensor).toBeGreaterThan(20);
      expect(beside?.sqnrDb, tensor).toBeLessThan(60);
    }
    expect(runs.outputs).toHaveLength(1);
    expect(runs.outputs[0]).toMatchObject({ tensor: 'logits', agreement: 1 });
    expect(runs.outputs[0]?.sqnrDb).toBeCloseTo(measured.at(-1)!.reference!.sqnrDb!, 1);
  });
});

describe('a float file', () => {
  it('has the simulated values in every tensor', async () => {
    const { loaded, candidate, samples } = await openTriage(
      projectPath('fixtures/digits/digits.onnx'),
      [1, 1, 8, 8],
    );
    const { unfused } = ran(await runOriginal(loaded, candidate, samples, OPTIONS));
    expect(unfused.tensors.length).toBeGreaterThan(12);
    for (const { tensor, differing, maxCodes } of unfused.tensors) {
      expect({ tensor, differing, maxCodes }).toEqual({ tensor, differing: 0, maxCodes: undefined });
    }
  });
});

describe('a file that cannot be run', () => {
  it('gives the reason and lets everything else go on', async () => {
    const { loaded, candidate, samples } = await openTriage(FILES.qdq, [1, 1, 8, 8]);
    const hung = await runOriginal(loaded, candidate, samples, { ...OPTIONS, patienceMs: 1 });
    const late = 'ONNX Runtime did not finish opening the file in 1 s';
    expect(hung).toMatchObject({ unfused: { notRun: late }, optimized: { notRun: late }, outputs: [] });
    const tflite = await openTriage(FILES.tflite, [1, 1, 8, 8]);
    expect(await runOriginal(tflite.loaded, tflite.candidate, tflite.samples, OPTIONS)).toEqual({
      notRun: 'ONNX Runtime does not run TFLite files',
    });
  });
});

const REAL = [
  ['pcb/simple_cnn_qdq.onnx', 'pcb', [1, 1, 64, 64], { color: 'gray', mean: [0.5], std: [0.5] }],
  ['tinymobilenet/model_qoperator.onnx', 'cifar10/eval', [1, 3, 32, 32], { preset: 'unit' }],
] as const;

describe.skipIf(!existsSync(projectPath('../shared/models')))('real files', () => {
  it.each(REAL)('%s has the simulated codes', async (name, data, dims, preprocessing) => {
    const loaded = await loadModel(projectPath(`../shared/models/${name}`));
    const { lane = FLOAT_LANE } = loaded;
    const input = loaded.graph.tensors[loaded.graph.inputs[0]!]!.name;
    const graph = inferShapes(bindInputs(loaded.graph, new Map([[input, [...dims]]])));
    const samples = await openDataset({
      sources: [projectPath(`../shared/data/${data}`)],
      inputs: inputSpecs(graph, lane),
      preprocessing,
      samples: 4,
    });
    const { unfused } = ran(await runOriginal(loaded, { graph, lane }, samples, OPTIONS));
    expect(unfused.tensors.length).toBeGreaterThan(9);
    const coded = unfused.tensors.filter(({ maxCodes }) => maxCodes !== undefined);
    const isInteger = lane.arithmetic === 'onnxruntime';
    for (const { tensor, maxCodes, inputsDiffer = false } of coded) {
      // In float, a code that rounded the other way may be several behind the operators that read it.
      expect(maxCodes, tensor).toBeLessThanOrEqual(isInteger ? 0 : inputsDiffer ? 4 : 1);
    }
    const sum = (of: 'differing' | 'values'): number =>
      coded.reduce((total, tensor) => total + tensor[of], 0);
    expect(sum('differing') / sum('values')).toBeLessThan(0.001);
  });
});
