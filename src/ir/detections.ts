/** TFLite_Detection_PostProcess: which of its results is which. Converters write them in whatever order as outputs of a network. */
import { nodeOf, topologyOf, type Graph, type TensorId } from './graph.js';
import { operatorsOf, sourceOf } from './operators.js';

/** In the order of the operator: edges, class and score of each detection, and how many there are. */
export const DETECTION_RESULTS = ['boxes', 'classes', 'scores', 'count'] as const;
export type DetectionResult = (typeof DETECTION_RESULTS)[number];

/** Operators that only move values, or round them to codes. */
const MOVING: ReadonlySet<string> = new Set([
  'Identity',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Cast',
]);

/** Of every tensor that holds a result as it is, or moved: which one. */
export function detectionResults(graph: Graph): ReadonlyMap<TensorId, DetectionResult> {
  const found = new Map<TensorId, DetectionResult>();
  for (const { main, nodes } of operatorsOf(graph)) {
    if (main.origin.op !== 'TFLite_Detection_PostProcess') continue;
    const stated = nodes
      .flatMap(({ outputs }) => outputs)
      .filter((id): id is TensorId => id !== null && graph.inner?.has(id) !== true);
    // Where one is left out, the others have other places.
    if (stated.length !== DETECTION_RESULTS.length) continue;
    stated.forEach((id, slot) => found.set(id, DETECTION_RESULTS[slot] as DetectionResult));
  }
  if (found.size === 0) return found;
  for (const output of graph.outputs) {
    const result = found.get(movedFrom(graph, output, found));
    if (result !== undefined) found.set(output, result);
  }
  return found;
}

/** The first tensor that is known of those whose values this one has; the last that there is where none is. */
function movedFrom(graph: Graph, tensor: TensorId, known: ReadonlyMap<TensorId, unknown>): TensorId {
  const { producer } = topologyOf(graph);
  let at = sourceOf(graph, tensor);
  while (!known.has(at)) {
    const writer = producer[at];
    const { op = '', inputs: [input] = [] } = writer === undefined ? {} : nodeOf(graph, writer);
    if (!MOVING.has(op) || input === undefined || input === null) return at;
    at = sourceOf(graph, input);
  }
  return at;
}
