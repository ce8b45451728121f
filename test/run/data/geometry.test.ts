import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src/run/data/decode.js';
import type { Pixels } from '../../../src/run/data/decode.js';
import { fitImage } from '../../../src/run/data/geometry.js';
import { resolvePreprocessing } from '../../../src/run/data/preprocessing.js';
import type { PreprocessingFlags, ResolvedPreprocessing } from '../../../src/run/data/preprocessing.js';
import { fixture, reference } from './support.js';

const load = (name: string): Promise<Pixels> =>
  decodeImage(readFileSync(fixture(`images/${name}.png`)), 'stored');

function recipe(flags: PreprocessingFlags, height: number, width: number): ResolvedPreprocessing {
  const input = { name: 'x', dtype: 'float32', shape: [1, 3, height, width] } as const;
  return resolvePreprocessing(input, flags, new Map(), '--data').preprocessing;
}

describe('fitImage short-side', () => {
  it.each(['bilinear', 'nearest', 'bicubic', 'area'] as const)(
    'resizes and cuts as torchvision does, %s',
    async (interpolation) => {
      const fitted = fitImage(await load('rgb'), recipe({ resize: 'short-side', interpolation }, 14, 14));
      const { data } = reference(`short-side/${interpolation}/14`);
      expect(Buffer.from(fitted.data)).toEqual(Buffer.from(data as Uint8Array));
    },
  );

  it.each(['rgb', 'wide', 'tall'])(
    'cuts out the centre of the %s picture as torchvision does',
    async (name) => {
      const fitted = fitImage(await load(name), recipe({ resize: 'short-side' }, 14, 14));
      const { data } = reference(`short-side/${name}/14`);
      expect(Buffer.from(fitted.data)).toEqual(Buffer.from(data as Uint8Array));
    },
  );

  it('covers a model that is not square', async () => {
    const fitted = fitImage(await load('wide'), recipe({ resize: 'short-side' }, 7, 20));
    expect([fitted.height, fitted.width]).toEqual([7, 20]);
  });

  it('leaves a picture of exactly the size alone unless the user asks for the crop', async () => {
    const exact = await load('rgb');
    expect(fitImage(exact, recipe({ preset: 'imagenet' }, 23, 31))).toBe(exact);
    expect(fitImage(exact, recipe({ preset: 'imagenet', resize: 'short-side' }, 23, 31))).not.toBe(exact);
  });
});

describe('fitImage letterbox', () => {
  it.each(['rgb', 'wide', 'tall'])('pads the %s picture as Ultralytics does', async (name) => {
    const fitted = fitImage(await load(name), recipe({ resize: 'letterbox' }, 21, 20));
    const { dims, data } = reference(`letterbox/${name}/20x21`);
    expect([fitted.height, fitted.width, fitted.channels]).toEqual(dims);
    expect(Buffer.from(fitted.data)).toEqual(Buffer.from(data as Uint8Array));
  });

  it('pads at the bottom and the right for rtmdet', async () => {
    const { data } = fitImage(await load('wide'), recipe({ preset: 'rtmdet' }, 20, 20));
    const row = (y: number): number[] => Array.from(data.subarray(y * 60, y * 60 + 60));
    expect(row(0)).not.toEqual(new Array(60).fill(114));
    expect(row(19)).toEqual(new Array(60).fill(114));
  });
});

describe('fitImage none', () => {
  it('takes pictures of the size of the model and names the others', async () => {
    const picture = await load('rgb');
    expect(fitImage(picture, recipe({ resize: 'none' }, 23, 31))).toBe(picture);
    expect(() => fitImage(picture, recipe({ resize: 'none' }, 24, 31))).toThrow(
      'it is 31x23; the model takes 31x24',
    );
  });
});
