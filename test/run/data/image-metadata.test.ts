import { describe, expect, it } from 'vitest';
import { imageMetadata } from '../../../src/run/data/image-metadata.js';
import type { ImageMetadata } from '../../../src/run/data/image-metadata.js';

const read = (entries: Readonly<Record<string, string>>, position?: number): ImageMetadata =>
  imageMetadata(new Map(Object.entries(entries)), position);

describe('imageMetadata', () => {
  it('reads one number for all channels or one for each, in pixels', () => {
    expect(read({ 'tflite.input.0.mean': '127.5', 'tflite.input.0.std': ' 127.5 ' })).toEqual({
      normalization: { units: '0..255', mean: [127.5], std: [127.5] },
    });
    expect(
      read({ 'tflite.input.0.mean': '123.675,116.28,103.53', 'tflite.input.0.std': '58.4,57.1,57.4' }),
    ).toEqual({
      normalization: { units: '0..255', mean: [123.675, 116.28, 103.53], std: [58.4, 57.1, 57.4] },
    });
  });

  it('reads what is said of the input at its position', () => {
    const entries = { 'tflite.input.1.mean': '1', 'tflite.input.1.std': '2', 'tflite.input.1.color': 'gray' };
    expect(read(entries, 1)).toEqual({
      normalization: { units: '0..255', mean: [1], std: [2] },
      color: 'gray',
    });
    expect(read(entries)).toEqual({});
  });

  it.each([
    ['no number', 'a', '1'],
    ['an empty place', '1,,3', '1'],
    ['nothing', '', '1'],
    ['two numbers', '1,2', '1'],
    ['a std of 0', '0', '0'],
    ['a negative std', '0', '-1'],
    ['infinity', '1e999', '1'],
    ['more text than numbers take', '1.'.padEnd(100_000, '0'), '1'],
  ])('does not use %s, and says so', (_, mean, std) => {
    const { normalization, unusable } = read({ 'tflite.input.0.mean': mean, 'tflite.input.0.std': std });
    expect(normalization).toBeUndefined();
    expect(unusable).toMatch(/^mean .{0,40}, std .*wanted, std above 0$/);
  });

  it('does not use a mean without std', () => {
    expect(read({ 'tflite.input.0.mean': '127' })).toEqual({
      unusable: 'mean 127, std absent: one number or three of each are wanted, std above 0',
    });
  });

  it('passes over colours it does not know', () => {
    expect(read({ 'tflite.input.0.color': 'yuv' })).toEqual({});
  });
});
