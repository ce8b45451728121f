/** In words: how the elements of a reference's tensor lie in a candidate's. */
import type { Tensor } from '../ir/graph.js';
import { inverse, type View } from '../ir/view.js';

/** Shape and order of axes of a tensor, as the graph and as the file have them. */
export type AxesOf = Pick<Tensor, 'shape' | 'fileAxes'>;

/** Names of axes by rank, where an order of axes has a name: from, to, and the transposition between them. */
const NAMED: readonly (readonly [from: string, to: string, perm: readonly number[]])[] = [
  ['[C,H,W]', '[H,W,C]', [1, 2, 0]],
  ['[H,W,C]', '[C,H,W]', [2, 0, 1]],
  ['[N,C,H,W]', '[N,H,W,C]', [0, 2, 3, 1]],
  ['[N,H,W,C]', '[N,C,H,W]', [0, 3, 1, 2]],
  ['[N,C,D,H,W]', '[N,D,H,W,C]', [0, 2, 3, 4, 1]],
  ['[N,D,H,W,C]', '[N,C,D,H,W]', [0, 4, 1, 2, 3]],
];

/**
 * "[N,C,H,W] as [N,H,W,C]", in the axes of the two files. `view`: order of the reference's elements in the candidate, as the graphs
 * have them. Undefined where the elements lie in the same order in both files, or an extent is not known.
 */
export function layoutText(view: View | undefined, reference: AxesOf, candidate: AxesOf): string | undefined {
  const [from, to] = [fileOrder(reference), fileOrder(candidate)];
  if (from === undefined || to === undefined) return undefined;
  const seen = view === undefined ? inverse(from) : composed(inverse(from), view);
  const whole = seen === undefined ? undefined : composed(seen, to);
  if (whole === undefined) return undefined;
  const order = shortest(whole);
  if (order.perm.length === 0) return undefined;
  const [wide, seenAs] = [extents(from), extents(to)];
  const named = NAMED.find(([, , perm]) => {
    if (perm.length !== wide.length) return false;
    const moved = perm.map((axis) => wide[axis] as number);
    // Of as many axes, another order of the same extents is another layout; of fewer, they were merged behind it.
    const fits = seenAs.length !== perm.length || isSame(moved, seenAs);
    const { dims, perm: moves } = shortest({ dims: wide, perm });
    return fits && isSame(dims, order.dims) && isSame(moves, order.perm);
  });
  if (named !== undefined) {
    const rest = seenAs.length === wide.length ? '' : ` in ${seenAs.join('x')}`;
    return `${named[0]} as ${named[1]}${rest}`;
  }
  return `${wide.join('x')} as ${seenAs.join('x')}: ${order.dims.join('x')} transposed by [${order.perm.join(',')}]`;
}

/** From the order of the graph to that of the file. */
function fileOrder({ shape, fileAxes }: AxesOf): View | undefined {
  if (shape === undefined) return undefined;
  const dims = shape.filter((dim) => typeof dim === 'number');
  if (dims.length !== shape.length || dims.includes(0)) return undefined;
  return { dims, perm: fileAxes ?? [...dims.keys()] };
}

function extents({ dims, perm }: View): number[] {
  return perm.map((axis) => dims[axis] as number);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** One view behind another; undefined where no set of extents serves both. */
function composed(first: View, second: View): View | undefined {
  const [a, b] = [withoutOnes(first), withoutOnes(second)];
  const factors = commonFactors(extents(a), b.dims);
  if (factors === undefined) return undefined;
  const written = grouped(extents(a), factors);
  const read = grouped(b.dims, factors);
  // Positions of the factors in the order in which the first view reads them, and where they lie in its own dims.
  const ofAxis = a.dims.map((_, axis) => written[a.perm.indexOf(axis)] as number[]);
  const source = ofAxis.flat();
  return {
    dims: source.map((factor) => factors[factor] as number),
    perm: b.perm.flatMap((axis) => read[axis] as number[]).map((factor) => source.indexOf(factor)),
  };
}

function withoutOnes({ dims, perm }: View): View {
  const kept = [...dims.keys()].filter((axis) => dims[axis] !== 1);
  return {
    dims: kept.map((axis) => dims[axis] as number),
    perm: perm.filter((axis) => dims[axis] !== 1).map((axis) => kept.indexOf(axis)),
  };
}

/** The coarsest extents that merge to either list; undefined where one boundary lies inside a step of the other. */
function commonFactors(a: readonly number[], b: readonly number[]): number[] | undefined {
  const factors: number[] = [];
  const [left, right] = [[...a], [...b]];
  let [x, y] = [left.pop(), right.pop()];
  while (x !== undefined && y !== undefined) {
    const step = Math.min(x, y);
    if (x % step !== 0 || y % step !== 0) return undefined;
    factors.unshift(step);
    x = x === step ? left.pop() : x / step;
    y = y === step ? right.pop() : y / step;
  }
  return x === undefined && y === undefined ? factors : undefined;
}

/** Which factors, by index, make up each extent. */
function grouped(dims: readonly number[], factors: readonly number[]): number[][] {
  let next = 0;
  return dims.map((dim) => {
    const group: number[] = [];
    for (let product = 1; product < dim; next++) {
      product *= factors[next] as number;
      group.push(next);
    }
    return group;
  });
}

/** The same order of elements with as few axes as can be: none where nothing moves. */
function shortest(view: View): View {
  const { dims, perm } = withoutOnes(view);
  const runs: number[][] = [];
  for (const axis of perm) {
    const run = runs.at(-1);
    if (run?.at(-1) === axis - 1) run.push(axis);
    else runs.push([axis]);
  }
  if (runs.length < 2) return { dims: [], perm: [] };
  const sources = [...runs].sort((a, b) => (a[0] as number) - (b[0] as number));
  return {
    dims: sources.map((run) => run.reduce((product, axis) => product * (dims[axis] as number), 1)),
    perm: runs.map((run) => sources.indexOf(run)),
  };
}
