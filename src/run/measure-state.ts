/** The sums of a measuring pass as plain data, and those of several passes over different samples as one. */
import { DataError } from '../errors.js';
import type { Edge } from '../compile/edges.js';
import { ERROR_KINDS, type ErrorKind } from '../compile/measurement-program.js';
import type { TensorId } from '../ir/graph.js';
import { addWorst, emptyErrorSums, type ErrorSums, type ValueSums, type WorstSample } from '../ir/sums.js';
import type { EdgeSums } from './measure.js';

export interface EdgeSumsState {
  readonly tensor: TensorId;
  readonly value: Readonly<ValueSums>;
  readonly errors: readonly ErrorSumsState[];
}

export interface ErrorSumsState {
  readonly kind: ErrorKind;
  readonly sumEE: Float64Array;
  readonly sumE: Float64Array;
  readonly maxAbsE: Float64Array;
  readonly clipEE: number;
  readonly nonFinite: number;
  readonly worst: readonly WorstSample[];
}

/** Without the ranges, which only some passes ask for. */
export function sumsState(sums: readonly EdgeSums[]): EdgeSumsState[] {
  return sums.map(({ edge, value, errors }) => ({
    tensor: edge.tensor,
    value,
    errors: ERROR_KINDS.flatMap((kind) => {
      const error = errors.get(kind);
      return error === undefined ? [] : [{ kind, ...error }];
    }),
  }));
}

/**
 * @param parts in the order of their samples
 * @throws DataError when they are of other edges
 */
export function sumsOf(edges: readonly Edge[], parts: readonly (readonly EdgeSumsState[])[]): EdgeSums[] {
  const [first = []] = parts;
  const sums = edges.map((edge, i): EdgeSums => ({
    edge,
    value: { count: 0, nonFinite: 0, sumXX: 0, clipped: 0 },
    errors: new Map((first[i]?.errors ?? []).map(({ kind }) => [kind, emptyErrorSums(edge.channels)])),
  }));
  for (const part of parts) {
    if (part.length !== edges.length) throw otherNetwork(`${part.length} tensors, wanted ${edges.length}`);
    sums.forEach((own, i) => addEdge(own, part[i] as EdgeSumsState));
  }
  return sums;
}

function addEdge({ edge, value, errors }: EdgeSums, state: EdgeSumsState): void {
  if (state.tensor !== edge.tensor || state.errors.length !== errors.size)
    throw otherNetwork(`tensor ${state.tensor} in place of ${edge.tensor}`);
  value.count += state.value.count;
  value.nonFinite += state.value.nonFinite;
  value.sumXX += state.value.sumXX;
  value.clipped += state.value.clipped;
  for (const { kind, ...error } of state.errors) {
    const own = errors.get(kind);
    if (own === undefined) throw otherNetwork(`tensor ${state.tensor} has no ${kind} error`);
    addError(own, error);
  }
}

function addError(own: ErrorSums, { sumEE, sumE, maxAbsE, ...state }: Omit<ErrorSumsState, 'kind'>): void {
  const channels = own.sumEE.length;
  if ([sumEE, sumE, maxAbsE].some(({ length }) => length !== channels))
    throw otherNetwork(`${sumEE.length} channels, wanted ${channels}`);
  for (let c = 0; c < channels; c++) {
    own.sumEE[c] = (own.sumEE[c] as number) + (sumEE[c] as number);
    own.sumE[c] = (own.sumE[c] as number) + (sumE[c] as number);
    own.maxAbsE[c] = Math.max(own.maxAbsE[c] as number, maxAbsE[c] as number);
  }
  own.clipEE += state.clipEE;
  own.nonFinite += state.nonFinite;
  for (const sample of state.worst) addWorst(own.worst, sample);
}

function otherNetwork(what: string): DataError {
  return new DataError(`these sums are of another network: ${what}`);
}
