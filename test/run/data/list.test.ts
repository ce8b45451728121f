import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/run/data/index.js';
import type { InputSpec } from '../../../src/run/data/dataset.js';
import { fixture, folderOf, IMAGE_INPUT, pictures, rejection, samplesOf, matching } from './support.js';

const A: InputSpec = { name: 'a', dtype: 'float32', shape: [1, 3, 4, 6] };
const B: InputSpec = { name: 'b', dtype: 'int64', shape: ['N', 7] };

async function idsOf(text: string, files: Parameters<typeof folderOf>[0]): Promise<readonly string[]> {
  const folder = folderOf({ ...files, 'list.txt': text });
  const dataset = await openDataset({ sources: [join(folder, 'list.txt')], inputs: [IMAGE_INPUT] });
  expect(dataset.kind).toBe('list');
  return dataset.ids;
}

describe('a list file', () => {
  it('names files relative to its own folder, in its own order', async () => {
    expect(await idsOf('sub/b.png\na.png\n', pictures('a.png', 'sub/b.png'))).toEqual(['sub/b.png', 'a.png']);
  });

  it('may have Windows line ends, a byte order mark, comments, blank lines and absolute paths', async () => {
    const absolute = fixture('images/rgb.png');
    const text = `\uFEFF# calibration\r\n\r\na.png\r\n  ./a.png  \r\n${absolute}\r\n`;
    expect(await idsOf(text, pictures('a.png'))).toEqual(['a.png', './a.png', absolute]);
  });

  it('may have spaces in its names', async () => {
    expect(await idsOf('my photo 1.png', pictures('my photo 1.png'))).toEqual(['my photo 1.png']);
  });

  it('may have labels or boxes after the paths, which are passed over and said so', async () => {
    const folder = folderOf({ ...pictures('a.png'), 'list.txt': 'a.png 65\na.png 10,20,30,40,0 1,2,3,4,1' });
    const { ids, assumed } = await openDataset({
      sources: [join(folder, 'list.txt')],
      inputs: [IMAGE_INPUT],
    });
    expect(ids).toEqual(['a.png', 'a.png']);
    expect(assumed).toContainEqual(expect.objectContaining({ what: 'list', value: matching('such as 65') }));
  });

  it.each([
    ['spaces, in the order of the inputs', 'a.npy ids.npy'],
    ['names, in any order', 'b:=ids.npy a:=a.npy'],
  ])('pairs the files of several inputs by %s', async (_, line) => {
    const folder = folderOf({
      'a.npy': { fixture: 'arrays/one.npy' },
      'ids.npy': pad(7),
      'list.txt': `%out\n${line}\n${line}\n`,
    });
    const samples = await samplesOf({ sources: [join(folder, 'list.txt')], inputs: [A, B] });
    expect(samples).toHaveLength(2);
    expect(samples[1]!.feeds.get('a')!.dims).toEqual([1, 3, 4, 6]);
    expect(samples[1]!.feeds.get('b')!.dims).toEqual([1, 7]);
  });

  it('of headerless files takes their type from the model', async () => {
    const folder = folderOf({
      'a.raw': new Uint8Array(288),
      'b.raw': new Uint8Array(288),
      'list.txt': 'b.raw\na.raw',
    });
    const samples = await samplesOf({ sources: [join(folder, 'list.txt')], inputs: [A] });
    expect(samples.map(({ id }) => id)).toEqual(['b.raw', 'a.raw']);
  });

  it('names up to ten missing files and how many more there are', async () => {
    const missing = Array.from({ length: 14 }, (_, i) => `gone${i}.png`);
    const folder = folderOf({ ...pictures('a.png'), 'list.txt': ['a.png', ...missing].join('\n') });
    const request = { sources: [join(folder, 'list.txt')], inputs: [IMAGE_INPUT] };
    const error = (await rejection(openDataset(request))) as { message: string; places: string[] };
    expect(error.message).toBe('14 of 15 files cannot be used');
    expect(error.places).toHaveLength(11);
    expect(error.places[0]).toBe('list.txt:2: gone0.png: it does not exist');
    expect(error.places[10]).toBe('and 4 more');
    const { ids, excluded } = await openDataset({ ...request, skipUnreadable: true });
    expect(ids).toEqual(['a.png']);
    expect(excluded).toHaveLength(14);
  });

  it.each([
    ['one path for two inputs', 'a.npy', /it has 1 entries; 2 are wanted, one per input: a, b/],
    ['a name that is no input', 'a:=a.npy c:=a.npy', /it has no entry b:=PATH/],
    ['a folder', 'a.npy .', /it is not a file/],
    ['nothing', '\n# only this\n', /lists no files/],
  ])('with %s is refused', async (_, text, reason) => {
    const folder = folderOf({ 'a.npy': { fixture: 'arrays/one.npy' }, 'list.txt': text });
    await expect(openDataset({ sources: [join(folder, 'list.txt')], inputs: [A, B] })).rejects.toThrow(
      reason,
    );
  });

  it('refuses files of several samples beside files of another input', async () => {
    const folder = folderOf({
      'a.npy': { fixture: 'arrays/stack.npy' },
      'b.npy': { fixture: 'arrays/ids.npy' },
      'list.txt': 'a.npy b.npy',
    });
    await expect(openDataset({ sources: [join(folder, 'list.txt')], inputs: [A, B] })).rejects.toThrow(
      /it holds 5 samples; every file of a list holds one/,
    );
  });

  it('refuses images beside arrays for one input', async () => {
    const folder = folderOf({
      ...pictures('a.png'),
      'b.npy': { fixture: 'arrays/one.npy' },
      'list.txt': 'a.png\nb.npy',
    });
    await expect(openDataset({ sources: [join(folder, 'list.txt')], inputs: [A] })).rejects.toThrow(
      /\.png \.npy/,
    );
  });
});

/** A .npy of `count` int64 zeros. */
function pad(count: number): Buffer {
  const header = `{'descr': '<i8', 'fortran_order': False, 'shape': (${count},), }`.padEnd(117) + '\n';
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  return Buffer.concat([start, Buffer.from(header), Buffer.alloc(8 * count)]);
}
