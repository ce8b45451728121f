/** Whose channels the report lists one by one. */
import type { Edge } from '../compile/edges.js';
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import { UsageError } from '../errors.js';
import { nodeOf, tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { matchesGlob } from '../quant/select.js';
import type { Places } from '../report/places.js';

/** Tensors with the lowest local SQNR whose channels are always listed, and with them those that their operators read. */
const WORST = 10;
/**
 * Channels that are listed in all, unless those alone have more. One takes some 150 bytes of a document, so that all take little more than
 * 1 MB, as much as a large network's weights take anyway; and networks of a few dozen layers are listed whole.
 */
const CHANNEL_BUDGET = 8192;

/**
 * Tensors whose channels the report lists: the worst and their inputs, then as many others as there is room for, lowest local SQNR
 * first and those without one last.
 */
export function listedTensors(graph: Graph, measurements: readonly EdgeMeasurement[]): ReadonlySet<TensorId> {
  const localDb = ({ errors }: EdgeMeasurement): number => errors.get('local')?.sqnrDb ?? Infinity;
  const ranked = [...measurements].sort((a, b) => ascending(localDb(a), localDb(b)));
  const listed = new Set<TensorId>();
  for (const measurement of ranked.slice(0, WORST)) {
    const { edge } = measurement;
    if (localDb(measurement) === Infinity) break;
    listed.add(edge.tensor);
    const inputs = edge.producer === undefined ? [] : nodeOf(graph, edge.producer).inputs;
    for (const input of inputs) if (input !== null) listed.add(input);
  }
  let room = CHANNEL_BUDGET;
  for (const { edge, channels } of ranked) if (listed.has(edge.tensor)) room -= channels.length;
  for (const { edge, channels } of ranked) {
    if (listed.has(edge.tensor) || channels.length > room) continue;
    listed.add(edge.tensor);
    room -= channels.length;
  }
  return listed;
}

function ascending(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * Measured tensors that the globs name: by tensor, by the node that writes it, or by the layer it is reported under.
 *
 * @throws UsageError for a glob that names nothing that is measured
 */
export function namedTensors(
  graph: Graph,
  places: Places,
  edges: readonly Edge[],
  globs: readonly string[],
): ReadonlySet<TensorId> {
  const named = new Set<TensorId>();
  const missed = globs.filter((glob) => {
    const found = edges.filter((edge) =>
      namesOf(graph, places, edge).some((name) => matchesGlob(glob, name)),
    );
    for (const { tensor } of found) named.add(tensor);
    return found.length === 0;
  });
  if (missed.length > 0) {
    throw new UsageError(`--channels ${missed.join(' ')} matches no measured tensor or node`, {
      hint: 'qdbg inspect MODEL lists the names',
    });
  }
  return named;
}

function namesOf(graph: Graph, places: Places, { tensor, producer }: Edge): string[] {
  const written = producer === undefined ? [] : [nodeOf(graph, producer).origin.name, places.of(tensor).node];
  return [tensorOf(graph, tensor).name, ...written];
}
