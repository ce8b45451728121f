/** What trials are run on, and how another process comes by the very same. */
import type { Edge } from '../../../compile/edges.js';
import { DataError } from '../../../errors.js';
import { bindInputs } from '../../../ir/bind-inputs.js';
import type { Graph } from '../../../ir/graph.js';
import { inferShapes } from '../../../ir/infer/index.js';
import { loadModel } from '../../../loader/index.js';
import type { Dataset } from '../../../run/data/dataset.js';
import { withExtents, type Samples } from '../../../run/samples.js';
import type { AccuracyRequest } from '../../accuracy/request.js';
import type { DataRequest } from '../../data-request.js';
import { openedData } from '../../opened-data.js';

/** What every trial is run on. */
export interface TrialGround {
  readonly graph: Graph;
  /** Outputs, or the last tensors that can be measured. */
  readonly ends: readonly Edge[];
  /** For noise. */
  readonly samples: Samples;
  /** For the metric; absent where there is none. */
  readonly evaluation?: {
    readonly dataset: Dataset;
    readonly samples: Samples;
    readonly request: AccuracyRequest;
  };
  readonly threads: number;
}

/** Where samples come from: what the user said. */
export interface DescribedData {
  readonly flag: '--calib' | '--eval';
  readonly sources: readonly string[];
  readonly request: DataRequest;
}

/** A ground in plain data. */
export interface GroundDescription {
  /** Path of the float model. */
  readonly model: string;
  /** Of the model file and its external files, hex: a file that was written anew meanwhile has other tensors under the same numbers. */
  readonly sha256: string;
  /** Of the inputs, by name: those that the graph was compiled for. */
  readonly extents: ReadonlyMap<string, readonly number[]>;
  /** As of the ground. */
  readonly ends: readonly Edge[];
  /** Samples for noise. */
  readonly noise: DescribedData;
  /** Samples for the metric. */
  readonly evaluation?: DescribedData & { readonly accuracy: AccuracyRequest };
  readonly threads: number;
}

/** The same for equal descriptions. */
export function keyOf(described: GroundDescription): string {
  return JSON.stringify(described, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}

/**
 * Loads the model and opens the data as `qdbg analyze` does.
 *
 * @throws DataError when the file is not the one that was described
 */
export async function openGround(described: GroundDescription): Promise<TrialGround> {
  const { model, sha256, extents, ends, noise, evaluation, threads } = described;
  const loaded = await loadModel(model, { shapes: noise.request.shapes });
  if ((await loaded.sha256()) !== sha256) {
    throw new DataError(`${model} was changed while the sweep was running`, { hint: 'qdbg sweep again' });
  }
  const graph = inferShapes(bindInputs(loaded.graph, extents));
  const opened = ({ flag, sources, request }: DescribedData): Promise<Dataset> =>
    openedData(loaded, flag, sources, request);
  const samples = withExtents(await opened(noise), extents);
  if (evaluation === undefined) return { graph, ends, samples, threads };
  const dataset = await opened(evaluation);
  const { accuracy: request } = evaluation;
  return {
    graph,
    ends,
    samples,
    evaluation: { dataset, samples: withExtents(dataset, extents), request },
    threads,
  };
}
