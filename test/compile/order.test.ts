import { describe, expect, it } from 'vitest';
import { rangeProgram } from '../../src/compile/calibration-program.js';
import { edgesOf } from '../../src/compile/edges.js';
import { ModelWriter } from '../../src/compile/model-writer.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { compiled } from '../support/compiled.js';
import { graph } from '../support/graph-builder.js';

describe('the order of a written model', () => {
  it('has every node right behind the last one it reads, however late it was asked for', () => {
    const w = new ModelWriter(new Map([['', 17]]), 8);
    const x = w.input('x', 'float32', [1]);
    const a = w.op('Abs', [x]);
    const b = w.op('Neg', [a]);
    const model = w.encode([w.op('Sum', [w.op('Ceil', [a]), w.op('Floor', [b])])]);
    expect(compiled(model).nodes.map(({ op }) => op)).toEqual(['Abs', 'Ceil', 'Neg', 'Floor', 'Sum']);
  });

  it('has a node once that several read', () => {
    const w = new ModelWriter(new Map([['', 17]]), 8);
    const a = w.op('Abs', [w.input('x', 'float32', [1])]);
    const model = w.encode([w.op('Add', [w.op('Neg', [a]), a]), a]);
    expect(compiled(model).nodes.map(({ op }) => op)).toEqual(['Abs', 'Neg', 'Add']);
  });
});

describe('the sheet of many probes', () => {
  it('is joined in short lists, which keep their order', () => {
    const build = graph().input('x', 'float32', [1, 2, 3, 3]);
    for (let i = 0; i < 100; i++)
      build.node('Neg', { inputs: [i === 0 ? 'x' : `t${i}`], outputs: [`t${i + 1}`] });
    const g = inferShapes(build.output('t100').build());
    const { model, slots } = rangeProgram(g, edgesOf(g, new Set()).edges, false);
    const { nodes } = compiled(model);
    const joins = nodes.filter(({ op }) => op === 'Concat');
    expect(Math.max(...joins.map(({ inputs }) => inputs.length))).toBeLessThanOrEqual(32);
    expect(slots.map(({ offset }) => offset)).toEqual(
      slots.map(({ offset }) => offset).toSorted((a, b) => a - b),
    );
    // The first probe of an edge stands before the next node of the network.
    const ops = nodes.map(({ op }) => op);
    expect(ops.indexOf('ReduceMin')).toBeLessThan(ops.indexOf('Neg'));
    const second = ops.indexOf('Neg', ops.indexOf('Neg') + 1);
    expect(ops.slice(0, second).filter((op) => op === 'ReduceMin')).toHaveLength(2);
  });
});
