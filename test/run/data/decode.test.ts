import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { decodeImage, toGrey } from '../../../src/run/data/decode.js';
import { fixture, reference, referencesIn } from './support.js';

const load = (name: string): Buffer => readFileSync(fixture('images', name));

describe('decodeImage', () => {
  const names = referencesIn('decoded').map((name) => name.slice('decoded/'.length));

  it.each(names)('gives the pixels that Pillow gives for %s', async (name) => {
    const pixels = await decodeImage(load(name), 'stored');
    const { dims, data } = reference(`decoded/${name}`);
    expect([pixels.height, pixels.width, pixels.channels]).toEqual(dims);
    expect(Buffer.from(pixels.data)).toEqual(Buffer.from(data as Uint8Array));
  });

  it('covers every kind of picture that Pillow made', () => {
    expect(names.length).toBeGreaterThanOrEqual(22);
  });

  it('turns pictures upright by EXIF when asked to', async () => {
    const pixels = await decodeImage(load('exif_6.jpg'), 'exif');
    const { dims, data } = reference('upright/exif_6.jpg');
    expect([pixels.height, pixels.width, pixels.channels]).toEqual(dims);
    expect(Buffer.from(pixels.data)).toEqual(Buffer.from(data as Uint8Array));
  });

  it.each([
    ['truncated.jpg', /premature end|truncated/i],
    ['rgb.bmp', /not a jpeg, png, gif, webp, tiff image/],
    ['float.tif', /type float; images of 8 or 16 bits/],
    ['bomb.png', /60000x60000 pixels|pixel limit/],
  ])('refuses %s with a reason', async (name, reason) => {
    const failure = decodeImage(load(name), 'stored');
    await expect(failure).rejects.toBeInstanceOf(DataError);
    await expect(failure).rejects.toThrow(reason);
  });

  it('does not hand SVG to the image library, whatever its name', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>');
    await expect(decodeImage(svg, 'stored')).rejects.toThrow(/it is not a jpeg/);
  });

  it('refuses bytes cut off anywhere or flipped without ever failing in another way', async () => {
    const png = load('rgb.png');
    for (const length of [0, 3, 8, 20, 33, 60, png.length - 20]) {
      await expect(decodeImage(png.subarray(0, length), 'stored')).rejects.toBeInstanceOf(DataError);
    }
    for (let at = 0; at < png.length; at += 37) {
      const flipped = Buffer.from(png);
      flipped[at]! ^= 0x55;
      const result = await decodeImage(flipped, 'stored').catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(DataError);
    }
  });
});

describe('toGrey', () => {
  it('weighs the channels as Pillow does', async () => {
    const grey = toGrey(await decodeImage(load('rgb.png'), 'stored'));
    expect([grey.height, grey.width]).toEqual(reference('grey/rgb.png').dims);
    expect(Buffer.from(grey.data)).toEqual(Buffer.from(reference('grey/rgb.png').data as Uint8Array));
  });

  it('gives back the values of a grey picture', async () => {
    const pixels = await decodeImage(load('grey.png'), 'stored');
    const grey = toGrey(pixels);
    expect(Array.from(grey.data)).toEqual(Array.from(pixels.data).filter((_, i) => i % 3 === 0));
  });
});
