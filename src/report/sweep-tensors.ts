/** Rows of the activations of a sweep: each with what the layer that writes it shows. */
import { fileShape } from '../ir/file-axes.js';
import { tensorOf, topologyOf, type Graph, type TensorId } from '../ir/graph.js';
import { useKey, type Lane } from '../ir/lane.js';
import type { Layer } from '../quant/layers.js';
import { reportedQuant, roleOf } from './assemble.js';
import type { Places } from './places.js';
import type { SweepReport, SweptUnit } from './sweep-report.js';

/**
 * Inputs of the network that are quantized, and what layers write, in graph order.
 *
 * @param units of the layers, in their order
 */
export function sweptTensorRows(
  graph: Graph,
  places: Places,
  lane: Lane,
  layers: readonly Layer[],
  units: readonly SweptUnit[],
): SweepReport['tensors'] {
  const inputs = graph.inputs.filter((id) => quantOf(graph, lane, id) !== undefined);
  const rows = [
    ...inputs.map((id) => ({ id, unit: undefined })),
    ...layers.map(({ output }, at) => ({ id: output, unit: units[at] })),
  ];
  return rows.map(({ id, unit }, order) => {
    const tensor = tensorOf(graph, id);
    const quant = quantOf(graph, lane, id);
    const { node, op } = places.of(id);
    return {
      tensor: tensor.name,
      node,
      op,
      role: roleOf(graph, id),
      order,
      shape: fileShape(tensor) ?? [],
      ...(quant === undefined ? {} : { quant: reportedQuant(quant, tensor) }),
      ...(unit?.alone === undefined ? {} : { alone: unit.alone }),
      ...(unit?.restored === undefined ? {} : { restored: unit.restored }),
    };
  });
}

/** Its own quantizer, or where only readers have one that of the first. */
function quantOf(graph: Graph, lane: Lane, id: TensorId): ReturnType<Lane['tensors']['get']> {
  const uses = topologyOf(graph).uses[id] ?? [];
  const read = uses.map(({ node, slot }) => lane.uses.get(useKey(node, slot)));
  return lane.tensors.get(id) ?? read.find((params) => params !== undefined);
}
