import { describe, expect, it } from 'vitest';
import {
  neighbour,
  networkOf,
  overlap,
  siteAt,
  siteNamed,
  sitesFound,
  type Site,
} from '../../src/page/graph/network.js';
import type { PlacedGraph } from '../../src/report/html/page-document.js';
import type { ReportedGraph } from '../../src/report/report-graph.js';

/** x -> stem -> left, right -> add -> y; left stands left of right. */
const GRAPH: ReportedGraph = {
  inputs: ['x'],
  outputs: ['y'],
  nodes: [
    {
      node: 'stem',
      op: 'Conv+Relu',
      inputs: ['x'],
      outputs: ['stem:out'],
      index: 0,
      members: ['stem', 'stem_bn'],
    },
    { node: 'left', op: 'Conv', inputs: ['stem:out'], outputs: ['left:out'], index: 3 },
    { node: 'right', op: 'MaxPool', inputs: ['stem:out'], outputs: ['right:out'], index: 4 },
    { node: 'add', op: 'Add', inputs: ['left:out', 'right:out'], outputs: ['y'], index: 5 },
  ],
};
const at = (x: number, y: number): { x: number; y: number; width: number; height: number } => ({
  x,
  y,
  width: 80,
  height: 40,
});
const LAYOUT: PlacedGraph = {
  width: 300,
  height: 500,
  nodes: [
    { node: 0, ...at(150, 120) },
    { node: 1, ...at(80, 220) },
    { node: 2, ...at(220, 220) },
    { node: 3, ...at(160, 320) },
  ],
  edges: [
    {
      to: 0,
      tensor: 'x',
      points: [
        [150, 40],
        [150, 100],
      ],
    },
    {
      from: 0,
      to: 1,
      tensor: 'stem:out',
      points: [
        [150, 140],
        [80, 200],
      ],
    },
    {
      from: 0,
      to: 2,
      tensor: 'stem:out',
      points: [
        [150, 140],
        [220, 200],
      ],
    },
    {
      from: 1,
      to: 3,
      tensor: 'left:out',
      points: [
        [80, 240],
        [150, 300],
      ],
    },
    {
      from: 2,
      to: 3,
      tensor: 'right:out',
      points: [
        [220, 240],
        [170, 300],
      ],
    },
    {
      from: 3,
      tensor: 'y',
      points: [
        [160, 340],
        [160, 400],
      ],
    },
  ],
  ends: [
    { kind: 'input', tensor: 'x', ...at(150, 20) },
    { kind: 'output', tensor: 'y', ...at(160, 420) },
  ],
};
const NETWORK = networkOf(GRAPH, LAYOUT);
const named = (name: string): Site => {
  const site = siteNamed(NETWORK, name);
  if (site === undefined) throw new Error(name);
  return site;
};
const namesOf = (places: readonly number[]): (string | undefined)[] =>
  places.map((place) => NETWORK.sites[place]?.name);

describe('a drawn network', () => {
  it('hangs operators together as edges say, the ends of the network included', () => {
    expect(namesOf(named('stem').before)).toEqual(['x']);
    expect(namesOf(named('stem').after)).toEqual(['left', 'right']);
    expect(namesOf(named('add').before)).toEqual(['left', 'right']);
    expect(namesOf(named('add').after)).toEqual(['y']);
  });

  it('knows the edges of every site', () => {
    expect(named('stem').edges).toEqual([0, 1, 2]);
    expect(NETWORK.sites.find(({ kind }) => kind === 'output')?.edges).toEqual([5]);
  });

  it('is bounded by all that is drawn, also where that lies outside of the stated size', () => {
    const far = networkOf(GRAPH, { ...LAYOUT, ends: [{ kind: 'input', tensor: 'x', ...at(900, -50) }] });
    expect(far.bounds.right).toBeGreaterThanOrEqual(940);
    expect(far.bounds.top).toBeLessThanOrEqual(-70);
    expect(far.bounds.bottom).toBeGreaterThanOrEqual(500);
  });

  it('leaves out a place without an operator instead of failing', () => {
    expect(networkOf({ ...GRAPH, nodes: [] }, LAYOUT).sites.map(({ kind }) => kind)).toEqual([
      'input',
      'output',
    ]);
  });
});

describe('a site by name', () => {
  it('is that of the operator, the tensor it writes or a node merged into it', () => {
    expect(named('left').name).toBe('left');
    expect(named('left:out').name).toBe('left');
    expect(named('stem_bn').name).toBe('stem');
  });

  it('is the operator where an output of the network has the same tensor', () => {
    expect(named('y').kind).toBe('operator');
  });

  it('is none for a name that is not there', () => {
    expect(siteNamed(NETWORK, 'toString')).toBeUndefined();
  });
});

describe('finding', () => {
  it('takes every word, in names, types and tensors, whatever the case', () => {
    expect(sitesFound(NETWORK, 'CONV').map(({ name }) => name)).toEqual(['stem', 'left']);
    expect(sitesFound(NETWORK, 'conv left').map(({ name }) => name)).toEqual(['left']);
    expect(sitesFound(NETWORK, 'stem_bn').map(({ name }) => name)).toEqual(['stem']);
  });

  it('finds nothing for no words', () => {
    expect(sitesFound(NETWORK, '  ')).toEqual([]);
  });
});

describe('an arrow key', () => {
  it('goes along edges to the nearest reader and writer', () => {
    expect(neighbour(NETWORK, named('stem'), 'up')?.name).toBe('x');
    expect(neighbour(NETWORK, named('left'), 'down')?.name).toBe('add');
    // right is 117 from add, left 128.
    expect(neighbour(NETWORK, named('add'), 'up')?.name).toBe('right');
  });

  it('goes sideways to what stands at the same height', () => {
    expect(neighbour(NETWORK, named('left'), 'right')?.name).toBe('right');
    expect(neighbour(NETWORK, named('right'), 'left')?.name).toBe('left');
    expect(neighbour(NETWORK, named('left'), 'left')).toBeUndefined();
  });

  it('stays where no edge leads on', () => {
    expect(neighbour(NETWORK, named('x'), 'up')).toBeUndefined();
  });
});

describe('a point', () => {
  it('lies on the box that it is in', () => {
    expect(siteAt(NETWORK, 81, 221)?.name).toBe('left');
    expect(siteAt(NETWORK, 150, 220)).toBeUndefined();
  });
});

describe('boxes', () => {
  it('overlap where they share a point', () => {
    const box = { left: 0, top: 0, right: 10, bottom: 10 };
    expect(overlap(box, { left: 10, top: 10, right: 20, bottom: 20 })).toBe(true);
    expect(overlap(box, { left: 11, top: 0, right: 20, bottom: 10 })).toBe(false);
  });
});
