/** A graph -> the parts of an InspectedModel, in the user's names. */
import { elementCount } from '../ir/elements.js';
import { isFloat, nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../ir/graph.js';
import { macsOf } from '../ir/macs.js';
import { weightAxis } from '../ir/weights.js';
import type { Layer, LayerWeight, Macs, Port } from './inspect-report.js';
import type { InspectedWeight } from './inspect-weights.js';

export function portsOf(graph: Graph, ids: readonly TensorId[]): Port[] {
  return ids.map((id) => {
    const { name, dtype, shape } = tensorOf(graph, id);
    return { name, ...(dtype === undefined ? {} : { dtype }), ...(shape === undefined ? {} : { shape }) };
  });
}

/** Operator as the file calls it, with its domain when that is not ai.onnx. */
export function opName({ domain, origin: { op } }: Node): string {
  return domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
}

export function opCountsOf(graph: Graph): { op: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const node of graph.nodes) counts.set(opName(node), (counts.get(opName(node)) ?? 0) + 1);
  return [...counts].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count);
}

/**
 * @param macs of each node, in order; undefined where unknown
 * @param weights of the graph
 */
export function layersOf(
  graph: Graph,
  macs: readonly (number | undefined)[],
  weights: readonly InspectedWeight[],
): Layer[] {
  const byTensor = new Map(weights.map((entry) => [entry.weight.tensor, entry]));
  const counted = new Set<TensorId>();
  return graph.nodes.map((node, order): Layer => {
    const output = node.outputs.find((id) => id !== null);
    const shape = output === undefined || output === null ? undefined : tensorOf(graph, output).shape;
    const nodeMacs = macs[order];
    const weight = weightOf(node, byTensor);
    const { absorbed } = node.origin;
    return {
      order,
      node: nodeLabel(node),
      op: opName(node),
      ...([...node.attrs.values()].some(({ type }) => type === 'graph') ? { opaque: true } : {}),
      ...(absorbed === undefined ? {} : { absorbed }),
      ...(shape === undefined ? {} : { shape }),
      parameters: newParameters(graph, node, counted),
      ...(nodeMacs === undefined ? {} : { macs: nodeMacs }),
      ...(weight === undefined ? {} : { weight: layerWeight(node, weight) }),
    };
  });
}

/** Constants that a node reads, itself or in its nested graphs. */
export function constantsOf(graph: Graph, node: Node): TensorId[] {
  const captured = [...node.attrs.values()].flatMap((attr) =>
    attr.type === 'graph' ? attr.value.captures : [],
  );
  return [...node.inputs, ...captured].flatMap((id) =>
    id === null || tensorOf(graph, id).data === undefined ? [] : [id],
  );
}

/** Elements of the float constants of the node that are not in `counted`; then they are. */
function newParameters(graph: Graph, node: Node, counted: Set<TensorId>): number {
  let sum = 0;
  for (const id of constantsOf(graph, node)) {
    const { data, dtype } = tensorOf(graph, id);
    if (data !== undefined && isFloat(dtype) && !counted.has(id)) sum += elementCount(data.dims);
    counted.add(id);
  }
  return sum;
}

function weightOf(node: Node, byTensor: ReadonlyMap<TensorId, InspectedWeight>): InspectedWeight | undefined {
  for (const [slot, id] of node.inputs.entries()) {
    const found = id === null ? undefined : byTensor.get(id);
    if (found !== undefined && weightAxis(node, slot, found.weight.data.dims.length) !== undefined)
      return found;
  }
  return undefined;
}

function layerWeight(node: Node, { name, weight, scan, spread }: InspectedWeight): LayerWeight {
  return {
    tensor: name,
    dtype: weight.data.dtype,
    shape: weight.data.dims,
    axis: weight.axis,
    ...(weight.node.id === node.id ? {} : { sharedWith: nodeLabel(weight.node) }),
    ...(scan.min === undefined ? {} : { min: scan.min }),
    ...(scan.max === undefined ? {} : { max: scan.max }),
    ...(spread.spread === undefined ? {} : { spread: spread.spread }),
    outlierChannels: spread.outlierChannels,
  };
}

/** Multiply-accumulates of every node; undefined where a shape is not fixed. */
export function nodeMacs(graph: Graph): (number | undefined)[] {
  return graph.nodes.map((node) => macsOf(graph, node));
}

/** @param counted extents that inputs were given for counting */
export function macsTotal(
  macs: readonly (number | undefined)[],
  counted: ReadonlyMap<string, readonly number[]>,
): Macs {
  const known = macs.filter((value) => value !== undefined);
  const unknownLayers = macs.length - known.length;
  const total = known.reduce((sum, value) => sum + value, 0);
  return {
    ...(total === 0 && unknownLayers > 0 ? {} : { total }),
    unknownLayers,
    counted: Object.fromEntries(counted),
  };
}
