/** Whose channels the report lists one by one. */
import type { Edge } from '../compile/edges.js';
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import { UsageError } from '../errors.js';
import { nodeOf, tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { matchesGlob } from '../quant/select.js';

/** Tensors with the lowest local SQNR whose channels are always listed, and with them those that their operators read. */
const WORST = 10;

/** `globs` name nodes or tensors. */
export function listedTensors(
  graph: Graph,
  measurements: readonly EdgeMeasurement[],
  globs: readonly string[],
): ReadonlySet<TensorId> {
  const localDb = ({ errors }: EdgeMeasurement): number => errors.get('local')?.sqnrDb ?? Infinity;
  const worst = measurements.filter((measurement) => localDb(measurement) < Infinity);
  worst.sort((a, b) => localDb(a) - localDb(b));
  const listed = new Set<TensorId>();
  for (const { edge } of worst.slice(0, WORST)) {
    listed.add(edge.tensor);
    const inputs = edge.producer === undefined ? [] : nodeOf(graph, edge.producer).inputs;
    for (const input of inputs) if (input !== null) listed.add(input);
  }
  for (const { edge } of measurements) if (isNamed(graph, edge, globs)) listed.add(edge.tensor);
  return listed;
}

/** @throws UsageError for a glob that names nothing that is measured */
export function requireNamed(graph: Graph, edges: readonly Edge[], globs: readonly string[]): void {
  const missed = globs.filter((glob) => !edges.some((edge) => isNamed(graph, edge, [glob])));
  if (missed.length > 0) {
    throw new UsageError(`--channels ${missed.join(' ')} matches no measured tensor or node`, {
      hint: 'qdbg inspect MODEL lists the names',
    });
  }
}

function isNamed(graph: Graph, edge: Edge, globs: readonly string[]): boolean {
  const names = [tensorOf(graph, edge.tensor).name];
  if (edge.producer !== undefined) names.push(nodeOf(graph, edge.producer).origin.name);
  return globs.some((glob) => names.some((name) => matchesGlob(glob, name)));
}
