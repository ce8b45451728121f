/** The samples that a report shows, held against the files that they come from. */
import { readFileSync } from 'node:fs';
import { decode } from 'fast-png';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import type { PicturedAnswer, ReportedPicture, ReportedPictures } from '../../src/report/report-pictures.js';
import { accuracyIn, reportOf } from '../support/evaluated-runs.js';
import { projectPath } from '../support/tflite-network.js';

const fixture = (name: string): string => projectPath(`fixtures/${name}`);

function analyzed(topic: string, model: string, ...flags: readonly string[]): Promise<MeasuredReport> {
  const images = topic === 'digits' ? 'eval' : 'images';
  return reportOf(
    ...['analyze', fixture(`${topic}/${model}.onnx`), '--calib', fixture(`${topic}/calib`)],
    ...['--eval', fixture(`${topic}/${images}`), '--preset', 'unit', '--per-tensor', ...flags],
  );
}

function picturesIn({ pictures }: MeasuredReport): ReportedPictures {
  if (pictures === undefined) throw new Error('no pictures');
  return pictures;
}

const bytesOf = (address: string): Buffer => Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');

function answer<K extends PicturedAnswer['kind']>(
  given: PicturedAnswer | undefined,
  kind: K,
): Extract<PicturedAnswer, { kind: K }> {
  if (given?.kind !== kind) throw new Error(`${given?.kind} is no ${kind}`);
  return given as Extract<PicturedAnswer, { kind: K }>;
}

function sorted(samples: readonly ReportedPicture[]): boolean {
  return samples.every(({ distance }, i) => i === 0 || distance <= samples[i - 1]!.distance);
}

describe('pictures of masks', () => {
  let report: MeasuredReport;
  beforeAll(async () => {
    report = await analyzed('segmentation', 'segmentation_rescaled', '--ignore-label', '255');
  });

  /** Classes of the pixels by their colours; 0, the background, and void pixels have none. */
  function classes(given: PicturedAnswer | undefined): number[] {
    const { image, labels } = answer(given, 'mask');
    const byColour = new Map(labels.map(({ color, label }) => [color, label]));
    const { data, palette = [] } = decode(bytesOf(image));
    return Array.from(data, (index) => {
      const [red = 0, green = 0, blue = 0, alpha] = palette[index]!;
      const hex = Buffer.from([red, green, blue]).toString('hex');
      return alpha === 0 ? 0 : byColour.get(`#${hex}`)!;
    });
  }

  it('are the eight worst of all samples, worst first', () => {
    const { samples, among, classNames } = picturesIn(report);
    expect([samples.length, among, sorted(samples)]).toEqual([8, 24, true]);
    expect(classNames).toEqual({ 1: 'disk', 2: 'square', 3: 'bar' });
  });

  it('show the mask of the labels pixel by pixel, and the image of the file', async () => {
    for (const { sample, truth, image } of picturesIn(report).samples) {
      const stored = decode(readFileSync(fixture(`segmentation/masks/${sample}`))).data;
      expect(classes(truth), sample).toEqual(Array.from(stored, (label) => (label === 255 ? 0 : label)));
      const [shown, file] = await Promise.all(
        [bytesOf(image), fixture(`segmentation/images/${sample}`)].map((from) =>
          sharp(from).removeAlpha().raw().toBuffer(),
        ),
      );
      expect(shown, sample).toEqual(file);
    }
  });

  it('are as far apart as the two masks that are shown, and say how much of the picture each class has', () => {
    for (const { reference, candidate, distance, reason } of picturesIn(report).samples) {
      const [was, is] = [classes(reference), classes(candidate)];
      const ious = [0, 1, 2, 3].flatMap((label) => {
        const either = was.filter((_, i) => was[i] === label || is[i] === label).length;
        const both = was.filter((_, i) => was[i] === label && is[i] === label).length;
        return either === 0 ? [] : [both / either];
      });
      const mean = ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
      expect(distance).toBeCloseTo(1 - mean, 4);
      expect(reason).toBe(`IoU with the reference ${mean.toFixed(2)}`);
      for (const { label, share } of answer(candidate, 'mask').labels)
        expect(share).toBeCloseTo(is.filter((one) => one === label).length / is.length, 4);
    }
  });

  it('stand beside the pixels that change class, counted over all samples', () => {
    const { transitions } = accuracyIn(report);
    expect(transitions).toMatchObject({ counted: 'pixels', leftOut: 0, classNames: { 0: 'background' } });
    expect(transitions!.cells.reduce((sum, { count }) => sum + count, 0)).toBe(24 * 48 * 48);
    const others = [...(report.otherMetrics ?? []), report.agreement];
    expect(others.every((metric) => metric?.transitions === undefined)).toBe(true);
  });
});

describe('pictures of boxes', () => {
  let report: MeasuredReport;
  beforeAll(async () => {
    report = await analyzed('detection', 'detection', '--pictures', '24');
  });

  it('show the boxes of the labels in shares of the image', () => {
    const { samples, classNames } = picturesIn(report);
    expect(classNames).toEqual({ 0: 'disk', 1: 'square', 2: 'triangle' });
    for (const { sample, truth } of samples) {
      const lines = readFileSync(fixture(`detection/labels/${sample.replace('.png', '.txt')}`), 'utf8');
      const { boxes } = answer(truth, 'boxes');
      const rows = lines.trim().split('\n');
      expect(boxes).toHaveLength(rows.length);
      rows.forEach((row, i) => {
        const [label, x = 0, y = 0, width = 0, height = 0] = row.split(' ').map(Number);
        const { x0, x1, y0, y1 } = boxes[i]!;
        expect(boxes[i]!.label).toBe(label);
        [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0].forEach((value, k) =>
          expect(value).toBeCloseTo([x, y, width, height][k]!, 2),
        );
      });
    }
  });

  it('show the boxes of each network, and say how many are found again', () => {
    const { samples } = picturesIn(report);
    expect(samples.length).toBeGreaterThan(12);
    expect(sorted(samples)).toBe(true);
    for (const { reference, reason } of samples) {
      const { boxes } = answer(reference, 'boxes');
      expect(reason).toMatch(
        boxes.length === 0 ? /^\d+ new$/ : new RegExp(`^\\d+ of ${boxes.length} boxes found`),
      );
      for (const { score, x0, x1, y0, y1 } of boxes) {
        expect(score).toBeGreaterThanOrEqual(0.3);
        expect(0 <= x0 && x0 < x1 && x1 <= 1 && 0 <= y0 && y0 < y1 && y1 <= 1).toBe(true);
      }
    }
  });
});

describe('pictures of classes', () => {
  const digits = (...flags: readonly string[]): Promise<MeasuredReport> =>
    analyzed('digits', 'digits_rescaled', '--samples', '60', ...flags);
  let report: MeasuredReport;
  beforeAll(async () => {
    report = await digits('--pictures', '64');
  });

  it('show changed answers first, each as often as they are counted', () => {
    const { samples } = picturesIn(report);
    const changed = samples.filter(({ distance }) => distance >= 0.5);
    const first = ({ reference, candidate }: ReportedPicture): string =>
      [reference, candidate].map((one) => answer(one, 'scores').best[0]!.label).join(' -> ');
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.map(({ reason }) => reason)).toEqual(changed.map(first));
    const { cells } = accuracyIn(report).transitions!;
    const counted = cells
      .filter(({ from, to }) => from !== to)
      .flatMap(({ from, to, count }) => Array.from({ length: count }, () => `${from} -> ${to}`));
    expect(changed.map(first).sort()).toEqual(counted.sort());
    const stays = samples[changed.length]!;
    expect(stays.reason).toMatch(/^\d: \d+\.\d % -> \d+\.\d %$/);
  });

  it('show the class of the folder, and shares that are no more than 1', () => {
    for (const { sample, truth, reference } of picturesIn(report).samples) {
      expect(answer(truth, 'class').label).toBe(Number(sample.split('/')[0]));
      const shares = answer(reference, 'scores').best.map(({ share }) => share);
      expect(shares).toHaveLength(3);
      expect([...shares].sort((a, b) => b - a)).toEqual(shares);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1.0003);
    }
  });

  it('are as many as asked for, the same ones whenever they are asked for', async () => {
    const { samples, among } = picturesIn(report);
    const two = picturesIn(await digits('--pictures', '2'));
    expect(two.samples).toEqual(samples.slice(0, 2));
    expect(two.among).toBe(among);
    expect(await digits('--pictures', '0')).not.toHaveProperty('pictures');
  });

  it('need no labels', async () => {
    const unlabelled = await digits('--metric', 'agreement', '--pictures', '3');
    const { samples } = picturesIn(unlabelled);
    expect(samples.map(({ sample }) => sample)).toEqual(
      picturesIn(report)
        .samples.slice(0, 3)
        .map(({ sample }) => sample),
    );
    expect(samples[0]).not.toHaveProperty('truth');
    expect(accuracyIn(unlabelled).transitions!.cells).toEqual(accuracyIn(report).transitions!.cells);
  });

  it('are shown by compare, too: none where nothing differs', async () => {
    const model = fixture('digits/digits.onnx');
    const images = ['--data', fixture('digits/eval'), '--preset', 'unit'];
    const compared = await reportOf('compare', model, fixture('digits/digits_rescaled.onnx'), ...images);
    expect(picturesIn(compared)).toEqual({ samples: [], among: accuracyIn(compared).samples });
    const exported = fixture('actual/digits_qdq.onnx');
    const { samples } = picturesIn(
      await reportOf('compare', model, exported, ...images, '--samples', '60', '--pictures', '1'),
    );
    expect(samples).toHaveLength(1);
  });
});
