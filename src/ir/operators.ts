/** The operators of the file, where a graph has several nodes for one of them. */
import { nodeOf, tensorOf, topologyOf, type Graph, type Node, type TensorId } from './graph.js';

export interface Operator {
  /** The node that stands for it. */
  readonly main: Node;
  /** All its nodes in order, the main one included; without those that only change the order of axes. */
  readonly nodes: readonly Node[];
}

/** In the order of the file. Every node of a graph that has nothing lowered is an operator of its own. */
export function operatorsOf(graph: Graph): Operator[] {
  const operators: Operator[] = [];
  let run: Node[] = [];
  const close = (): void => {
    const main = run.find(({ origin }) => origin.part === undefined) ?? run[0];
    if (main !== undefined) operators.push({ main, nodes: run });
    run = [];
  };
  for (const node of graph.nodes) {
    const { part, index } = node.origin;
    if (part === 'layout') continue;
    const previous = run.at(-1)?.origin;
    // Nodes of one operator share its index, and only one of them is no step.
    const continues =
      previous !== undefined &&
      previous.index === index &&
      (part === 'step' || run.every(({ origin }) => origin.part === 'step'));
    if (!continues) close();
    run.push(node);
  }
  close();
  return operators;
}

/** Whether the node stands for an operator of the file. */
export function isMain({ origin }: Node): boolean {
  return origin.part === undefined;
}

/** Whether the tensor is an output of the network, in this or in another order of axes. */
export function isOutput(graph: Graph, tensor: TensorId): boolean {
  return graph.outputs.some((output) => sourceOf(graph, output) === tensor);
}

/** The file's tensor of which this one is a copy in another order of axes; itself when it is none. */
export function sourceOf(graph: Graph, tensor: TensorId): TensorId {
  const { producer } = topologyOf(graph);
  let source = tensor;
  for (;;) {
    const writer = producer[source];
    const node = writer === undefined ? undefined : nodeOf(graph, writer);
    const from = node?.origin.part === 'layout' ? node.inputs[0] : undefined;
    if (from === undefined || from === null) return source;
    source = from;
  }
}

/** What writes the tensor, or the one of which it is a copy in another order of axes. */
export function writerOf(graph: Graph, tensor: TensorId): Node | undefined {
  const id = topologyOf(graph).producer[sourceOf(graph, tensor)];
  return id === undefined ? undefined : nodeOf(graph, id);
}

/** Nodes that read the tensor or a copy of it in another order of axes, once for each use. */
export function readersOf(graph: Graph, tensor: TensorId): Node[] {
  return (topologyOf(graph).uses[tensor] ?? []).flatMap(({ node }): Node[] => {
    const reader = nodeOf(graph, node);
    const [copy] = reader.outputs;
    return reader.origin.part !== 'layout' || copy === undefined || copy === null
      ? [reader]
      : readersOf(graph, copy);
  });
}

/** What writes the tensor as the file states it: behind an activation function that only a range stands for, the operator before. */
export function statedWriterOf(graph: Graph, tensor: TensorId): Node | undefined {
  const node = writerOf(graph, tensor);
  const [input] = node?.inputs ?? [];
  return node?.origin.implied === true && input !== undefined && input !== null
    ? statedWriterOf(graph, input)
    : node;
}

/** What a node writes as the file states it: behind an activation function that only a range stands for. */
export function statedOutputsOf(graph: Graph, { outputs }: Node): TensorId[] {
  return outputs.flatMap((id): TensorId[] => {
    if (id === null) return [];
    const [reader, ...others] = readersOf(graph, id);
    return reader?.origin.implied === true && others.length === 0 ? statedOutputsOf(graph, reader) : [id];
  });
}

/** Inputs that are computed or fed, each as the file has it. */
export function activationsRead(graph: Graph, { inputs }: Node): TensorId[] {
  return inputs.flatMap((id) =>
    id === null || tensorOf(graph, id).data !== undefined ? [] : [sourceOf(graph, id)],
  );
}

/** Whether nothing reads the tensor but operators that make 0 of what is below 0. */
export function isOnlyRectified(graph: Graph, tensor: TensorId): boolean {
  const readers = topologyOf(graph).uses[tensor] ?? [];
  return (
    readers.length > 0 &&
    !graph.outputs.includes(tensor) &&
    readers.every(({ node }) => nodeOf(graph, node).op === 'Relu')
  );
}
