import { describe, expect, it } from 'vitest';
import { inferShapes } from '../../../src/ir/infer/index.js';
import type { Graph } from '../../../src/ir/graph.js';
import { sizedForOneSample } from '../../../src/ir/one-sample.js';
import { laneCoverage } from '../../../src/quant/placement/coverage.js';
import { graph } from '../../support/graph-builder.js';
import { laneOf, perTensor } from '../../support/lanes.js';

function two(height: number | string): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', ['N', 2, height, 4])
      .constant('a', 'float32', [8, 2, 1, 1])
      .constant('b', 'float32', [4, 8, 1, 1])
      .node('Conv', { inputs: ['x', 'a'], outputs: ['y'], name: 'first' })
      .node('Conv', { inputs: ['y', 'b'], outputs: ['z'], name: 'second' })
      .output('z')
      .build(),
  );
}

describe('coverage', () => {
  it('counts operators, weights and multiply-accumulates for one sample', () => {
    const net = sizedForOneSample(two(4));
    const q = perTensor('int8', 0.1);
    const coverage = laneCoverage(net, laneOf(net, { x: q, a: q, y: q }));
    expect(coverage.quantized).toEqual({ ops: 1, weights: 16, macs: 16 * 16 });
    expect(coverage.total).toEqual({ ops: 2, weights: 48, macs: 16 * 16 + 32 * 16 });
    expect(coverage.isCounted).toBe(true);
    expect(coverage.islands).toMatchObject([{ cause: 'end', macs: 32 * 16 }]);
  });

  it('says so where extents are open', () => {
    const net = sizedForOneSample(two('H'));
    expect(laneCoverage(net, laneOf(net, {})).isCounted).toBe(false);
  });

  it('keeps weights that are made float apart', () => {
    const net = sizedForOneSample(two(4));
    const coverage = laneCoverage(net, laneOf(net, { a: perTensor('int8', 0.1) }));
    expect(coverage.weightsOnly).toMatchObject({ ops: 1, weights: 16 });
    expect(coverage.quantized.ops).toBe(0);
  });
});
