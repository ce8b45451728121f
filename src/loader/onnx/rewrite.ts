/**
 * Renaming of values in nodes and nested graphs. Names are scoped: a nested graph sees the names around it, and its own
 * come first. Everything else about a node (fields newer than the schema included) is kept.
 */
import { withFields } from '../../onnx/proto.js';
import type {
  AttributeProto,
  GraphProto,
  NodeProto,
  SparseTensorProto,
  TensorAnnotation,
} from '../../onnx/proto.js';

/** New names of values, by old name; names it does not hold are looked up further out, and kept when nobody has them. */
export class Scope {
  readonly #names: ReadonlyMap<string, string>;
  readonly #parent: Scope | undefined;

  constructor(names: ReadonlyMap<string, string>, parent?: Scope) {
    this.#names = names;
    this.#parent = parent;
  }

  resolve(name: string): string {
    return this.#names.get(name) ?? this.#parent?.resolve(name) ?? name;
  }
}

export interface Rewrite {
  /** New name of a value that a nested graph defines. */
  local(name: string): string;
  /** What takes the place of an attribute: itself (names in it are then rewritten), a finished other, or nothing. */
  attribute(attribute: AttributeProto): AttributeProto | undefined;
  /** What takes the place of a node of a nested graph, whose names are already rewritten. */
  node(node: NodeProto): readonly NodeProto[];
}

/** Graphs in the attributes of a node: the branches of If, the body of Loop and Scan. */
export function nestedGraphs(node: NodeProto): GraphProto[] {
  return (node.attribute ?? []).flatMap((attribute) => [
    ...(attribute.g ? [attribute.g] : []),
    ...(attribute.graphs ?? []),
  ]);
}

/** Names that a graph itself defines: inputs, initializers, node outputs. */
function localNames(graph: GraphProto): Set<string> {
  const names = new Set<string>();
  for (const { name } of graph.input ?? []) names.add(name ?? '');
  for (const { name } of graph.initializer ?? []) names.add(name ?? '');
  for (const { values } of graph.sparseInitializer ?? []) names.add(values?.name ?? '');
  for (const { output } of graph.node ?? []) for (const name of output ?? []) names.add(name);
  names.delete('');
  return names;
}

/** Names that a graph reads from around it, nested graphs included. */
export function freeNames(graph: GraphProto): Set<string> {
  const local = localNames(graph);
  const free = new Set<string>();
  const read = (name: string): void => {
    if (name !== '' && !local.has(name)) free.add(name);
  };
  for (const node of graph.node ?? []) {
    node.input?.forEach(read);
    for (const nested of nestedGraphs(node)) freeNames(nested).forEach(read);
  }
  for (const { name } of graph.output ?? []) read(name ?? '');
  return free;
}

/** Every value name in a graph and its nested graphs. */
export function allNames(graph: GraphProto, names = new Set<string>()): Set<string> {
  for (const name of localNames(graph)) names.add(name);
  for (const { name } of graph.output ?? []) names.add(name ?? '');
  for (const node of graph.node ?? []) {
    for (const name of node.input ?? []) names.add(name);
    for (const nested of nestedGraphs(node)) allNames(nested, names);
  }
  return names;
}

export function rewriteNode(node: NodeProto, scope: Scope, rewrite: Rewrite): NodeProto {
  const attribute = (node.attribute ?? []).flatMap((original) => {
    const replaced = rewrite.attribute(original);
    if (replaced === undefined) return [];
    return [replaced === original ? rewriteAttribute(original, scope, rewrite) : replaced];
  });
  const resolve = (name: string): string => (name === '' ? '' : scope.resolve(name));
  return withFields(node, {
    input: (node.input ?? []).map(resolve),
    output: (node.output ?? []).map(resolve),
    attribute,
  });
}

function rewriteAttribute(attribute: AttributeProto, scope: Scope, rewrite: Rewrite): AttributeProto {
  if (!attribute.g && !attribute.graphs?.length) return attribute;
  return withFields(attribute, {
    ...(attribute.g ? { g: rewriteGraph(attribute.g, scope, rewrite) } : {}),
    ...(attribute.graphs?.length
      ? { graphs: attribute.graphs.map((graph) => rewriteGraph(graph, scope, rewrite)) }
      : {}),
  });
}

/** A nested graph with the names around it taken from `outer` and its own from `rewrite.local`. */
export function rewriteGraph(graph: GraphProto, outer: Scope, rewrite: Rewrite): GraphProto {
  const scope = new Scope(new Map([...localNames(graph)].map((name) => [name, rewrite.local(name)])), outer);
  const renamed = <T extends { name?: string | null }>(message: T): T =>
    withFields<{ name?: string | null }>(message, { name: scope.resolve(message.name ?? '') }) as T;
  return withFields(graph, {
    input: (graph.input ?? []).map(renamed),
    output: (graph.output ?? []).map(renamed),
    valueInfo: (graph.valueInfo ?? []).map(renamed),
    initializer: (graph.initializer ?? []).map(renamed),
    sparseInitializer: (graph.sparseInitializer ?? []).map((sparse) => renamedSparse(sparse, renamed)),
    quantizationAnnotation: (graph.quantizationAnnotation ?? []).map((note) =>
      renamedAnnotation(note, scope),
    ),
    node: (graph.node ?? []).flatMap((node) => rewrite.node(rewriteNode(node, scope, rewrite))),
  });
}

function renamedSparse(
  sparse: SparseTensorProto,
  renamed: (values: NonNullable<SparseTensorProto['values']>) => NonNullable<SparseTensorProto['values']>,
): SparseTensorProto {
  return sparse.values ? withFields(sparse, { values: renamed(sparse.values) }) : sparse;
}

function renamedAnnotation(note: TensorAnnotation, scope: Scope): TensorAnnotation {
  return withFields(note, {
    tensorName: scope.resolve(note.tensorName ?? ''),
    quantParameterTensorNames: (note.quantParameterTensorNames ?? []).map((entry) =>
      withFields(entry, { value: scope.resolve(entry.value ?? '') }),
    ),
  });
}
