/** From sums and statistics to what is said of an edge, beside the same computed from the values themselves. */
import { beforeAll, describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { ERROR_KINDS } from '../../src/compile/measurement-program.js';
import { edgeMeasurements, type EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import type { TensorId } from '../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { measure } from '../../src/run/measure.js';
import { calibratedLane } from '../support/calibrated-lane.js';
import { quantizedArray, run } from '../support/float64-network.js';
import { tensorNamed } from '../support/graph-builder.js';
import { bells, images, ONE_THREAD, smallNetwork, UNWATCHED } from '../support/measured-networks.js';

const g = smallNetwork(17, bells);
const samples = images(4, bells);
let lane: Lane;
let found: ReadonlyMap<string, EdgeMeasurement>;

beforeAll(async () => {
  const made = await calibratedLane(g, SCHEMES['ort']!, samples);
  lane = made.lane;
  const { edges } = edgesOf(g, made.fusedAway);
  const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set<TensorId>() };
  const sums = await measure(g, lane, edges, made.fusedAway, samples, options, UNWATCHED);
  const measurements = edgeMeasurements(g, lane, sums, made.calibration.edges);
  found = new Map(measurements.map((one) => [g.tensors[one.edge.tensor]!.name, one]));
});

/** Float values of a tensor over all samples, with their index in the sample. */
function valuesOf(name: string): { x: number; i: number }[] {
  return samples.feeds.flatMap((feeds) =>
    Array.from(run(g, FLOAT_LANE, feeds).get(tensorNamed(g, name).id)!.data, (x, i) => ({ x, i })),
  );
}

function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (p / 100) * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return low + (high - low) * (rank % 1);
}

const NAMES = ['image', 'relu1:out', 'relu2:out', 'logits'];

describe('what is said of an edge', () => {
  it('has the range of its values and of their middle 98 per cent, within half a bin', () => {
    for (const name of NAMES) {
      const { range } = found.get(name)!;
      const values = valuesOf(name).map(({ x }) => x);
      const bin = (Math.max(...values, 0) - Math.min(...values, 0)) / 8190;
      // Sums in float32 and in float64.
      expect(Math.abs(range.min - Math.min(...values))).toBeLessThan(1e-3 * bin);
      expect(Math.abs(range.max - Math.max(...values))).toBeLessThan(1e-3 * bin);
      expect(Math.abs(range.p01! - percentile(values, 1))).toBeLessThan(0.6 * bin);
      expect(Math.abs(range.p99! - percentile(values, 99))).toBeLessThan(0.6 * bin);
    }
  });

  it('has the levels across that middle, and the values that the quantizer loses', () => {
    for (const name of NAMES) {
      const { id, shape } = tensorNamed(g, name);
      const quant = lane.tensors.get(id)!;
      const all = valuesOf(name).map(({ x }) => x);
      const { levels, lost, quant: told } = found.get(name)!;
      expect(told).toBe(quant);
      const width = percentile(all, 99) - percentile(all, 1);
      expect(levels! / (width / quant.scale[0]!)).toBeCloseTo(1, 2);
      const data = Float64Array.from(all);
      const moved = quantizedArray({ dims: [data.length], data }, quant).data;
      const gone = all.filter((x, i) => x !== 0 && Math.abs(moved[i]! - x) > Math.abs(x) / 4).length;
      const others = all.filter((x) => x !== 0).length;
      expect(Math.abs(lost!.lost / lost!.values - gone / others), name).toBeLessThan(0.01);
      expect(Math.abs(lost!.values - others)).toBeLessThan(0.01 * others + 2);
      expect(shape).toBeDefined();
    }
  });

  it('has range and SQNR of every channel, and names the worst', () => {
    const name = 'relu2:out';
    const { id } = tensorNamed(g, name);
    const { channels, errors } = found.get(name)!;
    const quant = lane.tensors.get(id)!;
    const db = [0, 1, 2, 3].map((channel) => {
      const own = valuesOf(name).flatMap(({ x, i }) => (Math.floor(i / 64) === channel ? [x] : []));
      const data = Float64Array.from(own);
      const moved = quantizedArray({ dims: [data.length], data }, quant).data;
      const noise = own.reduce((sum, x, i) => sum + (moved[i]! - x) ** 2, 0);
      expect(channels[channel]!.max).toBeCloseTo(Math.max(...own), 3);
      expect(channels[channel]!.min).toBe(0);
      return 10 * Math.log10(own.reduce((sum, x) => sum + x * x, 0) / noise);
    });
    db.forEach((value, channel) => expect(channels[channel]!.sqnrDb.get('self')).toBeCloseTo(value, 1));
    const worst = errors.get('self')!.worstChannel!;
    expect(worst.channel).toBe(db.indexOf(Math.min(...db)));
    expect(channels[worst.channel]!.sqnrDb.get('self')).toBe(worst.sqnrDb);
  });

  it('has no channels where there is one, and no levels where there is no quantizer', async () => {
    expect(found.get('flat')!.channels).toEqual([]);
    expect(found.get('flat')!.errors.get('self')!.worstChannel).toBeUndefined();
    const made = await calibratedLane(g, SCHEMES['ort']!, samples, { only: ['fc'], skip: [] });
    const { edges } = edgesOf(g, new Set());
    const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set<TensorId>() };
    const sums = await measure(g, made.lane, edges, new Set(), samples, options, UNWATCHED);
    const [image] = edgeMeasurements(g, made.lane, sums, made.calibration.edges);
    expect(image).toMatchObject({ quant: undefined, levels: undefined, lost: undefined });
    expect([...image!.errors.keys()]).toEqual(['cumulative']);
  });
});
