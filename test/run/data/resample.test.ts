import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { decodeImage, toGrey } from '../../../src/run/data/decode.js';
import type { Pixels } from '../../../src/run/data/decode.js';
import { resample } from '../../../src/run/data/resample.js';
import { fixture, reference } from './support.js';

let rgb: Pixels;
beforeAll(async () => {
  rgb = await decodeImage(readFileSync(fixture('images/rgb.png')), 'stored');
});

const SIZES = [
  [16, 12],
  [45, 50],
  [12, 40],
  [31, 7],
  [9, 23],
] as const;

describe.each(['bilinear', 'nearest', 'bicubic', 'area'] as const)('resample %s', (interpolation) => {
  it.each(SIZES)('is equal to Pillow at %ix%i', (width, height) => {
    const resized = resample(rgb, width, height, interpolation);
    expect([resized.width, resized.height]).toEqual([width, height]);
    const { data } = reference(`resized/${interpolation}/${width}x${height}`);
    expect(Buffer.from(resized.data)).toEqual(Buffer.from(data as Uint8Array));
  });

  it('is equal to Pillow on a grey picture', () => {
    const resized = resample(toGrey(rgb), 16, 12, interpolation);
    const { data } = reference(`resized/${interpolation}/grey/16x12`);
    expect(Buffer.from(resized.data)).toEqual(Buffer.from(data as Uint8Array));
  });
});

describe('resample bilinear-no-antialias', () => {
  it.each([
    [16, 12],
    [45, 50],
    [9, 23],
  ])('mixes the four neighbours of each point at %ix%i, to one code', (width, height) => {
    const { data } = resample(rgb, width, height, 'bilinear-no-antialias');
    const wanted = reference(`resized/four-neighbours/${width}x${height}`).data as Uint8Array;
    const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('differs from the antialiased filter when shrinking', () => {
    expect(resample(rgb, 9, 23, 'bilinear-no-antialias').data).not.toEqual(
      resample(rgb, 9, 23, 'bilinear').data,
    );
  });
});

describe('resample', () => {
  it('leaves a picture of the right size alone', () => {
    expect(resample(rgb, rgb.width, rgb.height, 'bicubic')).toBe(rgb);
  });

  it('refuses slim pictures that would become huge between the passes', () => {
    const slim: Pixels = { data: new Uint8Array(3_000_000), width: 1, height: 1_000_000, channels: 3 };
    expect(() => resample(slim, 1000, 10, 'bilinear')).toThrow(DataError);
    expect(() => resample(slim, 1000, 10, 'bilinear')).toThrow(/1x1000000.*1000x10/);
  });
});
