import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeMask } from '../../../src/run/labels/index-png.js';
import { IGNORED } from '../../../src/run/labels/truth.js';
import type { Truth } from '../../../src/run/labels/truth.js';
import { folderOf, rejection } from '../data/support.js';
import { labelFixture, labelsOf, REFERENCE, refusal, saidBy, samplesIn, truthsOf } from './support.js';

const png = (name: string): Buffer => readFileSync(labelFixture('masks', `${name}.png`));
const wanted = ['mask'] as const;

/** CRC-32 of PNG. */
function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** A grey PNG of 8 bits whose header and pixels need not agree. */
function made(width: number, height: number, raw: Uint8Array, more: readonly Buffer[] = []): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const chunks = [
    chunk('IHDR', header),
    ...more,
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
}

/** A mask of 2 x 2 pixels. */
const small = (...ids: number[]): Buffer =>
  made(2, 2, Uint8Array.from([0, ids[0]!, ids[1]!, 0, ids[2]!, ids[3]!]));

const pixels = (truth: Truth | undefined): number[] => (truth?.kind === 'mask' ? [...truth.data] : []);

describe('the pixels of a mask', () => {
  it.each(Object.keys(REFERENCE.masks))('are the numbers that Pillow reads: %s', async (name) => {
    const { data, ...size } = await decodeMask(png(name));
    expect({ ...size, data: [...data] }).toEqual({ kind: 'mask', ...REFERENCE.masks[name] });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['RGB', png('rgb'), /its pixels are RGB, not class numbers/],
    ['several frames', png('animation'), /an animation of several frames/],
    ['another format', Buffer.from('GIF89a'), /it is not a PNG file/],
    ['a cut header', png('grey8').subarray(0, 20), /ends inside the PNG header/],
    ['a cut file', png('grey8').subarray(0, 80), /truncated/],
    ['a changed byte', Buffer.from(png('grey8').map((byte, i) => (i === 60 ? byte ^ 1 : byte))), /damaged/],
    ['pixels that expand beyond the image', made(2, 2, new Uint8Array(1 << 20)), /damaged/],
    ['missing rows', made(2, 3, new Uint8Array(6)), /rows are missing/],
    ['extents beyond memory', made(1 << 20, 1 << 20, new Uint8Array(6)), /1048576x1048576 pixels/],
    ['no pixels', made(0, 2, new Uint8Array(6)), /0x2 pixels/],
  ])('are refused: %s', async (_, bytes, form) => {
    expect(String(await rejection(decodeMask(bytes)))).toMatch(form);
  });

  it('do not depend on chunks that could be made to expand without end', async () => {
    const profile = Buffer.concat([
      Buffer.from('icc\0\0', 'latin1'),
      deflateSync(Buffer.alloc(1 << 24)).subarray(0, 500),
    ]);
    const mask = await decodeMask(made(2, 2, Uint8Array.from([0, 1, 2, 0, 3, 4]), [chunk('iCCP', profile)]));
    expect([...mask.data]).toEqual([1, 2, 3, 4]);
  });
});

describe('masks beside images', () => {
  it('are found in masks/, also below folders, and with the extensions of either', async () => {
    const root = folderOf({
      'masks/val/a.png': small(0, 1, 1, 255),
      'masks/val/b.jpg.png': small(2, 2, 2, 2),
    });
    const samples = samplesIn(root, 'images/val/a.jpg', 'images/val/b.jpg');
    const truths = await truthsOf({ root, samples, wanted });
    expect(truths.map(pixels)).toEqual([
      [0, 1, 1, IGNORED],
      [2, 2, 2, 2],
    ]);
    const labels = await labelsOf({ root, samples, wanted });
    expect(saidBy(labels)).toContain('ignored pixels: label 255');
    expect(await truthsOf({ root, samples, wanted, labels: join(root, 'masks') })).toEqual(truths);
    expect(await truthsOf({ root, samples, wanted, labels: root })).toEqual(truths);
  });

  it('do not mix those of train and val', async () => {
    const root = folderOf({ 'train/masks/a.png': small(0, 0, 0, 0), 'val/masks/a.png': small(1, 1, 1, 1) });
    const samples = samplesIn(root, 'val/images/a.jpg', 'train/images/a.jpg');
    expect((await truthsOf({ root, samples, wanted })).map(pixels)).toEqual([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ]);
    const half = folderOf({ 'train/masks/a.png': small(0, 0, 0, 0) });
    expect(
      await refusal({
        root: half,
        samples: samplesIn(half, 'train/images/a.jpg', 'val/images/a.jpg'),
        wanted,
      }),
    ).toMatch(/1 of 2 samples have no label[^]*val\/images\/a.jpg/);
  });

  it('have the suffixes of Cityscapes, of which the numbering of training is taken', async () => {
    const root = folderOf({
      'gtFine/val/ulm/ulm_1_gtFine_labelIds.png': small(7, 7, 7, 7),
      'gtFine/val/ulm/ulm_1_gtFine_labelTrainIds.png': small(0, 0, 0, 255),
      'gtFine/val/ulm/ulm_1_gtFine_color.png': png('rgb'),
    });
    const samples = samplesIn(root, 'leftImg8bit/val/ulm/ulm_1_leftImg8bit.png');
    expect((await truthsOf({ root, samples, wanted })).map(pixels)).toEqual([[0, 0, 0, IGNORED]]);
    expect(saidBy(await labelsOf({ root, samples, wanted }))).toContain(
      'masks not read: NAME_gtFine_labelIds.png',
    );
  });

  it('keep 255 where it is a class, and ignore what --ignore-label says instead', async () => {
    const root = folderOf({ 'masks/a.png': small(0, 1, 255, 2) });
    const asked = { root, samples: samplesIn(root, 'images/a.jpg'), wanted };
    expect((await truthsOf({ ...asked, model: { count: 256 } })).map(pixels)).toEqual([[0, 1, 255, 2]]);
    expect((await truthsOf({ ...asked, ignoreLabel: 0, model: { count: 256 } })).map(pixels)).toEqual([
      [IGNORED, 1, 255, 2],
    ]);
    expect(await refusal({ ...asked, ignoreLabel: 0, model: { count: 3 } })).toMatch(
      /does not have: 255; it has classes 0 to 2/,
    );
  });

  it('with classes that the model does not have are refused with their numbers and a map', async () => {
    const root = folderOf({ 'masks/a.png': small(0, 30, 31, 32), 'masks/b.png': small(1, 40, 40, 40) });
    const asked = {
      root,
      samples: samplesIn(root, 'images/a.jpg', 'images/b.jpg'),
      wanted,
      model: { count: 2 },
    };
    expect(await refusal(asked)).toBe(
      "the labels hold 4 classes that the model does not have: 30, 31, 32, 40; it has classes 0 to 1\nimages/a.jpg\nimages/a.jpg\nimages/a.jpg\nimages/b.jpg\nhint: --class-map '30=1,*=0' says which class of the model each label is; - ignores it",
    );
    const map = await truthsOf({ ...asked, classMap: '30=1,31=-,*=0' });
    expect(map.map(pixels)).toEqual([
      [0, 1, IGNORED, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('that are no masks are all named before one is read', async () => {
    const root = folderOf({ 'masks/a.png': png('rgb'), 'masks/b.png': 'text', 'masks/c.png': '' });
    const said = await refusal({
      root,
      samples: samplesIn(root, 'images/a.jpg', 'images/b.jpg', 'images/c.jpg'),
      wanted,
    });
    expect(said).toMatch(/^3 of 3 masks cannot be used\n/);
    expect(said).toMatch(
      /a.png: its pixels are RGB[^]*b.png: it is not a PNG file[^]*c.png: it is empty\nhint: save masks/,
    );
  });

  it('in a folder that names no sample are refused', async () => {
    const root = folderOf({ 'm/q.png': small(0, 0, 0, 0) });
    expect(
      await refusal({ root, samples: samplesIn(root, 'a.jpg'), wanted, labels: join(root, 'm') }),
    ).toMatch(
      /none of the 1 .png files in .*m is named like a sample\nsuch as q.png\nthe first sample is a.jpg/,
    );
  });
});
