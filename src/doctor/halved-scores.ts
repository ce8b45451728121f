/** Scores that can be nothing below 0.5: a Sigmoid behind a quantizer that has no negative values. */
import type { Graph, Node, TensorId } from '../ir/graph.js';
import { isOutput, sourceOf, writerOf } from '../ir/operators.js';
import type { With } from './evidence.js';
import { movedReaders, movedTo } from './implied-bounds.js';
import { quantizerOf } from './quantizers.js';

export interface HalvedScores {
  readonly node: Node;
  readonly scores: TensorId;
  readonly logits: TensorId;
  /** The lowest score in float; absent where nothing was run. */
  readonly below?: number;
}

/** Of scores that are outputs, or that a detector picks its boxes by; where float has none below 0.5 nothing is wrong. */
export function halvedScores({ graph, lane, edges, reference }: With<'lane'>): HalvedScores[] {
  return graph.nodes.flatMap((node): HalvedScores[] => {
    const [read] = node.inputs;
    const [scores] = node.outputs;
    if (node.op !== 'Sigmoid' || read === null || read === undefined || scores === null) return [];
    if (scores === undefined || !areScores(graph, scores)) return [];
    const logits = sourceOf(graph, read);
    const params = quantizerOf(graph, lane, logits);
    if (params?.granularity.kind !== 'per-tensor' || params.zeroPoint[0] !== params.qmin) return [];
    if (isNeverNegative(graph, logits)) return [];
    const names = movedTo(graph, scores);
    const measured = edges?.find(({ edge }) => names.has(edge.tensor));
    // Its own float network has the function that stands for the range, too.
    if (measured === undefined || reference === undefined) return [{ node, scores, logits }];
    const { min } = measured.range;
    return min < HALF ? [{ node, scores, logits, below: min }] : [];
  });
}

/** A little less than 0.5, which is what rounding leaves of it. */
const HALF = 0.49;

function areScores(graph: Graph, scores: TensorId): boolean {
  return (
    [...movedTo(graph, scores)].some((id) => isOutput(graph, id)) ||
    movedReaders(graph, scores).some(({ origin }) => origin.op === 'TFLite_Detection_PostProcess')
  );
}

/** Behind a function that the file states, float has no negative logits either. */
function isNeverNegative(graph: Graph, logits: TensorId): boolean {
  const writer = writerOf(graph, logits);
  return writer !== undefined && RECTIFYING.has(writer.op) && writer.origin.implied !== true;
}

const RECTIFYING: ReadonlySet<string> = new Set(['Relu', 'Clip', 'Softplus', 'Sigmoid', 'Softmax', 'Abs']);
