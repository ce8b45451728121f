/** What a model file is fed, and what its outputs mean, where it takes and gives codes. */
import { RunError } from '../../errors.js';
import { tensorOf, type Graph, type TensorId } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { quantize } from '../../quant/affine.js';
import { convertElements } from '../data/convert.js';
import type { Feed } from '../data/dataset.js';
import type { Candidate } from '../other-run.js';
import type { Original } from './process.js';

/**
 * Feeds as the file takes them: codes for inputs that are integers in it.
 *
 * @throws RunError when the file takes an input in a type that it was not loaded with
 */
export function feedsOf(
  { inputs }: Original,
  { graph, lane }: Candidate,
  feeds: ReadonlyMap<string, Feed>,
): Map<string, Feed> {
  const fed = new Map<string, Feed>();
  for (const id of graph.inputs) {
    const { name } = tensorOf(graph, id);
    const feed = feeds.get(name);
    const type = inputs.get(name);
    if (feed === undefined || !inputs.has(name)) continue;
    fed.set(name, type === feed.dtype ? feed : codesOf(feed, type, graph, lane, id));
  }
  return fed;
}

function codesOf(feed: Feed, type: string | undefined, graph: Graph, lane: Lane, id: TensorId): Feed {
  const params = lane.tensors.get(id);
  const { name } = tensorOf(graph, id);
  if (params?.dtype !== type || params === undefined) {
    throw new RunError(`input ${name} is ${type ?? 'no tensor'} in the file and ${feed.dtype} here`);
  }
  const values = convertElements(feed.data, feed.dtype as 'float32', 'float32') as Float32Array;
  const codes = quantize(values, feed.dims, params);
  return {
    dtype: params.dtype,
    dims: feed.dims,
    data: convertElements(codes, 'int32', params.dtype as 'int8'),
  };
}
