/** What the values of an output are, as far as the operator that writes them tells. */
import { detectionResults, type DetectionResult } from '../ir/detections.js';
import { nodeOf, topologyOf, type Graph, type Node, type TensorId } from '../ir/graph.js';
import type { QuantParams } from '../ir/lane.js';
import { sourceOf } from '../ir/operators.js';

/** Operators that only move values: what wrote them is asked instead. */
const MOVING: ReadonlySet<string> = new Set([
  ...['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Transpose', 'Flatten', 'Concat', 'Cast'],
]);
const DEEPEST = 16;

/** Results of TFLite_Detection_PostProcess. */
const DETECTIONS: Readonly<Record<DetectionResult, string>> = {
  boxes: 'boxes: ymin, xmin, ymax, xmax as shares of the picture',
  classes: 'classes, counted from 0 without the background',
  scores: 'scores, highest first; many of exactly 0.5 mean that the layer before has only zeros',
  count: 'number of detections',
};

/** Undefined where the operator tells nothing. */
export function outputMeaning(
  graph: Graph,
  output: TensorId,
  params: QuantParams | undefined,
): string | undefined {
  const result = detectionResults(graph).get(output);
  if (result !== undefined) return DETECTIONS[result];
  const { producer } = topologyOf(graph);
  let tensor = sourceOf(graph, output);
  for (let depth = 0; depth < DEEPEST; depth++) {
    const writer = producer[tensor];
    if (writer === undefined) return undefined;
    const node = nodeOf(graph, writer);
    const meaning = meaningOf(node, params);
    if (meaning !== undefined) return meaning;
    const [input] = node.inputs;
    if (!MOVING.has(node.op) || input === undefined || input === null) return undefined;
    tensor = sourceOf(graph, input);
  }
  return undefined;
}

function meaningOf({ op, origin }: Node, params: QuantParams | undefined): string | undefined {
  switch (op) {
    case 'Softmax':
      return `probabilities (${origin.op}), which add up to 1 once dequantized`;
    case 'Sigmoid':
      return `scores (${origin.op}): 0.5${halfCode(params)} is what it makes of 0`;
    case 'ArgMax':
      return 'indices of the largest values: nothing to dequantize';
    default:
      return undefined;
  }
}

function halfCode(params: QuantParams | undefined): string {
  const [scale = NaN] = params?.scale ?? [];
  const [point = 0] = params?.zeroPoint ?? [];
  return scale > 0 && Number.isFinite(scale) ? `, code ${Math.round(0.5 / scale) + point},` : '';
}
