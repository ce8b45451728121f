/** Graphs inside nodes (the bodies of If, Loop and Scan) as fields: which names are in them, and other names for values around them. */
import { LoadError } from '../errors.js';
import { bytesField, joined, payloadsOf, stringOf, text, utf8, wireFields } from './wire.js';

const ATTRIBUTE = 5;
/** Fields of AttributeProto with graphs: `g` and `graphs`. */
const GRAPHS: readonly number[] = [6, 11];
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;
const NODE = { input: 1, output: 2 } as const;
/** Levels of graphs within graphs, as the loader has it. */
const DEPTH_LIMIT = 100;

/** All names of values that occur in the graphs inside a node, at any depth. @throws LoadError when the bytes are no message */
export function nestedNames(node: Uint8Array): Set<string> {
  const names = new Set<string>();
  const pending = graphsOf(node);
  for (let graph = pending.pop(); graph !== undefined; graph = pending.pop()) {
    for (const name of definedIn(graph)) names.add(name);
    for (const output of payloadsOf(graph, GRAPH.output)) names.add(stringOf(output, 1));
    for (const inner of payloadsOf(graph, GRAPH.node)) {
      for (const input of payloadsOf(inner, NODE.input)) names.add(text(input));
      for (const nested of graphsOf(inner)) pending.push(nested);
    }
  }
  return names;
}

function graphsOf(node: Uint8Array): Uint8Array[] {
  return payloadsOf(node, ATTRIBUTE).flatMap((attribute) =>
    GRAPHS.flatMap((field) => payloadsOf(attribute, field)),
  );
}

/** Names that the graph itself gives to values. */
function definedIn(graph: Uint8Array): string[] {
  return [
    ...payloadsOf(graph, GRAPH.input).map((input) => stringOf(input, 1)),
    ...payloadsOf(graph, GRAPH.initializer).map((tensor) => stringOf(tensor, 8)),
    ...payloadsOf(graph, GRAPH.sparseInitializer).map((sparse) =>
      stringOf(payloadsOf(sparse, 1).at(-1) ?? new Uint8Array(0), 8),
    ),
    ...payloadsOf(graph, GRAPH.node).flatMap((node) => payloadsOf(node, NODE.output).map(text)),
  ];
}

/**
 * An attribute whose graphs read values around them under other names; the very bytes where they read none of them. A value of
 * a graph's own hides one of the same name around it.
 *
 * @throws LoadError when graphs are nested beyond all measure, or the bytes are no message
 */
export function withRenamedCaptures(
  attribute: Uint8Array,
  names: ReadonlyMap<string, string>,
  depth = 0,
): Uint8Array {
  if (depth > DEPTH_LIMIT)
    throw new LoadError(`the model is nested too deeply: more than ${DEPTH_LIMIT} levels`);
  return rewritten(attribute, (number, payload) =>
    GRAPHS.includes(number) ? renamedGraph(payload, names, depth) : payload,
  );
}

function renamedGraph(graph: Uint8Array, names: ReadonlyMap<string, string>, depth: number): Uint8Array {
  const own = new Set(definedIn(graph));
  const seen = new Map([...names].filter(([name]) => !own.has(name)));
  if (seen.size === 0) return graph;
  return rewritten(graph, (number, payload) =>
    number === GRAPH.node ? renamedNode(payload, seen, depth) : payload,
  );
}

function renamedNode(node: Uint8Array, names: ReadonlyMap<string, string>, depth: number): Uint8Array {
  return rewritten(node, (number, payload) => {
    if (number === ATTRIBUTE) return withRenamedCaptures(payload, names, depth + 1);
    const name = number === NODE.input ? names.get(text(payload)) : undefined;
    return name === undefined ? payload : utf8(name);
  });
}

/** The message with other payloads in some fields; the very bytes where none differs. */
function rewritten(
  message: Uint8Array,
  change: (number: number, payload: Uint8Array) => Uint8Array,
): Uint8Array {
  let isChanged = false;
  const parts = wireFields(message).flatMap(({ number, bytes, payload }) => {
    const now = change(number, payload);
    if (now === payload) return [bytes];
    isChanged = true;
    return bytesField(number, now);
  });
  return isChanged ? joined(parts) : message;
}
