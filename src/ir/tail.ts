/** What a network computes behind its last layers: the decoding of boxes, or nothing of its own. */
import { nodeOf, tensorOf, type Graph, type Node, type NodeId, type TensorId } from './graph.js';
import { normalizationsOf } from './normalizations.js';
import { activationsRead, readersOf, sourceOf, statedOutputsOf, statedWriterOf } from './operators.js';

/** What a network ends with, behind its last layers. */
export interface Tail {
  /** Behind the last layers, in graph order. */
  readonly nodes: readonly Node[];
  /** What those layers write. */
  readonly fed: readonly TensorId[];
  /** Nodes through whose bins an expectation is taken by a convolution with constants. */
  readonly bins: number;
}

const LAYERS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Einsum',
  'LSTM',
  'GRU',
]);

export function tailOf(graph: Graph): Tail {
  const nodes = new Set<NodeId>();
  const fed = new Set<TensorId>();
  let bins = 0;
  const pending = graph.outputs.map((id) => sourceOf(graph, id));
  const seen = new Set(pending);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const node = statedWriterOf(graph, id);
    if (node === undefined) continue;
    const isExpectation = LAYERS.has(node.op) && takesExpectation(graph, node);
    if (isExpectation) bins++;
    if (LAYERS.has(node.op) && !isExpectation) {
      fed.add(id);
      continue;
    }
    nodes.add(node.id);
    for (const input of activationsRead(graph, node)) {
      if (!seen.has(input)) pending.push(input);
      seen.add(input);
    }
  }
  const inOrder = [...nodes].sort((a, b) => a - b).map((id) => nodeOf(graph, id));
  return { nodes: behind(graph, inOrder, fed), fed: [...fed], bins };
}

/** Without what depends on inputs and constants alone. */
function behind(graph: Graph, nodes: readonly Node[], fed: ReadonlySet<TensorId>): Node[] {
  const reached = new Set(fed);
  return nodes.filter((node) => {
    const isBehind = activationsRead(graph, node).some((id) => reached.has(id));
    if (isBehind) for (const id of statedOutputsOf(graph, node)) reached.add(id);
    return isBehind;
  });
}

/** DFL: a distance is the mean of its bins 0, 1, 2, ... by what Softmax makes of their scores. */
export function takesExpectation(graph: Graph, node: Node): boolean {
  const [weight] = node.inputs.slice(1);
  const data = weight === undefined || weight === null ? undefined : tensorOf(graph, weight).data;
  const channels = data?.dims.reduce((product, dim) => product * dim, 1) ?? 0;
  const longest = Math.max(0, ...(data?.dims ?? []));
  if (channels === 0 || channels !== longest || channels > 1024) return false;
  const [read] = activationsRead(graph, node);
  for (
    let at = read === undefined ? undefined : statedWriterOf(graph, read), i = 0;
    at !== undefined && i < 4;
    i++
  ) {
    if (at.op === 'Softmax') return true;
    const [up] = MOVES.has(at.op) ? activationsRead(graph, at) : [];
    at = up === undefined ? undefined : statedWriterOf(graph, up);
  }
  return false;
}

const MOVES: ReadonlySet<string> = new Set([
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Identity',
  'Slice',
]);

/** Gates, sums of branches and normalizations: they belong to layers, at the end of a network as anywhere else. */
export function ordinaryNodes(graph: Graph, nodes: readonly Node[]): ReadonlySet<NodeId> {
  const ordinary = new Set(normalizationsOf(graph).flatMap((norm) => norm.nodes.map(({ id }) => id)));
  for (const node of nodes) {
    if (node.op === 'Mul') for (const id of gateOf(graph, node)) ordinary.add(id);
    if (node.op === 'Div' && isOverNorm(graph, node)) ordinary.add(node.id);
    if (node.op === 'Add' && isResidual(graph, node)) ordinary.add(node.id);
  }
  return ordinary;
}

const GATES: ReadonlySet<string> = new Set([
  ...['Sigmoid', 'HardSigmoid', 'Tanh', 'Softplus', 'Erf', 'Clip', 'Relu', 'Add', 'Mul', 'Div'],
]);
const LONGEST_GATE = 6;

/** x times a function of x alone (SiLU, HardSwish, Mish, GELU): the product and the function; nothing when it is none. */
function gateOf(graph: Graph, product: Node): NodeId[] {
  const factors = activationsRead(graph, product);
  const [a, b] = factors;
  if (a === undefined || b === undefined || a === b) return [];
  for (const [x, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const chain: NodeId[] = [product.id];
    for (let at: TensorId | undefined = other; at !== undefined && chain.length <= LONGEST_GATE;) {
      const node: Node | undefined = statedWriterOf(graph, at);
      if (node === undefined || !GATES.has(node.op)) break;
      const read: TensorId[] = activationsRead(graph, node);
      if (read.length !== 1) break;
      chain.push(node.id);
      if (read[0] === x) return chain;
      at = read[0];
    }
  }
  return [];
}

/** A vector over its own length. */
function isOverNorm(graph: Graph, { inputs: [, divisor] }: Node): boolean {
  let node = divisor === undefined || divisor === null ? undefined : statedWriterOf(graph, divisor);
  for (let i = 0; node !== undefined && i < LONGEST_GATE; i++) {
    if (node.op.startsWith('Reduce')) return true;
    const [read] = activationsRead(graph, node);
    node = read === undefined ? undefined : statedWriterOf(graph, read);
  }
  return false;
}

/** Of two feature maps: a sum of points and sizes is of vectors. */
function isResidual(graph: Graph, node: Node): boolean {
  const [output] = statedOutputsOf(graph, node);
  const rank = output === undefined ? undefined : tensorOf(graph, output).shape?.length;
  const isJoined = output !== undefined && readersOf(graph, output).some(({ op }) => op === 'Concat');
  return activationsRead(graph, node).length === 2 && !isJoined && (rank === 4 || rank === undefined);
}
