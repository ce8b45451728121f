/** Statistics of every edge, beside the same computed from the values that ONNX Runtime gives for the plain network. */
import { describe, expect, it } from 'vitest';
import * as ort from 'onnxruntime-node';
import { edgesOf } from '../../src/compile/edges.js';
import type { Graph } from '../../src/ir/graph.js';
import { calibrate, type EdgeStatistics } from '../../src/run/calibrate.js';
import { emitOnnx } from '../loader/emit-onnx.js';
import { indexAlong, run } from '../support/float64-network.js';
import { tensorNamed } from '../support/graph-builder.js';
import {
  bells,
  images,
  ONE_THREAD,
  quarters,
  smallNetwork,
  UNWATCHED,
} from '../support/measured-networks.js';

const MOMENTUM = 0.75;

async function statistics(
  g: Graph,
  samples: ReturnType<typeof images>,
  options: { histograms: boolean } = { histograms: true },
): Promise<(name: string) => EdgeStatistics> {
  const { edges } = edgesOf(g, new Set());
  const passes = { ...ONE_THREAD, momentum: MOMENTUM, ...options };
  const calibration = await calibrate(g, edges, samples, passes, UNWATCHED);
  expect(calibration.samples).toBe(samples.count);
  return (name) => calibration.edges.get(tensorNamed(g, name).id)!;
}

/** Values of every tensor for each sample. */
function valuesOf(g: Graph, samples: ReturnType<typeof images>, name: string): Float64Array[] {
  const empty = { name: 'float', tensors: new Map(), uses: new Map() };
  return samples.feeds.map((feeds) => run(g, empty, feeds).get(tensorNamed(g, name).id)!.data);
}

describe('calibration', () => {
  const g = smallNetwork(17, quarters);
  const samples = images(4, quarters);
  const NAMES = ['image', 'conv1:out', 'relu1:out', 'add:out', 'pool:out', 'flat', 'logits'];

  it('has the range and energy of every channel, in float64 over all samples', async () => {
    const found = await statistics(g, samples);
    for (const name of NAMES) {
      const { channels, min, max, count } = found(name);
      const { id } = tensorNamed(g, name);
      const { dims, channelAxis } = edgesOf(g, new Set()).edges.find(({ tensor }) => tensor === id)!;
      const channelOf = (i: number): number =>
        channelAxis === undefined ? 0 : indexAlong(dims, channelAxis, i);
      const all = valuesOf(g, samples, name);
      const flat = all.flatMap((values) => [...values]);
      expect(min, name).toBe(Math.min(...flat));
      expect(max, name).toBe(Math.max(...flat));
      expect(count, name).toBe(flat.length);
      channels.min.forEach((low, c) => {
        const own = all.flatMap((values) => [...values].filter((_, i) => channelOf(i) === c));
        expect([low, channels.max[c]]).toEqual([Math.min(...own), Math.max(...own)]);
        const energy = own.reduce((sum, x) => sum + x * x, 0);
        expect(Math.abs(channels.sumXX[c]! - energy)).toBeLessThanOrEqual(1e-6 * energy);
      });
    }
  });

  it('follows the exponential moving average of the range of each sample', async () => {
    const found = await statistics(g, samples);
    for (const name of NAMES) {
      const [low, high] = valuesOf(g, samples, name)
        .map((values) => [Math.min(...values), Math.max(...values)] as const)
        .reduce(([a, b], [c, d]) => [MOMENTUM * a + (1 - MOMENTUM) * c, MOMENTUM * b + (1 - MOMENTUM) * d]);
      expect(found(name).average!.min).toBeCloseTo(low, 10);
      expect(found(name).average!.max).toBeCloseTo(high, 10);
    }
  });

  it('counts every value in the bin that holds it', async () => {
    const found = await statistics(g, samples);
    for (const name of NAMES) {
      const histogram = found(name).histogram!;
      const counts = new Float64Array(histogram.grid.bins);
      for (const values of valuesOf(g, samples, name)) {
        for (const x of values) counts[Math.round(x / histogram.grid.scale) + histogram.grid.zeroPoint]!++;
      }
      const differing = counts.filter((count, bin) => count !== histogram.counts[bin]);
      // Values on the border of two bins may go either way.
      expect(differing.length / counts.length, name).toBeLessThan(0.002);
      expect(histogram.total).toBe(found(name).count);
    }
  });

  it('reads the samples once without histograms and twice with', async () => {
    const passes: string[] = [];
    const { edges } = edgesOf(g, new Set());
    for (const histograms of [false, true]) {
      await calibrate(g, edges, samples, { ...ONE_THREAD, momentum: 0.9, histograms }, (pass, done, total) =>
        passes.push(`${pass} ${done}/${total}`),
      );
    }
    const pass = (name: string): string[] => [0, 1, 2, 3, 4].map((done) => `${name} ${done}/4`);
    expect(passes).toEqual([...pass('ranges'), ...pass('ranges'), ...pass('histograms')]);
    expect((await statistics(g, samples, { histograms: false }))('logits').histogram).toBeUndefined();
  });

  it('agrees with the runtime on the plain network', async () => {
    const network = smallNetwork(17, bells);
    const inputs = images(2, bells);
    const found = await statistics(network, inputs);
    const session = await ort.InferenceSession.create(
      emitOnnx(network, (id) => network.tensors[id]!.name),
      { graphOptimizationLevel: 'disabled' },
    );
    const rows: number[] = [];
    for await (const { feeds } of inputs.samples()) {
      const { data, dims } = feeds.get('image')!;
      const { logits } = await session.run({ image: new ort.Tensor('float32', data as Float32Array, dims) });
      rows.push(...(logits!.data as Float32Array));
    }
    expect(found('logits').min).toBeCloseTo(Math.min(...rows), 3);
    expect(found('logits').max).toBeCloseTo(Math.max(...rows), 3);
  });
});
