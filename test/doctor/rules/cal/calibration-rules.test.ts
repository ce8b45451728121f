/** Rules on how ranges were made: each on evidence that shows the fault, and on sound evidence. */
import { describe, expect, it } from 'vitest';
import type { Evidence, With } from '../../../../src/doctor/evidence.js';
import { method } from '../../../../src/doctor/rules/cal/method.js';
import { qatGap } from '../../../../src/doctor/rules/cal/qat-gap.js';
import { stale } from '../../../../src/doctor/rules/cal/stale.js';
import { unrepresentative } from '../../../../src/doctor/rules/cal/unrepresentative.js';
import { degenerate } from '../../../../src/doctor/rules/q/degenerate.js';
import type { Graph } from '../../../../src/ir/graph.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { binGrid, Histogram } from '../../../../src/quant/histogram.js';
import type { EdgeStatistics } from '../../../../src/run/calibrate.js';
import type { DataStudy } from '../../../../src/run/data/study.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';

const NAMES = ['a', 'b', 'c', 'd'];

/** Four convolutions of one activation each. */
function chain(): Graph {
  const net = graph({ opset: 17 }).input('x', 'float32', [1, 2, 4, 4]);
  NAMES.forEach((name, i) =>
    net
      .constant(`w_${name}`, 'float32', [2, 2, 1, 1], [1, 2, 3, 4])
      .node('Conv', { inputs: [NAMES[i - 1] ?? 'x', `w_${name}`], outputs: [name], name: `conv_${name}` })
      .value(name, 'float32', [1, 2, 4, 4]),
  );
  return net.output('d').build();
}

function uint8(min: number, max: number, source: QuantParams['source'] = 'observer'): QuantParams {
  const scale = (max - min) / 255;
  return {
    dtype: 'uint8',
    qmin: 0,
    qmax: 255,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(Math.round(-min / scale)),
    source,
  };
}

function study(rest: Partial<DataStudy> = {}): DataStudy {
  return {
    flag: '--calib',
    kind: 'npy',
    samples: 100,
    inputs: [],
    duplicates: { count: 0, groups: [] },
    nearConstant: { count: 0, first: [] },
    noise: { count: 0, first: [] },
    excluded: { count: 0, first: [] },
    ...rest,
  };
}

function seen(values: readonly number[], half?: EdgeStatistics['half']): EdgeStatistics {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const histogram = new Histogram(binGrid(min, max));
  const { scale, zeroPoint } = histogram.grid;
  histogram.add(Uint16Array.from(values, (value) => Math.round(value / scale) + zeroPoint));
  return {
    min,
    max,
    count: values.length,
    histogram,
    channels: { min: Float64Array.of(min), max: Float64Array.of(max), sumXX: Float64Array.of(1) },
    nonFinite: 0,
    nonFiniteIn: undefined,
    ...(half === undefined ? {} : { half }),
  };
}

/** Every activation has this quantizer and these values. */
function uniform(
  quant: QuantParams,
  range: { min: number; max: number },
  statistics?: EdgeStatistics,
): With<'lane' | 'edges' | 'scheme'> {
  const g = chain();
  const edges = NAMES.map((name) => edgeMeasurement(g, name, { self: errorOf(40) }, { quant, range }));
  const ids = NAMES.map((name) => tensorNamed(g, name).id);
  return {
    ...evidence(g, edges),
    lane: { name: 'test', uses: new Map(), tensors: new Map(ids.map((id) => [id, quant])) },
    ...(statistics === undefined ? {} : { statistics: new Map(ids.map((id) => [id, statistics])) }),
  };
}

/** The same as a file brings it. */
function ofFile(
  { graph: g, lane, edges, statistics }: With<'lane' | 'edges' | 'scheme'>,
  more: Partial<Evidence> = {},
): Evidence {
  return { graph: g, lane, edges, ...(statistics === undefined ? {} : { statistics }), ...more };
}

describe('cal.unrepresentative', () => {
  const sound = uniform(uint8(-1, 1), { min: -1, max: 1 }, seen([-1, 1], { min: -1, max: 1, samples: 50 }));
  const said = (calib: DataStudy, more: Partial<Evidence> = {}): (readonly [string, string])[] =>
    unrepresentative
      .check({ ...sound, calib, ...more })
      .map(({ severity, message }) => [severity, message] as const);

  it('is silent on a hundred different samples, and on random ones', () => {
    expect(said(study())).toEqual([]);
    expect(said(study({ kind: 'random', samples: 4 }))).toEqual([]);
  });

  it('warns of less than 8 samples and mentions less than 32', () => {
    expect(said(study({ samples: 7 }))).toEqual([
      ['warning', expect.stringContaining('7 calibration samples')],
    ]);
    expect(said(study({ samples: 31 }))).toEqual([
      ['note', expect.stringContaining('31 calibration samples')],
    ]);
    expect(said(study({ samples: 32 }))).toEqual([]);
  });

  it('says which ranges still grow', () => {
    const growing = seen([-1, 1], { min: -0.5, max: 0.5, samples: 8 });
    const { statistics = new Map() } = uniform(uint8(-1, 1), { min: -1, max: 1 }, growing);
    const [first] = said(study({ samples: 16 }), { statistics });
    expect(first).toEqual(['warning', expect.stringMatching(/4 of 4 ranges \(100 %\).*a \(2\.0 times\)/)]);
  });

  it.each([
    ['duplicates', { duplicates: { count: 60, groups: [['1', '2']] } }, /60 of 100.*1 = 2.*40 different/],
    [
      'near-constant samples',
      { nearConstant: { count: 60, first: ['p'] } },
      /60 of 100.*one value.*such as p/,
    ],
    ['noise', { noise: { count: 100, first: ['n'] } }, /100 of 100.*white noise.*n/],
    [
      'one folder',
      { folder: { name: 'cat', share: 1, others: ['dog'], isInside: true } },
      /all of 100.*cat.*dog/,
    ],
  ])('warns of %s', (_what, rest, message) => {
    expect(said(study(rest))).toEqual([['warning', expect.stringMatching(message)]]);
  });

  it('tells data that reach beyond the calibration from data that do not', () => {
    const input = (max: number): DataStudy['inputs'][number] => ({
      ...{ tensor: 'x', min: 0, max, p001: 0, p999: max, mean: 0.5, std: 0.3 },
      ...{ isWhole: false, distinct: 257, channels: [] },
    });
    const calib = study({ inputs: [input(1)] });
    const data = (max: number): Partial<Evidence> => ({
      data: study({ flag: '--eval', inputs: [input(max)] }),
    });
    expect(said(calib, data(1.05))).toEqual([]);
    expect(said(calib, data(255))).toEqual([['warning', expect.stringContaining('0 to 255')]]);
    expect(said(calib, data(0.1))).toEqual([['warning', expect.stringContaining('10 % as wide')]]);
  });
});

describe('cal.method', () => {
  const bulk = Array.from({ length: 20_000 }, (_, i) => Math.sin(i));
  /** A million values within ±1, and one of 30. */
  const spoilt = (): EdgeStatistics => {
    const stats = seen([...bulk, 30]);
    stats.histogram?.counts.forEach((count, bin, counts) => {
      if ((stats.histogram?.centre(bin) ?? 0) < 2) counts[bin] = 50 * count;
    });
    return stats;
  };

  it('warns where most ranges are spoilt by one value that the least error would cut', () => {
    const stats = spoilt();
    const { min, max } = stats;
    const [found, ...more] = method.check({
      ...uniform(uint8(min, max), { min, max }, stats),
      calib: study(),
    });
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      severity: 'warning',
      fix: { edit: '--observer mse' },
      change: { kind: 'scheme', overrides: { observer: 'mse' } },
    });
    expect(found?.message).toContain('4 of 4 activations');
  });

  it('gives a file a table of overrides', () => {
    const stats = spoilt();
    const { min, max } = stats;
    const [found] = method.check(ofFile(uniform(uint8(min, max, 'file'), { min, max }, stats)));
    expect(found?.fix?.edit).toMatch(/'TensorQuantOverrides': \{"a": \[\{"rmin": np\.float32\(-/);
  });

  it('is silent on values that fill their range, and on other samples than those of the calibration', () => {
    expect(method.check(uniform(uint8(-1, 1), { min: -1, max: 1 }, seen(bulk)))).toEqual([]);
    const stats = spoilt();
    const { min, max } = stats;
    const other = { ...uniform(uint8(min, max), { min, max }, stats), calib: study(), data: study() };
    expect(method.check(other)).toEqual([]);
  });
});

describe('cal.stale', () => {
  it('warns when most ranges of a file are those of other values', () => {
    const wide = uniform(uint8(-9, 9, 'file'), { min: -1, max: 1 });
    const [found] = stale.check(ofFile(wide, { data: study() }));
    expect(found).toMatchObject({
      severity: 'warning',
      subject: {},
      args: { activations: 4, of: 4, narrow: 0 },
    });
    const narrow = uniform(uint8(-1, 1, 'file'), { min: -9, max: 9 });
    expect(stale.check(ofFile(narrow, { data: study({ samples: 1 }), outputDb: 3 }))).toMatchObject([
      { severity: 'error', args: { narrow: 4 } },
    ]);
  });

  it('is silent on ranges that fit, on few samples that may not reach as far, on random data and on simulations', () => {
    const wide = uniform(uint8(-9, 9, 'file'), { min: -1, max: 1 });
    expect(
      stale.check(ofFile(uniform(uint8(-1.5, 1.5, 'file'), { min: -1, max: 1 }), { data: study() })),
    ).toEqual([]);
    expect(stale.check(ofFile(wide, { data: study({ samples: 4 }) }))).toEqual([]);
    expect(stale.check(ofFile(wide, { data: study({ kind: 'random' }) }))).toEqual([]);
    expect(stale.check({ ...wide, data: study() })).toEqual([]);
  });
});

describe('cal.qat-gap', () => {
  it('speaks of trained ranges that do not fit, only where training left traces', () => {
    const wide = ofFile(uniform(uint8(-9, 9, 'file'), { min: -1, max: 1 }), { data: study() });
    expect(qatGap.check(wide)).toEqual([]);
    const { graph: g } = wide;
    const tensors = g.tensors.map((tensor) =>
      tensor.name === 'w_a' ? { ...tensor, name: 'conv/FakeQuantWithMinMaxVars' } : tensor,
    );
    expect(qatGap.check({ ...wide, graph: { ...g, tensors } })).toMatchObject([
      { severity: 'warning', args: { wide: 4, narrow: 0, activations: 4 } },
    ]);
  });

  it('says when a reference with quantizers has other ranges', () => {
    const file = ofFile(uniform(uint8(-2, 2, 'file'), { min: -1, max: 1 }));
    const reference = uniform(uint8(-1, 1, 'file'), { min: -1, max: 1 });
    const edges = NAMES.map((name) => {
      const { id } = tensorNamed(file.graph, name);
      return { reference: id, candidate: id, ground: 'name' as const };
    });
    const alignment = {
      ...{ inputs: [], operators: [], outputs: [], coverage: { matched: 4, total: 4 } },
      ...{ edges, unmatched: { reference: [], candidate: [] } },
    };
    const pair = (lane: Evidence['lane']): Evidence => ({
      ...file,
      alignment,
      reference: { graph: file.graph, lane: lane ?? reference.lane },
    });
    expect(qatGap.check(pair(reference.lane))).toMatchObject([{ severity: 'warning', args: { other: 4 } }]);
    expect(qatGap.check(pair(file.lane))).toEqual([]);
  });
});

describe('q.degenerate', () => {
  it('names the first activation that is one value in all samples, not what follows from it', () => {
    const dead = uniform(uint8(0, 1), { min: 0.25, max: 0.25 });
    expect(degenerate.check({ ...dead, calib: study() })).toMatchObject([
      { severity: 'note', subject: { tensor: 'a' }, args: { value: 0.25, samples: 100 } },
    ]);
    expect(degenerate.check({ ...dead, calib: study({ samples: 1 }) })).toEqual([]);
    expect(degenerate.check({ ...uniform(uint8(0, 1), { min: 0, max: 1 }), calib: study() })).toEqual([]);
  });
});
