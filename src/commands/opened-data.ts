import type { LoadedModel } from '../loader/index.js';
import type { Dataset } from '../run/data/dataset.js';
import { openDataset } from '../run/data/index.js';
import type { DataRequest } from './data-request.js';
import { inputSpecs } from './preconditions.js';

/** The samples that a flag names, as the model takes them. */
export function openedData(
  { graph, lane }: LoadedModel,
  flag: '--calib' | '--eval',
  sources: readonly string[],
  request: DataRequest,
): Promise<Dataset> {
  const inputs = inputSpecs(graph, lane);
  return openDataset({ sources, inputs, ...request, metadata: graph.metadata, flag });
}
