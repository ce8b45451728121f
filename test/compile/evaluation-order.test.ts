/** Operators of several nodes, copies in another order of axes, and operators that nothing computes. */
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { evaluationOrder, nodesOf, uncomputed } from '../../src/compile/evaluation-order.js';
import { rangeProgram } from '../../src/compile/calibration-program.js';
import { inferenceProgram } from '../../src/compile/measurement-program.js';
import { operatorProgram } from '../../src/compile/operator-program.js';
import { OPAQUE_DOMAIN, type Graph, type Origin } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { operatorsOf } from '../../src/ir/operators.js';
import { requireSupported } from '../../src/run/unsupported.js';
import { compiled } from '../support/compiled.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

/** Origins by position in the list of nodes. */
function withOrigins(g: Graph, origins: readonly Partial<Origin>[]): Graph {
  return {
    ...g,
    nodes: g.nodes.map((node, i) => ({ ...node, origin: { ...node.origin, ...origins[i] } })),
  };
}

function labels(g: Graph): string[][] {
  return evaluationOrder(g).map((step) => nodesOf(step).map(({ op }) => op));
}

describe('the order of evaluation', () => {
  it('has the nodes of an operator together, behind the copies of its inputs that are made between them', () => {
    const g = withOrigins(
      graph()
        .input('x', 'float32', [2, 3])
        .input('y', 'float32', [3, 2])
        .node('Abs', { inputs: ['x'], outputs: ['a'] })
        .node('Transpose', { inputs: ['y'], outputs: ['t'] })
        .node('Add', { inputs: ['a', 't'], outputs: ['s'] })
        .node('Relu', { inputs: ['s'], outputs: ['r'] })
        .node('Neg', { inputs: ['r'], outputs: ['n'] })
        .output('n')
        .build(),
      [
        { op: 'ADD', index: 0, part: 'step' },
        { op: 'ADD', index: 0, part: 'layout' },
        { op: 'ADD', index: 0 },
        { op: 'ADD', index: 0, part: 'step' },
        { op: 'NEG', index: 1 },
      ],
    );
    expect(labels(g)).toEqual([['Transpose'], ['Abs', 'Add', 'Relu'], ['Neg']]);
  });

  it('is that of the nodes where each is an operator', () => {
    const g = graph()
      .input('x', 'float32', [2])
      .node('Abs', { inputs: ['x'], outputs: ['a'] })
      .node('Neg', { inputs: ['a'], outputs: ['n'] })
      .output('n')
      .build();
    expect(labels(g)).toEqual([['Abs'], ['Neg']]);
  });
});

describe('what is behind an operator that nothing computes', () => {
  const g = inferShapes(
    withOrigins(
      graph()
        .input('x', 'float32', [1, 4])
        .node('Abs', { inputs: ['x'], outputs: ['a'] })
        .node('WHILE', {
          domain: OPAQUE_DOMAIN,
          inputs: ['a'],
          outputs: ['w'],
          attrs: { reason: 'it loops' },
        })
        .value('w', 'float32', [1, 4])
        .node('Neg', { inputs: ['w'], outputs: ['n'] })
        .node('Relu', { inputs: ['a'], outputs: ['r'] })
        .node('Shape', { inputs: ['n'], outputs: ['s'] })
        .output('n')
        .output('r')
        .build(),
      [{ op: 'ABS' }, { op: 'WHILE' }, { op: 'NEG' }, { op: 'RELU' }, { op: 'SHAPE' }],
    ),
  );
  const id = (name: string): number => tensorNamed(g, name).id;

  it('is known, with the operator', () => {
    expect([...uncomputed(g)].map(([tensor, { op }]) => [tensor, op])).toEqual([
      [id('w'), 'WHILE'],
      [id('n'), 'WHILE'],
      [id('s'), 'WHILE'],
    ]);
  });

  it('is not measured, and said so with the reason', () => {
    const { edges, unmeasured } = edgesOf(g, new Set());
    expect(edges.map(({ tensor }) => tensor)).toEqual([id('x'), id('a'), id('r')]);
    const reason = 'behind WHILE#1, which qdbg does not compute: it loops';
    expect(unmeasured).toEqual([
      { tensor: id('w'), reason },
      { tensor: id('n'), reason },
    ]);
  });

  it('is in no program, while what is before it is', () => {
    const { model } = rangeProgram(g, edgesOf(g, new Set()).edges, false);
    const { nodes } = compiled(model);
    expect(nodes.some(({ op }) => op === 'Relu')).toBe(true);
    expect(nodes.some(({ op }) => ['WHILE', 'Neg', 'Shape'].includes(op))).toBe(false);
  });

  it('cannot be asked for', () => {
    expect(() => inferenceProgram(g, FLOAT_LANE, [tensorNamed(g, 'n').id])).toThrow(
      new RangeError('tensor n is behind WHILE#1, which nothing computes'),
    );
    const [, loop] = operatorsOf(g);
    expect(() => operatorProgram(g, FLOAT_LANE, loop!)).toThrow(RangeError);
  });

  it('is no question to the runtime', async () => {
    await expect(requireSupported(g)).resolves.toBeUndefined();
    const { outputs, ...rest } = g;
    const lacking = {
      ...rest,
      outputs,
      nodes: g.nodes.map((node) => (node.op === 'Relu' ? { ...node, op: 'NoSuchOperator' } : node)),
    };
    await expect(requireSupported(lacking)).rejects.toThrow('lacks what 1 of the 5 nodes');
  });
});

describe('tensors that the file does not have', () => {
  it('are no edges', () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 4])
        .node('Abs', { inputs: ['x'], outputs: ['a'] })
        .node('Relu', { inputs: ['a'], outputs: ['r'] })
        .output('r')
        .build(),
    );
    const inner = { ...g, inner: new Set([tensorNamed(g, 'a').id]) };
    const found = edgesOf(inner, new Set()).edges.map(({ tensor }) => tensor);
    expect(found).toEqual([tensorNamed(g, 'x').id, tensorNamed(g, 'r').id]);
  });
});
