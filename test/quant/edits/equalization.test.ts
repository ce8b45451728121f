/** Which layers can be equalized, and by how much. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { nodeLabel, nodeOf, type Graph, type TensorId } from '../../../src/ir/graph.js';
import { loadModel } from '../../../src/loader/index.js';
import { equalizableChains } from '../../../src/quant/edits/equalization-chains.js';
import { equalize } from '../../../src/quant/edits/equalization.js';
import { Random } from '../samples.js';
import { graph, tensorNamed, type GraphBuilder, type NodeSpec } from '../../support/graph-builder.js';
import { bells } from '../../support/measured-networks.js';
import { projectPath } from '../../support/tflite-network.js';

const random = new Random(3);

/** Convolution to 4 channels, what is between, convolution from 4 channels. */
function between(
  add: (builder: GraphBuilder) => GraphBuilder,
  last: { readonly op: string; readonly spec: NodeSpec } = {
    op: 'Conv',
    spec: { name: 'second', inputs: ['mid', 'w2'], outputs: ['y'] },
  },
  dims: readonly number[] = [5, 4, 1, 1],
): Graph {
  const count = dims.reduce((a, b) => a * b, 1);
  const builder = graph()
    .input('x', 'float32', [1, 3, 4, 4])
    .constant('w1', 'float32', [4, 3, 1, 1], bells(random, 12))
    .constant('b1', 'float32', [4], bells(random, 4))
    .constant('w2', 'float32', dims, bells(random, count))
    .node('Conv', { name: 'first', inputs: ['x', 'w1', 'b1'], outputs: ['a'] });
  return inferShapes(add(builder).node(last.op, last.spec).output('y').build());
}

const through =
  (op: string, spec: NodeSpec = {}) =>
  (builder: GraphBuilder) =>
    builder.node(op, { ...spec, inputs: ['a', ...(spec.inputs ?? [])], outputs: ['mid'] });

describe('chains that can be equalized', () => {
  it.each(['Relu', 'LeakyRelu', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'Identity'])(
    'reach through %s',
    (op) => {
      const attrs = op.endsWith('Pool') && !op.startsWith('Global') ? { kernel_shape: [2, 2] } : {};
      const [chain] = equalizableChains(between(through(op, { attrs })));
      expect(chain?.readers).toHaveLength(1);
      expect(chain?.channels).toBe(4);
    },
  );

  it.each(['Sigmoid', 'HardSwish', 'Tanh', 'Softplus'])('end at %s, which does not scale', (op) => {
    expect(equalizableChains(between(through(op)))).toEqual([]);
  });

  it('end where an output of the network or another operator reads the channels', () => {
    const output = between((builder) => through('Relu')(builder).output('mid'));
    const added = between((builder) =>
      through('Relu')(builder).node('Add', { inputs: ['mid', 'a'], outputs: ['s'] }),
    );
    expect(equalizableChains(output)).toEqual([]);
    expect(equalizableChains(added)).toEqual([]);
  });

  it('know the channel of every feature of a flattened picture', () => {
    const g = between(
      through('Flatten'),
      { op: 'Gemm', spec: { inputs: ['mid', 'w2'], outputs: ['y'], attrs: { transB: 1 } } },
      [5, 64],
    );
    const [chain] = equalizableChains(g);
    expect([...(chain?.readers[0]?.channels ?? [])]).toEqual(Array.from({ length: 64 }, (_, i) => i >> 4));
  });

  it('tell the limit of a Relu6', () => {
    const clipped = (high: number) =>
      between((builder) =>
        through('Clip', { inputs: ['low', 'high'] })(
          builder.constant('low', 'float32', [], [0]).constant('high', 'float32', [], [high]),
        ),
      );
    expect(equalizableChains(clipped(6))[0]?.limited.map(({ limit }) => limit)).toEqual([6]);
    expect(equalizableChains(clipped(3.4e38))[0]?.limited).toEqual([]);
  });

  it('leave out a weight that two layers share', () => {
    const g = between((builder) =>
      through('Relu')(builder)
        .node('Conv', { inputs: ['mid', 'w2'], outputs: ['z'] })
        .output('z'),
    );
    expect(equalizableChains(g)).toEqual([]);
  });
});

describe('divisors', () => {
  it('are those of the closed form for three layers in a row', async () => {
    const wanted = JSON.parse(
      readFileSync(projectPath('fixtures/sweep/weights/digits_rescaled.json'), 'utf8'),
    ) as Record<string, number[]>;
    const { graph: g } = await loadModel(projectPath('fixtures/digits/digits_rescaled.onnx'));
    const chains = equalizableChains(inferShapes(g));
    const found = new Map(
      equalize(g, chains, 'weights', () => undefined).map(({ chain, divisors }) => [
        nodeLabel(nodeOf(g, chain.node)),
        divisors,
      ]),
    );
    let compared = 0;
    for (const [name, values] of Object.entries(wanted)) {
      values.forEach((value, c) => {
        expect(found.get(name)![c]! / value, `${name} ${c}`).toBeCloseTo(1, 3);
        compared++;
      });
    }
    expect(compared).toBeGreaterThan(20);
  });

  it('make no channel wider than the widest of its tensor, others unchanged', () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 1, 1, 1])
        .constant('w1', 'float32', [3, 1, 1, 1], [1, 1, 1e-6])
        .constant('w2', 'float32', [1, 3, 1, 1], [1, 1, 1])
        .node('Conv', { inputs: ['x', 'w1'], outputs: ['a'] })
        .node('Conv', { inputs: ['a', 'w2'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const chains = equalizableChains(g);
    // The third channel is nothing but a bias of 0.5: dividing it by 0.001 would make it 500.
    const [equalized] = equalize(g, chains, 'weights', () => Float64Array.of(1, 1, 0.5));
    const widest = Math.max(...[1, 1, 0.5].map((x, c) => x / equalized!.divisors[c]!));
    const others = Math.min(...[0, 1].map((c) => 1 / equalized!.divisors[c]!));
    expect(widest / others).toBeLessThan(20);
    const [free] = equalize(g, chains, 'weights', () => undefined);
    expect(free!.divisors[2]).toBeCloseTo(1e-3, 6);
  });

  it('keep below a Relu6 what is below it, and leave alone what reaches it', () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 1, 1, 1])
        .constant('w1', 'float32', [4, 1, 1, 1], [4, 0.01, 1, 0.5])
        .constant('w2', 'float32', [1, 4, 1, 1], [1, 1, 0.1, 1])
        .constant('low', 'float32', [], [0])
        .constant('high', 'float32', [], [6])
        .node('Conv', { inputs: ['x', 'w1'], outputs: ['a'] })
        .node('Clip', { inputs: ['a', 'low', 'high'], outputs: ['b'] })
        .node('Conv', { inputs: ['b', 'w2'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const seen = Float64Array.of(6, 0.5, 2, 1);
    const magnitudes = (id: TensorId) => (id === tensorNamed(g, 'b').id ? seen : undefined);
    const [equalized] = equalize(g, equalizableChains(g), 'weights', magnitudes);
    const { divisors } = equalized!;
    expect(divisors[0]).toBe(1);
    for (const c of [1, 2, 3]) expect(seen[c]! / divisors[c]!).toBeLessThanOrEqual(3 + 1e-9);
    expect(divisors[2]).not.toBeCloseTo(1, 1);
    expect(equalize(g, equalizableChains(g), 'weights', () => undefined)).toEqual([]);
  });
});
