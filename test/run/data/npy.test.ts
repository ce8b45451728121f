import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { openDataset } from '../../../src/run/data/index.js';
import type { DType } from '../../../src/ir/graph.js';
import {
  ARRAY_INPUT,
  counting,
  feedsOf,
  fixture,
  folderOf,
  numbers,
  rejection,
  samplesOf,
  matching,
} from './support.js';

/** arrays/NAME.npy holds 0, 1, ... 11 as [3, 4]. */
const rows = (name: string, dtype: DType): Parameters<typeof feedsOf>[0] => ({
  sources: [fixture(`arrays/${name}.npy`)],
  inputs: [{ name: 'x', dtype, shape: ['N', 4] }],
});

describe('a .npy file', () => {
  it.each([
    ['i1', 'int8'],
    ['u1', 'uint8'],
    ['i2', 'int16'],
    ['u2', 'uint16'],
    ['i4', 'int32'],
    ['u4', 'uint32'],
    ['i8', 'int64'],
    ['u8', 'uint64'],
    ['f4', 'float32'],
    ['f8', 'float64'],
    ['big_i2', 'int16'],
    ['big_u4', 'uint32'],
    ['big_i8', 'int64'],
    ['big_f4', 'float32'],
    ['big_f8', 'float64'],
    ['version_1', 'float32'],
    ['version_2', 'float32'],
    ['version_3', 'float32'],
  ] as const)('of kind %s feeds a %s input row by row', async (name, dtype) => {
    const feeds = await feedsOf(rows(name, dtype));
    expect(feeds.map(({ dims }) => dims)).toEqual([
      [1, 4],
      [1, 4],
      [1, 4],
    ]);
    expect(feeds.map((feed) => feed.dtype)).toEqual([dtype, dtype, dtype]);
    expect(feeds.flatMap(({ data }) => numbers(data))).toEqual(counting(12));
  });

  it.each(['f2', 'big_f2'])('of kind %s feeds the bits of half-precision numbers', async (name) => {
    const [first] = await feedsOf(rows(name, 'float16'));
    expect(first!.data).toEqual(Uint16Array.of(0, 0x3c00, 0x4000, 0x4200));
  });

  it('of booleans feeds a bool input', async () => {
    const feeds = await feedsOf(rows('b1', 'bool'));
    expect(feeds.flatMap(({ data }) => numbers(data))).toEqual(
      counting(12).map((i) => (i % 3 === 0 ? 1 : 0)),
    );
  });

  it.each([
    ['f2', 'float32'],
    ['f8', 'float32'],
    ['i4', 'float32'],
    ['i8', 'int32'],
    ['i4', 'int64'],
    ['u1', 'int64'],
  ] as const)('of kind %s is converted for a %s input, and says so', async (name, dtype) => {
    const dataset = await openDataset(rows(name, dtype));
    expect(dataset.assumed).toContainEqual(
      expect.objectContaining({ what: 'type of x', value: matching(`converted to ${dtype}`) }),
    );
    const feeds = await feedsOf(rows(name, dtype));
    expect(feeds.flatMap(({ data }) => numbers(data))).toEqual(counting(12));
  });

  it('keeps samples apart by name', async () => {
    const dataset = await openDataset(rows('f4', 'float32'));
    expect(dataset.ids).toEqual(['f4.npy#0', 'f4.npy#1', 'f4.npy#2']);
    expect(dataset).toMatchObject({ kind: 'npy', count: 3, available: 3, preprocessing: undefined });
  });

  it.each(['stack', 'stack_fortran', 'stack_fortran_big'])(
    '%s gives rank 4 samples in row-major order',
    async (name) => {
      const feeds = await feedsOf({ sources: [fixture(`arrays/${name}.npy`)], inputs: [ARRAY_INPUT] });
      expect(feeds.map(({ dims }) => dims)).toEqual(new Array(5).fill([1, 3, 4, 6]));
      expect(feeds.flatMap(({ data }) => numbers(data))).toEqual(counting(360));
    },
  );

  it('feeds a scalar input', async () => {
    const input = { name: 'x', dtype: 'float32', shape: [] } as const;
    const [only] = await feedsOf({ sources: [fixture('arrays/scalar.npy')], inputs: [input] });
    expect(only).toEqual({ dtype: 'float32', dims: [], data: Float32Array.of(7) });
  });

  it.each([
    ['i4', 'uint8', undefined],
    ['f4', 'int64', /it holds float32; the input takes int64/],
    ['i1', 'float32', /it holds int8 codes, not float32/],
    ['u1', 'float32', /it holds uint8 codes, not float32/],
    ['i4', 'bool', /its element 2 is 2; 0 to 1 fit bool/],
  ] as const)('of kind %s for a %s input: only what fits', async (name, dtype, reason) => {
    const reading = samplesOf(rows(name, dtype));
    if (reason === undefined) await expect(reading).resolves.toHaveLength(3);
    else {
      const error: unknown = await reading.catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(DataError);
      const { message, places } = error as DataError;
      expect([message, ...places].join('\n')).toMatch(reason);
    }
  });

  it('tells with which flag 8-bit codes become floats', async () => {
    expect(await rejection(openDataset(rows('u1', 'float32')))).toMatchObject({
      hint: matching('--preset raw'),
    });
  });

  it.each([
    ['complex', /elements of type '<c8'/],
    ['object', /Python objects/],
    ['structured', /elements of type \[/],
    ['text', /elements of type '<U1'/],
    ['empty_dim', /a dimension of size 0/],
  ])('%s is refused by name', async (name, reason) => {
    await expect(
      openDataset({ sources: [fixture(`arrays/${name}.npy`)], inputs: [ARRAY_INPUT] }),
    ).rejects.toThrow(reason);
  });

  it('names sample and numbers of NaN and Inf', async () => {
    const request = { sources: [fixture('arrays/nan.npy')], inputs: [ARRAY_INPUT] };
    const failure = samplesOf(request);
    await expect(failure).rejects.toBeInstanceOf(DataError);
    await expect(failure).rejects.toThrow('nan.npy#3 (sample 4 of 5): of its 72 values 2 NaN and 1 infinite');
    const dataset = await openDataset({ ...request, skipUnreadable: true });
    const ids: string[] = [];
    for await (const { id } of dataset.samples()) ids.push(id);
    expect(ids).toEqual(['nan.npy#0', 'nan.npy#1', 'nan.npy#2', 'nan.npy#4']);
    expect(dataset.excluded).toEqual([{ id: 'nan.npy#3', reason: 'of its 72 values 2 NaN and 1 infinite' }]);
  });

  it('refuses a number that overflows the type of the input', async () => {
    const folder = folderOf();
    const { writeFileSync } = await import('node:fs');
    const bytes = readFileSync(fixture('arrays/f8.npy'));
    bytes.writeDoubleLE(1e300, bytes.length - 8);
    writeFileSync(join(folder, 'x.npy'), bytes);
    const input = { name: 'x', dtype: 'float32', shape: ['N', 4] } as const;
    await expect(samplesOf({ sources: [join(folder, 'x.npy')], inputs: [input] })).rejects.toThrow(
      '1 infinite',
    );
  });

  it('is refused when it is shorter than its shape', async () => {
    const bytes = readFileSync(fixture('arrays/stack.npy'));
    const folder = folderOf({
      'x.npy': bytes.subarray(0, bytes.length - 4),
      'header.npy': bytes.subarray(0, 40),
      'zero.npy': '',
    });
    const open = (name: string): Promise<unknown> =>
      openDataset({ sources: [join(folder, name)], inputs: [ARRAY_INPUT] });
    await expect(open('x.npy')).rejects.toThrow(
      'it has 1564 bytes; its shape [5, 3, 4, 6] of float32 takes 1568',
    );
    await expect(open('header.npy')).rejects.toThrow('ends inside the .npy header');
    await expect(open('zero.npy')).rejects.toThrow('it is empty');
  });
});

describe('a folder of .npy files', () => {
  it('gives one sample a file, in natural order', async () => {
    const folder = folderOf({
      'a10.npy': { fixture: 'arrays/one.npy' },
      'a9.npy': { fixture: 'arrays/one.npy' },
      'b/c.npy': { fixture: 'arrays/one.npy' },
    });
    const dataset = await openDataset({ sources: [folder], inputs: [ARRAY_INPUT] });
    expect(dataset.ids).toEqual(['a9.npy', 'a10.npy', 'b/c.npy']);
    const feeds = await feedsOf({ sources: [folder], inputs: [ARRAY_INPUT] });
    expect(feeds[2]).toEqual({ dtype: 'float32', dims: [1, 3, 4, 6], data: Float32Array.from(counting(72)) });
  });

  it('names all files of a wrong shape at once', async () => {
    const folder = folderOf({
      'a.npy': { fixture: 'arrays/one.npy' },
      'b.npy': { fixture: 'arrays/ids.npy' },
      'c.npy': { fixture: 'arrays/mask.npy' },
    });
    const error = await rejection(openDataset({ sources: [folder], inputs: [ARRAY_INPUT] }));
    expect(error).toMatchObject({
      message: '2 of 3 files cannot be used',
      places: [matching(/^b\.npy: its shape is \[5, 7\]/), matching(/^c\.npy/)],
    });
  });
});
