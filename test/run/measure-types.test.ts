/** Measuring networks that do not compute in float32, and values at the ends of float32. */
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { ERROR_KINDS, gainOf } from '../../src/compile/measurement-program.js';
import { measurementOf } from '../../src/diff/measurement.js';
import type { ConstantData, Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { useKey } from '../../src/ir/lane.js';
import { toFloat16Bits } from '../../src/run/data/float16.js';
import { measure } from '../../src/run/measure.js';
import { Random } from '../quant/samples.js';
import { graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';
import { both, expectEqualSums } from '../support/measured-sums.js';
import { ONE_THREAD, quarters, samplesOf, UNWATCHED } from '../support/measured-networks.js';

function half(dims: readonly number[], values: readonly number[]): ConstantData {
  const bits = toFloat16Bits(values);
  return { dtype: 'float16', dims, byteLength: bits.byteLength, bytes: () => new Uint8Array(bits.buffer) };
}

/** x [2,4] -> Gemm -> Relu -> y: the runtime has no convolution in float64. */
function doubles(): Graph {
  const random = new Random(5);
  return inferShapes(
    graph()
      .input('x', 'float64', [2, 4])
      .constant('w', 'float64', [4, 3], quarters(random, 12))
      .constant('b', 'float64', [3], quarters(random, 3))
      .node('Gemm', { inputs: ['x', 'w', 'b'], outputs: ['c'] })
      .node('Relu', { inputs: ['c'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

/** x [1,2,4,4] -> Conv -> Relu -> y, all of one type. */
function halves(): Graph {
  const random = new Random(5);
  return inferShapes(
    graph()
      .input('x', 'float16', [1, 2, 4, 4])
      .data('w', half([3, 2, 3, 3], quarters(random, 54)))
      .data('b', half([3], quarters(random, 3)))
      .node('Conv', { inputs: ['x', 'w', 'b'], outputs: ['c'], attrs: { pads: [1, 1, 1, 1] } })
      .node('Relu', { inputs: ['c'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

describe('a network of another float type', () => {
  it('is measured in its own values: float16', async () => {
    const g = halves();
    const random = new Random(6);
    const samples = samplesOf('x', [1, 2, 4, 4], [quarters(random, 32), quarters(random, 32)], 'float16');
    const lane = laneOf(g, {
      x: perTensor('uint8', 1 / 2, 128),
      w: perAxis('int8', 0, [1 / 2, 1, 1 / 4]),
      b: perTensor('int32', 1 / 2),
      y: { ...perTensor('int8', 1 / 2, 3), qmax: 20 },
    });
    expectEqualSums(await both(g, lane, samples, new Set([tensorNamed(g, 'c').id])), g, 2e-6);
  });

  it('is measured in its own values: float64', async () => {
    const g = doubles();
    const random = new Random(6);
    const samples = samplesOf('x', [2, 4], [quarters(random, 8), quarters(random, 8)], 'float64');
    const lane = laneOf(g, {
      x: perTensor('uint8', 1 / 2, 128),
      w: perAxis('int8', 1, [1 / 2, 1, 1 / 4]),
      b: perTensor('int32', 1 / 2),
      y: { ...perTensor('int8', 1 / 2, 3), qmax: 5 },
    });
    expectEqualSums(await both(g, lane, samples, new Set([tensorNamed(g, 'c').id])), g, 2e-6);
  });
});

describe('a bias that two operators add at different scales', () => {
  it('has the value of each scale in each of them', async () => {
    const random = new Random(9);
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 2, 4, 4])
        .constant('w1', 'float32', [2, 2, 1, 1], quarters(random, 4))
        .constant('w2', 'float32', [2, 2, 1, 1], quarters(random, 4))
        .constant('b', 'float32', [2], [0.75, -1.25])
        .node('Conv', { inputs: ['x', 'w1', 'b'], outputs: ['y1'] })
        .node('Conv', { inputs: ['x', 'w2', 'b'], outputs: ['y2'] })
        .node('Add', { inputs: ['y1', 'y2'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const uses = new Map([[useKey(producerOf(g, 'y2').id, 2), perTensor('int32', 2)]]);
    const lane = laneOf(g, { b: perTensor('int32', 1 / 2) }, uses);
    const samples = samplesOf('x', [1, 2, 4, 4], [quarters(random, 32)]);
    const measured = await both(g, lane, samples);
    expectEqualSums(measured, g, 2e-6);
    const local = (name: string): number[] => {
      const sums = measured.found.find(({ edge }) => edge.tensor === tensorNamed(g, name).id);
      return [...sums!.errors.get('local')!.maxAbsE];
    };
    // 0.75 -> 2 halves, -1.25 -> -2 halves (ties to even); 0.75 -> 0 twos, -1.25 -> -1 two.
    expect(local('y1')).toEqual([0.25, 0.25]);
    expect(local('y2')).toEqual([0.75, 0.75]);
  });
});

describe('values whose squares leave float32', () => {
  /** x through a Relu of its own, quantized in 8 bits over its range. */
  async function sqnrOf(values: readonly number[]): Promise<Readonly<Record<string, number | undefined>>> {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, values.length])
        .node('Relu', { inputs: ['x'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const { edges } = edgesOf(g, new Set());
    const lane = laneOf(g, { y: perTensor('uint8', Math.max(...values) / 255) });
    const samples = samplesOf('x', [1, values.length], [values.map(Math.fround)]);
    const gain = gainOf(Math.max(...values));
    const gains = new Map(gain === undefined ? [] : edges.map(({ tensor }) => [tensor, gain]));
    const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set<never>(), gains };
    const sums = await measure(g, lane, edges, new Set(), samples, options, UNWATCHED);
    const { value, errors } = sums[1]!;
    const self = measurementOf(value, errors.get('self')!)!;
    return { sqnrDb: self.sqnrDb, maxAbsError: self.maxAbsError, mse: self.mse };
  }

  const VALUES = [1, 0.5013, 0.2507, 0.3331, 0.7772, 0.1213];

  it.each([1e-30, 1e-20, 1e20, 3e38])('have the SQNR of the same values near 1: times %d', async (factor) => {
    const plain = await sqnrOf(VALUES);
    const scaled = await sqnrOf(VALUES.map((value) => value * factor));
    expect(scaled['sqnrDb']).toBeCloseTo(plain['sqnrDb']!, 2);
    expect(scaled['maxAbsError']! / factor).toBeCloseTo(plain['maxAbsError']!, 6);
    expect(scaled['mse']! / factor / factor / plain['mse']!).toBeCloseTo(1, 3);
  });
});
