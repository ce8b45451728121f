import { describe, expect, it } from 'vitest';
import { boxesOf } from '../../../src/report/html/graph-boxes.js';
import { placedGraph } from '../../../src/report/html/graph-layout.js';
import { nearestInOrder } from '../../../src/report/html/nearest-in-order.js';
import type { PlacedGraph } from '../../../src/report/html/page-document.js';
import type { ReportedGraph, ReportedNode } from '../../../src/report/report-graph.js';
import { largeReport } from '../../support/large-report.js';

type Rectangle = Pick<PlacedGraph['nodes'][number], 'x' | 'y' | 'width' | 'height'>;

const node = (name: string, inputs: readonly string[], outputs: readonly string[]): ReportedNode => ({
  node: name,
  op: 'Conv',
  inputs,
  outputs,
  index: 0,
});

/** A block with a branch that goes round it, and an output that is read, too. */
const BLOCK: ReportedGraph = {
  inputs: ['x', 'mask'],
  outputs: ['y', 'a'],
  nodes: [
    node('first', ['x'], ['a']),
    node('second', ['a'], ['b']),
    node('third', ['b', 'mask'], ['c']),
    node('sum', ['c', 'a', 'c'], ['y']),
  ],
};

const networkOf = (layers: number): ReportedGraph => largeReport(layers, 2, 4).graph!;
const boxes = ({ nodes, ends = [] }: PlacedGraph): readonly Rectangle[] => [...nodes, ...ends];

function overlaps(a: Rectangle, b: Rectangle): boolean {
  return (
    Math.abs(a.x - b.x) < (a.width + b.width) / 2 - 1 && Math.abs(a.y - b.y) < (a.height + b.height) / 2 - 1
  );
}

/** Whether a point is on the edge of the box, to a pixel. */
function touches([x, y]: readonly [number, number], box: Rectangle): boolean {
  return Math.abs(x - box.x) <= box.width / 2 + 1 && Math.abs(Math.abs(y - box.y) - box.height / 2) <= 1;
}

/** Both layouts: a network that elkjs draws, and one that is too large for it. */
const DRAWN: readonly (readonly [name: string, graph: ReportedGraph])[] = [
  ['a block', BLOCK],
  ['40 layers', networkOf(40)],
  ['1000 layers', networkOf(1000)],
];

describe('the layout of a network', () => {
  it.each(DRAWN)(
    'of %s has every operator, input and output, none over another, in whole pixels',
    async (_, graph) => {
      const placed = await placedGraph(graph);
      expect(placed.nodes.map((each) => each.node)).toEqual([...graph.nodes.keys()]);
      expect(placed.ends!.map(({ kind, tensor }) => [kind, tensor])).toEqual([
        ...graph.inputs.map((tensor) => ['input', tensor]),
        ...graph.outputs.map((tensor) => ['output', tensor]),
      ]);
      const all = boxes(placed);
      const clashes = all.flatMap((a, i) => all.slice(i + 1, i + 60).filter((b) => overlaps(a, b)));
      expect(clashes).toEqual([]);
      for (const { x, y, width, height } of all) {
        expect([x, y, width, height].every(Number.isInteger)).toBe(true);
        expect(x - width / 2).toBeGreaterThanOrEqual(0);
        expect(y - height / 2).toBeGreaterThanOrEqual(0);
        expect(x + width / 2).toBeLessThanOrEqual(placed.width);
        expect(y + height / 2).toBeLessThanOrEqual(placed.height);
      }
    },
  );

  it.each(DRAWN)('of %s goes down, along lines that join what is linked', async (_, graph) => {
    const placed = await placedGraph(graph);
    const end = (kind: string, tensor: string): Rectangle =>
      placed.ends!.find((each) => each.kind === kind && each.tensor === tensor)!;
    expect(placed.edges.length).toBe(boxesOf(graph).links.length);
    for (const { from, to, tensor, points } of placed.edges) {
      const [a, b] = [
        from === undefined ? end('input', tensor) : placed.nodes[from]!,
        to === undefined ? end('output', tensor) : placed.nodes[to]!,
      ];
      expect(a.y).toBeLessThan(b.y);
      expect(touches(points[0]!, a)).toBe(true);
      expect(touches(points.at(-1)!, b)).toBe(true);
      expect(points.flat().every(Number.isInteger)).toBe(true);
    }
  });

  it('links what is read with what writes it, once each', async () => {
    const { edges } = await placedGraph(BLOCK);
    expect(edges.map(({ from, to, tensor }) => [from, to, tensor])).toEqual([
      [undefined, 0, 'x'],
      [0, 1, 'a'],
      [1, 2, 'b'],
      [undefined, 2, 'mask'],
      [2, 3, 'c'],
      [0, 3, 'a'],
      [3, undefined, 'y'],
      [0, undefined, 'a'],
    ]);
  });

  it('does not drift sideways, however deep the network', async () => {
    const { width } = await placedGraph(networkOf(2000));
    expect(width).toBeLessThan(1000);
  });

  it('leads long lines around what is between', async () => {
    const placed = await placedGraph(networkOf(1000));
    const crossed = placed.edges.flatMap(({ from, to, points }) =>
      points.slice(1).flatMap((point, at) => {
        const middle = [(point[0] + points[at]![0]) / 2, (point[1] + points[at]![1]) / 2] as const;
        return placed.nodes.filter(
          (box) =>
            box.node !== from &&
            box.node !== to &&
            Math.abs(middle[0] - box.x) < box.width / 2 - 1 &&
            Math.abs(middle[1] - box.y) < box.height / 2 - 1,
        );
      }),
    );
    expect(crossed).toEqual([]);
  });

  it('is the same each time', async () => {
    for (const [, graph] of DRAWN) expect(await placedGraph(graph)).toEqual(await placedGraph(graph));
  });

  it('takes little time for ten thousand operators', async () => {
    const graph = networkOf(10_000);
    const start = process.cpuUsage();
    const placed = await placedGraph(graph);
    const { user, system } = process.cpuUsage(start);
    expect(placed.nodes).toHaveLength(10_000);
    // 0.3 s alone on a processor; elkjs overflows the stack.
    expect((user + system) / 1e6).toBeLessThan(5);
  });
});

describe('the layout of what no network is', () => {
  const chain = (count: number): ReportedNode[] =>
    Array.from({ length: count }, (_, i) => node(`n${i}`, [`t${i}`], [`t${i + 1}`]));

  it.each([10, 1000])('of %i nodes in a circle ends', async (count) => {
    const nodes = chain(count).map((each, i) => (i === count - 1 ? { ...each, outputs: ['t0'] } : each));
    const placed = await placedGraph({ inputs: [], outputs: [], nodes });
    expect(placed.edges).toHaveLength(count);
    expect(boxes(placed).every(({ x, y }) => Number.isInteger(x) && Number.isInteger(y))).toBe(true);
  });

  it.each([10, 1000])('of %i nodes in the wrong order ends', async (count) => {
    const placed = await placedGraph({
      inputs: ['t0'],
      outputs: [`t${count}`],
      nodes: chain(count).reverse(),
    });
    expect(placed.edges).toHaveLength(count + 1);
  });

  it('leaves out lines to what nothing writes, and from a node to itself', async () => {
    const nodes = [node('a', ['nowhere', 'a1'], ['a1']), node('b', ['__proto__'], ['constructor'])];
    const placed = await placedGraph({ inputs: [], outputs: ['missing'], nodes });
    expect(placed.edges).toEqual([]);
    expect(placed.ends).toHaveLength(1);
  });

  it('takes the first of several writers of one tensor', async () => {
    const nodes = [node('a', [], ['t']), node('b', [], ['t']), node('c', ['t'], [])];
    const { edges } = await placedGraph({ inputs: ['t'], outputs: [], nodes });
    expect(edges.map(({ from, to }) => [from, to])).toEqual([[0, 2]]);
  });

  it('is empty of nothing', async () => {
    expect(await placedGraph({ inputs: [], outputs: [], nodes: [] })).toEqual({
      width: 0,
      height: 0,
      nodes: [],
      edges: [],
      ends: [],
    });
  });

  it('draws a part of the lines where everything reads everything, from a node to the next and past thousands', async () => {
    const tensors = Array.from({ length: 1500 }, (_, i) => `t${i}`);
    const nodes = tensors.map((tensor, i) => node(`n${i}`, tensors.slice(0, i), [tensor]));
    const placed = await placedGraph({ inputs: [], outputs: [], nodes });
    expect(placed.edges).toHaveLength(40_000);
    expect(placed.nodes).toHaveLength(1500);
  });

  it('gives names of any length and script a box of bounded width', async () => {
    const names = [
      'x'.repeat(100_000),
      '\u6f22'.repeat(50),
      '\ud83d\ude00'.repeat(500),
      '',
      '\u202e'.repeat(9),
    ];
    const { nodes } = await placedGraph({
      inputs: names,
      outputs: [],
      nodes: names.map((name) => node(name, [], [])),
    });
    for (const { width } of nodes) {
      expect(width).toBeGreaterThanOrEqual(50);
      expect(width).toBeLessThanOrEqual(260);
    }
  });
});

const ISOTONIC: readonly number[][] = [
  [4, 1, 3, 2, 7, 6.5, -2, 9, 12, 11, 10.5, 20],
  [
    2.5, 2.5, 2.5, 2.5, 3.8333333333333335, 3.8333333333333335, 3.8333333333333335, 9.0, 11.166666666666666,
    11.166666666666666, 11.166666666666666, 20.0,
  ],
];

describe('the nearest numbers in order', () => {
  it('are those that scikit-learn finds', () => {
    // sklearn.isotonic.isotonic_regression
    const close = (wanted: number[], expected: number[]): void => {
      const found = nearestInOrder(wanted);
      expect(found).toHaveLength(expected.length);
      for (const [at, value] of found.entries()) expect(value).toBeCloseTo(expected[at]!, 12);
    };
    close(ISOTONIC[0]!, ISOTONIC[1]!);
    close([], []);
    close([3, 2, 1], [2, 2, 2]);
    close([1, 2, 3], [1, 2, 3]);
  });
});
