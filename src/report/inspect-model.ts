/** A graph -> the parts of an InspectedModel, in the user's names. */
import { elementCount } from '../ir/elements.js';
import { fileAxis, fileShape } from '../ir/file-axes.js';
import {
  isFloat,
  nodeLabel,
  OPAQUE_DOMAIN,
  stringAttr,
  tensorOf,
  type Graph,
  type Node,
  type Shape,
  type TensorId,
} from '../ir/graph.js';
import { macsOf } from '../ir/macs.js';
import { operatorsOf } from '../ir/operators.js';
import { weightAxis } from '../ir/weights.js';
import type { Lane } from '../ir/lane.js';
import { reportedQuant } from './assemble.js';
import type { Layer, LayerWeight, Macs, Port } from './inspect-report.js';
import type { InspectedWeight } from './inspect-weights.js';
import type { PortContract } from './port-contract.js';

/** Inputs or outputs of the network. */
export function portsOf(
  graph: Graph,
  lane: Lane | undefined,
  ids: readonly TensorId[],
  contractOf: (graph: Graph, lane: Lane | undefined, id: TensorId) => PortContract | undefined,
): Port[] {
  return ids.map((id) => {
    const tensor = tensorOf(graph, id);
    const { name, dtype } = tensor;
    const shape = fileShape(tensor);
    const params = lane?.tensors.get(id);
    const contract = contractOf(graph, lane, id);
    return {
      ...(params === undefined || contract?.form !== 'codes' ? {} : { quant: reportedQuant(params, tensor) }),
      name,
      ...(dtype === undefined ? {} : { dtype }),
      ...(shape === undefined ? {} : { shape }),
      ...(contract === undefined ? {} : { contract }),
    };
  });
}

/** Operator as the file calls it, with its domain when that is not ai.onnx. */
export function opName({ domain, origin: { op } }: Node): string {
  return domain === '' || domain === 'ai.onnx' || domain === OPAQUE_DOMAIN ? op : `${domain}.${op}`;
}

export function opCountsOf(graph: Graph): { op: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { main } of operatorsOf(graph)) counts.set(opName(main), (counts.get(opName(main)) ?? 0) + 1);
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
  return operatorsOf(graph).map(({ main, nodes }, order): Layer => {
    const output = nodes.at(-1)?.outputs.find((id) => id !== null);
    const shape = output === undefined || output === null ? undefined : fileShape(tensorOf(graph, output));
    const counts = nodes.map(({ id }) => macs[id]);
    const operatorMacs = counts.reduce<number | undefined>(
      (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
      0,
    );
    const weight = nodes.map((node) => weightOf(node, byTensor)).find((found) => found !== undefined);
    const { absorbed } = main.origin;
    return {
      order,
      node: nodeLabel(main),
      op: opName(main),
      ...(isOpaque(main) ? { opaque: true } : {}),
      ...(absorbed === undefined ? {} : { absorbed }),
      ...(shape === undefined ? {} : { shape }),
      parameters: nodes.reduce((sum, node) => sum + newParameters(graph, node, counted), 0),
      ...(operatorMacs === undefined ? {} : { macs: operatorMacs }),
      ...(weight === undefined ? {} : { weight: layerWeight(graph, main, weight) }),
    };
  });
}

export function notComputedOf(graph: Graph): { node: string; reason: string }[] {
  return graph.nodes
    .filter(({ domain }) => domain === OPAQUE_DOMAIN)
    .map((node) => ({
      node: nodeLabel(node),
      reason: stringAttr(node, 'reason') ?? 'its operator is not known',
    }));
}

/** Nothing is known of what it computes, or of the graphs nested in it. */
function isOpaque({ domain, attrs }: Node): boolean {
  return domain === OPAQUE_DOMAIN || [...attrs.values()].some(({ type }) => type === 'graph');
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
    if (data !== undefined && isFloat(dtype) && !counted.has(id) && graph.inner?.has(id) !== true)
      sum += elementCount(data.dims);
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

function layerWeight(graph: Graph, main: Node, { name, weight, scan, spread }: InspectedWeight): LayerWeight {
  const tensor = tensorOf(graph, weight.tensor);
  return {
    tensor: name,
    dtype: weight.data.dtype,
    shape: fixedDims(fileShape(tensor)) ?? weight.data.dims,
    axis: fileAxis(tensor, weight.axis),
    ...(nodeLabel(weight.node) === nodeLabel(main) ? {} : { sharedWith: nodeLabel(weight.node) }),
    ...(scan.min === undefined ? {} : { min: scan.min }),
    ...(scan.max === undefined ? {} : { max: scan.max }),
    ...(spread.spread === undefined ? {} : { spread: spread.spread }),
    outlierChannels: spread.outlierChannels,
  };
}

function fixedDims(shape: Shape | undefined): number[] | undefined {
  const dims = shape?.filter((dim) => typeof dim === 'number');
  return dims?.length === shape?.length ? dims : undefined;
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
