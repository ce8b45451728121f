import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src/run/data/decode.js';
import type { Pixels } from '../../../src/run/data/decode.js';
import { fitImage } from '../../../src/run/data/geometry.js';
import { resolvePreprocessing } from '../../../src/run/data/preprocessing.js';
import type { PreprocessingFlags, ResolvedPreprocessing } from '../../../src/run/data/preprocessing.js';
import { placementOf, toImage } from '../../../src/run/predictions/index.js';
import { FILLING } from '../../../src/run/predictions/prediction.js';
import { fixture } from '../data/support.js';

function recipe(flags: PreprocessingFlags, height: number, width: number): ResolvedPreprocessing {
  const input = { name: 'x', dtype: 'float32', shape: [1, 3, height, width] } as const;
  return resolvePreprocessing(input, flags, new Map(), '--data').preprocessing;
}

describe('placementOf', () => {
  it('has a stretched image fill the input', () => {
    expect(placementOf({ width: 31, height: 23 }, recipe({ resize: 'stretch' }, 14, 20))).toEqual(FILLING);
  });

  it('rounds the inner size of a letterbox to half-even pixels and its offset down, as the pixels are', () => {
    // 640/425 of 426: 641.5 would not fit; 425 of 640 scaled by 1: odd rest of 215.
    expect(placementOf({ width: 640, height: 425 }, recipe({ resize: 'letterbox' }, 640, 640))).toEqual({
      scaleX: 1,
      offsetX: 0,
      scaleY: 425 / 640,
      offsetY: 107 / 640,
    });
    // 333 * 320 / 500 = 213.12 -> 213.
    expect(placementOf({ width: 333, height: 500 }, recipe({ resize: 'letterbox' }, 320, 320))).toEqual({
      scaleX: 213 / 320,
      offsetX: 53 / 320,
      scaleY: 1,
      offsetY: 0,
    });
  });

  it('puts the image of rtmdet into the upper left corner', () => {
    expect(placementOf({ width: 333, height: 500 }, recipe({ preset: 'rtmdet' }, 320, 320))).toEqual({
      scaleX: 213 / 320,
      offsetX: 0,
      scaleY: 1,
      offsetY: 0,
    });
  });

  it('follows the crop of torchvision', () => {
    // Resize(256), CenterCrop(224) of 500x375: 341x256, cut 58 (117 / 2 = 58.5, half-even) and 16.
    expect(placementOf({ width: 500, height: 375 }, recipe({ preset: 'imagenet' }, 224, 224))).toEqual({
      scaleX: 341 / 224,
      offsetX: -58 / 224,
      scaleY: 256 / 224,
      offsetY: -16 / 224,
    });
  });

  it('knows when an image of the exact size is left alone', () => {
    const size = { width: 224, height: 224 };
    expect(placementOf(size, recipe({ preset: 'imagenet' }, 224, 224))).toEqual(FILLING);
    expect(placementOf(size, recipe({ preset: 'imagenet', resize: 'short-side' }, 224, 224)).scaleX).toBe(
      256 / 224,
    );
    expect(placementOf(size, recipe({ resize: 'none' }, 224, 224))).toBe(FILLING);
  });

  it('has images that keep their own size fill the input', () => {
    const own: ResolvedPreprocessing = { ...recipe({ resize: 'stretch' }, 14, 20), size: undefined };
    expect(placementOf({ width: 31, height: 23 }, own)).toBe(FILLING);
  });

  it.each([
    ['letterbox', 'wide', 40, 20],
    ['letterbox', 'tall', 21, 40],
    ['short-side', 'wide', 14, 14],
    ['short-side', 'tall', 20, 11],
  ] as const)(
    'finds the spot that %s moves a pixel of the %s picture to',
    async (resize, name, height, width) => {
      const picture = await decodeImage(readFileSync(fixture(`images/${name}.png`)), 'stored');
      // A black picture with one white pixel near its middle, enlarged or not by the nearest neighbour.
      const data = new Uint8Array(picture.width * picture.height * 3);
      const [x, y] = [picture.width >> 1, picture.height >> 1];
      data.fill(255, (y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3);
      const pixels: Pixels = { data, width: picture.width, height: picture.height, channels: 3 };
      const preprocessing = recipe({ resize, interpolation: 'bilinear' }, height, width);
      const fitted = fitImage(pixels, { ...preprocessing, padding: { ...preprocessing.padding, value: 0 } });
      let [sum, sumX, sumY] = [0, 0, 0];
      for (let at = 0; at < width * height; at++) {
        const value = fitted.data[3 * at]!;
        sum += value;
        sumX += value * ((at % width) + 0.5);
        sumY += value * (Math.floor(at / width) + 0.5);
      }
      const { scaleX, offsetX, scaleY, offsetY } = placementOf(pixels, preprocessing);
      expect(sum).toBeGreaterThan(0);
      expect(Math.abs(sumX / sum - (((x + 0.5) / pixels.width) * scaleX + offsetX) * width)).toBeLessThan(
        0.3,
      );
      expect(Math.abs(sumY / sum - (((y + 0.5) / pixels.height) * scaleY + offsetY) * height)).toBeLessThan(
        0.3,
      );
    },
  );
});

describe('toImage', () => {
  const placement = { scaleX: 0.5, offsetX: 0.25, scaleY: 2, offsetY: -0.5 };
  const box = { label: 3, score: 0.5 };

  it('undoes the placement and cuts off what is beyond the image', () => {
    const boxes = [{ x0: 0.3, y0: -0.1, x1: 0.9, y1: 0.5, ...box }];
    const [found] = toImage({ kind: 'boxes', boxes, nonFinite: 2 }, placement).boxes;
    expect(found).toMatchObject({ y0: 0.2, x1: 1, y1: 0.5, ...box });
    expect(found?.x0).toBeCloseTo(0.1, 12);
  });

  it('leaves out boxes with nothing on the image, and those of no extent', () => {
    const boxes = [
      { x0: 0, y0: 0, x1: 0.25, y1: 1, ...box },
      { x0: 0.5, y0: 0.4, x1: 0.5, y1: 0.6, ...box },
      { x0: 0.6, y0: 0.4, x1: 0.5, y1: 0.6, ...box },
    ];
    expect(toImage({ kind: 'boxes', boxes, nonFinite: 2 }, placement)).toEqual({
      kind: 'boxes',
      boxes: [],
      nonFinite: 2,
    });
  });
});
