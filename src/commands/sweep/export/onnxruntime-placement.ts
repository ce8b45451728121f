/** What quantize_static would quantize beside what a decision wants quantized. */
import { planSelected } from '../../../quant/placement/planner.js';
import type { Decision } from './decision.js';
import { floatLayers, listed } from './decided-layers.js';
import { quantizedEdges } from './edge-quantizers.js';

/** Where quantize_static puts quantizers that the lane does not have, or none where it has some. */
export function placedOtherwise(decision: Decision): string[] {
  const { graph, scheme, lane } = decision;
  const nodes = new Set(floatLayers(decision).flatMap((layer) => layer.nodes));
  const plan = planSelected(
    graph,
    { ...scheme, placement: 'ort' },
    { only: undefined, skip: { nodes, tensors: new Set() } },
  );
  const placed = new Set(plan.quantizers.map(({ tensor }) => tensor));
  const edges = quantizedEdges(graph, lane);
  const wanted = new Set(edges.map(({ tensor }) => tensor.id));
  const missing = edges.filter(({ tensor }) => !placed.has(tensor.id)).map(({ tensor }) => tensor.name);
  const more = plan.quantizers
    .filter(({ tensor, role }) => role !== 'bias' && !wanted.has(tensor))
    .map(({ tensor }) => graph.tensors[tensor]?.name ?? '');
  const own = new Map(edges.map((edge) => [edge.tensor.id, edge.own]));
  const untied = plan.quantizers.flatMap(({ tensor, range }) => {
    if (range.kind !== 'same-as') return [];
    const [a, b] = [own.get(tensor), own.get(range.tensor)];
    const isTied =
      a === undefined || b === undefined || (a.scale[0] === b.scale[0] && a.zeroPoint[0] === b.zeroPoint[0]);
    return isTied ? [] : [graph.tensors[tensor]?.name ?? ''];
  });
  return [
    ...(missing.length > 0 ? [`quantizers of ${listed(missing)}: quantize_static puts none there`] : []),
    ...(more.length > 0 ? [`${listed([...new Set(more)])} in float: quantize_static quantizes them`] : []),
    ...(untied.length > 0
      ? [
          `own parameters of ${listed(untied)}: quantize_static gives an operator that only moves values those of its input`,
        ]
      : []),
  ];
}
