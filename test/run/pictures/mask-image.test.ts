import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { IGNORED } from '../../../src/run/labels/truth.js';
import { isBackground, maskImage } from '../../../src/run/pictures/mask-image.js';
import { hexOf, PALETTE } from '../../../src/run/pictures/palette.js';
import { maskOver, type SmallMask } from '../../../src/run/pictures/small-mask.js';
import { maskOf } from '../metrics/scored.js';

const mask = (width: number, ...data: readonly number[]): SmallMask => ({
  kind: 'mask',
  width,
  height: data.length / width,
  data: Uint16Array.from(data),
});

/** Colours of the pixels; undefined where the image is transparent. */
function colours(png: Uint8Array): (string | undefined)[] {
  const { data, palette = [], width, height } = decode(png, { checkCrc: true });
  return Array.from({ length: width * height }, (_, i) => {
    const [red = 0, green = 0, blue = 0, alpha = 255] = palette[data[i]!]!;
    return alpha === 0 ? undefined : hexOf([red, green, blue]);
  });
}

describe('maskImage', () => {
  const named = new Map([
    [0, 'background'],
    [3, 'cat'],
  ]);

  it('gives each class its colour, and none to the background and where there is no class', async () => {
    const { png, labels } = await maskImage(mask(3, 0, 3, 3, 40, IGNORED, 0), named);
    const [cat, other] = [hexOf(PALETTE[3]!), hexOf(PALETTE[40 % PALETTE.length]!)];
    expect(colours(png)).toEqual([undefined, cat, cat, other, undefined, undefined]);
    expect(labels).toEqual([
      { label: 3, color: cat, share: 2 / 6 },
      { label: 40, color: other, share: 1 / 6 },
    ]);
  });

  it('is the same for the same mask, and small', async () => {
    const large = mask(256, ...Array.from({ length: 256 * 256 }, (_, i) => (i >> 12) % 5));
    const [one, other] = [await maskImage(large, named), await maskImage(large, named)];
    expect(Buffer.from(one.png)).toEqual(Buffer.from(other.png));
    expect(one.png.length).toBeLessThan(2000);
  });
});

it('takes for background what is called so, and class 0 where it has no name', () => {
  const names = new Map([
    [0, 'road'],
    [1, '_background_'],
    [2, 'Unlabeled'],
    [3, 'others'],
    [4, 'motherboard'],
  ]);
  expect([0, 1, 2, 3, 4, 5].filter((label) => isBackground(label, names))).toEqual([1, 2, 3]);
  expect([0, 1].filter((label) => isBackground(label, new Map()))).toEqual([0]);
});

describe('maskOver', () => {
  it('brings a mask from a letterboxed input to the picture', () => {
    // A picture twice as wide as high in the middle of a square input: rows 1 and 2 of 4 are its own.
    const letterboxed = maskOf([
      [9, 9, 9, 9],
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 9, 9, 9],
    ]);
    const placement = { scaleX: 1, offsetX: 0, scaleY: 0.5, offsetY: 0.25 };
    const { data } = maskOver(letterboxed, { width: 8, height: 4 }, placement);
    expect([...data.subarray(0, 8)]).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect([...data.subarray(24)]).toEqual([5, 5, 6, 6, 7, 7, 8, 8]);
    expect(data).not.toContain(9);
  });

  it('has no class where the picture was cut off', () => {
    const cropped = { scaleX: 2, offsetX: -0.5, scaleY: 1, offsetY: 0 };
    const { data } = maskOver(maskOf([[1, 2]]), { width: 4, height: 1 }, cropped);
    expect([...data]).toEqual([IGNORED, 1, 2, IGNORED]);
  });
});

describe('PALETTE', () => {
  it('has colours that are all different', () => {
    expect(new Set(PALETTE.map(hexOf)).size).toBe(PALETTE.length);
    expect(PALETTE.length).toBeGreaterThanOrEqual(20);
  });
});
