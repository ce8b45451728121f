/** What is known of the values that one input gets. */
import { nodeLabel, nodeOf, tensorOf, topologyOf, type Graph, type TensorId } from '../ir/graph.js';
import type { DataStudy, InputStudy } from '../run/data/study.js';
import type { Evidence } from './evidence.js';
import type { Finding } from './finding.js';

export interface SeenInput extends InputStudy {
  readonly flag: '--calib' | '--eval' | '--data';
  /** 'images', 'npy'. */
  readonly kind: string;
  /** The normalization that was taken because nobody said one. */
  readonly guess?: string;
}

/**
 * Of the samples that were measured, else of those that set the ranges. Undefined for random data, which have no preprocessing. A data
 * set that was opened for a reference has its names: the same position then.
 */
export function studiedInput(
  { graph, calib, data, reference }: Pick<Evidence, 'graph' | 'calib' | 'data' | 'reference'>,
  input: TensorId,
  study: DataStudy | undefined = data ?? calib,
): SeenInput | undefined {
  if (study === undefined || study.kind === 'random') return undefined;
  const { name } = tensorOf(graph, input);
  const position = graph.inputs.indexOf(input);
  const twin = reference?.graph.inputs[position];
  const names = [
    name,
    ...(reference === undefined || twin === undefined ? [] : [tensorOf(reference.graph, twin).name]),
  ];
  const found = names.flatMap((each) => study.inputs.find(({ tensor }) => tensor === each) ?? [])[0];
  if (found === undefined) return undefined;
  const guess = study.assumed?.find(({ what, from }) => what === 'normalization' && from === 'default');
  return {
    ...found,
    flag: study.flag,
    kind: study.kind,
    ...(guess === undefined ? {} : { guess: guess.value }),
  };
}

/** Operators that read extents only. */
const SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** The input and the first operator that reads its values. */
export function inputSubject(graph: Graph, input: TensorId): Finding['subject'] {
  const readers = (topologyOf(graph).uses[input] ?? []).map(({ node }) => nodeOf(graph, node));
  const reader = readers.find(({ op }) => !SHAPES.has(op));
  return {
    ...(reader === undefined ? {} : { node: nodeLabel(reader) }),
    tensor: tensorOf(graph, input).name,
  };
}
