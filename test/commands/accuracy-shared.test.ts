/**
 * Accuracies of finished exports beside those of other implementations on the same files: TFLite's builtin kernels, ONNX Runtime and
 * pycocotools. The recipe is fixtures/accuracy/recipe.py. Skipped without ../shared, which is not part of the project.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openLabels } from '../../src/run/labels/index.js';
import { metricNamed } from '../../src/run/metrics/index.js';
import { FILLING } from '../../src/run/predictions/prediction.js';
import { accuracyIn, networkIn, reportOf } from '../support/evaluated-runs.js';
import { HAS_SHARED, projectPath } from '../support/tflite-network.js';

interface Answers {
  /** Class of each sample, base 16. */
  readonly argmax: string;
  readonly tied: readonly number[];
}

interface Classification {
  readonly samples: number;
  readonly labels: string;
  readonly networks: Readonly<Record<string, Answers>>;
}

/** [not person, person] as predicted, by label. */
type Pixels = Readonly<Record<'person' | 'other', readonly [number, number]>>;

interface Detections {
  readonly width: number;
  readonly height: number;
  /** x0, y0, x1, y1, class, score. */
  readonly boxes: readonly (readonly [number, number, number, number, number, number])[];
}

interface Reference {
  readonly resnet8: Classification;
  readonly dscnn: Classification;
  readonly pcb: Classification;
  readonly tinymobilenet: Classification;
  readonly resnet20: Classification;
  readonly deeplab: Readonly<Record<string, Readonly<Record<'float' | 'uint8', Pixels>>>>;
  readonly rtmdet: {
    readonly person: Readonly<Record<string, number>>;
    readonly classes80: Readonly<Record<string, number>>;
    readonly detections: Readonly<Record<string, Detections>>;
  };
}

const REFERENCE = JSON.parse(
  readFileSync(projectPath('fixtures/accuracy/shared_accuracy.json'), 'utf8'),
) as Reference;

const models = (name: string): string => projectPath(`../shared/models/${name}`);
const data = (name: string): string => projectPath(`../shared/data/${name}`);

/** What top-1 has to be on `--samples count`: sample i is number floor(i * all / count). */
class Expected {
  readonly #labels: readonly number[];
  readonly #answers: ReadonlyMap<string, readonly number[]>;
  readonly #tied: ReadonlyMap<string, number>;

  constructor({ samples, labels, networks }: Classification, count: number) {
    const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * samples) / count));
    const picked = (digits: string): number[] => chosen.map((at) => parseInt(digits[at]!, 16));
    this.#labels = picked(labels);
    const entries = Object.entries(networks);
    this.#answers = new Map(entries.map(([name, { argmax }]) => [name, picked(argmax)]));
    this.#tied = new Map(
      entries.map(([name, { tied }]) => [name, chosen.filter((at) => tied.includes(at)).length]),
    );
  }

  hits(network: string): number {
    return this.#right(network).filter(Boolean).length;
  }

  ties(network: string): number {
    return this.#tied.get(network)!;
  }

  /** Share of the samples of each class that are right, in percent. */
  recall(network: string): { label: number; support: number; value: number }[] {
    const right = this.#right(network);
    return [...new Set(this.#labels)]
      .sort((a, b) => a - b)
      .map((label) => {
        const own = right.filter((_, i) => this.#labels[i] === label);
        return { label, support: own.length, value: (100 * own.filter(Boolean).length) / own.length };
      });
  }

  paired(reference: string, candidate: string): Record<string, number> {
    const [a, b] = [this.#right(reference), this.#right(candidate)];
    const count = (x: boolean, y: boolean): number => a.filter((is, i) => is === x && b[i] === y).length;
    return {
      both: count(true, true),
      onlyReference: count(true, false),
      onlyCandidate: count(false, true),
      neither: count(false, false),
    };
  }

  /** In percent. */
  agreement(reference: string, candidate: string): number {
    const [a, b] = [this.#answers.get(reference)!, this.#answers.get(candidate)!];
    return (100 * a.filter((label, i) => label === b[i]).length) / a.length;
  }

  #right(network: string): boolean[] {
    return this.#answers.get(network)!.map((label, i) => label === this.#labels[i]);
  }
}

interface Case {
  readonly name: 'resnet8' | 'dscnn' | 'pcb' | 'tinymobilenet';
  readonly files: readonly [float: string, candidate: string];
  /** In the fixture. */
  readonly candidate: string;
  readonly samples: number;
  readonly data: string;
  readonly flags: readonly string[];
  /** Samples that may come out otherwise: kernels of TFLite round in places where the simulation does not. */
  readonly within: number;
  readonly runtime: boolean;
}

const CASES: readonly Case[] = [
  {
    name: 'resnet8',
    files: ['mlperf-ic/resnet8_float.tflite', 'mlperf-ic/resnet8_int8.tflite'],
    candidate: 'int8',
    samples: 200,
    data: 'cifar10/eval',
    flags: ['--preset', 'raw'],
    within: 2,
    runtime: false,
  },
  {
    name: 'dscnn',
    files: ['mlperf-kws/dscnn_float.tflite', 'mlperf-kws/dscnn_int8.tflite'],
    candidate: 'int8',
    samples: 200,
    data: 'kws',
    flags: ['--min-aligned', '0', '--labels', 'name:_(\\d+)\\.bin$'],
    within: 2,
    runtime: false,
  },
  {
    name: 'pcb',
    files: ['pcb/simple_cnn_float.onnx', 'pcb/simple_cnn_qdq.onnx'],
    candidate: 'qdq',
    samples: 100,
    data: 'pcb/eval',
    flags: ['--mean', '0.5', '--std', '0.5', '--color', 'gray'],
    within: 0,
    runtime: true,
  },
  {
    name: 'tinymobilenet',
    files: ['tinymobilenet/model.onnx', 'tinymobilenet/model_qoperator.onnx'],
    candidate: 'qoperator',
    samples: 150,
    data: 'cifar10/eval',
    flags: ['--mean', '0.4914,0.4822,0.4465', '--std', '0.2470,0.2435,0.2616'],
    within: 0,
    runtime: true,
  },
];

describe.skipIf(!HAS_SHARED)('classifiers of ../shared (skipped where that folder is not there)', () => {
  it.each(CASES)('$name is right on the samples that the other implementation is right on', async (test) => {
    const { name, files, candidate, samples, within, runtime } = test;
    const report = await reportOf(
      ...['compare', ...files.map(models), '--data', data(test.data), ...test.flags],
      // Layers are not what this is about.
      ...['--samples', String(samples), '--detail', '1', ...(runtime ? ['--runtime'] : [])],
    );
    const accuracy = accuracyIn(report);
    const expected = new Expected(REFERENCE[name], samples);
    const hits = (network: string): number => (networkIn(accuracy, network).value! * samples) / 100;

    expect(accuracy).toMatchObject({ metric: 'top1', unit: '%', samples, leftOut: 0 });
    expect(hits('reference')).toBeCloseTo(expected.hits('float'), 6);
    const recall = (network: string) =>
      networkIn(accuracy, network).perClass!.map(({ label, support, value }) => ({ label, support, value }));
    expect(recall('reference')).toEqual(close(expected.recall('float')));
    expect(networkIn(accuracy, 'reference').ties ?? 0).toBe(expected.ties('float'));
    expect(Math.abs(hits('candidate') - expected.hits(candidate))).toBeLessThanOrEqual(within + 1e-6);
    expect(accuracy.delta).toBeCloseTo(accuracy.candidate! - accuracy.reference!, 9);

    const { paired } = networkIn(accuracy, 'candidate');
    const { both, onlyReference, onlyCandidate, neither } = paired!;
    expect(both + onlyReference + onlyCandidate + neither).toBe(samples);
    expect(both + onlyReference).toBe(expected.hits('float'));
    expect(both + onlyCandidate).toBe(Math.round(hits('candidate')));
    if (within > 0) return;
    expect(paired).toEqual(expected.paired('float', candidate));
    expect(recall('candidate')).toEqual(close(expected.recall(candidate)));
    expect(networkIn(accuracy, 'candidate').ties).toBe(expected.ties(candidate));
    expect(report.agreement?.candidate).toBeCloseTo(expected.agreement('float', candidate), 9);
    // The file itself: what the recipe ran, in another build of the same runtime.
    expect(hits('runtime')).toBeCloseTo(expected.hits(candidate), 6);
    expect(networkIn(accuracy, 'runtime').paired).toEqual(expected.paired('float', candidate));
    expect(networkIn(accuracy, 'runtime').title).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/);
  });

  it('resnet20 is quantized to the accuracy that quantize_static keeps', async () => {
    const samples = 60;
    const expected = new Expected(REFERENCE.resnet20, samples);
    const report = await reportOf(
      ...['analyze', models('resnet20/resnet20_float.onnx')],
      ...['--calib', data('cifar10/calib'), '--eval', data('cifar10/eval')],
      ...['--preset', 'imagenet', '--resize', 'none', '--samples', String(samples)],
    );
    const accuracy = accuracyIn(report);
    expect((accuracy.reference! * samples) / 100).toBeCloseTo(expected.hits('float'), 6);
    // Calibrated on `samples` images here and on all of them there.
    expect(Math.abs((accuracy.candidate! * samples) / 100 - expected.hits('int8'))).toBeLessThanOrEqual(1);
    expect(
      networkIn(accuracy, 'reference').perClass!.map(({ label, support, value }) => ({
        label,
        support,
        value,
      })),
    ).toEqual(close(expected.recall('float')));
  });

  it('has the labels of the recipe for the subsets', () => {
    // Evenly spread over classes of the same size: 20 of each of 10.
    expect(new Expected(REFERENCE.resnet8, 200).recall('float').map(({ support }) => support)).toEqual(
      Array.from({ length: 10 }, () => 20),
    );
  });
});

function close(rows: readonly { label: number; support: number; value: number }[]): unknown[] {
  return rows.map(({ label, support, value }) => ({
    label,
    support,
    value: expect.closeTo(value, 9) as number,
  }));
}

describe.skipIf(!HAS_SHARED)('segmentation of ../shared (skipped where that folder is not there)', () => {
  it('deeplab has the IoU of persons that TFLite has, in float and in uint8', async () => {
    const report = await reportOf(
      ...['compare', models('deeplab/deeplab_float.tflite'), models('deeplab/deeplab_uint8.tflite')],
      ...['--data', data('coco/eval/images'), '--samples', '8', '--detail', '1'],
      ...['--preset', 'tf', '--resize', 'stretch', '--class-map', 'person=1,*=0'],
    );
    const accuracy = accuracyIn(report);
    expect(accuracy).toMatchObject({ metric: 'miou', samples: 8 });
    const pixelAccuracy = report.otherMetrics?.find(({ metric }) => metric === 'pixel-accuracy');
    const [float, uint8] = [pooled('float'), pooled('uint8')];
    const iou = (network: string): number[] =>
      networkIn(accuracy, network).perClass!.map(({ value }) => value!);
    near(iou('reference'), [float.other, float.person], 0.1);
    near(iou('candidate'), [uint8.other, uint8.person], 0.5);
    near([accuracy.reference!, pixelAccuracy!.reference!], [float.mean, float.pixels], 0.1);
    near([accuracy.candidate!, pixelAccuracy!.candidate!], [uint8.mean, uint8.pixels], 0.5);
    expect(networkIn(accuracy, 'reference').perClass!.map(({ support }) => support)).toEqual([
      float.otherSupport,
      float.personSupport,
    ]);
  });

  function pooled(network: 'float' | 'uint8') {
    const sums = { person: [0, 0], other: [0, 0] };
    for (const entry of Object.values(REFERENCE.deeplab)) {
      for (const label of ['person', 'other'] as const)
        entry[network][label].forEach((count, i) => (sums[label][i]! += count));
    }
    const [missed = 0, found = 0] = sums.person;
    const [right = 0, wrong = 0] = sums.other;
    const person = (100 * found) / (found + missed + wrong);
    const other = (100 * right) / (right + missed + wrong);
    return {
      person,
      other,
      mean: (person + other) / 2,
      pixels: (100 * (found + right)) / (found + missed + right + wrong),
      personSupport: found + missed,
      otherSupport: right + wrong,
    };
  }
});

function near(values: readonly number[], wanted: readonly number[], tolerance: number): void {
  expect(values).toHaveLength(wanted.length);
  values.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThan(tolerance));
}

describe.skipIf(!HAS_SHARED)('detection of ../shared (skipped where that folder is not there)', () => {
  const images = data('coco/eval/images');

  it.each([
    ['person', 'person=0,*=-'],
    ['classes80', undefined],
  ] as const)('scores the same detections as pycocotools: %s', async (key, classMap) => {
    const { detections } = REFERENCE.rtmdet;
    const names = Object.keys(detections).map((id, index) => ({ id, index, file: `${images}/${id}` }));
    const labels = (await openLabels({
      root: images,
      samples: names,
      available: names.length,
      wanted: ['boxes'],
      model: {},
      ...(classMap === undefined ? {} : { classMap }),
      skipUnlabelled: false,
    }))!;
    const scorer = (await metricNamed('map')).scorer({ networks: 1 });
    for (const name of names) {
      const { width, height, boxes } = detections[name.id]!;
      await scorer.add({
        ...name,
        truth: await labels.read(name),
        predictions: [
          {
            kind: 'boxes',
            nonFinite: 0,
            boxes: boxes.map(([x0, y0, x1, y1, label, score]) => ({
              x0: x0 / width,
              y0: y0 / height,
              x1: x1 / width,
              y1: y1 / height,
              label,
              score,
            })),
          },
        ],
        placement: FILLING,
      });
    }
    const [network] = scorer.result().networks;
    const { mAP, mAP50 } = REFERENCE.rtmdet[key];
    expect(network?.value).toBeCloseTo(mAP!, 3);
    expect(network?.also?.find(({ metric }) => metric === 'map50')?.value).toBeCloseTo(mAP50!, 3);
  });

  it('rtmdet_nano scores on pictures what it scores with the preprocessing of mmdetection', async () => {
    const model = models('rtmdet/rtmdet_nano_float.onnx');
    const report = await reportOf(
      ...['compare', model, model, '--data', images, '--samples', '16', '--detail', '1'],
      ...['--preset', 'rtmdet', '--shape', 'input=1x3x320x320', '--class-map', 'person=0,*=-'],
    );
    const accuracy = accuracyIn(report);
    expect(accuracy).toMatchObject({ metric: 'map', samples: 16, delta: 0, standing: 'equal' });
    // Interpolated by other code: OpenCV's fixed-point bilinear there.
    expect(Math.abs(accuracy.reference! - REFERENCE.rtmdet.person['mAP']!)).toBeLessThan(0.5);
    expect(accuracy.networks[0]!.perClass!.filter(({ support }) => support > 0)).toHaveLength(1);
  });
});
