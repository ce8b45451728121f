/**
 * Everything in a network that ONNX Runtime cannot run. The runtime itself names the first operator it lacks and stops; whoever
 * has to replace operators needs to know of all.
 */
import { uncomputed } from '../compile/evaluation-order.js';
import { inferenceProgram } from '../compile/measurement-program.js';
import { ModelWriter, type CompiledModel } from '../compile/model-writer.js';
import { UnsupportedError } from '../errors.js';
import {
  nodeLabel,
  OPAQUE_DOMAIN,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../ir/graph.js';
import { FLOAT_LANE } from '../ir/lane.js';
import { decodeGraph, type GraphProto } from '../onnx/proto.js';
import { openSession } from './runtime.js';

/** Kinds of nodes that are asked about one by one; a network lacks a handful at most. */
const MOST_KINDS = 100;

/** An operator, wherever it is used. */
interface Operator {
  readonly domain: string;
  readonly op: string;
}

/**
 * Opens the float network as it is.
 *
 * @throws UnsupportedError listing every node whose operator the runtime lacks, with its place in the file
 * @throws RunError when the runtime refuses the network for another reason
 */
export async function requireSupported(graph: Graph): Promise<void> {
  const first = await refusal(networkOf(graph));
  if (first === undefined) return;
  const unknown = await unknownOperators(graph);
  const [unregistered, rest] = split(graph.nodes.filter(isTried), (node) =>
    operatorsOf(node).some((operator) => unknown.has(keyOf(operator))),
  );
  const lacking = new Map(unregistered.map((node): [Node, string] => [node, placeOf(node, unknown)]));
  for (const [node, place] of await withoutKernel(graph, rest)) lacking.set(node, place);
  if (lacking.size === 0) throw first;
  const places = graph.nodes.flatMap((node) => lacking.get(node) ?? []);
  throw new UnsupportedError(
    `ONNX Runtime lacks what ${places.length} of the ${graph.nodes.length} nodes of this model need`,
    { places, hint: 'qdbg inspect MODEL lists the nodes; it runs nothing', cause: first },
  );
}

/** What the runtime lacks to open the model, in its own words; undefined when it opens. */
async function refusal(model: CompiledModel | undefined): Promise<UnsupportedError | undefined> {
  if (model === undefined) return undefined;
  try {
    const session = await openSession(model, { threads: 1, optimization: 'none' });
    await session.close();
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return error;
    throw error;
  }
}

/**
 * The float network with everything that no node reads as its output, so that nothing is left out. What nothing computes is no
 * question to the runtime; undefined when that is all.
 */
function networkOf(graph: Graph): CompiledModel | undefined {
  const { uses } = topologyOf(graph);
  const missing = uncomputed(graph);
  const isRead = (id: TensorId): boolean =>
    (uses[id] ?? []).some(({ node }) =>
      graph.nodes[node]?.outputs.some((output) => output !== null && !missing.has(output)),
    );
  const ends = graph.nodes.flatMap(({ outputs }) =>
    outputs.filter((id): id is TensorId => id !== null && !isRead(id)),
  );
  const asked = [...new Set([...graph.outputs, ...ends])].filter((id) => !missing.has(id));
  return asked.length === 0 ? undefined : inferenceProgram(graph, FLOAT_LANE, asked).model;
}

/** What is opaque is known to be, and is no operator of the runtime's. */
function isTried({ domain }: Node): boolean {
  return domain !== OPAQUE_DOMAIN;
}

/** Keys of operators that the runtime has under no types at all. */
async function unknownOperators(graph: Graph): Promise<ReadonlySet<string>> {
  const used = new Map(
    graph.nodes
      .filter(isTried)
      .flatMap(operatorsOf)
      .map((operator) => [keyOf(operator), operator]),
  );
  const unknown = new Set<string>();
  for (const [key, { domain, op }] of used) {
    const writer = new ModelWriter(graph.opsets, graph.irVersion);
    // Whether an operator exists is looked up before its inputs and attributes are.
    const alone = writer.encode([writer.op(op, [writer.input('x', 'float32', [1])], {}, domain)]);
    const reason = await refusal(alone).catch(() => undefined);
    if (reason !== undefined && !NO_KERNEL.test(reason.message)) unknown.add(key);
  }
  return unknown;
}

const NO_KERNEL = /Could not find an implementation for (?<op>\w+)\(\d+\) node with name '(?<name>.*)'/;

/**
 * Nodes among `nodes` whose operator the runtime has, but not for their types: it is asked, the nodes like the one it names are
 * taken out, and it is asked again.
 */
async function withoutKernel(
  graph: Graph,
  nodes: readonly Node[],
): Promise<readonly (readonly [Node, string])[]> {
  const found: (readonly [Node, string])[] = [];
  let left = nodes;
  for (let asked = 0; asked < MOST_KINDS; asked++) {
    // Another refusal may come of the cut itself: types of values that nothing produces any more are guesses.
    const reason = await refusal(networkOf(reduced(graph, left))).catch(() => undefined);
    const { op, name } = NO_KERNEL.exec(reason?.message ?? '')?.groups ?? {};
    const named = left.find((node) => node.op === op && nodeLabel(node).replace(/\s+/g, ' ') === name);
    if (named === undefined) break;
    const kind = kindOf(graph, named);
    const [same, others] = split(left, (node) => kindOf(graph, node) === kind);
    found.push(...same.map((node) => [node, `${position(node)}: ${kind}`] as const));
    left = others;
  }
  return found;
}

/** The graph with some of its nodes; what the others wrote is an input. */
function reduced(graph: Graph, nodes: readonly Node[]): Graph {
  const written = new Set(nodes.flatMap(({ outputs }) => outputs));
  const orphans = graph.nodes.flatMap(({ outputs }) =>
    outputs.filter((id): id is TensorId => id !== null && !written.has(id)),
  );
  return {
    ...graph,
    nodes: nodes.map((node, id) => ({ ...node, id: id as Node['id'] })),
    inputs: [...graph.inputs, ...orphans],
  };
}

/** Operator and the types it works on, such as `Conv of float64`. */
function kindOf(graph: Graph, node: Node): string {
  const types = node.inputs.flatMap((id) => (id === null ? [] : (tensorOf(graph, id).dtype ?? [])));
  return `${keyOf(node)} of ${[...new Set(types)].join(', ')}`;
}

function placeOf(node: Node, unknown: ReadonlySet<string>): string {
  const lacking = [...new Set(operatorsOf(node).map(keyOf))].filter((key) => unknown.has(key));
  const within = lacking.includes(keyOf(node)) ? '' : `inside ${node.op}, `;
  return `${position(node)}: ${within}${lacking.join(', ')}`;
}

function position(node: Node): string {
  return `node ${node.origin.index} ${nodeLabel(node)}`;
}

/** The node's own operator and those of the graphs within it. */
function operatorsOf(node: Node): Operator[] {
  const inside: Operator[] = [];
  const visit = (graph: GraphProto): void => {
    for (const { opType, domain, attribute } of graph.node ?? []) {
      inside.push({ op: opType ?? '', domain: domain === 'ai.onnx' ? '' : (domain ?? '') });
      for (const { g, graphs } of attribute ?? []) [...(g ? [g] : []), ...(graphs ?? [])].forEach(visit);
    }
  };
  for (const attr of node.attrs.values()) {
    if (attr.type === 'graph') visit(decodeGraph(attr.value.encode((captured) => String(captured))));
  }
  return [node, ...inside];
}

function keyOf({ domain, op }: Operator): string {
  return domain === '' ? op : `${domain}:${op}`;
}

function split<T>(items: readonly T[], first: (item: T) => boolean): [T[], T[]] {
  return [items.filter(first), items.filter((item) => !first(item))];
}
