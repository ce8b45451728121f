/** Folders, and images that cannot be read. */
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { npy } from '../../support/npy.js';
import type { Workspace } from '../../support/workspace.js';
import { filled, INPUT } from './proto-models.js';
import { fine, refused, type Row } from './row.js';

const IMAGES = fileURLToPath(new URL('../../../fixtures/data/images/', import.meta.url));

export function imageRows(files: Workspace): Row[] {
  return [...folders(files), ...images(files)];
}

/** Copies a fixture image into a folder of the workspace. */
function image(files: Workspace, from: string, to: string): void {
  const path = join(files.folder, to);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(join(IMAGES, from), path);
}

function folders(files: Workspace): Row[] {
  for (const i of [0, 1, 2]) {
    image(files, 'rgb.png', `images/${i}.png`);
    image(files, 'rgb.png', `loop/${i}.png`);
    files.file(`labels/${i}.txt`, '0 .5 .5 .1 .1\n');
    files.file(`none-readable/${i}.png`, 'not an image');
  }
  for (const i of [0, 1, 3, 4]) image(files, 'rgb.png', `some-unreadable/${i}.png`);
  image(files, 'truncated.jpg', 'some-unreadable/2.jpg');
  files.file('some-unreadable/5.png', 'not an image');
  files.file('other/readme.md', 'read me');
  files.file('other/table.csv', '1,2');
  mkdirSync(join(files.folder, 'empty'));
  mkdirSync(join(files.folder, 'circle'));
  symlinkSync('b', join(files.folder, 'circle/a'));
  symlinkSync('a', join(files.folder, 'circle/b'));
  symlinkSync('.', join(files.folder, 'loop/again'));
  symlinkSync('nowhere.png', join(files.folder, 'loop/nowhere.png'));
  image(files, 'rgb.png', 'mixed/a.png');
  files.file('mixed/b.npy', npy(INPUT, filled(INPUT)));
  files.file('hostile/\u001b[31m\u202e.png', 'not an image');
  return [
    refused('an empty folder', 'good.onnx empty', 'empty holds no data', 'it is empty', 'hint: --calib PATH'),
    refused('a folder that is not there', 'good.onnx nowhere', 'nowhere', 'does not exist', 'hint: --calib'),
    refused('a folder without data', 'good.onnx other', 'holds no data, only 1 .md, 1 .csv'),
    refused('a folder of labels', 'good.onnx labels', 'holds no data, only 3 .txt'),
    refused(
      'images and arrays in one folder',
      'good.onnx mixed',
      '1 images and 1 .npy',
      'hint: --calib LIST.txt',
    ),
    refused(
      'unreadable images among many: all of them, by name',
      'good.onnx some-unreadable',
      '2 of 6 samples cannot be read',
      '2.jpg (sample 3 of 6): it is damaged or truncated',
      '5.png (sample 6 of 6): it is not a',
      'hint: --skip-unreadable',
    ),
    refused('unreadable images alone', 'good.onnx none-readable', '3 of 3 samples cannot be read'),
    refused(
      'unreadable images alone, to be left out',
      'good.onnx none-readable --skip-unreadable',
      'none of the 3 samples can be read',
      '1.png: ',
    ),
    refused('names that steer the terminal', 'good.onnx hostile', '\\u001b[31m\\u202e.png'),
    fine('links that lead back to their folder, and nowhere', 'good.onnx loop'),
    refused('links that lead to each other', 'good.onnx circle', '2 that are no regular files'),
  ];
}

function images(files: Workspace): Row[] {
  const kinds = ['cmyk.jpg', 'palette.png', 'rgb.gif', 'rgb.webp', 'grey_16.png', 'rgb_16.png', 'rgba.png'];
  kinds.push('one_bit.png', 'grey.png', 'exif_6.jpg', 'animated.gif', 'cmyk.tif');
  for (const name of kinds) image(files, name, `kinds/${name}`);
  image(files, 'rgb.bmp', 'bmp/a.bmp');
  image(files, 'float.tif', 'float/a.tif');
  files.file('large/a.png', png(20_000, 20_000));
  files.file('endless/a.png', png(2 ** 31 - 1, 2 ** 31 - 1));
  files.file('cut/a.png', png(300, 300));
  files.file('tiny/a.png', png(1, 1));
  image(files, 'rgb.png', 'tiny/b.png');
  files.file('black/a.png', png(4, 4));
  files.file('svg/a.png', '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
  return [
    fine('images of every kind', 'good.onnx kinds'),
    fine('an image of one pixel among others', 'good.onnx tiny'),
    refused('black images', 'good.onnx black', 'is constant', 'input x is 0 everywhere, samples: 1'),
    refused('20000 x 20000 pixels', 'good.onnx large', 'a.png', '20000x20000 pixels; up to 178956970'),
    refused('2^31 x 2^31 pixels', 'good.onnx endless', 'a.png'),
    refused('an image without its pixels', 'good.onnx cut', 'a.png', 'damaged or truncated'),
    refused('SVG named .png', 'good.onnx svg', 'a.png', 'it is not a'),
    refused('BMP', 'good.onnx bmp', 'a.bmp', '.bmp images are not read'),
    refused('float TIFF', 'good.onnx float', 'a.tif', 'of type float', 'hint: save such data as .npy'),
    refused(
      'another size where none is made',
      'good.onnx tiny --resize none',
      '1x1',
      '4x4',
      'hint: --resize',
    ),
    refused(
      'two means for three channels',
      'good.onnx images --mean 1,2',
      '--mean 1,2 has 2 numbers',
      'hint: ',
    ),
    refused('a deviation of 0', 'good.onnx images --std 0', 'must be above 0'),
  ];
}

/** A black image; of large ones only the first rows are there. */
function png(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8); // 8 bits, RGB
  const rows = Buffer.alloc(Math.min(1000, height * (1 + 3 * width)));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}
