import { describe, expect, it } from 'vitest';
import type { Graph, Node, NodeId, Origin, TensorId } from '../../src/ir/graph.js';
import { isMain, operatorsOf, sourceOf } from '../../src/ir/operators.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

/** A chain of nodes from x on with these origins. */
function chain(...origins: readonly Partial<Origin>[]): Graph {
  const g = graph().input('t0', 'float32', [1]);
  origins.forEach((_, i) => g.node('Op', { inputs: [`t${i}`], outputs: [`t${i + 1}`] }));
  const built = g.output(`t${origins.length}`).build();
  const nodes = built.nodes.map((node, i): Node => ({
    ...node,
    origin: { name: '', op: 'OP', index: 0, ...origins[i] },
  }));
  return { ...built, nodes };
}

/** Positions of the nodes of each operator, the main one marked. */
function grouped(g: Graph): string[] {
  return operatorsOf(g).map(({ main, nodes }) =>
    nodes.map(({ id }) => (id === main.id ? `[${id}]` : `${id}`)).join(' '),
  );
}

const step = { part: 'step' } as const;
const layout = { part: 'layout' } as const;

describe('the operators of the file', () => {
  it('are its nodes, where nothing was lowered', () => {
    expect(grouped(chain({ index: 0 }, { index: 1 }, { index: 2 }))).toEqual(['[0]', '[1]', '[2]']);
  });

  it('have their steps before and behind the node that stands for them', () => {
    const g = chain(
      { index: 0, ...step },
      { index: 0 },
      { index: 0, ...step },
      { index: 0, ...step },
      { index: 1 },
    );
    expect(grouped(g)).toEqual(['0 [1] 2 3', '[4]']);
  });

  it('of one kind are told apart by their index', () => {
    const g = chain({ index: 0 }, { index: 0, ...step }, { index: 1, ...step }, { index: 1 });
    expect(grouped(g)).toEqual(['[0] 1', '2 [3]']);
  });

  it('do not own what only changes the order of axes, also between their nodes', () => {
    const g = chain(
      { index: 0, ...layout },
      { index: 0, ...step },
      { index: 0, ...layout },
      { index: 0 },
      { index: 1, ...layout },
    );
    expect(grouped(g)).toEqual(['1 [3]']);
  });

  it('of one index are several where none of them is a step, as in the body of a function', () => {
    const inlined = { index: 3, functionPath: ['call'] };
    expect(grouped(chain(inlined, inlined, inlined))).toEqual(['[0]', '[1]', '[2]']);
  });

  it('stand for themselves by their first node when all are steps', () => {
    expect(grouped(chain({ index: 0, ...step }, { index: 0, ...step }))).toEqual(['[0] 1']);
  });

  it('are counted by their main nodes', () => {
    const g = chain({ index: 0, ...layout }, { index: 0 }, { index: 0, ...step });
    expect(g.nodes.map(isMain)).toEqual([false, true, false]);
  });
});

describe('the tensor of the file behind a copy', () => {
  const g = chain({ index: 0 }, { index: 1, ...layout }, { index: 1, ...layout }, { index: 1, ...step });
  const id = (name: string): TensorId => tensorNamed(g, name).id;

  it('is what all changes of axes began with', () => {
    expect(sourceOf(g, id('t3'))).toBe(id('t1'));
    expect(sourceOf(g, id('t2'))).toBe(id('t1'));
  });

  it('is the tensor itself when it is no copy', () => {
    expect(sourceOf(g, id('t0'))).toBe(id('t0'));
    expect(sourceOf(g, id('t1'))).toBe(id('t1'));
    // A step computes something new.
    expect(sourceOf(g, id('t4'))).toBe(id('t4'));
    expect(g.nodes[3]!.id).toBe(3 as NodeId);
  });
});
