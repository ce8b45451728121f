/** The sample loop of an evaluation: what every network answers to the same bytes. */
import type { EvaluatedOutput, EvaluationProgram } from '../compile/evaluation-program.js';
import { tensorOf, type Graph } from '../ir/graph.js';
import type { Feed, Sample } from './data/dataset.js';
import type { ExportedNetwork } from './original/exported.js';
import type { NetworkOutput } from './predictions/prediction.js';
import { openSession, type FetchedTensor, type SessionOptions } from './runtime.js';
import type { Samples, Watch } from './samples.js';

export interface EvaluatedSample {
  readonly sample: Sample;
  /** From 0, in the order of the samples. */
  readonly index: number;
  /** Outputs of each network; the program's in their order, then the exported one if there is one. */
  readonly networks: readonly (readonly NetworkOutput[])[];
}

export interface EvaluateOptions extends SessionOptions {
  readonly watch: Watch;
  /** The candidate's own file, and the graph whose inputs it is fed; the program was made with them. */
  readonly exported?: { readonly network: ExportedNetwork; readonly graph: Graph };
}

/** @throws RunError when a network fails on a sample */
export async function* evaluate(
  program: EvaluationProgram,
  samples: Samples,
  { watch, exported, ...options }: EvaluateOptions,
): AsyncGenerator<EvaluatedSample> {
  const session = await openSession(program.model, options);
  try {
    let index = 0;
    watch('evaluate', index, samples.count);
    for await (const sample of samples.samples()) {
      const fetched = await session.fetch(sample.feeds, sample.id);
      const networks = program.networks.map((outputs) => outputs.map((output) => outputOf(output, fetched)));
      if (exported !== undefined) {
        const feeds = fedTo(
          exported.graph,
          program.inputs.map((at) => fetched[at] as FetchedTensor),
        );
        networks.push(await exported.network.outputs(feeds));
      }
      yield { sample, index, networks };
      watch('evaluate', ++index, samples.count);
    }
  } finally {
    await session.close();
  }
}

function outputOf({ name, at }: EvaluatedOutput, fetched: readonly FetchedTensor[]): NetworkOutput {
  const { data, dims } = fetched[at] as FetchedTensor;
  return { name, dims, data: data as Float32Array };
}

function fedTo(graph: Graph, values: readonly FetchedTensor[]): Map<string, Feed> {
  return new Map(
    graph.inputs.map((id, i): [string, Feed] => {
      const { name, dtype = 'float32' } = tensorOf(graph, id);
      const { data, dims } = values[i] as FetchedTensor;
      return [name, { dtype, dims, data }];
    }),
  );
}
