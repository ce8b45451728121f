/** Networks that differ in one place: what is aligned around it, what is listed, which outputs are the same. */
import { describe, expect, it } from 'vitest';
import { align, type Alignment } from '../../../src/diff/alignment/index.js';
import { nodeOf, tensorOf, type Graph } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { graph, type GraphBuilder } from '../../support/graph-builder.js';
import { numbersOf } from './twin-networks.js';

const built = (builder: GraphBuilder): Graph => inferShapes(builder.build());

function pairs(a: Graph, b: Graph, { edges }: Alignment): string[] {
  return edges.map(
    ({ reference, candidate }) => `${tensorOf(a, reference).name} = ${tensorOf(b, candidate).name}`,
  );
}

function unmatched(a: Graph, b: Graph, alignment: Alignment): [reference: string[], candidate: string[]] {
  const { reference, candidate } = alignment.unmatched;
  return [reference.map((id) => nodeOf(a, id).op), candidate.map((id) => nodeOf(b, id).op)];
}

function aligned(a: Graph, b: Graph): Alignment {
  return align({ graph: a }, { graph: b });
}

/** A convolution of 8 channels with a bias. */
function conv(builder: GraphBuilder, from: string, to: string, channels = 8): GraphBuilder {
  return builder
    .constant(`${to}.w`, 'float32', [8, channels, 3, 3], numbersOf(`${to}.w`, 72 * channels))
    .constant(`${to}.b`, 'float32', [8], numbersOf(`${to}.b`, 8))
    .node('Conv', { inputs: [from, `${to}.w`, `${to}.b`], outputs: [to], attrs: { pads: [1, 1, 1, 1] } });
}

describe('a bias that is reshaped before it is added', () => {
  const plain = built(
    conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'c', 3)
      .node('Relu', { inputs: ['c'], outputs: ['r'] })
      .output('r'),
  );
  const added = built(
    graph()
      .input('x', 'float32', [1, 3, 8, 8])
      .constant('w', 'float32', [8, 3, 3, 3], numbersOf('c.w', 216))
      .constant('b', 'float32', [8], numbersOf('c.b', 8))
      .constant('shape', 'int64', [4], [1, 8, 1, 1])
      .node('Identity', { inputs: ['w'], outputs: ['weights'] })
      .node('Reshape', { inputs: ['b', 'shape'], outputs: ['shaped'] })
      .node('Conv', { inputs: ['x', 'weights'], outputs: ['scaled'], attrs: { pads: [1, 1, 1, 1] } })
      .node('Add', { inputs: ['scaled', 'shaped'], outputs: ['sum'] })
      .node('Relu', { inputs: ['sum'], outputs: ['out'] })
      .output('out'),
  );
  const alignment = aligned(plain, added);

  it('is the bias of the convolution, and the activation function stays behind it', () => {
    expect(pairs(plain, added, alignment)).toEqual(['x = x', 'c = sum', 'r = out']);
    expect(unmatched(plain, added, alignment)).toEqual([[], []]);
  });

  it('is aligned with the bias itself', () => {
    const constants = alignment.operators.flatMap((operator) => operator.constants);
    expect(constants.map(({ role, candidate }) => [role, tensorOf(added, candidate).name])).toEqual([
      ['weight', 'w'],
      ['bias', 'b'],
    ]);
    for (const { correlation } of constants) expect(correlation).toBeGreaterThan(0.999);
  });
});

describe('a copy of the result at the output of the network', () => {
  const plain = built(conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'c', 3).output('c'));

  it('is aligned, and so is what the operator itself writes', () => {
    const copied = built(
      conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'c', 3)
        .node('Identity', { inputs: ['c'], outputs: ['y'] })
        .output('y'),
    );
    const alignment = aligned(plain, copied);
    expect(pairs(plain, copied, alignment)).toEqual(['x = x', 'c = c', 'c = y']);
    expect(alignment.outputs).toEqual([{ reference: 0, candidate: 0 }]);
  });

  it.each(['Sigmoid', 'Tanh', 'Softmax', 'Exp'])('with %s in one network only is another output', (op) => {
    const more = built(
      conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'c', 3)
        .node(op, { inputs: ['c'], outputs: ['y'] })
        .output('y'),
    );
    const alignment = aligned(plain, more);
    expect(pairs(plain, more, alignment)).toEqual(['x = x', 'c = c']);
    expect(unmatched(plain, more, alignment)).toEqual([[], [op]]);
    expect(alignment.outputs).toEqual([{ reference: undefined, candidate: 0 }]);
    const back = aligned(more, plain);
    expect(pairs(more, plain, back)).toEqual(['x = x', 'c = c']);
    expect(back.outputs).toEqual([{ reference: undefined, candidate: 0 }]);
  });

  it('as classes is another output, also under the same name', () => {
    const classes = built(
      conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'scores', 3)
        .node('ArgMax', { inputs: ['scores'], outputs: ['c'], attrs: { axis: 1 } })
        .output('c', 'int64'),
    );
    expect(aligned(plain, classes).outputs).toEqual([{ reference: undefined, candidate: 0 }]);
  });

  it('as classes in both networks is the same output, though integers are not compared', () => {
    const classes = (name: string): Graph =>
      built(
        conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'c', 3)
          .node('ArgMax', { inputs: ['c'], outputs: [name], attrs: { axis: 1 } })
          .output(name, 'int64'),
      );
    expect(aligned(classes('a'), classes('b')).outputs).toEqual([{ reference: 0, candidate: 0 }]);
  });

  it('without its Relu is still that output', () => {
    const limited = built(
      conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'c', 3)
        .node('Relu', { inputs: ['c'], outputs: ['r'] })
        .output('r'),
    );
    const alignment = aligned(limited, plain);
    expect(pairs(limited, plain, alignment)).toEqual(['x = x', 'r = c']);
    expect(unmatched(limited, plain, alignment)).toEqual([['Relu'], []]);
    expect(alignment.outputs).toEqual([{ reference: 0, candidate: 0 }]);
  });
});

describe('an operator that another one replaces', () => {
  const joined = (op: string): Graph => {
    const builder = graph().input('x', 'float32', [1, 3, 8, 8]);
    conv(builder, 'x', 'a', 3);
    conv(builder, 'a', 'b');
    builder.node(op, { inputs: ['b', 'a'], outputs: ['joined'] });
    builder.node('Relu', { inputs: ['joined'], outputs: ['r'] });
    return built(conv(builder, 'r', 'end').output('end'));
  };
  const pooled = (op: string): Graph => {
    const builder = conv(graph().input('x', 'float32', [1, 3, 8, 8]), 'x', 'a', 3);
    builder.node(op, { inputs: ['a'], outputs: ['p'], attrs: { kernel_shape: [2, 2], strides: [2, 2] } });
    return built(conv(builder, 'p', 'end').output('end'));
  };

  it.each([
    ['Add', 'Sub', joined],
    ['Add', 'Mul', joined],
    ['MaxPool', 'AveragePool', pooled],
  ] as const)('%s by %s: is listed in both networks, and aligned like all around it', (from, to, network) => {
    const [a, b] = [network(from), network(to)];
    const alignment = aligned(a, b);
    expect(unmatched(a, b, alignment)).toEqual([[from], [to]]);
    const all = ['x', ...a.nodes.map(({ outputs }) => tensorOf(a, outputs[0]!).name)];
    expect(pairs(a, b, alignment)).toEqual(all.map((name) => `${name} = ${name}`));
  });

  it('is not looked for where nothing is the same around it', () => {
    const single = (op: string): Graph =>
      built(
        graph()
          .input('x', 'float32', [1, 3, 8, 8])
          .node(op, { inputs: ['x'], outputs: ['y'] })
          .output('y'),
      );
    const [a, b] = [single('Softmax'), single('CumSum')];
    const alignment = aligned(a, b);
    expect(pairs(a, b, alignment)).toEqual(['x = x']);
    expect(unmatched(a, b, alignment)).toEqual([['Softmax'], ['CumSum']]);
  });
});
