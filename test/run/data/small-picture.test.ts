import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { decodeImage, type Orientation } from '../../../src/run/data/decode.js';
import { smallPicture, smallSize } from '../../../src/run/data/small-picture.js';
import { workspace } from '../../support/workspace.js';
import { fixture } from './support.js';
import { readFile } from 'node:fs/promises';

const files = workspace();

/** Largest difference of a channel between what is shown and the image, where that was not made smaller. */
async function worstError(name: string, orientation: Orientation): Promise<number> {
  const { bytes } = await smallPicture(fixture('images', name), orientation);
  const shown = await sharp(bytes).removeAlpha().raw().toBuffer();
  const { data } = await decodeImage(await readFile(fixture('images', name)), orientation);
  return data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - shown[i]!)), 0);
}

/** An image of grey steps, as noisy as a photograph. */
async function noise(name: string, width: number, height: number): Promise<string> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919 + ((i * i) >> 3)) & 255);
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
  return files.file(name, jpeg);
}

describe('smallPicture', () => {
  it.each(['rgb.png', 'grey.jpg', 'palette.png', 'cmyk.jpg', 'one_bit.png', 'rgba.png', 'grey_16.png'])(
    'shows %s without loss, as networks are fed it',
    async (name) => {
      expect(await worstError(name, 'stored')).toBe(0);
    },
  );

  it('turns pictures upright where networks are fed them so', async () => {
    const [stored, upright] = await Promise.all(
      (['stored', 'exif'] as const).map((orientation) =>
        smallPicture(fixture('images', 'exif_6.jpg'), orientation),
      ),
    );
    expect([upright!.width, upright!.height]).toEqual([stored!.height, stored!.width]);
    expect(stored!.width).not.toBe(stored!.height);
    expect(await worstError('exif_6.jpg', 'exif')).toBe(0);
    // A viewer must not turn it again.
    expect((await sharp(upright!.bytes).metadata()).orientation).toBeUndefined();
  });

  it('makes photographs small, as JPEG, with the same bytes each time', async () => {
    const path = await noise('photo.jpg', 1000, 400);
    const [one, other] = [await smallPicture(path, 'stored'), await smallPicture(path, 'stored')];
    expect(one).toMatchObject({ type: 'image/jpeg', width: 256, height: 102 });
    const { width, height, format } = await sharp(one.bytes).metadata();
    expect([width, height, format]).toEqual([256, 102, 'jpeg']);
    expect(Buffer.from(one.bytes)).toEqual(Buffer.from(other.bytes));
  });

  it('keeps the pixels of tiny pictures', async () => {
    const { type, width } = await smallPicture(await noise('tiny.jpg', 64, 64), 'stored');
    expect([type, width]).toEqual(['image/png', 64]);
  });

  it.each([fixture('images', 'truncated.jpg'), fixture('images', 'bomb.png'), 'nowhere.png'])(
    'refuses %s',
    async (path) => {
      await expect(smallPicture(path, 'stored')).rejects.toBeInstanceOf(DataError);
    },
  );
});

it('sizes keep the aspect, and slim pictures a pixel', () => {
  expect(smallSize({ width: 640, height: 480 })).toEqual({ width: 256, height: 192 });
  expect(smallSize({ width: 32, height: 20 })).toEqual({ width: 32, height: 20 });
  expect(smallSize({ width: 1, height: 4000 })).toEqual({ width: 1, height: 256 });
});
