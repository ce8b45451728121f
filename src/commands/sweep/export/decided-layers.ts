/** The layers of a decision in the terms of the user's file, which is all that other tools know. */
import { nodeLabel, tensorOf, type Graph, type NodeId, type Tensor } from '../../../ir/graph.js';
import { isMain, operatorsOf, sourceOf, type Operator } from '../../../ir/operators.js';
import type { QDType } from '../../../ir/lane.js';
import { layersOf, type Layer } from '../../../quant/layers.js';
import { planSelected } from '../../../quant/placement/planner.js';
import type { Decision } from './decision.js';

/** In graph order: the layers kept in float, and those that the scheme would quantize but the user left out. */
export function floatLayers({ graph, scheme, layers, float }: Decision): Layer[] {
  const decided = new Set(layers.flatMap(({ nodes }) => nodes));
  const everything = planSelected(graph, scheme, {
    only: undefined,
    skip: { nodes: new Set(), tensors: new Set() },
  });
  const leftOut = layersOf(graph, everything).filter(({ nodes }) => !nodes.some((node) => decided.has(node)));
  return [...float, ...leftOut].sort((a, b) => (a.nodes[0] ?? 0) - (b.nodes[0] ?? 0));
}

/** Operators of the file in these layers, in graph order. */
export function fileOperators(graph: Graph, layers: readonly Layer[]): Operator[] {
  const wanted = new Set<NodeId>(layers.flatMap(({ nodes }) => nodes));
  return operatorsOf(graph).filter(({ nodes }) => nodes.some(({ id }) => wanted.has(id)));
}

/** Tensors of the file that an operator of the file writes, in its order. */
export function writtenTensors(graph: Graph, { nodes }: Operator): Tensor[] {
  const written = nodes.flatMap(({ outputs }) =>
    outputs.flatMap((id) => (id === null ? [] : [tensorOf(graph, sourceOf(graph, id))])),
  );
  return [...new Set(written)].filter(({ id }) => graph.inner?.has(id) !== true);
}

/** What nodes of the file are called: their own names and those of nodes absorbed into them. */
export interface NodeNames {
  readonly names: readonly string[];
  /** Labels of those that cannot be named: the file gives them no name, or an inlined function holds them. */
  readonly nameless: readonly string[];
}

export function nodeNames(graph: Graph, layers: readonly Layer[]): NodeNames {
  const names = new Set<string>();
  const nameless = new Set<string>();
  for (const { nodes } of fileOperators(graph, layers)) {
    for (const node of nodes.filter(isMain)) {
      const { name, functionPath = [], absorbed = [] } = node.origin;
      const inFunction = functionPath.length > 0;
      if (name === '' || inFunction) nameless.add(nodeLabel(node));
      else names.add(name);
      for (const other of absorbed) {
        if (inFunction || UNNAMED.test(other)) nameless.add(other);
        else names.add(other);
      }
    }
  }
  return { names: [...names], nameless: [...nameless] };
}

/** Label of an absorbed node that has no name. */
const UNNAMED = /^[A-Za-z_][A-Za-z0-9_]*#\d+$/;

/** Names among these that nodes outside of the layers have, too: a tool that goes by name takes those nodes as well. */
export function sharedNodeNames(graph: Graph, layers: readonly Layer[], names: readonly string[]): string[] {
  const inside = new Set(layers.flatMap(({ nodes }) => nodes));
  const outside = new Set(
    graph.nodes.filter((node) => isMain(node) && !inside.has(node.id)).map(({ origin }) => origin.name),
  );
  return names.filter((name) => outside.has(name));
}

/** Layers whose output, or an input, has 16-bit codes in the lane: those moved to 16 bits, whatever moved them. */
export function wideLayers({ graph, layers, float, wide, lane }: Decision): Layer[] {
  const kept = new Set(float);
  const moved = new Set(wide);
  return layers.filter(
    (layer) =>
      !kept.has(layer) &&
      (moved.has(layer) || WIDE.has(lane.tensors.get(sourceOf(graph, layer.output))?.dtype ?? 'int8')),
  );
}

const WIDE: ReadonlySet<QDType> = new Set<QDType>(['int16', 'uint16']);

/** `names` for a line of text: the first few, and how many more. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => `'${name}'`);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

const SHOWN = 8;

/** Lines about changes that are in the constants themselves: the tool takes those of the file. */
export function lostValues({ graph, lane }: Decision, tool: string): string[] {
  const names = [...(lane.values?.keys() ?? [])].map((id) => tensorOf(graph, id).name);
  if (names.length === 0) return [];
  return [
    `other values of ${names.length === 1 ? 'a constant' : `${names.length} constants`} (${listed(names)}): ${tool} ` +
      'reads those of the file; --export qdq=FILE carries them',
  ];
}

/** Lines about the fixes applied, for tools that calibrate by themselves and take no parameters. */
export function lostFixes({ fixes }: Decision, tool: string): string[] {
  return fixes
    .filter(({ kind }) => kind !== 'int16')
    .map(({ title }) => `${title}: ${tool} takes no parameters; --export qdq=FILE carries them`);
}

/** Names among these that operators of the file outside of this list write, too. */
export function sharedTensorNames(
  graph: Graph,
  operators: readonly Operator[],
  names: readonly string[],
): string[] {
  const inside = new Set(operators.map(({ main }) => main.id));
  const outside = new Set(
    operatorsOf(graph)
      .filter(({ main }) => !inside.has(main.id))
      .flatMap((operator) => writtenTensors(graph, operator).map(({ name }) => name)),
  );
  return [...new Set(names)].filter((name) => name !== '' && outside.has(name));
}
