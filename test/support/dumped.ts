/** The digits networks with three images and what other runtimes compute for them: fixtures/actual/recipe.py. */
import { readFileSync } from 'node:fs';
import { inputSpecs } from '../../src/commands/preconditions.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { loadModel, type LoadedModel } from '../../src/loader/index.js';
import { openDataset } from '../../src/run/data/index.js';
import type { Sample } from '../../src/run/data/dataset.js';
import type { Candidate } from '../../src/run/other-run.js';
import type { Samples } from '../../src/run/samples.js';
import { entriesOf } from './golden-archive.js';
import { streamed } from './measured-networks.js';
import { projectPath } from './tflite-network.js';

export const FILES = {
  tflite: projectPath('fixtures/tflite/digits_int8.tflite'),
  qdq: projectPath('fixtures/actual/digits_qdq.onnx'),
} as const;

export interface Expected {
  readonly samples: readonly string[];
  readonly fault: {
    readonly tensor: string;
    readonly values: number;
    readonly differing: number;
    readonly beyondTwoCodes: number;
    readonly maxCodes: number;
    readonly sqnrDb: number;
  };
}

export const expected = JSON.parse(
  readFileSync(projectPath('fixtures/actual/expected.json'), 'utf8'),
) as Expected;

export interface Triage {
  readonly loaded: LoadedModel;
  readonly candidate: Candidate;
  readonly samples: Samples;
}

/** The network for one image at a time, and the three images. */
export async function openTriage(path: string, dims: readonly number[]): Promise<Triage> {
  const loaded = await loadModel(path);
  const { lane = FLOAT_LANE } = loaded;
  const input = loaded.graph.tensors[loaded.graph.inputs[0]!]!.name;
  const graph = inferShapes(bindInputs(loaded.graph, new Map([[input, dims]])));
  const data = await openDataset({
    sources: [projectPath('fixtures/digits/eval')],
    inputs: inputSpecs(graph, lane),
    preprocessing: { preset: 'unit' },
  });
  const chosen: Sample[] = [];
  for await (const sample of data.samples()) if (expected.samples.includes(sample.id)) chosen.push(sample);
  return { loaded, candidate: { graph, lane }, samples: streamed(chosen) };
}

/** Array of a .npy file as the recipe writes them. */
export interface Dump {
  /** As numpy calls it: "|i1". */
  readonly descr: string;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

const READERS = { '|i1': Int8Array, '|u1': Uint8Array, '<f4': Float32Array } as const;

/** Arrays by sample and tensor name. */
export function dumpsOf(name: keyof typeof FILES): ReadonlyMap<string, Dump>[] {
  const samples = expected.samples.map(() => new Map<string, Dump>());
  for (const [entry, bytes] of Object.entries(entriesOf(projectPath(`fixtures/actual/${name}.npz`)))) {
    const [, sample = '', tensor = ''] = /^(\d+)\/(.*)\.npy$/.exec(entry) ?? [];
    const start = 10 + (bytes[8] ?? 0) + 256 * (bytes[9] ?? 0);
    const header = Buffer.from(bytes.subarray(10, start)).toString();
    const descr = /'descr': '(.*?)'/.exec(header)?.[1] ?? '';
    const shape = /'shape': \((.*?)\)/.exec(header)?.[1] ?? '';
    const Reader = READERS[descr as keyof typeof READERS];
    const dims = shape.split(',').flatMap((dim) => (dim.trim() === '' ? [] : [Number(dim)]));
    samples[Number(sample)]?.set(tensor, {
      descr,
      dims,
      values: Array.from(new Reader(bytes.slice(start).buffer)),
    });
  }
  return samples;
}
