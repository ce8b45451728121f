/** Accuracies of the segmentation and detection fixtures beside those of numpy, pycocotools and ONNX Runtime. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Accuracy } from '../../src/diff/accuracy/accuracy.js';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import { accuracyIn, networkIn, reportOf } from '../support/evaluated-runs.js';
import { projectPath } from '../support/tflite-network.js';

const fixture = (name: string): string => projectPath(`fixtures/${name}`);

function expectedOf<T>(topic: string): T {
  return JSON.parse(readFileSync(fixture(`${topic}/expected.json`), 'utf8')) as T;
}

interface Masks {
  readonly mIoU: number;
  readonly perClass: Readonly<Record<string, number>>;
  readonly pixelAccuracy: number;
  readonly confusion: readonly (readonly number[])[];
  readonly ties: number;
}

const SEGMENTATION = expectedOf<{
  readonly models: Readonly<
    Record<
      string,
      Readonly<
        Record<'float' | 'int8PerTensor' | 'int8PerAxis' | 'int8PerTensorConvOnly' | 'int16PerTensor', Masks>
      >
    >
  >;
}>('segmentation');

function segmented(model: string, ...flags: readonly string[]): Promise<MeasuredReport> {
  return reportOf(
    ...['analyze', fixture(`segmentation/${model}.onnx`)],
    ...['--calib', fixture('segmentation/calib'), '--eval', fixture('segmentation/images')],
    ...['--preset', 'unit', '--ignore-label', '255', '--scheme', 'ort', ...flags],
  );
}

function metricIn({ accuracy, otherMetrics = [] }: MeasuredReport, name: string): Accuracy {
  const found = [accuracy, ...otherMetrics].find((metric) => metric?.metric === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

function near(value: number | undefined, wanted: number, tolerance: number): void {
  expect(value).toBeDefined();
  expect(Math.abs(value! - wanted), `${value} instead of ${wanted}`).toBeLessThan(tolerance);
}

describe.each(['segmentation', 'segmentation_rescaled'])('masks of %s', (model) => {
  const expected = SEGMENTATION.models[model]!;
  let report: MeasuredReport;
  beforeAll(async () => {
    report = await segmented(model, '--per-tensor', '--ladder');
  });

  it('have in float the mean IoU, IoU of each class and pixel accuracy of numpy', () => {
    const { float } = expected;
    const accuracy = accuracyIn(report);
    expect(accuracy).toMatchObject({ metric: 'miou', unit: '%', samples: 24, leftOut: 0 });
    near(accuracy.reference, float.mIoU, 1e-3);
    near(metricIn(report, 'pixel-accuracy').reference, float.pixelAccuracy, 1e-3);
    const { perClass = [], ties } = networkIn(accuracy, 'reference');
    expect(perClass.map(({ name }) => name)).toEqual(Object.keys(float.perClass));
    for (const { name, value, label, support } of perClass) {
      near(value, float.perClass[name!]!, 1e-3);
      expect(support).toBe(float.confusion[label]!.reduce((sum, count) => sum + count, 0));
    }
    expect(ties).toBe(float.ties);
  });

  it('lose as much with one scale for each weight as in ONNX Runtime', () => {
    near(accuracyIn(report).candidate, expected.int8PerTensor.mIoU, 0.5);
    near(metricIn(report, 'pixel-accuracy').candidate, expected.int8PerTensor.pixelAccuracy, 0.5);
  });

  it('lose as little with a scale for each channel as in ONNX Runtime', async () => {
    near(accuracyIn(await segmented(model, '--per-axis')).candidate, expected.int8PerAxis.mIoU, 0.5);
  });

  it('show on the ladder what the convolutions cost, and that 16 bits keep it', () => {
    const accuracy = accuracyIn(report);
    expect(accuracy.networks.map(({ network }) => network)).toEqual([
      ...['reference', 'candidate', 'weights', 'activations', 'convolutions', 'int16 act.', 'int16'],
    ]);
    near(networkIn(accuracy, 'convolutions').value, expected.int8PerTensorConvOnly.mIoU, 1);
    near(networkIn(accuracy, 'int16').value, expected.int16PerTensor.mIoU, 0.3);
  });
});

it('the ladder of the rescaled twin lays the loss on the weights', async () => {
  const accuracy = accuracyIn(await segmented('segmentation_rescaled', '--per-tensor', '--ladder'));
  const value = (network: string): number => networkIn(accuracy, network).value!;
  const float = value('reference');
  // Ten points with weights in 8 bits, whatever else is quantized; none without.
  for (const broken of ['candidate', 'weights', 'convolutions', 'int16 act.'])
    expect(value(broken), broken).toBeLessThan(float - 6);
  for (const whole of ['activations', 'int16']) near(value(whole), float, 1);
  expect(networkIn(accuracy, 'weights').standing).toBe('worse');
  expect(networkIn(accuracy, 'int16').standing).not.toBe('worse');
});

interface Boxes {
  readonly mAP: number;
  readonly mAP50: number;
  readonly mAP75: number;
  readonly perClass: Readonly<Record<string, number>>;
}

describe('boxes of the detection fixture', () => {
  const { scores } = expectedOf<{
    readonly scores: Readonly<
      Record<'float' | 'int8PerTensor' | 'int8PerAxis', Readonly<Record<'0.7' | '0.65', Boxes>>>
    >;
  }>('detection');
  const detected = (...flags: readonly string[]): Promise<MeasuredReport> =>
    reportOf(
      ...['analyze', fixture('detection/detection.onnx')],
      ...['--calib', fixture('detection/calib'), '--eval', fixture('detection/images')],
      ...['--preset', 'unit', '--scheme', 'ort', ...flags],
    );
  let report: MeasuredReport;
  beforeAll(async () => {
    report = await detected('--per-tensor');
  });

  it('have in float the mean average precision of pycocotools', () => {
    const float = scores.float['0.7'];
    const accuracy = accuracyIn(report);
    expect(accuracy).toMatchObject({ metric: 'map', unit: '%', samples: 24 });
    near(accuracy.reference, float.mAP, 1e-3);
    near(metricIn(report, 'map50').reference, float.mAP50, 1e-3);
    const { perClass = [], also = [] } = networkIn(accuracy, 'reference');
    expect(perClass.map(({ name }) => name)).toEqual(Object.keys(float.perClass));
    for (const { name, value } of perClass) near(value, float.perClass[name!]!, 1e-3);
    near(also.find(({ metric }) => metric === 'map75')?.value, float.mAP75, 1e-3);
  });

  it('are lost as in ONNX Runtime where the output that joins boxes and scores has one scale', () => {
    const accuracy = accuracyIn(report);
    near(accuracy.candidate, scores.int8PerTensor['0.7'].mAP, 3);
    expect(accuracy.delta).toBeLessThan(-5);
    expect(accuracy.standing).toBe('worse');
  });

  it('are kept where only convolutions are quantized', async () => {
    const accuracy = accuracyIn(await detected('--only', 'op:Conv'));
    near(accuracy.candidate, scores.float['0.7'].mAP, 1.5);
  });
});
