/** The study of a few samples beside what ONNX Runtime and numpy recorded of single products; see fixtures/saturation. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/ir/graph.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import { studySaturation, type SaturationStudy } from '../../src/run/saturation.js';
import { ONE_THREAD, samplesOf, UNWATCHED } from '../support/measured-networks.js';

interface Recorded {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

interface Case {
  readonly input: Recorded & { readonly dtype: DType };
  readonly exact: Recorded;
  readonly haswell: Recorded;
  readonly pairs?: number;
  readonly saturated?: number;
}

const CASES = JSON.parse(readFileSync('fixtures/saturation/saturation.json', 'utf8')) as Record<string, Case>;

/** The fixture's own input, `count` times, each a little smaller than the one before. */
async function study(name: string, count = 1, products?: number): Promise<SaturationStudy> {
  const { graph, lane = FLOAT_LANE } = await loadModel(`fixtures/saturation/${name}.onnx`);
  const { input } = CASES[name] as Case;
  // A graph that takes codes in the file takes the values that they stand for.
  const quant = lane.tensors.get(graph.inputs[0]!);
  const [scale, point] = input.dtype === 'float32' ? [1, 0] : [quant!.scale[0]!, quant!.zeroPoint[0]!];
  const values = input.values.map((value) => Math.fround((value - point) * scale));
  const data = samplesOf(
    'x',
    input.dims,
    Array.from({ length: count }, (_, i) => values.map((value) => value * (1 - i / 32))),
  );
  return studySaturation(graph, lane, data, {
    ...ONE_THREAD,
    watch: UNWATCHED,
    ...(products === undefined ? {} : { products }),
  });
}

function sqnrOf({ exact, haswell }: Case, zeroPoint = 0): number {
  let signal = 0;
  let noise = 0;
  exact.values.forEach((value, i) => {
    signal += (value - zeroPoint) ** 2;
    noise += (value - (haswell.values[i] ?? NaN)) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

describe('a study of saturation', () => {
  it.each([
    ['conv_im2col', 120],
    ['conv_indirect', 120],
    ['conv_grouped', 120],
    ['matmul_rows', 130],
    ['dynamic_rows', 0],
    ['qdq_conv', 0],
    ['qdq_conv_int8', 0],
    ['qdq_conv_relu', 0],
    ['qdq_gemm_transposed', 0],
    ['qdq_matmul_channels_float_output', 0],
  ])('counts what was recorded without VNNI: %s', async (name, zeroPoint) => {
    const recorded = CASES[name] as Case;
    const { operators, unmeasured, samples, processor } = await study(name);
    expect([operators.length, unmeasured.length, samples]).toEqual([1, 0, 1]);
    const [{ pairs, saturatedShare, changedShare, outputs, sqnrDb }] = operators as [(typeof operators)[0]];
    expect(pairs).toBe(recorded.pairs);
    expect(Math.round(saturatedShare * pairs)).toBe(recorded.saturated);
    const changed = recorded.exact.values.filter((value, i) => value !== recorded.haswell.values[i]);
    expect(outputs).toBe(recorded.exact.values.length);
    expect(Math.round(changedShare * outputs)).toBe(changed.length);
    expect(sqnrDb).toBeCloseTo(sqnrOf(recorded, zeroPoint), 4);
    expect(processor.text).not.toBe('');
  });

  it('runs nothing for weights that allow no saturation', async () => {
    const { operators, samples } = await study('conv_7_bits');
    expect(operators).toMatchObject([
      { pairs: 0, saturatedShare: 0, changedShare: 0, bound: { saturable: 0 } },
    ]);
    expect(operators[0]).not.toHaveProperty('sqnrDb');
    expect(samples).toBe(0);
  });

  it.each(['conv_depthwise_16', 'conv_u8u8', 'qdq_conv_int8_shared', 'qdq_conv_float_output'])(
    'has nothing to say of what other kernels compute: %s',
    async (name) => {
      expect(await study(name)).toMatchObject({ operators: [], unmeasured: [], samples: 0 });
    },
  );

  it('looks at 8 samples at most', async () => {
    const { operators, samples } = await study('qdq_conv', 12);
    expect(samples).toBe(8);
    expect(operators[0]!.pairs).toBe(8 * CASES['qdq_conv']!.pairs!);
  });

  it('computes as many output positions as it may, other ones than the first, and the same again', async () => {
    const { depth, channels, positions } = { depth: 27, channels: 5, positions: 36 };
    const some = await study('qdq_conv', 2, 2 * 20 * depth * channels);
    const all = await study('qdq_conv', 2);
    expect(some.operators[0]!.outputs).toBe(2 * 20 * channels);
    expect(all.operators[0]!.outputs).toBe(2 * positions * channels);
    expect(some.operators[0]!.saturatedShare).toBeGreaterThan(all.operators[0]!.saturatedShare / 2);
    expect(some.operators[0]!.saturatedShare).toBeLessThan(all.operators[0]!.saturatedShare * 2);
    expect(await study('qdq_conv', 2, 2 * 20 * depth * channels)).toEqual(some);
    expect((await study('qdq_conv', 2, 1)).operators[0]!.outputs).toBe(2 * channels);
  });
});
