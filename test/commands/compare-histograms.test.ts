/** The values of the reference that a comparison counts, and what other observers would make of them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compare, type CompareRequest } from '../../src/commands/compare.js';
import { doctor } from '../../src/commands/doctor.js';
import type { Graph } from '../../src/ir/graph.js';
import type { CompareReport } from '../../src/report/compare-report.js';
import { graph } from '../support/graph-builder.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const made = workspace();

function requested(
  models: Pick<CompareRequest, 'reference' | 'candidate'>,
  source: string,
  rest: Partial<CompareRequest> = {},
): CompareRequest {
  return {
    ...models,
    sources: [source],
    data: { preprocessing: {}, shapes: new Map(), skipUnreadable: false },
    minAligned: 0,
    channels: [],
    eval: [],
    ...UNJUDGED,
    runtime: false,
    threads: 1,
    timestamp: false,
    ...rest,
  };
}

function tensor({ tensors }: Pick<CompareReport, 'tensors'>, name: string): CompareReport['tensors'][number] {
  return tensors.find((row) => row.tensor === name)!;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}

const WIDTH = 64;
const SAMPLES = 40;
/** Sample i has values around i; a few of all are far below zero. */
const VALUES = Array.from({ length: SAMPLES * WIDTH }, (_, i) => {
  const [sample, at] = [Math.floor(i / WIDTH), i % WIDTH];
  return Math.fround(at === 0 ? -sample : sample + Math.sin(i));
});
/** Of every five in a row the first is left out. */
const COUNTED = VALUES.filter((_, i) => Math.floor(i / WIDTH) % 5 !== 0);

/** x -> Relu -> y; what Relu reads goes through a quantizer where there is one. */
function rectifier(quantizer?: { readonly scale: number; readonly zeroPoint: number }): Graph {
  const g = graph().input('x', 'float32', [1, WIDTH]);
  if (quantizer !== undefined) {
    g.constant('scale', 'float32', [], [quantizer.scale])
      .constant('zero', 'int8', [], [quantizer.zeroPoint])
      .node('QuantizeLinear', { inputs: ['x', 'scale', 'zero'], outputs: ['codes'] })
      .node('DequantizeLinear', { inputs: ['codes', 'scale', 'zero'], outputs: ['coarse'] });
  }
  return g
    .node('Relu', { inputs: [quantizer === undefined ? 'x' : 'coarse'], outputs: ['y'] })
    .output('y')
    .build();
}

/** SQNR in dB of values through an asymmetric int8 quantizer over [min, max]. */
function quantizedDb(values: readonly number[], min: number, max: number): number {
  const scale = (Math.max(max, 0) - Math.min(min, 0)) / 255;
  const zero = Math.round(-128 - Math.min(min, 0) / scale);
  let [signal, noise] = [0, 0];
  for (const value of values) {
    const code = Math.min(127, Math.max(-128, Math.round(value / scale) + zero));
    signal += value * value;
    noise += (value - (code - zero) * scale) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

describe('a comparison counts the values of the reference', () => {
  const models = (quantizer: { scale: number; zeroPoint: number }): [string, string] => [
    made.model('float.onnx', rectifier()),
    made.model(`int8_${quantizer.scale}.onnx`, rectifier(quantizer)),
  ];
  let report: CompareReport;
  beforeAll(async () => {
    const [reference, candidate] = models({ scale: 3, zeroPoint: -60 });
    const data = made.array('x.npy', [SAMPLES, WIDTH], VALUES);
    report = await compare(requested({ reference, candidate }, data, { detail: SAMPLES }), UNWATCHED);
  });

  it('on 32 of the samples at most, evenly spread, and says on how many', () => {
    const { lo, hi, counts } = tensor(report, 'x').histogram!;
    expect(report.histogramSamples).toBe(32);
    const each = (hi - lo) / counts.length;
    expect(counts).toEqual(
      counts.map((_, bin) => COUNTED.filter((value) => Math.floor((value - lo) / each) === bin).length),
    );
    expect(sum(counts)).toBe(COUNTED.length);
  });

  it('with the percentiles of these beside the range of all that were measured', () => {
    const { range } = tensor(report, 'x');
    const sorted = [...COUNTED].sort((a, b) => a - b);
    const bin = (Math.max(...VALUES) - Math.min(...VALUES)) / 8190;
    const near = (percent: number): number => sorted[Math.round((percent / 100) * (sorted.length - 1))]!;
    expect(range!.min).toBe(Math.min(...VALUES));
    expect(range!.max).toBe(Math.max(...VALUES));
    expect(Math.abs(range!.p01! - near(1))).toBeLessThan(1 + bin);
    expect(Math.abs(range!.p99! - near(99))).toBeLessThan(1 + bin);
  });

  it('and tells what other observers would choose for a quantizer of the same type, and what that would give', () => {
    const { alternatives, forecast, self } = tensor(report, 'x');
    expect(alternatives!.map(({ observer }) => observer)).toEqual(Object.keys(forecast!));
    const minmax = alternatives!.find(({ observer }) => observer === 'minmax')!;
    expect([minmax.min, minmax.max]).toEqual([Math.min(...VALUES), Math.max(...VALUES)]);
    for (const { min, max, selfSqnrDb } of alternatives!) {
      expect(Math.abs(selfSqnrDb - quantizedDb(COUNTED, min, max))).toBeLessThan(0.5);
      expect(selfSqnrDb).toBeGreaterThan(self!.sqnrDb!);
    }
  });

  it('but searches none where the quantizer is good', async () => {
    const range = Math.max(...VALUES) - Math.min(...VALUES);
    const [reference, candidate] = models({ scale: range / 255, zeroPoint: 0 });
    const data = made.array('x.npy', [SAMPLES, WIDTH], VALUES);
    const good = await compare(requested({ reference, candidate }, data), UNWATCHED);
    const { self, histogram, forecast, alternatives } = tensor(good, 'x');
    expect(self!.sqnrDb).toBeGreaterThan(40);
    expect(histogram).toBeDefined();
    expect([forecast, alternatives]).toEqual([undefined, undefined]);
  });

  it('of which those that are not finite are in no bin', async () => {
    const logarithm = graph()
      .input('x', 'float32', [1, 4])
      .node('Log', { inputs: ['x'], outputs: ['y'] })
      .output('y')
      .build();
    const path = made.model('logarithm.onnx', logarithm);
    // Sample 5 is measured and not counted, 6 and 7 are both.
    const values = Array.from({ length: SAMPLES * 4 }, (_, i) => ([20, 24, 28, 29].includes(i) ? 0 : 2 + i));
    const request = requested(
      { reference: path, candidate: path },
      made.array('positive.npy', [SAMPLES, 4], values),
      { detail: SAMPLES },
    );
    const { histogram, range } = tensor(await compare(request, UNWATCHED), 'y');
    expect(sum(histogram!.counts)).toBe(32 * 4 - 3);
    expect(histogram!.lo).toBeGreaterThan(0);
    expect(range!.p01).toBeGreaterThan(0);
  });
});

describe('where fewer samples were measured', () => {
  const models = {
    reference: projectPath('fixtures/triage/triage_float.onnx'),
    candidate: projectPath('fixtures/triage/triage_int8.tflite'),
  };
  const request = requested(models, projectPath('fixtures/triage/images.npy'), { detail: 4 });

  it('those are counted, each value of every tensor once, whichever order its axes have', async () => {
    const { tensors, histogramSamples, ladder } = await compare(request, UNWATCHED);
    expect([histogramSamples, ladder[0]!.samples]).toEqual([4, 4]);
    expect(tensors.length).toBeGreaterThan(5);
    for (const { tensor: name, shape, range, histogram } of tensors) {
      const { lo, hi, counts } = histogram!;
      const elements = shape.reduce<number>((product, dim) => product * Number(dim), 1);
      expect([name, sum(counts)]).toEqual([name, 4 * elements]);
      expect([lo <= range!.min, hi >= range!.max]).toEqual([true, true]);
    }
  });

  it('a doctor sees the same', async () => {
    const { tensors, histogramSamples } = await compare(request, UNWATCHED);
    const seen = await doctor({ run: 'compare', request }, UNWATCHED);
    expect(seen.histogramSamples).toBe(histogramSamples);
    expect(seen.tensors).toEqual(tensors);
  });
});
