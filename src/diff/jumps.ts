/** Where cumulative SQNR falls most from an operator's inputs to its output. */
import type { Graph, TensorId } from '../ir/graph.js';
import type { EdgeMeasurement } from './edge-measurements.js';
import { measuredInputs } from './measured-inputs.js';

export interface Jump {
  readonly tensor: TensorId;
  /** The input with the lowest cumulative SQNR, which the output is compared with. */
  readonly from: TensorId;
  /** Absent where the input is exact. */
  readonly fromDb?: number;
  readonly toDb: number;
}

/** Above this nothing is lost that an 8-bit network could keep: the first quantizer's fall from 150 dB is no news. */
const CEILING_DB = 40;

/** All falls, largest first; what lies above the ceiling does not count. */
export function jumpsOf(graph: Graph, measurements: readonly EdgeMeasurement[]): Jump[] {
  const cumulative = new Map<TensorId, number>();
  for (const { edge, errors } of measurements) {
    const { sqnrDb, exact } = errors.get('cumulative') ?? {};
    if (exact === true) cumulative.set(edge.tensor, Infinity);
    else if (sqnrDb !== undefined) cumulative.set(edge.tensor, sqnrDb);
  }
  const jumps: Jump[] = [];
  for (const { edge } of measurements) {
    const toDb = cumulative.get(edge.tensor);
    if (toDb === undefined || edge.producer === undefined) continue;
    const worst = lowestInput(graph, edge.producer, cumulative);
    if (worst === undefined) continue;
    const fromDb = worst.db === Infinity ? {} : { fromDb: worst.db };
    jumps.push({ tensor: edge.tensor, from: worst.tensor, ...fromDb, toDb });
  }
  return jumps.filter((jump) => depthOf(jump) > 0).sort((a, b) => depthOf(b) - depthOf(a));
}

function depthOf({ fromDb = Infinity, toDb }: Jump): number {
  return Math.min(fromDb, CEILING_DB) - Math.min(toDb, CEILING_DB);
}

/** The measured activation with the lowest SQNR that the node reads, through operators that were fused into it. */
function lowestInput(
  graph: Graph,
  producer: NonNullable<EdgeMeasurement['edge']['producer']>,
  cumulative: ReadonlyMap<TensorId, number>,
): { tensor: TensorId; db: number } | undefined {
  return measuredInputs(graph, producer, cumulative)
    .map((tensor) => ({ tensor, db: cumulative.get(tensor) ?? Infinity }))
    .reduce<{ tensor: TensorId; db: number } | undefined>(
      (lowest, input) => (lowest === undefined || input.db < lowest.db ? input : lowest),
      undefined,
    );
}
