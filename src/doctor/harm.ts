/** Whether what a quantizer does to a tensor does any harm: to the network as a whole, or to the operators that read the tensor. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import { measuredInputs } from '../diff/measured-inputs.js';
import type { Graph, TensorId } from '../ir/graph.js';

/** While every tensor keeps this much cumulative SQNR (dB), what is lost was hardly used. */
const HARMLESS_DB = 20;

/** Local SQNR, dB, below which the operator that reads a tensor no longer computes its function. */
export const BROKEN_READER_DB = 12;

/** How much higher (dB) the self SQNR of an operator's output is where the operator's local SQNR is lost on its inputs. */
const OWN_QUANTIZER_DB = 6;

/** Whether the integer network stays close to float everywhere; never where nothing was measured. */
export function isHarmless(edges: readonly EdgeMeasurement[] = []): boolean {
  const measured = edges.flatMap(({ errors }) => errors.get('cumulative')?.sqnrDb ?? []);
  return measured.length > 0 && measured.every((db) => db >= HARMLESS_DB);
}

export interface Reader {
  readonly measurement: EdgeMeasurement;
  /** `local`, dB; -Infinity where nothing of the signal is left. */
  readonly db: number;
}

/**
 * For each measured tensor, the operator that reads it and has the lowest local SQNR. Operators that lose it by the quantizer of
 * their own output are left out: they say nothing of what they read.
 */
export function worstReaders(graph: Graph, edges: readonly EdgeMeasurement[]): ReadonlyMap<TensorId, Reader> {
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  const worst = new Map<TensorId, Reader>();
  for (const measurement of edges) {
    const { edge, errors } = measurement;
    const local = errors.get('local');
    if (edge.producer === undefined || local === undefined || local.exact === true) continue;
    const db = local.sqnrDb ?? -Infinity;
    if ((errors.get('self')?.sqnrDb ?? Infinity) < db + OWN_QUANTIZER_DB) continue;
    for (const tensor of measuredInputs(graph, edge.producer, byTensor)) {
      if (db < (worst.get(tensor)?.db ?? Infinity)) worst.set(tensor, { measurement, db });
    }
  }
  return worst;
}
