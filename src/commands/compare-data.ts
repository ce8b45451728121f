/** The data that both networks of a comparison are run on. */
import { QdbgError } from '../errors.js';
import type { LoadedModel } from '../loader/index.js';
import type { Dataset, InputSpec } from '../run/data/dataset.js';
import { openDataset } from '../run/data/index.js';
import type { DataRequest } from './data-request.js';
import { inputSpecs } from './preconditions.js';
import { extentsOf } from './sample-extents.js';

export interface SourcesRequest {
  readonly sources: readonly string[];
  readonly data: DataRequest;
}

export interface OpenedData {
  readonly dataset: Dataset;
  /** Of the reference's inputs in the first sample. */
  readonly extents: ReadonlyMap<string, readonly number[]>;
}

/** The data as the reference takes it; where it does not fit, as codes that the candidate takes. */
export async function dataOf(
  reference: LoadedModel,
  candidate: LoadedModel,
  request: SourcesRequest,
  flag: '--data' | '--eval' = '--data',
): Promise<OpenedData> {
  const inputs = inputSpecs(reference.graph, reference.lane);
  const open = async (specs: readonly InputSpec[]): Promise<OpenedData> => {
    const { metadata } = reference.graph;
    const dataset = await openDataset({
      sources: request.sources,
      inputs: specs,
      ...request.data,
      metadata: metadata.size > 0 ? metadata : candidate.graph.metadata,
      flag,
    });
    return { dataset, extents: await extentsOf(dataset, flag) };
  };
  try {
    return await open(inputs);
  } catch (error) {
    const coded = inputSpecs(candidate.graph, candidate.lane);
    const asCodes = inputs.map((input, position) => {
      const quant = (coded.find(({ name }) => name === input.name) ?? coded[position])?.quant;
      return quant === undefined || input.quant !== undefined ? input : { ...input, quant };
    });
    const isTaken = error instanceof QdbgError && asCodes.some((input, i) => input !== inputs[i]);
    if (!isTaken) throw error;
    return open(asCodes).catch(() => {
      throw error;
    });
  }
}
