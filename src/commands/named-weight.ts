/** The one weight that `inspect --node` names. */
import { UsageError } from '../errors.js';
import { nodeLabel, tensorOf, topologyOf, type Graph, type Node } from '../ir/graph.js';
import { weightAxis, type Weight } from '../ir/weights.js';
import { closeNames, matchesGlob } from '../quant/select.js';
import { opName } from '../report/inspect-model.js';

const HINT = 'qdbg inspect MODEL lists the layers';

/**
 * The weight of the node of that name (or of a node merged into it), or the weight tensor of that name; else the only
 * one that the glob matches.
 *
 * @param weights of the graph
 * @throws UsageError when nothing has that name, when what has it has no weight, or when several weights match
 */
export function namedWeight(graph: Graph, weights: readonly Weight[], name: string): Weight {
  const named = weights.map((weight) => ({ weight, names: namesOf(graph, weight) }));
  const exact = named.filter(({ names }) => names.includes(name));
  const matching =
    exact.length > 0 ? exact : named.filter(({ names }) => names.some((text) => matchesGlob(name, text)));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only.weight;
  if (matching.length > 1) {
    throw new UsageError(`--node ${name} matches ${matching.length} layers with weights; one is wanted`, {
      places: matching.map(
        ({ weight }) => `${nodeLabel(weight.node)}, weight ${tensorOf(graph, weight.tensor).name}`,
      ),
      hint: '--node with the name of one of these layers, or of its weight',
    });
  }
  throw (
    weightlessError(graph, name) ??
    unknownError(
      named.flatMap(({ names }) => names),
      name,
    )
  );
}

/** Of the weight, and of the nodes that multiply with it. */
function namesOf(graph: Graph, { tensor, data }: Weight): string[] {
  const uses = topologyOf(graph).uses[tensor] ?? [];
  const readers = uses.flatMap(({ node, slot }) => {
    const reader = graph.nodes[node];
    return reader !== undefined && weightAxis(reader, slot, data.dims.length) !== undefined ? [reader] : [];
  });
  return [
    tensorOf(graph, tensor).name,
    ...readers.flatMap(({ origin }) => origin.absorbed ?? []),
    ...readers.map(nodeLabel),
  ];
}

/** For something that is there and has no weight. */
function weightlessError(graph: Graph, name: string): UsageError | undefined {
  const nodes = graph.nodes.filter((node) => nodeLabel(node) === name);
  const [node] = nodes;
  if (node !== undefined) {
    return new UsageError(
      `${name} (${opName(node)}) has no weights: it does not multiply its input with a constant`,
      { hint: HINT },
    );
  }
  const tensor = graph.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) return undefined;
  const { producer, uses } = topologyOf(graph);
  const writer = producer[tensor.id];
  if (writer !== undefined) {
    return new UsageError(`${name} is no weight but what ${labelAt(graph, writer)} computes`, {
      hint: `--node '${labelAt(graph, writer)}'`,
    });
  }
  const reader = uses[tensor.id]?.[0]?.node;
  const role =
    tensor.data === undefined
      ? 'an input of the model'
      : `a constant of ${reader === undefined ? 'no node' : labelAt(graph, reader)}`;
  return new UsageError(`${name} is no weight but ${role}`, { hint: HINT });
}

function labelAt(graph: Graph, node: number): string {
  return nodeLabel(graph.nodes[node] as Node);
}

function unknownError(names: readonly string[], name: string): UsageError {
  if (names.length === 0)
    return new UsageError(`--node ${name}: no layer of this model has weights`, { hint: HINT });
  return new UsageError(`--node ${name} matches no layer with weights`, {
    places: closeNames(name, names).map((close) => `close: ${close}`),
    hint: HINT,
  });
}
