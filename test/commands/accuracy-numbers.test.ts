/** Accuracies of networks so small that every number can be told by hand. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { renderJson } from '../../src/report/json.js';
import { Random } from '../quant/samples.js';
import { accuracyIn, networkIn, reportOf } from '../support/evaluated-runs.js';
import { graph, type GraphBuilder } from '../support/graph-builder.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const CLASSES = 4;

/** scores = x + bias, behind them what `after` says. */
function shifted(bias: readonly number[], after?: string): GraphBuilder {
  const identity = bias.flatMap((_, row) => bias.map((__, column) => (row === column ? 1 : 0)));
  const g = graph()
    .input('x', 'float32', [1, bias.length])
    .constant('w', 'float32', [bias.length, bias.length], identity)
    .constant('b', 'float32', [bias.length], bias)
    .node('Gemm', {
      name: 'fc',
      inputs: ['x', 'w', 'b'],
      outputs: [after === undefined ? 'scores' : 'sums'],
    });
  if (after !== undefined) g.node(after, { inputs: ['sums'], outputs: ['scores'] });
  return g.output('scores', 'float32', [1, bias.length]);
}

/** The class whose place `at` the only input is nearest to: -(at - x)^2 but for the square of x, which is in all scores. */
function nearest(classes: number, inputs: readonly number[]): GraphBuilder {
  const ids = Array.from({ length: classes }, (_, at) => at);
  const size = inputs.reduce((a, b) => a * b, 1);
  return graph()
    .input('x', 'float32', inputs)
    .constant(
      'w',
      'float32',
      [size, classes],
      Array.from({ length: size }, () => ids.map((at) => (2 * at) / size)).flat(),
    )
    .constant(
      'b',
      'float32',
      [classes],
      ids.map((at) => -at * at),
    )
    .node('Flatten', { inputs: ['x'], outputs: ['flat'] })
    .node('Gemm', { name: 'fc', inputs: ['flat', 'w', 'b'], outputs: ['scores'] })
    .output('scores', 'float32', [1, classes]);
}

interface Rows {
  readonly data: string;
  readonly labels: string;
}

function rows(name: string, values: readonly (readonly number[])[], labels: readonly number[]): Rows {
  return {
    data: files.array(`${name}.npy`, [values.length, values[0]!.length], values.flat()),
    labels: files.file(`${name}.txt`, `${labels.join('\n')}\n`),
  };
}

function argmax(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** Two-sided exact test of b of n at one half. */
function exactTest(b: number, n: number): number {
  const least = Math.min(b, n - b);
  let sum = 0;
  for (let k = 0; k <= least; k++) sum += factorial(n) / (factorial(k) * factorial(n - k)) / 2 ** n;
  return Math.min(1, 2 * sum);
}

describe('two networks that differ in a bias', () => {
  const random = new Random(5);
  const samples = 80;
  const bias = [0, 0.5, -0.25, 0];
  // Sixteenths: no sum is rounded.
  const values = Array.from({ length: samples }, () =>
    Array.from({ length: CLASSES }, () => random.integer(0, 16) / 16),
  );
  const labels = values.map((row, i) => (i % 4 === 0 ? 1 : argmax(row)));
  const right = [Array.from({ length: CLASSES }, () => 0), bias].map((added) =>
    values.map((row, i) => argmax(row.map((value, k) => value + added[k]!)) === labels[i]),
  );
  const [before = [], after = []] = right;
  const count = (a: boolean, b: boolean): number =>
    before.filter((is, i) => is === a && after[i] === b).length;
  const run = (...flags: readonly string[]) => {
    const { data, labels: file } = rows('shifted', values, labels);
    return reportOf(
      ...['compare', files.model('zero.onnx', shifted([0, 0, 0, 0]).build())],
      ...[files.model('shifted.onnx', shifted(bias).build()), '--data', data, '--labels', file, ...flags],
    );
  };

  it('are each as often right as can be counted, and so is the file itself', async () => {
    const accuracy = accuracyIn(await run('--runtime'));
    expect(accuracy.networks.map(({ network }) => network)).toEqual(['reference', 'candidate', 'runtime']);
    expect(accuracy).toMatchObject({
      metric: 'top1',
      samples,
      decoder: expect.stringContaining('one score per class') as string,
    });
    expect(accuracy.reference).toBeCloseTo((100 * before.filter(Boolean).length) / samples, 9);
    const paired = {
      both: count(true, true),
      onlyReference: count(true, false),
      onlyCandidate: count(false, true),
      neither: count(false, false),
    };
    expect(paired.onlyReference).toBeGreaterThan(5);
    expect(paired.onlyCandidate).toBeGreaterThan(0);
    expect(Object.values(paired).reduce((a, b) => a + b)).toBe(samples);
    const p = exactTest(paired.onlyCandidate, paired.onlyReference + paired.onlyCandidate);
    for (const name of ['candidate', 'runtime']) {
      const network = networkIn(accuracy, name);
      expect(network.paired).toEqual(paired);
      expect(network.value).toBeCloseTo((100 * after.filter(Boolean).length) / samples, 9);
      expect(network.delta).toBeCloseTo(network.value! - accuracy.reference!, 9);
      expect(network.pValue).toBeCloseTo(p, 9);
      const [low, high] = network.deltaInterval!;
      expect(low).toBeLessThan(network.delta!);
      expect(high).toBeGreaterThan(network.delta!);
    }
    expect(networkIn(accuracy, 'reference').paired).toBeUndefined();
  });

  it('are counted as tied where the largest score stands twice', async () => {
    const accuracy = accuracyIn(await run());
    const ties = (added: readonly number[]): number =>
      values.filter((row) => {
        const scores = row.map((value, k) => value + added[k]!);
        return scores.filter((score) => score === Math.max(...scores)).length > 1;
      }).length;
    expect(ties([0, 0, 0, 0])).toBeGreaterThan(0);
    expect(networkIn(accuracy, 'reference').ties).toBe(ties([0, 0, 0, 0]));
    expect(networkIn(accuracy, 'candidate').ties ?? 0).toBe(ties(bias));
  });

  it('agree, without labels, in the share of samples that get the same class', async () => {
    const { data } = rows('unlabelled', values, labels);
    const report = await reportOf(
      ...['compare', files.model('zero.onnx', shifted([0, 0, 0, 0]).build())],
      ...[files.model('shifted.onnx', shifted(bias).build()), '--data', data, '--metric', 'agreement'],
    );
    const same = values.filter((row) => argmax(row) === argmax(row.map((value, k) => value + bias[k]!)));
    const agreement = report.agreement ?? report.accuracy;
    expect(agreement).toMatchObject({ metric: 'agreement', samples });
    expect(agreement?.labels).toBeUndefined();
    expect(agreement?.candidate).toBeCloseTo((100 * same.length) / samples, 9);
  });

  it('give the same bytes in every run', async () => {
    expect(renderJson(await run())).toBe(renderJson(await run()));
  });
});

it('resampled intervals are the same bytes in every run', async () => {
  const run = () =>
    reportOf(
      ...['analyze', projectPath('fixtures/segmentation/segmentation_rescaled.onnx')],
      ...['--calib', projectPath('fixtures/segmentation/calib')],
      ...['--eval', projectPath('fixtures/segmentation/images'), '--preset', 'unit'],
      ...['--ignore-label', '255', '--per-tensor', '--samples', '6'],
    );
  const first = await run();
  expect(accuracyIn(first).interval).toBeDefined();
  expect(renderJson(await run())).toBe(renderJson(first));
});

it('outputs that are not finite are counted, and wrong', async () => {
  const values = [
    [4, 1, 0.25, 0],
    [1, 4, 0.25, 0],
    [1, 1, 9, 1],
    [0.25, 0.25, 0.25, 4],
  ];
  const { data, labels } = rows('roots', values, [0, 1, 2, 3]);
  // Square roots of negative values, in every row but the third.
  const report = await reportOf(
    ...['compare', files.model('roots.onnx', shifted([0, 0, 0, 0], 'Sqrt').build())],
    ...[files.model('less.onnx', shifted([-0.5, -0.5, -0.5, -0.5], 'Sqrt').build())],
    ...['--data', data, '--labels', labels],
  );
  const accuracy = accuracyIn(report);
  expect(accuracy.reference).toBe(100);
  expect(networkIn(accuracy, 'reference').nonFinite ?? 0).toBe(0);
  expect(networkIn(accuracy, 'candidate')).toMatchObject({ value: 25, nonFinite: 3 });
  expect(networkIn(accuracy, 'candidate').paired).toEqual({
    both: 1,
    onlyReference: 3,
    onlyCandidate: 0,
    neither: 0,
  });
});

describe('labels that count otherwise than the network', () => {
  const labels = Array.from({ length: 40 }, (_, i) => (i * 25) % 1000);
  const run = (...flags: readonly string[]) => {
    const { data, labels: file } = rows(
      'thousand',
      labels.map((label) => [label + 1]),
      labels,
    );
    const model = files.model('thousand.onnx', nearest(1001, [1, 1]).build());
    return reportOf('compare', model, model, '--data', data, '--labels', file, ...flags);
  };

  it('are told for 1001 classes whose first is the background', async () => {
    const accuracy = accuracyIn(await run());
    expect(accuracy.reference).toBe(0);
    expect(accuracy.labelOffset).toEqual({ offset: 1, value: 100, isApplied: false });
  });

  it('are shifted by --label-offset', async () => {
    const report = await run('--label-offset', '1');
    const accuracy = accuracyIn(report);
    expect(accuracy).toMatchObject({ reference: 100, candidate: 100, delta: 0, standing: 'equal' });
    expect(accuracy.labelOffset).toBeUndefined();
    expect(networkIn(accuracy, 'candidate').perClass!.filter(({ support }) => support > 0)).toHaveLength(40);
  });

  it('are shifted unasked where the folders are one fewer than the classes', async () => {
    const folder = join(files.folder, 'grey');
    for (const [label, name] of ['a', 'b', 'c', 'd'].entries()) {
      mkdirSync(join(folder, name), { recursive: true });
      for (let i = 0; i < 6; i++) {
        const data = Uint8Array.from({ length: 4 }, () => label + 1);
        writeFileSync(join(folder, name, `${i}.png`), encode({ width: 2, height: 2, data, channels: 1 }));
      }
    }
    const model = files.model('five.onnx', nearest(5, [1, 1, 2, 2]).build());
    const report = await reportOf('compare', model, model, '--data', folder, '--preset', 'raw');
    const accuracy = accuracyIn(report);
    expect(accuracy).toMatchObject({ reference: 100, candidate: 100, samples: 24 });
    expect(accuracy.labelOffset).toEqual({ offset: 1, value: 100, isApplied: true });
  });
});

it('an export that the runtime refuses is evaluated without it, and that is said', async () => {
  const report = await reportOf(
    ...['compare', projectPath('fixtures/tflite/digits_float.tflite')],
    ...[projectPath('fixtures/tflite/digits_int8.tflite'), '--data', projectPath('fixtures/digits/eval')],
    ...['--preset', 'unit', '--samples', '40', '--detail', '1', '--runtime'],
  );
  const accuracy = accuracyIn(report);
  expect(accuracy.networks.map(({ network }) => network)).toEqual(['reference', 'candidate']);
  expect(accuracy.candidate).toBeGreaterThan(95);
  expect(report.notMeasured).toContainEqual({
    subject: 'accuracy of the runtime',
    reason: 'the file itself was not evaluated: ONNX Runtime does not run TFLite files',
  });
});
