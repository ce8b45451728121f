import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { openDataset } from '../../../src/run/data/index.js';
import { zipEntries } from '../../../src/run/data/zip.js';
import type { InputSpec } from '../../../src/run/data/dataset.js';
import { counting, fixture, folderOf, numbers, rejection, samplesOf, matching } from './support.js';

const IDS: InputSpec = { name: 'input_ids', dtype: 'int64', shape: ['N', 7] };
const MASK: InputSpec = { name: 'attention_mask', dtype: 'int64', shape: ['N', 7] };
const request = (
  name: string,
  inputs: readonly InputSpec[] = [MASK, IDS],
): Parameters<typeof openDataset>[0] => ({
  sources: [fixture(`arrays/${name}.npz`)],
  inputs,
});

describe('a .npz archive', () => {
  it.each(['stored', 'deflated'])('(%s) feeds the inputs that its keys name, row by row', async (name) => {
    const samples = await samplesOf(request(name));
    expect(samples.map(({ id }) => id)).toEqual(counting(5).map((i) => `${name}.npz#${i}`));
    expect(samples.flatMap(({ feeds }) => numbers(feeds.get('input_ids')!.data))).toEqual(counting(35));
    expect(samples.flatMap(({ feeds }) => numbers(feeds.get('attention_mask')!.data))).toEqual(
      new Array(35).fill(1),
    );
    expect(samples[0]!.feeds.get('input_ids')!.dims).toEqual([1, 7]);
  });

  it('says which arrays are not used', async () => {
    const { assumed, kind } = await openDataset(request('stored'));
    expect(kind).toBe('npz');
    expect(assumed).toContainEqual({ what: 'arrays', value: 'labels not used', from: 'data' });
  });

  it('feeds arrays without names by position and says so', async () => {
    const dataset = await openDataset(request('positional', [IDS, MASK]));
    expect(dataset.assumed).toContainEqual({
      what: 'arrays',
      value: 'arr_0 fed to input input_ids',
      from: 'data',
    });
    const [first] = await samplesOf(request('positional', [IDS, MASK]));
    expect(numbers(first!.feeds.get('input_ids')!.data)).toEqual(counting(7));
  });

  it('feeds one named input of several', async () => {
    const samples = await samplesOf({
      sources: [`attention_mask=${fixture('arrays/mask.npy')}`, fixture('arrays/deflated.npz')],
      inputs: [IDS, MASK],
    });
    expect(samples).toHaveLength(5);
  });

  it('says which arrays it holds when the keys do not fit', async () => {
    const other: InputSpec = { name: 'tokens', dtype: 'int64', shape: ['N', 7] };
    await expect(openDataset(request('deflated', [other, MASK]))).rejects.toThrow(
      'deflated.npz: it holds input_ids, attention_mask; arrays called tokens, attention_mask are wanted',
    );
  });

  it('refuses arrays of different numbers of samples', async () => {
    const failure = openDataset(request('uneven'));
    await expect(failure).rejects.toBeInstanceOf(DataError);
    await expect(failure).rejects.toThrow(
      /uneven\.npz: inputs attention_mask and input_ids have different numbers/,
    );
  });

  it('is expanded sample by sample, also in Fortran order', async () => {
    const x: InputSpec = { name: 'x', dtype: 'float32', shape: ['N', 3, 20, 20] };
    const sums: InputSpec = { name: 'sums', dtype: 'float32', shape: ['N'] };
    const samples = await samplesOf(request('noise', [x, sums]));
    expect(samples).toHaveLength(24);
    for (const { feeds } of samples) {
      const total = numbers(feeds.get('x')!.data).reduce((sum, value) => sum + value, 0);
      expect(total).toBe(numbers(feeds.get('sums')!.data)[0]);
    }
  });

  it('gives chosen samples of a deflated array', async () => {
    const x: InputSpec = { name: 'x', dtype: 'float32', shape: ['N', 3, 20, 20] };
    const all = await samplesOf(request('noise', [x]));
    const some = await samplesOf({ ...request('noise', [x]), samples: 4 });
    expect(some.map(({ id }) => id)).toEqual([0, 6, 12, 18].map((i) => `noise.npz#${i}`));
    expect(some[2]!.feeds).toEqual(all[12]!.feeds);
  });

  it('is refused when damaged anywhere, with a reason and in no other way', async () => {
    const bytes = readFileSync(fixture('arrays/deflated.npz'));
    for (let at = 0; at < bytes.length; at += 3) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0xff;
      const folder = folderOf({ 'x.npz': damaged });
      const result = await samplesOf({ ...request(''), sources: [join(folder, 'x.npz')] }).catch(
        (error: unknown) => error,
      );
      if (result instanceof Error) expect(result, `byte ${at}: ${result.stack}`).toBeInstanceOf(DataError);
    }
  });

  it.each([10, 100, 400])('is refused when cut off after %i bytes', async (length) => {
    const folder = folderOf({ 'x.npz': readFileSync(fixture('arrays/deflated.npz')).subarray(0, length) });
    const error = await rejection(openDataset({ ...request(''), sources: [join(folder, 'x.npz')] }));
    expect(error).toMatchObject({ name: 'DataError', message: matching(/x\.npz: .*truncated/) });
  });
});

describe('a folder of .npz archives', () => {
  it('gives the samples of all of them', async () => {
    const folder = folderOf({
      'a.npz': { fixture: 'arrays/stored.npz' },
      'b.npz': { fixture: 'arrays/deflated.npz' },
    });
    const samples = await samplesOf({ sources: [folder], inputs: [IDS, MASK] });
    expect(samples.map(({ id }) => id).slice(4, 6)).toEqual(['a.npz#4', 'b.npz#0']);
    expect(samples).toHaveLength(10);
  });
});

describe('zipEntries', () => {
  /** An archive of one stored entry, its sizes and offset in 64-bit fields as archives beyond 4 GB have them. */
  function zip64(content: Buffer): Buffer {
    const name = Buffer.from('x.npy');
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const extra = Buffer.alloc(4 + 24);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    extra.writeBigUInt64LE(BigInt(content.length), 4);
    extra.writeBigUInt64LE(BigInt(content.length), 12);
    extra.writeBigUInt64LE(0n, 20);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt32LE(0xffffffff, 20);
    central.writeUInt32LE(0xffffffff, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE(0xffffffff, 42);
    const directory = Buffer.concat([central, name, extra]);
    const offset = local.length + name.length + content.length;
    const end64 = Buffer.alloc(56);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(BigInt(directory.length), 40);
    end64.writeBigUInt64LE(BigInt(offset), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(offset + directory.length), 8);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt32LE(0xffffffff, 12);
    end.writeUInt32LE(0xffffffff, 16);
    return Buffer.concat([local, name, content, directory, end64, locator, end]);
  }

  it('reads the 64-bit fields of large archives', async () => {
    const content = readFileSync(fixture('arrays/ids.npy'));
    const archive = zip64(content);
    const folder = folderOf({ 'x.npz': archive });
    const [entry] = await zipEntries(join(folder, 'x.npz'), archive.length);
    expect(entry).toMatchObject({ name: 'x.npy', size: content.length });
    const reader = entry!.open();
    expect(Buffer.from(await reader.read(0, content.length))).toEqual(content);
    await reader.close();
  });

  it('refuses an entry that claims to expand beyond what deflate can do', async () => {
    const archive = Buffer.from(readFileSync(fixture('arrays/deflated.npz')));
    const central = archive.indexOf(Buffer.of(0x50, 0x4b, 0x01, 0x02));
    archive.writeUInt32LE(0x7fffffff, central + 24);
    const folder = folderOf({ 'x.npz': archive });
    await expect(zipEntries(join(folder, 'x.npz'), archive.length)).rejects.toThrow(/damaged/);
  });
});
