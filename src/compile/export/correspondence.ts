/** Where the nodes of a graph stand in the file that it was read from. */
import { nodeLabel, tensorOf, type Graph, type Node, type NodeId, type TensorId } from '../../ir/graph.js';
import { standard, type WireModel, type WireNode } from '../../onnx/wire-model.js';

export interface Correspondence {
  /** By node of the graph: its position among the nodes of the file; of an inlined function, that of the call. */
  readonly positions: ReadonlyMap<NodeId, number>;
  /** By convolution of the graph: positions of the BatchNormalization nodes that are folded into it, nearest first. */
  readonly folded: ReadonlyMap<NodeId, readonly number[]>;
  /** Position of the node that writes a value. */
  readonly producers: ReadonlyMap<string, number>;
  /** Position of the Constant that gives a value. */
  readonly constants: ReadonlyMap<string, number>;
}

/** @returns in words of the user why the graph is not the file node by node, where it is not */
export function correspondence(file: WireModel, graph: Graph): Correspondence | string {
  const producers = new Map<string, number>();
  const constants = new Map<string, number>();
  const readers = new Map<string, number[]>();
  file.nodes.forEach((node, at) => {
    for (const output of node.outputs) if (output !== '') producers.set(output, at);
    const [output] = node.outputs;
    if (isConstant(node) && output !== undefined) constants.set(output, at);
    for (const input of node.inputs) readers.set(input, [...(readers.get(input)?.slice(0, 1) ?? []), at]);
  });

  const positions = new Map<NodeId, number>();
  const folded = new Map<NodeId, readonly number[]>();
  const covered = new Set(constants.values());
  for (const node of graph.nodes) {
    const { index, functionPath = [], absorbed = [], part } = node.origin;
    const inFile = file.nodes[index];
    if (inFile === undefined) return `${nodeLabel(node)} is not in the file`;
    positions.set(node.id, index);
    covered.add(index);
    if (functionPath.length > 0) continue;
    const norms = absorbed.length === 0 ? [] : normsBehind(file, inFile, readers, absorbed.length);
    const isSame =
      norms.length === 0 ? isAsInFile(graph, node, inFile) : isFolded(graph, node, inFile, file, norms);
    if (part !== undefined || !isSame) return `${nodeLabel(node)} is not in the file as it is computed`;
    if (norms.length > 0) folded.set(node.id, norms);
    for (const norm of norms) covered.add(norm);
  }
  const extra = file.nodes.findIndex((_, at) => !covered.has(at));
  if (extra >= 0) {
    const { name, op } = file.nodes[extra] as WireNode;
    return `${name === '' ? `${op}#${extra}` : name} (${op}) became part of other operators`;
  }
  return { positions, folded, producers, constants };
}

function isConstant({ op, domain, outputs }: WireNode): boolean {
  return op === 'Constant' && standard(domain) === '' && outputs.length === 1;
}

function names(graph: Graph, ids: readonly (TensorId | null)[]): string[] {
  return ids.map((id) => (id === null ? '' : tensorOf(graph, id).name));
}

function hasOperator(node: Node, { op, domain }: WireNode): boolean {
  return node.op === op && node.domain === standard(domain);
}

function isAsInFile(graph: Graph, node: Node, inFile: WireNode): boolean {
  const isEqual = (ids: readonly (TensorId | null)[], wanted: readonly string[]): boolean =>
    ids.length === wanted.length && names(graph, ids).every((name, at) => name === wanted[at]);
  return (
    hasOperator(node, inFile) && isEqual(node.inputs, inFile.inputs) && isEqual(node.outputs, inFile.outputs)
  );
}

/** A convolution with other constants, and the output of the last normalization. */
function isFolded(
  graph: Graph,
  node: Node,
  inFile: WireNode,
  file: WireModel,
  norms: readonly number[],
): boolean {
  const last = file.nodes[norms.at(-1) ?? -1];
  return (
    hasOperator(node, inFile) &&
    names(graph, node.inputs)[0] === inFile.inputs[0] &&
    names(graph, node.outputs)[0] === last?.outputs[0]
  );
}

/** The chain of BatchNormalization nodes behind a convolution, each the only reader of what is before it; [] when it is shorter. */
function normsBehind(
  file: WireModel,
  convolution: WireNode,
  readers: ReadonlyMap<string, readonly number[]>,
  length: number,
): number[] {
  const norms: number[] = [];
  let value = convolution.outputs[0] ?? '';
  while (norms.length < length) {
    const [at, ...others] = readers.get(value) ?? [];
    const norm = file.nodes[at ?? -1];
    if (at === undefined || norm === undefined || others.length > 0) return [];
    if (norm.op !== 'BatchNormalization' || norm.inputs[0] !== value) return [];
    norms.push(at);
    value = norm.outputs[0] ?? '';
  }
  return norms;
}
