/** The one planner: interprets the rule table of the scheme's target. */
import type { Graph, NodeId, TensorId } from '../../ir/graph.js';
import { nodeOf, tensorOf } from '../../ir/graph.js';
import { useKey } from '../../ir/lane.js';
import { readersOf, sourceOf, writerOf } from '../../ir/operators.js';
import type { PlacementName, Scheme } from '../scheme.js';
import { select, type Selected, type Selection } from '../select.js';
import type { Marks } from './marks.js';
import { markGraph, outputOfFused } from './marks.js';
import { ORT } from './ort.js';
import type { FloatNode, PlannedQuantizer, QuantPlan } from './plan.js';
import { quantizersOf, settle } from './quantizers.js';
import type { Placement } from './rules.js';
import { TENSORRT } from './tensorrt.js';
import { TFLITE } from './tflite.js';

/** By name. */
export const PLACEMENTS: Readonly<Record<PlacementName, Placement>> = {
  ort: ORT,
  tflite: TFLITE,
  tensorrt: TENSORRT,
};

/**
 * Which edges of the graph the scheme's target quantizes, which of them share parameters, and which nodes it then
 * computes with integers.
 *
 * Only floating-point tensors (float32, float16, bfloat16, float64) are quantized; a tensor of unknown type is not. A
 * node left out by the selection places nothing, but its edges are quantized where another node's rule says so, as
 * with `nodes_to_exclude` of ONNX Runtime's quantizer. A tensor left out has no quantizer.
 *
 * @throws UsageError when a pattern of the selection matches nothing
 */
export function planQuantization(graph: Graph, scheme: Scheme, selection: Selection): QuantPlan {
  return planSelected(graph, scheme, select(graph, selection));
}

/** As `planQuantization`, with the nodes and tensors that patterns would name. */
export function planSelected(graph: Graph, scheme: Scheme, { only, skip }: Selected): QuantPlan {
  const placement = PLACEMENTS[scheme.placement];
  const isNamed = (node: NodeId): boolean => only === undefined || only.nodes.has(node);
  const marks = markGraph(
    graph,
    placement,
    scheme,
    withLayouts(graph, (node) => isNamed(node) && !skip.nodes.has(node)),
  );
  const planned = quantizersOf(graph, scheme, marks);
  if (only !== undefined && only.tensors.size > 0) {
    // A tensor that --only names is quantized as in the whole plan, whether or not its nodes are named.
    const whole = markGraph(
      graph,
      placement,
      scheme,
      withLayouts(graph, (node) => !skip.nodes.has(node)),
    );
    const known = new Set(planned.map(keyOf));
    const named = quantizersOf(graph, scheme, whole).filter(({ tensor }) => only.tensors.has(tensor));
    planned.push(...named.filter((quantizer) => !known.has(keyOf(quantizer))));
  }
  const kept = planned.filter(
    (quantizer) => !skip.tensors.has(quantizer.tensor) && !isInnerResult(graph, quantizer),
  );
  const quantizers = settle(kept, marks.ranges).flatMap((quantizer) => outsideOperators(graph, quantizer));
  return {
    placement: scheme.placement,
    quantizers,
    ...classify(graph, marks, quantizers),
    fusedAway: [
      ...new Set([...(scheme.activations === 'float' ? [] : marks.fused.keys()), ...(graph.inner ?? [])]),
    ],
    biasLimit: placement.biasLimit,
  };
}

/** Nodes that only bring a tensor into another order of axes have no names: they go with the operators that they serve. */
function withLayouts(graph: Graph, isWanted: (node: NodeId) => boolean): (node: NodeId) => boolean {
  return (id) => {
    const { origin, outputs } = nodeOf(graph, id);
    const [copy] = outputs;
    if (origin.part !== 'layout' || copy === undefined || copy === null) return isWanted(id);
    const writer = graph.outputs.includes(copy) ? writerOf(graph, copy) : undefined;
    const served = [...readersOf(graph, copy), ...(writer === undefined ? [] : [writer])];
    return served.some((node) => isWanted(node.id));
  };
}

/**
 * Between two nodes of one operator of the file there is no quantizer. One that shares the parameters of another tensor changes
 * nothing there (it only sees that tensor's elements in another order) and stays, for what refers to it.
 */
function isInnerResult({ inner }: Graph, { tensor, range }: PlannedQuantizer): boolean {
  return inner?.has(tensor) === true && range.kind !== 'same-as';
}

/** Ranges are observed at tensors of the file: one that shares the range of an inner tensor has the same values, or clamped ones. */
function outsideOperators(graph: Graph, quantizer: PlannedQuantizer): PlannedQuantizer[] {
  const { tensor, range } = quantizer;
  const isInner = (id: TensorId): boolean => graph.inner?.has(id) === true;
  if (range.kind !== 'observed' || !isInner(range.tensor)) return [quantizer];
  if (!isInner(tensor)) return [{ ...quantizer, range: { kind: 'observed', tensor } }];
  const source = sourceOf(graph, tensor);
  return isInner(source) ? [] : [{ ...quantizer, range: { kind: 'same-as', tensor: source } }];
}

function keyOf({ tensor, use }: PlannedQuantizer): string {
  return use === undefined ? `${tensor}` : useKey(use.node, use.slot);
}

/** A node computes with integers when its rule holds and every edge that the rule wants quantized is. */
function classify(
  graph: Graph,
  marks: Marks,
  quantizers: readonly PlannedQuantizer[],
): Pick<QuantPlan, 'quantizedNodes' | 'floatNodes'> {
  const edges = new Set(quantizers.map(({ tensor, use }) => `${tensor} ${use?.node ?? ''}`));
  const quantizedNodes: NodeId[] = [];
  const floatNodes: FloatNode[] = [...marks.unruled];
  for (const [node, tensors] of marks.ruled) {
    const open = tensors
      .map((tensor) => outputOfFused(marks, tensor))
      .filter((tensor) => graph.inner?.has(tensor) !== true)
      .find((tensor) => !edges.has(`${tensor} `) && !edges.has(`${tensor} ${node}`));
    if (open === undefined) quantizedNodes.push(node);
    else floatNodes.push({ node, reason: `'${tensorOf(graph, open).name}' is not quantized` });
  }
  floatNodes.sort((a, b) => a.node - b.node);
  return { quantizedNodes, floatNodes };
}
