import { describe, expect, it } from 'vitest';
import type { EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import { jumpsOf } from '../../src/diff/jumps.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf } from '../support/evidence.js';
import { graph, tensorNamed, type GraphBuilder } from '../support/graph-builder.js';

/** Measurements with these cumulative SQNR by tensor name; the others were not measured. */
function measured(g: Graph, db: Readonly<Record<string, number | 'exact'>>): EdgeMeasurement[] {
  return Object.entries(db).map(([name, value]) => edgeMeasurement(g, name, { cumulative: errorOf(value) }));
}

function fallsOf(g: Graph, db: Readonly<Record<string, number | 'exact'>>): unknown[] {
  const name = (id: number): string => g.tensors[id]!.name;
  return jumpsOf(g, measured(g, db)).map(({ tensor, from, fromDb, toDb }) => [
    name(from),
    fromDb,
    name(tensor),
    toDb,
  ]);
}

const chain = (builder: GraphBuilder, ...names: string[]): GraphBuilder =>
  names.slice(1).reduce((b, to, i) => b.node('Relu', { inputs: [names[i]!], outputs: [to] }), builder);

const LINE = inferShapes(
  chain(graph().input('a', 'float32', [1, 2]), 'a', 'b', 'c', 'd', 'e')
    .output('e')
    .build(),
);

describe('the falls of cumulative SQNR', () => {
  it('are listed largest first, rises and level stretches not at all', () => {
    expect(fallsOf(LINE, { a: 40, b: 35, c: 36, d: 36, e: 10 })).toEqual([
      ['d', 36, 'e', 10],
      ['a', 40, 'b', 35],
    ]);
  });

  it('do not count above what 8 bits give anyway', () => {
    expect(fallsOf(LINE, { a: 150, b: 60, c: 41, d: 38, e: 30 })).toEqual([
      ['d', 38, 'e', 30],
      ['c', 41, 'd', 38],
    ]);
  });

  it('start from an exact input at that ceiling: the first layer that breaks is one', () => {
    expect(fallsOf(LINE, { a: 'exact', b: 'exact', c: 12, d: 11, e: 11 })).toEqual([
      ['b', undefined, 'c', 12],
      ['c', 12, 'd', 11],
    ]);
  });

  it('are measured from the worst input of an operator', () => {
    const g = inferShapes(
      graph()
        .input('a', 'float32', [1, 2])
        .input('b', 'float32', [1, 2])
        .node('Add', { inputs: ['a', 'b'], outputs: ['sum'] })
        .output('sum')
        .build(),
    );
    expect(fallsOf(g, { a: 39, b: 20, sum: 15 })).toEqual([['b', 20, 'sum', 15]]);
    expect(fallsOf(g, { a: 39, b: 20, sum: 25 })).toEqual([]);
    expect(fallsOf(g, { a: 'exact', b: 30, sum: 15 })).toEqual([['b', 30, 'sum', 15]]);
  });

  it('reach through edges that were not measured to the last ones that were', () => {
    expect(fallsOf(LINE, { a: 38, d: 20, e: 19 })).toEqual([
      ['a', 38, 'd', 20],
      ['d', 20, 'e', 19],
    ]);
  });

  it('need something measured in front', () => {
    expect(fallsOf(LINE, { d: 20 })).toEqual([]);
    expect(fallsOf(LINE, {})).toEqual([]);
  });

  it('are found in time that grows with the graph, whatever diamonds it has', () => {
    let builder = graph().input('x0', 'float32', [1, 2]);
    const depth = 60;
    for (let i = 0; i < depth; i++)
      builder = builder.node('Add', { inputs: [`x${i}`, `x${i}`], outputs: [`x${i + 1}`] });
    const g = inferShapes(builder.output(`x${depth}`).build());
    expect(fallsOf(g, { x0: 30, [`x${depth}`]: 10 })).toEqual([['x0', 30, `x${depth}`, 10]]);
    expect(tensorNamed(g, 'x1').shape).toEqual([1, 2]);
  });
});
