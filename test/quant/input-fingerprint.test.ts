/**
 * Quantizers are made here as exporters make them: from the smallest and largest value of a preparation, by the formulas of
 * ONNX Runtime (asymmetric, symmetric) or by the mean and std_dev values of the TensorFlow 1 converter.
 */
import { describe, expect, it } from 'vitest';
import {
  expectedPixels,
  familiesOfRange,
  impliedPreprocessing,
  pixelCodes,
  realRange,
} from '../../src/quant/input-fingerprint.js';
import type { InputNormalization } from '../../src/quant/input-normalization.js';

const INT8 = [-128, 127] as const;
const UINT8 = [0, 255] as const;

function params(scale: number, zeroPoint: number, [qmin, qmax]: readonly [number, number]) {
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), qmin, qmax };
}

function asymmetric(min: number, max: number, limits: readonly [number, number]) {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = (high - low) / 255;
  return params(scale, Math.round(limits[0] - low / scale), limits);
}

describe('the preprocessing that a range implies', () => {
  it.each([
    ['unit', 0, 1],
    ['tf', -1, 1],
    ['raw', 0, 255],
    ['imagenet', -0.485 / 0.229, (1 - 0.406) / 0.225],
    ['cifar10', -0.4914 / 0.247, (1 - 0.4822) / 0.2435],
    ['mnist', -0.1307 / 0.3081, (1 - 0.1307) / 0.3081],
    ['caffe', -123.68, 255 - 103.94],
    ['centered', -0.5, 0.5],
    ['half', 0, 255 / 128],
  ])('of %s is found again in int8 and in uint8', (family, min, max) => {
    for (const limits of [INT8, UINT8]) {
      const implied = impliedPreprocessing(asymmetric(min, max, limits));
      expect(implied).toMatchObject({ family, isExact: true });
      expect(implied!.distance).toBeLessThan(0.006);
    }
  });

  it('of mean 128 and std_dev 128 is -1 to 1, and tells the conventions that differ by less than a step', () => {
    const implied = impliedPreprocessing(params(1 / 128, 128, UINT8))!;
    expect(implied.family).toBe('tf');
    expect(implied.alternatives.map(({ family }) => family).sort()).toEqual(['face', 'tf-128']);
  });

  it('is near, not exact, where calibration did not reach the ends', () => {
    expect(impliedPreprocessing(asymmetric(0, 0.97, UINT8))).toMatchObject({
      family: 'unit',
      isExact: false,
    });
  });

  it('is unknown for other ranges: the features of a spoken word, a tenth of a range', () => {
    expect(impliedPreprocessing(params(0.5847029, 83, INT8))).toBeUndefined();
    expect(impliedPreprocessing(asymmetric(0, 0.1, UINT8))).toBeUndefined();
    expect(impliedPreprocessing(asymmetric(-8, 3, INT8))).toBeUndefined();
  });

  it('is unknown where there is no number to read', () => {
    for (const scale of [0, -1, NaN, Infinity]) {
      expect(impliedPreprocessing(params(scale, 0, UINT8))).toBeUndefined();
    }
    const two = { ...params(1, 0, UINT8), scale: Float32Array.of(1, 2), zeroPoint: Int32Array.of(0, 0) };
    expect(impliedPreprocessing(two)).toBeUndefined();
  });

  it('of a symmetric signed quantizer goes by the largest magnitude alone', () => {
    const implied = impliedPreprocessing(params(1 / 127, 0, INT8))!;
    expect([implied, ...implied.alternatives].map(({ family }) => family)).toEqual(
      expect.arrayContaining(['unit', 'tf']),
    );
    expect(impliedPreprocessing(params((1 - 0.406) / 0.225 / 127, 0, INT8))).toMatchObject({
      family: 'imagenet',
      isExact: true,
    });
  });

  it('behind nodes that normalize is what they were fed', () => {
    const normalization = {
      factor: [1 / 58.395, 1 / 57.12, 1 / 57.375],
      offset: [-123.675 / 58.395, -116.28 / 57.12, -103.53 / 57.375],
    } as const;
    const fed = (min: number, max: number) => {
      const ends = normalization.factor.flatMap((factor, i) =>
        [min, max].map((value) => value * factor + normalization.offset[i]!),
      );
      const quantizer = asymmetric(Math.min(...ends), Math.max(...ends), INT8);
      return impliedPreprocessing(quantizer, normalization as unknown as InputNormalization);
    };
    expect(fed(0, 255)).toMatchObject({ family: 'raw', isExact: true });
    const normalized = fed(-2.1179, 2.64)!;
    expect([normalized, ...normalized.alternatives].map(({ family }) => family)).not.toContain('raw');
  });
});

describe('codes of pixels', () => {
  it.each([
    ['uint8, scale 1/255', [0], [255], params(1 / 255, 0, UINT8), 0],
    ['uint8, scale 1/128 around 128', [127.5], [127.5], params(1 / 128, 128, UINT8), 0],
    ['int8, scale 1', [0], [1], params(1, -128, INT8), -128],
  ] as const)('of %s are the pixels, with a shift', (_, mean, std, quantizer, shift) => {
    const codes = pixelCodes({ mean, std }, quantizer);
    expect(codes.shift).toBe(shift);
    expect(codes.difference).toBeLessThanOrEqual(1);
  });

  it('of other quantizers are a line, computed here pixel by pixel', () => {
    const [mean, std] = [123.675, 58.395];
    const quantizer = asymmetric(-2.118, 2.64, UINT8);
    const { slope, offset, shift } = pixelCodes({ mean: [mean], std: [std] }, quantizer);
    expect(shift).toBeUndefined();
    for (const pixel of [0, 37, 255]) {
      const code = (pixel - mean) / std / quantizer.scale[0]! + quantizer.zeroPoint[0]!;
      expect(pixel * slope[0]! + offset[0]!).toBeCloseTo(code, 9);
    }
  });
});

describe('the real range', () => {
  it('is what the first and the last code stand for, of the widest channel', () => {
    expect(realRange(params(0.5, 28, INT8))).toEqual({ min: -78, max: 49.5 });
    const channels = { ...params(1, 0, INT8), scale: Float32Array.of(1, 2), zeroPoint: Int32Array.of(0, 0) };
    expect(realRange(channels)).toEqual({ min: -256, max: 254 });
  });
});

describe('the preprocessings that data may have', () => {
  const names = (min: number, max: number) => familiesOfRange({ min, max }).map(({ family }) => family);

  it('are told by both ends', () => {
    expect(names(0, 1)).toEqual(['unit']);
    expect(names(0, 255)).toEqual(['raw']);
    expect(names(-1, 1).slice(0, 3)).toEqual(['tf', 'face', 'tf-128']);
    expect(names(-2.118, 2.64)).toEqual(['imagenet']);
    expect(names(-0.5, 0.5)).toEqual(['centered']);
  });

  it('need not reach the ends, but be near', () => {
    expect(names(0.02, 0.97)).toEqual(['unit']);
    expect(names(0.1, 0.9)).toEqual([]);
    expect(names(-123.4, 25.7)).toEqual([]);
  });
});

describe('the pixels that a normalization is made for', () => {
  const of = (mean: readonly number[], std: readonly number[]) =>
    expectedPixels({
      nodes: [],
      output: 0 as InputNormalization['output'],
      factor: std.map((value) => 1 / value),
      offset: mean.map((value, i) => -value / (std[i] ?? 1)),
    });

  it.each([
    ['raw', [127.5], [127.5]],
    ['raw', [0], [255]],
    ['raw', [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]],
    ['raw', [103.53, 116.28, 123.675], [57.375, 57.12, 58.395]],
    ['raw', [123.68, 116.78, 103.94], [1, 1, 1]],
    ['unit', [0.5], [0.5]],
    ['unit', [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]],
    ['unit', [0], [1 / 255]],
  ] as const)('are %s for mean %s and std %s', (wanted, mean, std) => {
    expect(of(mean, std)).toBe(wanted);
  });

  it('are unknown for statistics of other sensors, and where nothing changes', () => {
    expect(of([12.3], [7.1])).toBeUndefined();
    expect(of([0.1], [3])).toBeUndefined();
    expect(of([0], [1])).toBeUndefined();
  });
});
