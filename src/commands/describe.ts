/** Models and data as the report lists them. */
import type { NetworkFile } from '../doctor/evidence.js';
import { elementCount } from '../ir/elements.js';
import { isFloat, type Graph } from '../ir/graph.js';
import { isMain } from '../ir/operators.js';
import type { LoadedModel } from '../loader/index.js';
import type { ReportedData, ReportedModel } from '../report/report.js';
import { guessedNormalization, type Dataset } from '../run/data/dataset.js';

export async function reportedModel(
  loaded: LoadedModel,
  graph: Graph,
  role: ReportedModel['role'],
): Promise<ReportedModel> {
  return { ...describedModel(loaded, graph, role), sha256: await loaded.sha256() };
}

/** What rules may know of a file. */
export function fileOf({ bytes, format, graph }: LoadedModel): NetworkFile {
  const opset = format === 'onnx' ? graph.opsets.get('') : undefined;
  return { bytes, ...(opset === undefined ? {} : { opset }) };
}

/** All but the hash of the file, which takes time. */
export function describedModel(
  loaded: LoadedModel,
  graph: Graph,
  role: ReportedModel['role'],
): Omit<ReportedModel, 'sha256'> {
  // A TFLite graph has the opset that it was put into here, which says nothing about the file.
  const opset = graph.format === 'onnx' ? graph.opsets.get('') : undefined;
  const implied = graph.nodes.filter(({ origin }) => origin.implied === true).length;
  return {
    role,
    path: loaded.path,
    format: loaded.format,
    ...(opset === undefined ? {} : { opset }),
    ops: graph.nodes.filter(isMain).length,
    parameters: parametersOf(graph),
    bytes: loaded.bytes,
    ...(implied === 0 ? {} : { impliedActivations: implied }),
  };
}

/** Elements of all floating-point constants of the file. */
function parametersOf({ tensors, inner }: Graph): number {
  return tensors.reduce(
    (sum, { id, data, dtype }) =>
      data !== undefined && isFloat(dtype) && inner?.has(id) !== true ? sum + elementCount(data.dims) : sum,
    0,
  );
}

/** @param more choices that were made about the same samples: how their labels were read */
export async function reportedData(
  dataset: Dataset,
  more: ReportedData['assumed'] = [],
): Promise<ReportedData> {
  const guessed = guessedNormalization(dataset.assumed);
  return {
    path: dataset.path,
    kind: dataset.kind,
    samples: dataset.count,
    sha256: await dataset.sha256(),
    ...(dataset.preprocessing === undefined ? {} : { preprocessing: { ...dataset.preprocessing } }),
    assumed: [...dataset.assumed.map(({ what, value, from }) => ({ what, value, from })), ...more],
    ...(guessed === undefined ? {} : { guessed: { what: guessed.what, value: guessed.value } }),
    excluded: dataset.excluded.map(({ id, reason }) => ({ sample: id, reason })),
  };
}
