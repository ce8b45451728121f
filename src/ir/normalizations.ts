/** Normalizations that a graph has as arithmetic: (x - mean) / sqrt(mean((x - mean)²) + ε), with or without the means. */
import { toFloat32 } from './elements.js';
import { tensorOf, type Graph, type Node, type TensorId } from './graph.js';
import { readersOf, sourceOf, statedOutputsOf, statedWriterOf } from './operators.js';

export interface Normalization {
  /** Of LayerNorm or InstanceNorm, or without a mean that is taken away: of RMSNorm or an L2 norm. */
  readonly kind: 'centred' | 'uncentred';
  /** All its nodes in graph order, from the difference, or the square, to the quotient. */
  readonly nodes: readonly Node[];
  readonly root: Node;
  /** Squares, their mean, that plus ε, its root, and one over the root: what spans many decades. */
  readonly internals: readonly TensorId[];
  readonly output: TensorId;
}

const MEANS: ReadonlySet<string> = new Set(['ReduceMean', 'ReduceSum', 'GlobalAveragePool']);
/** Between the mean of the squares and its root: ε, or a lowest value. */
const OFFSETS: ReadonlySet<string> = new Set(['Add', 'Max', 'Clip']);

/** In graph order of their roots. */
export function normalizationsOf(graph: Graph): Normalization[] {
  return graph.nodes.flatMap((node) => {
    if (node.op !== 'Sqrt' && !isPower(graph, node, 0.5) && !isPower(graph, node, -0.5)) return [];
    const found = normalizationAt(graph, node);
    return found === undefined ? [] : [found];
  });
}

function normalizationAt(graph: Graph, root: Node): Normalization | undefined {
  const above: Node[] = [];
  let node = writer(graph, activation(graph, root));
  while (node !== undefined && OFFSETS.has(node.op) && above.length < 2) {
    above.push(node);
    node = writer(graph, activation(graph, node));
  }
  if (node?.op === 'ReduceSumSquare') {
    return finished(graph, root, [...above, node], undefined);
  }
  if (node === undefined || !MEANS.has(node.op)) return undefined;
  const square = writer(graph, activation(graph, node));
  if (square === undefined || !isSquare(graph, square)) return undefined;
  const difference = writer(graph, activation(graph, square));
  const isCentred = difference?.op === 'Sub' && subtractsMean(graph, difference);
  return finished(graph, root, [...above, node, square], isCentred ? difference : undefined);
}

function finished(
  graph: Graph,
  root: Node,
  above: readonly Node[],
  difference: Node | undefined,
): Normalization | undefined {
  const below: Node[] = [];
  let [value] = statedOutputsOf(graph, root);
  for (let quotient: Node | undefined; quotient === undefined && below.length < 3;) {
    if (value === undefined) return undefined;
    const readers = readersOf(graph, value);
    const next = readers.find(({ op }) => ['Div', 'Mul', 'Reciprocal', ...OFFSETS].includes(op));
    if (next === undefined) return undefined;
    below.push(next);
    if (next.op === 'Div' || next.op === 'Mul') quotient = next;
    else [value] = statedOutputsOf(graph, next);
  }
  const last = below.at(-1);
  const [output] = last === undefined ? [] : statedOutputsOf(graph, last);
  if (last === undefined || output === undefined) return undefined;
  if (last.op !== 'Div' && last.op !== 'Mul') return undefined;
  const inside = [...above, root, ...below.slice(0, -1)];
  return {
    kind: difference === undefined ? 'uncentred' : 'centred',
    nodes: [...inside, ...(difference === undefined ? [] : [difference]), last].sort((a, b) => a.id - b.id),
    root,
    internals: inside.flatMap((node) => statedOutputsOf(graph, node)).sort((a, b) => a - b),
    output,
  };
}

function writer(graph: Graph, tensor: TensorId | undefined): Node | undefined {
  return tensor === undefined ? undefined : statedWriterOf(graph, tensor);
}

/** The first input that is no constant. */
function activation(graph: Graph, { inputs }: Node): TensorId | undefined {
  return inputs.find((id) => id !== null && tensorOf(graph, id).data === undefined) ?? undefined;
}

function isSquare(graph: Graph, node: Node): boolean {
  const [a, b] = node.inputs;
  if (node.op === 'Mul' && a != null && b != null) return sourceOf(graph, a) === sourceOf(graph, b);
  return isPower(graph, node, 2);
}

function isPower(graph: Graph, { op, inputs }: Node, exponent: number): boolean {
  const [, power] = inputs;
  const data = op === 'Pow' && power != null ? tensorOf(graph, power).data : undefined;
  if (data === undefined || data.dims.some((dim) => dim !== 1)) return false;
  return Math.abs((toFloat32(data)[0] ?? NaN) - exponent) < 1e-3 * Math.abs(exponent);
}

function subtractsMean(graph: Graph, { inputs }: Node): boolean {
  return inputs.some((id) => {
    const node = id === null ? undefined : writer(graph, id);
    return node !== undefined && MEANS.has(node.op);
  });
}
