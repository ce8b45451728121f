import { describe, expect, it } from 'vitest';
import type { GateCheck } from '../../src/diff/gate/gate.js';
import { parseThresholds } from '../../src/diff/gate/thresholds.js';
import { UsageError } from '../../src/errors.js';
import { baselineOf, type BaselineSource } from '../../src/report/baseline.js';
import { compareBaseline, type BaselineOptions } from '../../src/report/baseline-compare.js';
import { accuracy, without } from '../diff/gate/accuracies.js';
import { HEALTHY, SCALE_TOO_SMALL } from '../support/compared-reports.js';
import { dataset, layer, LAYERS, run } from './baselines.js';

const compared = (now: BaselineSource, before = run(), options: Partial<BaselineOptions> = {}) =>
  compareBaseline(baselineOf(before, 'x64 with AVX2'), now, { source: 'base.json', ...options });

function check(name: string, ...args: Parameters<typeof compared>): GateCheck {
  const found = compared(...args).checks.find((other) => other.name === `baseline ${name}`);
  if (found === undefined) throw new Error(`no check of ${name}`);
  return found;
}

function refusal(...args: Parameters<typeof compared>): UsageError {
  try {
    compared(...args);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was compared');
}

/** The layers of the run with some of them replaced. */
const layers = (...changed: ReturnType<typeof layer>[]) => ({
  tensors: LAYERS.map((row) => changed.find(({ tensor }) => tensor === row.tensor) ?? row),
});
const maxDrop = (text: string) => parseThresholds({ maxDrop: { text, source: 'command line' } }).maxDrop!;

describe('a run held against its own baseline', () => {
  it('passes every check, without drift and notes', () => {
    const scored = run({ accuracy: accuracy() });
    const { checks, ...rest } = compared(scored, scored, { processor: 'x64 with AVX2' });
    expect(checks.map(({ name, verdict, margin }) => [name, verdict, margin])).toEqual([
      ['baseline layers', 'pass', 3],
      ['baseline worst layer', 'pass', 0.5],
      ['baseline accuracy', 'pass', checks[2]!.threshold],
      ['baseline coverage', 'pass', 1],
    ]);
    expect(rest).toEqual({
      source: 'base.json',
      matched: 3,
      drift: [],
      unmatched: { baseline: [], now: [] },
      accuracy: { metric: 'top1', from: 90.84, to: 90.84 },
      findings: { appeared: [], gone: [] },
      notes: [],
    });
  });

  it('has no drift from digits that a baseline does not keep', () => {
    expect(compared(run(layers(layer(2, 'conv2', 31.2401, 30.001)))).drift).toEqual([]);
  });
});

describe('drift', () => {
  it('lists changed layers, the largest change first', () => {
    const now = run(layers(layer(1, 'conv1', 39, 42), layer(2, 'conv2', 33.24, 20), layer(3, 'fc', 25, 60)));
    expect(compared(now).drift).toEqual([
      { tensor: 'fc', node: 'fc/node', op: 'Conv', local: { from: 'exact', to: 60 } },
      {
        tensor: 'conv2',
        node: 'conv2/node',
        op: 'Conv',
        cumulative: { from: 31.24, to: 33.24 },
        local: { from: 30, to: 20 },
      },
      { tensor: 'conv1', node: 'conv1/node', op: 'Conv', cumulative: { from: 40, to: 39 } },
    ]);
    expect(compared(run(layers(layer(3, 'fc', 'lost', 'exact')))).drift).toMatchObject([
      { tensor: 'fc', cumulative: { from: 25 } },
    ]);
  });

  it('fails a layer that fell by more than 3 dB, and passes exactly 3', () => {
    expect(check('layers', run(layers(layer(1, 'conv1', 37, 42))))).toMatchObject({
      source: 'default',
      threshold: 3,
      observed: 3,
      margin: 0,
      unit: 'dB',
      verdict: 'pass',
      where: 'conv1',
    });
    const fallen = check('layers', run(layers(layer(1, 'conv1', 36.99, 42), layer(3, 'fc', 20))));
    expect(fallen).toMatchObject({
      observed: 5,
      margin: -2,
      verdict: 'fail',
      where: 'fc',
      note: '25 -> 20 dB; 2 of 3 layers fell as far',
    });
    expect(fallen.layers?.map(({ tensor, verdict, observed }) => [tensor, verdict, observed])).toEqual([
      ['conv1', 'fail', 3.01],
      ['conv2', 'pass', 0],
      ['fc', 'fail', 5],
    ]);
  });

  it('fails a layer that was exact, or has lost its number, without a size', () => {
    const was = run(layers(layer(1, 'conv1', 'exact')));
    const fallen = check('layers', run(), was);
    expect(fallen).toMatchObject({ verdict: 'fail', where: 'conv1', note: 'exact -> 40 dB' });
    expect(fallen).not.toHaveProperty('observed');
    expect(check('layers', run(layers(layer(3, 'fc', 'lost'))))).toMatchObject({
      verdict: 'fail',
      note: '25 -> none dB',
    });
    expect(check('layers', was, run())).toMatchObject({ verdict: 'pass' });
  });

  it('passes what is better and says how to keep it', () => {
    expect(check('layers', run(layers(layer(1, 'conv1', 90, 42))))).toMatchObject({
      verdict: 'pass',
      note: 'better than the baseline: --update-baseline keeps it',
    });
    expect(check('layers', run(layers(layer(1, 'conv1', 42, 42))))).not.toHaveProperty('note');
    expect(check('layers', run(layers(layer(1, 'conv1', 90), layer(3, 'fc', 24))))).not.toHaveProperty(
      'note',
    );
  });
});

describe('the worst layer', () => {
  it('fails when it is another one, more than 0.5 dB below the old worst', () => {
    const now = run(layers(layer(1, 'conv1', 40, 29.49)));
    expect(check('worst layer', now)).toMatchObject({
      observed: 0.51,
      margin: -0.01,
      verdict: 'fail',
      where: 'conv1',
      note: 'local 29.49 dB; it was conv2 with 30',
    });
    expect(compared(now).newWorstLayer).toEqual({ tensor: 'conv1', node: 'conv1/node', formerly: 'conv2' });
  });

  it('passes exactly 0.5 dB below, and the same layer however low', () => {
    const near = compared(run(layers(layer(1, 'conv1', 40, 29.5))));
    expect(near.newWorstLayer).toBeUndefined();
    expect(near.checks[1]).toMatchObject({ verdict: 'pass', margin: 0 });
    expect(check('worst layer', run(layers(layer(2, 'conv2', 31, 3))))).toMatchObject({
      verdict: 'pass',
      where: 'conv2',
      note: 'the same as before, local 30 -> 3 dB',
    });
  });

  it('is known under its new name', () => {
    const renamed = run({ tensors: [LAYERS[0]!, layer(2, 'renamed', 31.24, 20), LAYERS[2]!] });
    expect(compared(renamed).newWorstLayer).toBeUndefined();
  });

  it('is none where no layer has a number', () => {
    const bare = run({ tensors: LAYERS.map(({ tensor, order }) => layer(order, tensor, 30)) });
    expect(check('worst layer', bare, bare).note).toBe('no layer of the baseline has a local SQNR');
    expect(check('worst layer', bare).note).toBe('no layer has a local SQNR');
  });
});

describe('layers of an export that renames', () => {
  const rows = (prefix: string, count: number, cumulative = 30) =>
    Array.from({ length: count }, (_, i) =>
      layer(i, `${prefix}${i}`, cumulative + i, 40, { shape: [1, 16] }),
    );

  it('match by operator and shape, the first with the first, and are shown with both names', () => {
    const { matched, drift, unmatched } = compared(
      run({ tensors: rows('StatefulPartitionedCall:', 10, 29) }),
      run({ tensors: rows('model/', 10) }),
    );
    expect(matched).toBe(10);
    expect(unmatched).toEqual({ baseline: [], now: [] });
    expect(drift).toHaveLength(10);
    expect(drift[3]).toMatchObject({
      tensor: 'StatefulPartitionedCall:3',
      formerly: 'model/3',
      cumulative: { from: 33, to: 32 },
    });
  });

  it('match by name before all else', () => {
    const turned = rows('model/', 10).map((row, i) => ({ ...row, order: 10 - i }));
    expect(compared(run({ tensors: turned }), run({ tensors: rows('model/', 10) })).drift).toEqual([]);
  });

  it('are listed where they do not match; at 90 % they are compared, below they are another model', () => {
    const ten = run({ tensors: rows('model/', 10) });
    const other = (count: number) =>
      run({
        tensors: rows('model/', 10).map((row, i) =>
          i < count ? { ...row, tensor: `x${i}`, op: 'Gemm' } : row,
        ),
      });
    const { matched, unmatched } = compared(other(1), ten);
    expect(matched).toBe(9);
    expect(unmatched.baseline.map(({ tensor }) => tensor)).toEqual(['model/0']);
    expect(unmatched.now.map(({ tensor }) => tensor)).toEqual(['x0']);
    expect(refusal(other(2), ten)).toMatchObject({
      message: 'base.json is a baseline of another model: 8 of 10 layers match (80 %), 90 % are wanted',
      hint: '--update-baseline writes one of this run',
    });
    expect(refusal(run({ tensors: rows('model/', 12) }), ten).message).toContain('10 of 12 layers match');
    expect(refusal(run({ tensors: [] }), ten).message).toContain('0 of 10 layers match');
  });
});

describe('accuracy against the baseline', () => {
  // Half of the interval is 1.96 standard errors, so that two of them are 1 point.
  const candidateInterval = [90 - 0.979981992270027, 90 + 0.979981992270027] as const;
  const scored = (candidate: number) => run({ accuracy: accuracy({ candidate, candidateInterval }) });

  it('may fall by two standard errors', () => {
    expect(check('accuracy', scored(90), scored(91))).toEqual({
      name: 'baseline accuracy',
      source: 'default',
      threshold: 1,
      observed: 1,
      margin: 0,
      unit: 'pt',
      verdict: 'pass',
      where: 'top1',
      note: '91 -> 90; two standard errors are allowed',
    });
    expect(check('accuracy', scored(89.9), scored(91))).toMatchObject({ verdict: 'fail', margin: -0.1 });
  });

  it('may fall by --max-drop where that is more', () => {
    const asked = { maxDrop: maxDrop('1.5pt') };
    expect(check('accuracy', scored(89.5), scored(91), asked)).toMatchObject({
      source: 'command line',
      threshold: 1.5,
      verdict: 'pass',
    });
    expect(check('accuracy', scored(89.4), scored(91), asked).verdict).toBe('fail');
    expect(check('accuracy', scored(90), scored(91), { maxDrop: maxDrop('0.1pt') })).toMatchObject({
      source: 'default',
      threshold: 1,
    });
    expect(check('accuracy', scored(90), scored(80), { maxDrop: maxDrop('2%') }).threshold).toBe(1.6);
  });

  it('passes what is better, and knows which way that is', () => {
    expect(check('accuracy', scored(95), scored(91))).toMatchObject({
      verdict: 'pass',
      observed: -4,
      note: '91 -> 95; two standard errors are allowed; better than the baseline: --update-baseline keeps it',
    });
    const rmse = (candidate: number) =>
      run({
        accuracy: without(
          accuracy({ metric: 'rmse', unit: '', deltaUnit: '', better: 'lower', candidate }),
          'candidateInterval',
        ),
      });
    expect(check('accuracy', rmse(0.3), rmse(0.2))).toMatchObject({
      verdict: 'fail',
      threshold: 0,
      observed: 0.1,
      unit: '',
      note: '0.2 -> 0.3; no interval is known',
    });
    expect(check('accuracy', rmse(0.1 + 0.2), rmse(0.3)).verdict).toBe('pass');
  });

  it('is missed where the baseline has one, and noted where only the run has one', () => {
    expect(refusal(run(), scored(90)).message).toBe('base.json holds top1, this run has no accuracy');
    expect(refusal(run({ accuracy: accuracy({ metric: 'miou' }) }), scored(90)).message).toBe(
      'base.json holds top1, this run has miou',
    );
    expect(refusal(run({ accuracy: accuracy({ samples: 900 }) }), scored(90)).message).toBe(
      'base.json holds top1 of 1000 samples, this run of 900',
    );
    expect(refusal(run({ accuracy: without(accuracy(), 'candidate') }), scored(90)).message).toContain(
      'of the candidate, which has none',
    );
    expect(compared(scored(90)).notes).toEqual(['it holds no accuracy: --update-baseline adds it']);
  });
});

describe('coverage against the baseline', () => {
  const covered = (ops: number, macs: number) =>
    run({
      coverage: { ops: { quantized: ops, total: 100 }, macs: { quantized: macs, total: 1000 }, islands: [] },
    });

  it('may lose one point of the operators or of their arithmetic, whichever loses more', () => {
    expect(check('coverage', covered(89, 990), covered(90, 990))).toMatchObject({
      threshold: 1,
      observed: 1,
      margin: 0,
      unit: 'pt',
      verdict: 'pass',
      note: 'operators as integers: 90.0 -> 89.0 %',
    });
    expect(check('coverage', covered(90, 979), covered(90, 990))).toMatchObject({
      observed: 1.1,
      verdict: 'fail',
      note: 'multiply-accumulates as integers: 99.0 -> 97.9 %',
    });
    expect(check('coverage', covered(95, 990), covered(90, 990))).toMatchObject({ verdict: 'pass' });
    expect(check('coverage', covered(95, 990), covered(90, 990)).note).toContain(
      '--update-baseline keeps it',
    );
  });

  it('of a network without arithmetic is that of its operators', () => {
    const none = run({
      coverage: { ops: { quantized: 1, total: 2 }, macs: { quantized: 0, total: 0 }, islands: [] },
    });
    expect(check('coverage', none, none)).toMatchObject({ verdict: 'pass', observed: 0 });
  });
});

describe('what else is different', () => {
  it('is noted: tool, runtime, processor, models, calibration, preprocessing, scheme', () => {
    const now = run({
      tool: { name: 'qdbg', version: '1.3.0', runtime: '1.31.0' },
      models: [{ ...run().models[0]!, sha256: 'bb' }],
      data: {
        calib: dataset('c2', 10),
        eval: { ...dataset('ee', 200), preprocessing: { resize: 'letterbox' } },
      },
      scheme: { name: 'tflite' },
    });
    expect(compared(now, run(), { processor: 'x64 with AVX512-VNNI' }).notes).toEqual([
      'qdbg 1.2.3 -> 1.3.0',
      'runtime 1.30.0 -> 1.31.0',
      'another processor: x64 with AVX2 -> x64 with AVX512-VNNI',
      'the model is another file',
      'calibrated on other data',
      'the samples are preprocessed otherwise',
      'another scheme',
    ]);
  });

  it('lists findings that appeared and that are gone, by what their places are called now', () => {
    const rule = (name: string, tensor: string) => ({
      rule: name,
      severity: 'warning' as const,
      subject: { tensor },
      message: 'm',
      args: {},
    });
    const before = run({ findings: [rule('a', 'conv2'), rule('b', 'fc')] });
    const now = run({
      tensors: [LAYERS[0]!, layer(2, 'renamed', 31.24, 30), LAYERS[2]!],
      findings: [rule('a', 'renamed'), rule('c', 'fc')],
    });
    expect(compared(now, before).findings).toEqual({
      appeared: [{ rule: 'c', subject: { tensor: 'fc' } }],
      gone: [{ rule: 'b', subject: { tensor: 'fc' } }],
    });
  });
});

describe('a baseline that cannot be compared with', () => {
  it('is of other data', () => {
    const on = (sha256: string, samples: number) => run({ data: { data: dataset(sha256, samples) } });
    expect(refusal(on('x', 100), on('x', 80))).toMatchObject({
      message: 'base.json is a baseline of other data: it has 80 samples, this run 100',
      hint: '--update-baseline writes one of this run',
    });
    expect(refusal(on('y', 80), on('x', 80)).message).toBe(
      'base.json is a baseline of other data: it has as many samples, but not the same',
    );
  });

  it('holds nothing', () => {
    const empty = run({ tensors: [] });
    expect(refusal(empty, empty).message).toBe(
      'base.json holds nothing to compare with: neither layers nor an accuracy',
    );
  });

  it('is told with every reason', () => {
    const other = run({
      command: 'compare',
      data: { data: dataset('x', 1) },
      tensors: [layer(0, 'other', 3, 3, { op: 'Gemm' })],
    });
    expect(refusal(other, run({ accuracy: accuracy() }))).toMatchObject({
      message: 'base.json cannot be compared with this run',
      places: [
        'it is of qdbg analyze, not of compare',
        'it is a baseline of other data: it has 200 samples, this run 1',
        'it holds top1, this run has no accuracy',
        'it is a baseline of another model: 0 of 3 layers match (0), 90 % are wanted',
      ],
    });
  });
});

describe('a report of compare', () => {
  it('is held against the baseline of an earlier one', () => {
    const healthy = compareBaseline(baselineOf(HEALTHY), HEALTHY, { source: 'base.json' });
    expect(healthy.matched).toBe(HEALTHY.tensors.length);
    expect(healthy.checks.every(({ verdict }) => verdict === 'pass')).toBe(true);
    const { checks, newWorstLayer, drift } = compareBaseline(baselineOf(HEALTHY), SCALE_TOO_SMALL, {
      source: 'base.json',
    });
    expect(checks.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name)).toEqual([
      'baseline layers',
      'baseline worst layer',
    ]);
    expect(newWorstLayer?.tensor).toBe('depthwise');
    expect(drift[0]).toMatchObject({ tensor: 'depthwise', cumulative: { to: 2.9 } });
  });
});
