/** TFLite files run in a lane, as a user's data would be. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inputSpecs } from '../../src/commands/preconditions.js';
import { inferenceProgram } from '../../src/compile/measurement-program.js';
import type { Graph, TensorId } from '../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import type { Dataset } from '../../src/run/data/dataset.js';
import { openDataset } from '../../src/run/data/index.js';
import type { PreprocessingFlags } from '../../src/run/data/preprocessing.js';
import { openSession, type Fetched } from '../../src/run/runtime.js';
import type { Samples } from '../../src/run/samples.js';

export interface TfliteNetwork {
  readonly graph: Graph;
  /** The file's own. */
  readonly lane: Lane;
}

export function projectPath(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

/** Models and data that are not part of the project; tests that need them are skipped where they are not. */
export const HAS_SHARED = existsSync(projectPath('../shared/models'));

/** What the interpreter gave, as a recipe in fixtures/tflite has written it. */
export function referenceOf<T>(name: string): T {
  return JSON.parse(readFileSync(projectPath(`fixtures/tflite/${name}.json`), 'utf8')) as T;
}

export async function openNetwork(relative: string): Promise<TfliteNetwork> {
  const { graph, lane = FLOAT_LANE } = await loadModel(projectPath(relative));
  return { graph, lane };
}

export function openData(
  { graph, lane }: TfliteNetwork,
  source: string,
  preprocessing: PreprocessingFlags = {},
): Promise<Dataset> {
  return openDataset({
    sources: [source],
    inputs: inputSpecs(graph, lane),
    preprocessing,
    metadata: graph.metadata,
  });
}

/** Calls `see` with the values of the tensors for each sample. */
export async function runLane(
  graph: Graph,
  lane: Lane,
  tensors: readonly TensorId[],
  data: Samples,
  see: (values: readonly Fetched[]) => void,
): Promise<void> {
  const { model, positions } = inferenceProgram(graph, lane, tensors);
  const session = await openSession(model, { threads: 1 });
  try {
    for await (const { feeds } of data.samples()) {
      const fetched = await session.run(feeds);
      see(positions.map((at) => fetched[at] as Fetched));
    }
  } finally {
    await session.close();
  }
}

/** The class that the network's only output chooses for each sample; the first of equals, as numpy's argmax. */
export async function answersOf(graph: Graph, lane: Lane, data: Samples): Promise<number[]> {
  const answers: number[] = [];
  await runLane(graph, lane, graph.outputs, data, ([output]) => {
    const values = Array.from(output as Float32Array);
    answers.push(values.indexOf(Math.max(...values)));
  });
  return answers;
}
