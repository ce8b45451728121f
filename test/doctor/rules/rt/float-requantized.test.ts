import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../../src/doctor/index.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import type { Graph, TensorId } from '../../../../src/ir/graph.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import type { Lane, QuantParams } from '../../../../src/ir/lane.js';
import { graph } from '../../../support/graph-builder.js';

const BYTE: QuantParams = {
  dtype: 'uint8',
  qmin: 0,
  qmax: 255,
  granularity: { kind: 'per-tensor' },
  scale: Float32Array.of(0.1),
  zeroPoint: Int32Array.of(128),
  source: 'file',
};

/** Conv -> Relu, the channels of its weight as wide as told. */
function network(widths: readonly number[]): Graph {
  const weight = widths.flatMap((width) => Array.from({ length: 9 }, (_, i) => (width * (i - 4)) / 4));
  return inferShapes(
    graph({ opset: 17 })
      .input('x', 'float32', [1, 1, 8, 8])
      .constant('w', 'float32', [widths.length, 1, 3, 3], weight)
      .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['y'] })
      .node('Relu', { name: 'relu', inputs: ['y'], outputs: ['z'] })
      .output('z')
      .build(),
  );
}

function told(of: Graph, quantized: readonly string[]): readonly Finding[] {
  const tensors = new Map(
    of.tensors.flatMap(({ id, name }): [TensorId, QuantParams][] =>
      quantized.includes(name) ? [[id, BYTE]] : [],
    ),
  );
  const lane: Lane = { name: 'file', tensors, uses: new Map() };
  return diagnose({ graph: of, lane }).findings.filter(({ rule }) => rule === 'rt.float-requantized');
}

const UNEQUAL = [10, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1];
const ALIKE = [1, 1, 1, 1, 1, 1, 1, 1];

describe('rt.float-requantized', () => {
  it('warns of a convolution with unequal float channels between two quantized tensors', () => {
    const [finding, ...others] = told(network(UNEQUAL), ['x', 'z']);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'warning',
      subject: { node: 'conv', tensor: 'w' },
      args: { layers: 1, lost: 1 },
    });
    expect(finding?.fix?.edit).toContain('WeightBiasQuantization');
  });

  it('notes one whose channels are alike', () => {
    expect(told(network(ALIKE), ['x', 'z']).map(({ severity }) => severity)).toEqual(['note']);
  });

  it('says nothing where the input or the output is float, or the weight is quantized', () => {
    expect(told(network(UNEQUAL), ['z'])).toEqual([]);
    expect(told(network(UNEQUAL), ['x'])).toEqual([]);
    expect(told(network(UNEQUAL), ['x', 'w', 'z'])).toEqual([]);
  });
});
