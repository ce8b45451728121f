/** Branches that are joined: in another order, or with each other's weights. */
import { describe, expect, it } from 'vitest';
import { align, type Alignment } from '../../../src/diff/alignment/index.js';
import { nodeOf, tensorOf, type Graph } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { graph } from '../../support/graph-builder.js';
import { numbersOf } from './twin-networks.js';

/** How a network joins its branches. */
interface Style {
  readonly order?: readonly ['a', 'b'] | readonly ['b', 'a'];
  /** Channels of the second branch. */
  readonly width?: number;
  /** The weights behind the joined channels are made for the order. */
  readonly follows?: boolean;
  /** Each branch has the weights of the other. */
  readonly swapped?: boolean;
  readonly isNormalized?: boolean;
  /** Every tensor and node has another name. */
  readonly isRenamed?: boolean;
}

const TAPS = 9;

/** Two branches of 8 and `width` channels on one picture, joined, a pool, a convolution, another Concat with the pool, a Gemm. */
function network(style: Style): Graph {
  const { order = ['a', 'b'], width = 8, follows = false, swapped = false } = style;
  const name = (text: string): string =>
    style.isRenamed === true ? `t${text.length}_${numbersOf(text, 1)[0]}` : text;
  const builder = graph().input(name('x'), 'float32', [1, 3, 8, 8]);
  const floats = (text: string, dims: readonly number[], values: readonly number[]): string => {
    builder.constant(name(text), 'float32', dims, values);
    return name(text);
  };
  const node = (
    op: string,
    from: readonly string[],
    to: string,
    attrs: Record<string, number | number[]> = {},
  ): string => {
    builder.node(op, { inputs: from, outputs: [name(to)], attrs, name: name(`node ${to}`) });
    return name(to);
  };
  const sizes = { a: 8, b: width };
  const total = 8 + width;
  /** Places of the reference's channels, in the order of this network. */
  const starts = { a: 0, b: 8 };
  const places = (follows ? order : (['a', 'b'] as const)).flatMap((branch) =>
    Array.from({ length: sizes[branch] }, (_, i) => starts[branch] + i),
  );
  const conv = (layer: string, from: string, outs: number, ins: number, weights: readonly number[]): string =>
    node('Conv', [from, floats(`${layer}.w`, [outs, ins, 3, 3], weights)], layer, { pads: [1, 1, 1, 1] });
  const weightsOf = (branch: 'a' | 'b'): number[] => numbersOf(`${branch}.w`, sizes[branch] * 3 * TAPS);
  conv('a', name('x'), 8, 3, weightsOf(swapped ? 'b' : 'a'));
  conv('b', name('x'), width, 3, weightsOf(swapped ? 'a' : 'b'));
  node('Relu', [name('a')], 'a.relu');
  node('Relu', [name('b')], 'b.relu');
  let joined = node(
    'Concat',
    order.map((branch) => name(`${branch}.relu`)),
    'joined',
    { axis: 1 },
  );
  if (style.isNormalized === true) {
    const own = (what: string): string => {
      const values = numbersOf(what, total).map((value) => 1 + 0.2 * value);
      return floats(
        what,
        [total],
        places.map((place) => values[place]!),
      );
    };
    joined = node('BatchNormalization', [joined, ...['gamma', 'beta', 'mean', 'variance'].map(own)], 'bn');
    joined = node('Relu', [joined], 'bn.relu');
  }
  const pool = node('MaxPool', [joined], 'pool', { kernel_shape: [2, 2], strides: [2, 2] });
  const features = (
    text: string,
    outs: number,
    ins: number,
    taps: number,
    own: readonly number[],
  ): number[] => {
    const values = numbersOf(text, outs * ins * taps);
    return Array.from({ length: outs }, (_, m) =>
      own.flatMap((place) => values.slice((m * ins + place) * taps, (m * ins + place + 1) * taps)),
    ).flat();
  };
  conv('c', pool, 8, total, features('c.w', 8, total, TAPS, places));
  node('Concat', [name('c'), pool], 'dense', { axis: 1 });
  const all = [...Array.from({ length: 8 }, (_, i) => i), ...places.map((place) => 8 + place)];
  conv('d', name('dense'), 8, 8 + total, features('d.w', 8, 8 + total, TAPS, all));
  return inferShapes(builder.output(name('d')).build());
}

function names(graphs: readonly [Graph, Graph], { edges }: Alignment): string[] {
  return edges.map((edge) => {
    const [a, b] = [tensorOf(graphs[0], edge.reference).name, tensorOf(graphs[1], edge.candidate).name];
    return a === b ? a : `${a} = ${b}`;
  });
}

function compared(one: Style, other: Style): { graphs: [Graph, Graph]; alignment: Alignment } {
  const graphs: [Graph, Graph] = [network(one), network(other)];
  return { graphs, alignment: align({ graph: graphs[0] }, { graph: graphs[1] }) };
}

const correlations = ({ operators }: Alignment): number[] =>
  operators.flatMap(({ constants }) => constants.map(({ correlation }) => correlation ?? 0));

describe.each([8, 4])('branches of 8 and %i channels that are joined in another order', (width) => {
  it.each([false, true])(
    'are no fault where the weights behind them follow (a normalization between: %s)',
    (isNormalized) => {
      const style = { width, isNormalized };
      const { graphs, alignment } = compared(style, { ...style, order: ['b', 'a'], follows: true });
      for (const correlation of correlations(alignment)) expect(correlation).toBeGreaterThan(0.999);
      expect(alignment.unmatched).toEqual({ reference: [], candidate: [] });
      expect(alignment.coverage).toEqual({ matched: 4, total: 4 });
      // What no view describes is not compared.
      expect(names(graphs, alignment)).toEqual(['x', 'a', 'b', 'a.relu', 'b.relu', 'c', 'd']);
    },
  );

  it('have the values of the reference in the order of the weights behind them', () => {
    const { graphs, alignment } = compared({ width }, { width, order: ['b', 'a'], follows: true });
    for (const constant of alignment.operators.flatMap(({ constants }) => constants)) {
      const bytes = tensorOf(graphs[1], constant.candidate).data!.bytes();
      const own = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      expect(constant.values()).toEqual(Float32Array.from(own));
    }
  });

  it('are compared as they are where nothing behind them follows', () => {
    const { graphs, alignment } = compared({ width }, { width, order: ['b', 'a'] });
    expect(names(graphs, alignment)).toEqual(names(graphs, compared({ width }, { width }).alignment));
    for (const correlation of correlations(alignment)) expect(correlation).toBeGreaterThan(0.999);
  });

  it('are recognized without any names', () => {
    const style = { width, order: ['b', 'a'], follows: true, isRenamed: true } as const;
    const { alignment } = compared({ width }, style);
    expect(alignment.coverage).toEqual({ matched: 4, total: 4 });
    for (const correlation of correlations(alignment)) expect(correlation).toBeGreaterThan(0.999);
  });
});

describe('branches that have the weights of each other', () => {
  it('are told apart by their names and by where they are joined', () => {
    const { graphs, alignment } = compared({}, { swapped: true });
    expect(names(graphs, alignment)).toEqual(names(graphs, compared({}, {}).alignment));
    expect(correlations(alignment).filter((value) => Math.abs(value) < 0.3)).toHaveLength(2);
  });

  it('are each other where the names follow the weights', () => {
    const { graphs, alignment } = compared({}, { order: ['b', 'a'], follows: true });
    const found = alignment.operators.map(({ reference, candidate }) => [
      nodeOf(graphs[0], reference[0]!).origin.name,
      nodeOf(graphs[1], candidate[0]!).origin.name,
    ]);
    for (const [a, b] of found) expect(a).toBe(b);
  });
});
