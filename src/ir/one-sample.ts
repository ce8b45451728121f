/** Extents for one sample, where a network leaves the batch open: what is counted per sample needs fixed shapes. */
import { bindInputs } from './bind-inputs.js';
import { tensorOf, type Graph } from './graph.js';
import { inferShapes } from './infer/index.js';

/** A batch of one for every input of which only the batch is open, by input name. */
export function oneSample(graph: Graph): ReadonlyMap<string, readonly number[]> {
  const extents = new Map<string, readonly number[]>();
  for (const id of graph.inputs) {
    const { name, shape } = tensorOf(graph, id);
    const [batch, ...rest] = shape ?? [];
    const fixed = rest.filter((dim) => typeof dim === 'number');
    if (batch !== undefined && typeof batch !== 'number' && fixed.length === rest.length)
      extents.set(name, [1, ...fixed]);
  }
  return extents;
}

/** The graph with the shapes that it has for one sample. */
export function sizedForOneSample(graph: Graph): Graph {
  return inferShapes(bindInputs(graph, oneSample(graph)));
}
