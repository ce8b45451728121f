/**
 * Where a network goes wrong by itself. `local` feeds every operator with what its inputs should be, so damage done before it does
 * not count; what is left is done by the quantizers of its inputs, by the operator (its weights, its kind), or by the
 * quantizer of its output.
 */
import { topologyOf, type Graph, type TensorId } from '../ir/graph.js';
import { hasSameCodes } from '../ir/lane.js';
import type { EdgeMeasurement } from './edge-measurements.js';
import { measuredInputs } from './measured-inputs.js';

export interface Suspect {
  readonly tensor: TensorId;
  /** quantizer: passing the tensor through its own quantizer does the damage; operator: what computes it does. */
  readonly kind: 'quantizer' | 'operator';
  /** Of the quantizer `self`, of the operator `local`: dB, -Infinity where nothing of the signal is left. */
  readonly db: number;
  /** Of an operator: what it reads that has lost a channel, which is what it may have needed. */
  readonly lostIn?: { readonly tensor: TensorId; readonly db: number };
}

/** A quantizer whose own SQNR is not further than this above that of an operator explains the operator's. */
const EXPLAINS_DB = 6;

/** Local SQNR, dB, of an operator that may have needed a lost channel; and self or local SQNR of one. */
export const LOST_DB = 12;

/** Tensors that codes only move through share their quantizer: the first of them is at fault where a later one is this little worse. */
const SHARED_DB = 12;

/** One for each measured tensor at fault for its own, or a reader's, local error; worst first, then in graph order. */
export function suspectsOf(graph: Graph, measurements: readonly EdgeMeasurement[]): Suspect[] {
  const byTensor = new Map(measurements.map((measurement) => [measurement.edge.tensor, measurement]));
  const { producer } = topologyOf(graph);
  const suspects = new Map<TensorId, Suspect>();
  const accuse = (suspect: Suspect): void => {
    const known = suspects.get(suspect.tensor);
    if (known === undefined || suspect.db < known.db) suspects.set(suspect.tensor, suspect);
  };
  for (const measurement of measurements) {
    const { tensor } = measurement.edge;
    const self = dbOf(measurement, 'self');
    const local = dbOf(measurement, 'local');
    const writer = producer[tensor];
    if (local === undefined || writer === undefined) {
      if (self !== undefined) accuse({ tensor, kind: 'quantizer', db: self });
      continue;
    }
    const read = measuredInputs(graph, writer, byTensor);
    const explains = read
      .map((id) => ({ tensor: id, db: selfOf(byTensor, id) }))
      .filter(({ db }) => db <= local + EXPLAINS_DB)
      .sort((a, b) => a.db - b.db)[0];
    if (explains !== undefined) accuse({ ...explains, kind: 'quantizer' });
    else if (self !== undefined && self <= local + EXPLAINS_DB)
      accuse({ tensor, kind: 'quantizer', db: self });
    else accuse({ tensor, kind: 'operator', db: local, ...lostIn(byTensor, read, local) });
  }
  for (const { edge, quant } of [...measurements].reverse()) {
    const later = suspects.get(edge.tensor);
    if (later?.kind !== 'quantizer' || edge.producer === undefined) continue;
    for (const input of measuredInputs(graph, edge.producer, byTensor)) {
      const db = selfOf(byTensor, input);
      const own = byTensor.get(input)?.quant;
      if (db > later.db + SHARED_DB || own === undefined || quant === undefined || !hasSameCodes(own, quant))
        continue;
      accuse({ tensor: input, kind: 'quantizer', db: Math.min(db, later.db) });
    }
  }
  const place = new Map(measurements.map(({ edge }, at) => [edge.tensor, at]));
  return [...suspects.values()].sort(
    (a, b) => a.db - b.db || (place.get(a.tensor) ?? 0) - (place.get(b.tensor) ?? 0),
  );
}

/** Pooled energy hides channels that are lost: the worst one in what a broken operator reads. */
function lostIn(
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
  read: readonly TensorId[],
  local: number,
): Pick<Suspect, 'lostIn'> {
  const [worst] = read
    .map((tensor) => ({ tensor, db: worstChannelDb(byTensor.get(tensor)) }))
    .filter(({ db }) => db < LOST_DB)
    .sort((a, b) => a.db - b.db);
  return worst === undefined || local >= LOST_DB ? {} : { lostIn: worst };
}

function worstChannelDb(measurement: EdgeMeasurement | undefined): number {
  const kinds = (['self', 'local'] as const).map(
    (kind) => measurement?.errors.get(kind)?.worstChannel?.sqnrDb,
  );
  return Math.min(...kinds.map((db) => db ?? Infinity));
}

function selfOf(byTensor: ReadonlyMap<TensorId, EdgeMeasurement>, tensor: TensorId): number {
  const measurement = byTensor.get(tensor);
  return (measurement === undefined ? undefined : dbOf(measurement, 'self')) ?? Infinity;
}

/** Infinity where exact, -Infinity where there is error and no signal, undefined where nothing was measured. */
function dbOf({ errors }: EdgeMeasurement, kind: 'self' | 'local'): number | undefined {
  const error = errors.get(kind);
  if (error === undefined) return undefined;
  if (error.exact === true) return Infinity;
  return error.sqnrDb ?? -Infinity;
}
