import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { macsOf } from '../../src/ir/macs.js';
import { graph, producerOf, type NodeSpec } from '../support/graph-builder.js';

interface Layer {
  readonly op: string;
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
  readonly macs: number;
}

const LAYERS = JSON.parse(
  readFileSync(new URL('../../fixtures/infer/macs.json', import.meta.url), 'utf8'),
) as readonly Layer[];

/** One node whose inputs and outputs have these float shapes. */
function layer(
  op: string,
  shapes: readonly (readonly number[])[],
  output: readonly number[],
  spec: NodeSpec = {},
): Graph {
  const builder = graph();
  shapes.forEach((shape, i) => builder.input(`x${i}`, 'float32', shape));
  const inputs = spec.inputs ?? shapes.map((_, i) => `x${i}`);
  return builder
    .node(op, { ...spec, inputs, outputs: ['y'] })
    .output('y', 'float32', output)
    .build();
}

function macs(built: Graph): number | undefined {
  return macsOf(built, producerOf(built, 'y'));
}

describe('macsOf', () => {
  it.each(LAYERS)(
    'counts $op of $inputs as PyTorch does: $macs',
    ({ op, inputs, output, macs: expected }) => {
      expect(macs(layer(op, inputs, output))).toBe(expected);
    },
  );

  it('counts quantized layers like the float ones they come from', () => {
    for (const { op, inputs, output, macs: expected } of LAYERS) {
      const quantized = ['x0', 'scale', 'zero', 'x1', 'scale', 'zero', 'scale', 'zero'];
      if (op === 'Conv') {
        expect(macs(layer('ConvInteger', inputs, output))).toBe(expected);
        expect(macs(layer('QLinearConv', inputs, output, { inputs: quantized }))).toBe(expected);
        expect(macs(layer('FusedConv', inputs, output, { domain: 'com.microsoft' }))).toBe(expected);
      }
      if (op === 'MatMul') {
        expect(macs(layer('MatMulInteger', inputs, output))).toBe(expected);
        expect(macs(layer('QLinearMatMul', inputs, output, { inputs: quantized }))).toBe(expected);
      }
      if (op === 'Gemm') {
        expect(macs(layer('QGemm', inputs, output, { inputs: quantized, domain: 'com.microsoft' }))).toBe(
          expected,
        );
      }
    }
  });

  it('finds the summed axis of a transposed Gemm', () => {
    expect(
      macs(
        layer(
          'Gemm',
          [
            [7, 4],
            [7, 5],
          ],
          [4, 5],
          { attrs: { transA: 1 } },
        ),
      ),
    ).toBe(4 * 5 * 7);
    expect(
      macs(
        layer(
          'Gemm',
          [
            [4, 7],
            [5, 7],
          ],
          [4, 5],
          { attrs: { transB: 1 } },
        ),
      ),
    ).toBe(4 * 5 * 7);
  });

  it('is 0 for operators without products', () => {
    expect(macs(layer('Relu', [[2, 3]], [2, 3]))).toBe(0);
    expect(
      macs(
        layer(
          'Conv',
          [
            [1, 3, 8, 8],
            [4, 3, 3, 3],
          ],
          [1, 4, 6, 6],
          { domain: 'com.example' },
        ),
      ),
    ).toBe(0);
  });

  it('is undefined while a shape it needs is symbolic or unknown', () => {
    const conv = (batch: number | string): Graph =>
      inferShapes(
        graph()
          .input('x', 'float32', [batch, 3, 8, 8])
          .constant('w', 'float32', [4, 3, 3, 3])
          .node('Conv', { inputs: ['x', 'w'], outputs: ['y'] })
          .build(),
      );
    expect(macs(conv('N'))).toBeUndefined();
    expect(macs(conv(2))).toBe(2 * 4 * 6 * 6 * 27);
    const unknown = graph()
      .input('a')
      .input('b')
      .node('MatMul', { inputs: ['a', 'b'], outputs: ['y'] })
      .build();
    expect(macs(unknown)).toBeUndefined();
  });
});
