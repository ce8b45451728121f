import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DataError } from '../../../src/errors.js';
import type { Dataset, InputSpec } from '../../../src/run/data/dataset.js';
import { openDataset } from '../../../src/run/data/index.js';
import type { DatasetRequest } from '../../../src/run/data/index.js';
import {
  ARRAY_INPUT,
  counting,
  fixture,
  folderOf,
  IMAGE_INPUT,
  pictures,
  rejection,
  samplesOf,
  matching,
} from './support.js';

const open = (path: string, more: Partial<DatasetRequest> = {}): Promise<Dataset> =>
  openDataset({ sources: [path], inputs: [IMAGE_INPUT], ...more });

describe('a folder of images', () => {
  it('gives all of them, class folders included, in natural order', async () => {
    const folder = folderOf(pictures('cat/img10.png', 'cat/img9.png', 'ant/z.png', 'b.png', 'cat/Img1.png'));
    const dataset = await open(folder);
    expect(dataset).toMatchObject({ kind: 'images', count: 5, available: 5, path: folder });
    expect(dataset.ids).toEqual(['ant/z.png', 'b.png', 'cat/Img1.png', 'cat/img9.png', 'cat/img10.png']);
    const samples = await samplesOf({ sources: [folder], inputs: [IMAGE_INPUT] });
    expect(samples.map(({ id }) => id)).toEqual(dataset.ids);
  });

  it('passes over other files and says which', async () => {
    const folder = folderOf({
      ...pictures('a.PNG', '.hidden.png', '.cache/b.png'),
      'labels.csv': 'a',
      README: 'b',
      'c.txt': '',
    });
    const dataset = await open(folder);
    expect(dataset.ids).toEqual(['a.PNG']);
    expect(dataset.assumed).toContainEqual({
      what: 'ignored files',
      value: '1 without extension, 1 .txt, 1 .csv, 2 hidden',
      from: 'data',
    });
  });

  it('is images/ alone where masks/ stands beside it', async () => {
    const folder = folderOf({ ...pictures('images/val/a.jpg', 'masks/a.png'), 'labels/a.txt': '0' });
    const dataset = await open(folder);
    expect(dataset.ids).toEqual(['images/val/a.jpg']);
    expect(dataset.assumed).toContainEqual({
      what: 'folder',
      value: 'images/ alone, not the 2 files beside it',
      from: 'data',
    });
  });

  it('is every images/ in a tree of several', async () => {
    const folder = folderOf(pictures('calib/images/a.png', 'calib/masks/a.png', 'eval/images/b.png'));
    expect((await open(folder)).ids).toEqual(['calib/images/a.png', 'eval/images/b.png']);
  });

  it('may hold links, but not follow them in a circle', async () => {
    const folder = folderOf(pictures('real/a.png'));
    symlinkSync('../real', join(folder, 'real', 'again'));
    symlinkSync('..', join(folder, 'real', 'up'));
    symlinkSync('real/a.png', join(folder, 'z.png'));
    symlinkSync('nowhere.png', join(folder, 'broken.png'));
    const dataset = await open(folder);
    expect(dataset.ids).toEqual(['real/a.png', 'z.png']);
  });

  it('does not read from sockets and devices', async () => {
    const folder = folderOf(pictures('a.png'));
    const server = createServer().listen(join(folder, 'b.png'));
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const dataset = await open(folder);
    expect(dataset.ids).toEqual(['a.png']);
    expect(dataset.assumed).toContainEqual({
      what: 'ignored files',
      value: '1 that are no regular files',
      from: 'data',
    });
    await expect(open(join(folder, 'b.png'))).rejects.toThrow(/neither a file nor a folder/);
    await expect(open('/dev/zero')).rejects.toThrow(/neither a file nor a folder/);
  });

  it.each([
    ['nothing', {}, /holds no data; it is empty/],
    ['other files only', { 'a.csv': 'x', 'b.csv': 'y' }, /holds no data, only 2 \.csv/],
    [
      'images and arrays',
      { ...pictures('a.png'), 'b.npy': { fixture: 'arrays/one.npy' } },
      /1 images and 1 \.npy/,
    ],
    ['empty images', { ...pictures('a.png'), 'b.png': '', 'c.png': '' }, /2 of 3 files cannot be used/],
    [
      'formats that are not read',
      { 'a.bmp': { fixture: 'images/rgb.bmp' } },
      /a\.bmp: \.bmp images are not read; \.jpg/,
    ],
  ])('with %s is refused', async (_, files, reason) => {
    const failure = open(folderOf(files));
    await expect(failure).rejects.toBeInstanceOf(DataError);
    await expect(failure).rejects.toThrow(reason);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read is named', async () => {
    const folder = folderOf(pictures('a/b.png'));
    chmodSync(join(folder, 'a'), 0o000);
    await expect(open(folder)).rejects.toThrow(/permission denied/);
    chmodSync(join(folder, 'a'), 0o700);
  });
});

describe('an unreadable image among many', () => {
  const folder = (): string => {
    const path = folderOf(pictures('a.png', 'c.png', 'd.png'));
    copyFileSync(fixture('images/truncated.jpg'), join(path, 'b.jpg'));
    return path;
  };

  it('is named with its place and its reason when it is met', async () => {
    const dataset = await open(folder());
    const seen: string[] = [];
    const pass = async (): Promise<void> => {
      for await (const { id } of dataset.samples()) seen.push(id);
    };
    const error = await rejection(pass());
    expect(error).toMatchObject({
      name: 'DataError',
      message: matching(/^b\.jpg \(sample 2 of 4\): .*(premature|truncated)/i),
      hint: matching('--skip-unreadable'),
    });
    expect(seen).toEqual(['a.png']);
  });

  it('is left out and listed when that is allowed, once, however often the data is read', async () => {
    const dataset = await open(folder(), { skipUnreadable: true });
    expect(dataset).toMatchObject({ count: 4, excluded: [] });
    for (let pass = 0; pass < 2; pass++) {
      const seen: string[] = [];
      for await (const { id } of dataset.samples()) seen.push(id);
      expect(seen).toEqual(['a.png', 'c.png', 'd.png']);
      expect(dataset.excluded).toEqual([{ id: 'b.jpg', reason: matching(/premature|truncated/i) }]);
    }
  });

  it('has no place among those that can be read', async () => {
    const dataset = await open(folder(), { skipUnreadable: true });
    const seen = async (some?: Parameters<typeof dataset.samples>[0]): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { id } of dataset.samples(some)) ids.push(id);
      return ids;
    };
    await seen();
    expect(await seen([0, 2])).toEqual(['a.png', 'd.png']);
    expect(await seen({ from: 1, to: 3 })).toEqual(['c.png', 'd.png']);
  });

  it('is left out when it is empty, too', async () => {
    const path = folderOf({ ...pictures('a.png'), 'b.png': '' });
    const dataset = await open(path, { skipUnreadable: true });
    expect(dataset).toMatchObject({ count: 1, excluded: [{ id: 'b.png', reason: 'it is empty' }] });
  });

  it('that is the only one fails even so', async () => {
    const path = folderOf({ 'a.jpg': { fixture: 'images/truncated.jpg' } });
    const samples = samplesOf({ sources: [path], inputs: [IMAGE_INPUT], skipUnreadable: true });
    await expect(samples).rejects.toThrow('none of the 1 samples can be read');
  });

  it('that vanishes while the data is read is named', async () => {
    const path = folderOf(pictures('a.png', 'b.png', 'c.png'));
    const dataset = await open(path);
    const seen: string[] = [];
    truncateSync(join(path, 'c.png'), 10);
    const pass = async (): Promise<void> => {
      for await (const { id } of dataset.samples()) seen.push(id);
    };
    await expect(pass()).rejects.toThrow(/c\.png \(sample 3 of 3\)/);
  });
});

describe('samples', () => {
  const ten = (): string => folderOf(pictures(...counting(10).map((i) => `${i}.png`)));

  it('asked for are spread evenly over the order, which is said', async () => {
    const dataset = await open(ten(), { samples: 4 });
    expect(dataset.ids).toEqual(['0.png', '2.png', '5.png', '7.png']);
    expect(dataset).toMatchObject({ count: 4, available: 10 });
    expect(dataset.assumed).toContainEqual({
      what: 'samples',
      value: '4 of 10, evenly spread over their order',
      from: 'flag',
    });
  });

  it('are all there is when more are asked for', async () => {
    const dataset = await open(ten(), { samples: 40 });
    expect(dataset.count).toBe(10);
    expect(dataset.assumed).toContainEqual({ what: 'samples', value: 'all 10', from: 'data' });
  });

  it.each([0, -1, 1.5, NaN])('cannot be %d', async (samples) => {
    await expect(open(ten(), { samples })).rejects.toThrow(
      `--samples ${samples}: an integer from 1 on is wanted`,
    );
  });

  it('are read one ahead and not further', async () => {
    const folder = folderOf(pictures(...counting(5).map((i) => `${i}.png`)));
    const dataset = await open(folder);
    const iterator = dataset.samples()[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    // Sample 1 has been read ahead; sample 2 has not.
    writeFileSync(join(folder, '1.png'), 'gone');
    writeFileSync(join(folder, '2.png'), 'gone');
    expect((await iterator.next()).value).toMatchObject({ id: '1.png' });
    await expect(iterator.next()).rejects.toThrow(/2\.png/);
  });

  it('may be abandoned in the middle', async () => {
    const dataset = await open(ten());
    for await (const { id } of dataset.samples()) {
      if (id === '3.png') break;
    }
    const again: string[] = [];
    for await (const { id } of dataset.samples()) again.push(id);
    expect(again).toHaveLength(10);
  });
});

describe('several inputs', () => {
  const IDS: InputSpec = { name: 'input_ids', dtype: 'int64', shape: ['N', 7] };
  const MASK: InputSpec = { name: 'mask', dtype: 'int64', shape: ['N', 7] };
  const ids = fixture('arrays/ids.npy');
  const mask = fixture('arrays/mask.npy');

  it('are fed from one path each', async () => {
    const request = { sources: [`mask=${mask}`, `input_ids=${ids}`], inputs: [IDS, MASK] };
    const samples = await samplesOf(request);
    expect(samples).toHaveLength(5);
    expect(samples[2]!.feeds.get('input_ids')!.data).toEqual(BigInt64Array.from(counting(7, 14).map(BigInt)));
    expect(samples[2]!.feeds.get('mask')!.data).toEqual(new BigInt64Array(7).fill(1n));
  });

  it('leave the one without a name to the path without a name', async () => {
    const image = { ...IMAGE_INPUT, name: 'pixels' };
    const folder = folderOf(pictures(...counting(5).map((i) => `${i}.png`)));
    const dataset = await openDataset({ sources: [folder, `mask=${mask}`], inputs: [image, MASK] });
    expect(dataset).toMatchObject({ kind: 'mixed', count: 5 });
    expect(dataset.preprocessing).toMatchObject({ preset: 'unit' });
  });

  it('may have names with an equals sign', async () => {
    const input = { ...IDS, name: 'a=b' };
    expect(
      await samplesOf({ sources: [`a=b=${ids}`], inputs: [input, { ...MASK, name: 'a' }].slice(0, 1) }),
    ).toHaveLength(5);
  });

  it.each([
    ['nothing for one of them', [`mask=${mask}`], /nothing is given for input input_ids \(int64 \[N, 7\]\)/],
    ['a path that could feed either', [ids], /ids\.npy feeds one input; the model has input_ids.*, mask/],
    ['two paths without names', [ids, mask], /which inputs do they feed/],
    ['one path too many', [`mask=${mask}`, `input_ids=${ids}`, ids], /which inputs do they feed/],
    ['an input twice', [`mask=${mask}`, `mask=${mask}`], /input mask is given twice/],
  ])('with %s are refused', async (_, sources, reason) => {
    const error = await rejection(openDataset({ sources, inputs: [IDS, MASK], flag: '--calib' }));
    expect(error).toMatchObject({ name: 'UsageError', message: matching(reason) });
  });

  it('must have the same number of samples', async () => {
    const other = { name: 'x', dtype: 'float32', shape: [3, 4, 6] } as const;
    const error = await rejection(
      openDataset({ sources: [`x=${fixture('arrays/one.npy')}`, `mask=${mask}`], inputs: [other, MASK] }),
    );
    expect(error).toMatchObject({
      message: matching('same number'),
      places: ['x: 1', 'mask: 5'],
    });
  });

  it('report all paths that cannot be used', async () => {
    const error = await rejection(
      openDataset({ sources: ['mask=gone.npy', 'input_ids=lost.npy'], inputs: [IDS, MASK] }),
    );
    expect(error).toMatchObject({
      message: '2 of 2 paths cannot be used',
      places: ['gone.npy: it does not exist', 'lost.npy: it does not exist'],
    });
  });
});

describe('a path', () => {
  it('that does not exist is named with what is read', async () => {
    const error = await rejection(open('no/such/folder', { flag: '--calib' }));
    expect(error).toMatchObject({
      name: 'DataError',
      message: 'no/such/folder: it does not exist',
      hint: matching(/^--calib PATH: a folder of images/),
    });
  });

  it('to a file of another kind is refused', async () => {
    const folder = folderOf({ 'a.tfrecord': 'x' });
    await expect(open(join(folder, 'a.tfrecord'))).rejects.toThrow(/a kind that is not read/);
  });

  it('of links in a circle is refused', async () => {
    const folder = folderOf();
    symlinkSync('b.npy', join(folder, 'a.npy'));
    symlinkSync('a.npy', join(folder, 'b.npy'));
    await expect(open(join(folder, 'a.npy'))).rejects.toThrow(/links lead in a circle/);
  });
});

describe('--shape', () => {
  it('fills in what the model leaves open', async () => {
    const inputs = [{ ...IMAGE_INPUT, shape: ['N', 3, null, null] }];
    const shapes = new Map([['image', [1, 3, 10, 12]]]);
    const [sample] = await samplesOf({ sources: [fixture('images/rgb.png')], inputs, shapes });
    expect(sample!.feeds.get('image')!.dims).toEqual([1, 3, 10, 12]);
  });

  it.each([
    [
      'another size than the model',
      'image',
      [1, 3, 15, 15],
      /--shape image=1x3x15x15: the model has \[N, 3, 14, 14\]/,
    ],
    ['another rank', 'image', [3, 14, 14], /the model has/],
    ['an input that is not there', 'pixels', [1, 3, 14, 14], /has no input pixels; it has image/],
  ])('with %s is refused', async (_, name, dims, reason) => {
    const failure = open(fixture('images/rgb.png'), { shapes: new Map([[name, dims]]) });
    await expect(failure).rejects.toThrow(reason);
  });
});

describe('sha256', () => {
  const digest = async (path: string, more: Partial<DatasetRequest> = {}): Promise<string> =>
    (await open(path, more)).sha256();

  it('depends on names, contents and choice, not on the place', async () => {
    const first = await digest(folderOf(pictures('a.png', 'b.png')));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await digest(folderOf(pictures('a.png', 'b.png')))).toBe(first);
    const others = [
      await digest(folderOf(pictures('a.png', 'c.png'))),
      await digest(folderOf({ ...pictures('a.png'), 'b.png': { fixture: 'images/wide.png' } })),
      await digest(folderOf(pictures('a.png'))),
    ];
    expect(new Set([first, ...others]).size).toBe(4);
    expect(await digest(folderOf(pictures('a.png', 'b.png')), { samples: 1 })).toBe(others[2]);
  });

  it('depends on the seed of random data', async () => {
    const [a, b, c] = [await digest('random'), await digest('random', { seed: 1 }), await digest('random')];
    expect(a).not.toBe(b);
    expect(c).toBe(a);
  });
});

it('says that flags for pictures do not touch arrays', async () => {
  const { assumed } = await openDataset({
    sources: [fixture('arrays/stack.npy')],
    inputs: [ARRAY_INPUT],
    preprocessing: { preset: 'imagenet', resize: undefined },
  });
  expect(assumed).toContainEqual({
    what: 'preprocessing',
    value: 'none: x is fed as stored, --preset do not apply to arrays',
    from: 'default',
  });
});

it('refuses inputs that cannot be fed', async () => {
  const inputs = [{ name: 'x', dtype: 'string', shape: ['N'] }] as const;
  await expect(openDataset({ sources: [fixture('arrays/f4.npy')], inputs })).rejects.toThrow(/type string/);
});

it('reads deeply nested folders to a limit', async () => {
  const folder = folderOf();
  const deep = join(folder, ...counting(40).map(String));
  mkdirSync(deep, { recursive: true });
  copyFileSync(fixture('images/rgb.png'), join(deep, 'a.png'));
  await expect(open(folder)).rejects.toThrow(/nested deeper than 32/);
});
