/** The one weight that `inspect --node` names. */
import { UsageError } from '../errors.js';
import { nodeLabel, nodeOf, tensorOf, topologyOf, type Graph, type Node } from '../ir/graph.js';
import { weightAxis, type Weight } from '../ir/weights.js';
import { closeNames, matchesGlob } from '../quant/select.js';
import { shortened } from '../report/format.js';
import { opName } from '../report/inspect-model.js';

/** A name of a hostile file may be a book. */
const NAME_WIDTH = 120;

const HINT = 'qdbg inspect MODEL lists the layers';

/**
 * The weight of the node of that name (or of a node merged into it), or the weight tensor of that name; else the only
 * one that the glob matches.
 *
 * @param weights of the graph
 * @throws UsageError when nothing has that name, when what has it has no weight, or when several weights match
 */
export function namedWeight(graph: Graph, weights: readonly Weight[], name: string): Weight {
  const named = weights.map((weight): Named => {
    const readers = readersOf(graph, weight);
    const absorbed = readers.flatMap(({ origin }) => origin.absorbed ?? []);
    return {
      weight,
      readers,
      names: [tensorOf(graph, weight.tensor).name, ...readers.map(nodeLabel), ...absorbed],
    };
  });
  const exact = named.filter(({ names }) => names.includes(name));
  const matching =
    exact.length > 0 ? exact : named.filter(({ names }) => names.some((text) => matchesGlob(name, text)));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only.weight;
  if (matching.length > 1) {
    throw new UsageError(`--node '${name}' matches ${matching.length} layers with weights; one is wanted`, {
      places: matching.map(
        ({ weight }) =>
          `${shown(nodeLabel(weight.node))}, weight ${shown(tensorOf(graph, weight.tensor).name)}`,
      ),
      hint: '--node with the name of one of these layers, or of its weight',
    });
  }
  throw weightlessError(graph, named, name) ?? unknownError(named, name);
}

function shown(name: string): string {
  return shortened(name, NAME_WIDTH);
}

interface Named {
  readonly weight: Weight;
  /** Nodes that multiply with it. */
  readonly readers: readonly Node[];
  /** All that the user may call it. */
  readonly names: readonly string[];
}

function readersOf(graph: Graph, { tensor, data }: Weight): Node[] {
  return (topologyOf(graph).uses[tensor] ?? []).flatMap(({ node, slot }) => {
    const reader = nodeOf(graph, node);
    return weightAxis(reader, slot, data.dims.length) === undefined ? [] : [reader];
  });
}

/** For something that is there and has no weight. */
function weightlessError(graph: Graph, named: readonly Named[], name: string): UsageError | undefined {
  const node = graph.nodes.find((candidate) => nodeLabel(candidate) === name);
  if (node !== undefined) {
    return new UsageError(
      `${name} (${opName(node)}) has no weights: it does not multiply its input with a constant`,
      { hint: HINT },
    );
  }
  const tensor = graph.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) return undefined;
  const { producer, uses } = topologyOf(graph);
  const id = producer[tensor.id] ?? uses[tensor.id]?.[0]?.node;
  const place = id === undefined ? undefined : nodeOf(graph, id);
  const label = place === undefined ? 'no node' : shown(nodeLabel(place));
  const given = tensor.data === undefined ? 'an input of the model' : `a constant of ${label}`;
  const role = producer[tensor.id] === undefined ? given : `what ${label} computes`;
  const isWeighted = named.some(({ readers }) => readers.some((reader) => reader === place));
  return new UsageError(`${name} is no weight but ${role}`, {
    hint: isWeighted ? `--node '${label}'` : HINT,
  });
}

function unknownError(named: readonly Named[], name: string): UsageError {
  if (named.length === 0) {
    return new UsageError(`--node '${name}': no layer of this model has weights`, { hint: HINT });
  }
  const close = closeNames(
    name,
    named.flatMap(({ names }) => names),
  );
  return new UsageError(`--node '${name}' matches no layer with weights`, {
    places: close.map((text) => `close: ${shown(text)}`),
    hint: HINT,
  });
}
