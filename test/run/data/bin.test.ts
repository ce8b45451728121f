import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/run/data/index.js';
import { ARRAY_INPUT, counting, feedsOf, fixture, folderOf, numbers, rejection } from './support.js';

const float32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe('a headerless file', () => {
  it('is a stack of samples of the type and shape of the input', async () => {
    const feeds = await feedsOf({ sources: [fixture('arrays/stack.bin')], inputs: [ARRAY_INPUT] });
    expect(feeds.map(({ dims }) => dims)).toEqual(new Array(5).fill([1, 3, 4, 6]));
    expect(feeds.flatMap(({ data }) => numbers(data))).toEqual(counting(360));
  });

  it('in a folder is one sample', async () => {
    const folder = folderOf({ 'b.raw': float32(5, 6, 7, 8), 'a.raw': float32(1, 2, 3, 4) });
    const input = { name: 'x', dtype: 'float32', shape: [1, 4] } as const;
    const dataset = await openDataset({ sources: [folder], inputs: [input] });
    expect(dataset).toMatchObject({ kind: 'bin', ids: ['a.raw', 'b.raw'] });
    const feeds = await feedsOf({ sources: [folder], inputs: [input] });
    expect(feeds.flatMap(({ data }) => numbers(data))).toEqual(counting(8, 1));
  });

  it('of integers feeds an input of that type', async () => {
    const folder = folderOf({ 'a.bin': Uint8Array.of(255, 0, 128, 127) });
    const [feed] = await feedsOf({
      sources: [join(folder, 'a.bin')],
      inputs: [{ name: 'x', dtype: 'int8', shape: [1, 4] }],
    });
    expect(feed!.data).toEqual(Int8Array.of(-1, 0, -128, 127));
  });

  it('of another size says how many bytes are wanted', async () => {
    const folder = folderOf({ 'a.bin': new Uint8Array(100) });
    await expect(openDataset({ sources: [join(folder, 'a.bin')], inputs: [ARRAY_INPUT] })).rejects.toThrow(
      'a.bin: it has 100 bytes; a sample of input x (float32, [N, 3, 4, 6]) takes 288',
    );
  });

  it.each([
    [72, /size of one sample of uint8 or int8/],
    [144, /size of one sample of float16/],
  ])('of %i bytes says what type it may hold instead of guessing', async (size, reason) => {
    const folder = folderOf({ 'a.bin': new Uint8Array(size) });
    await expect(openDataset({ sources: [join(folder, 'a.bin')], inputs: [ARRAY_INPUT] })).rejects.toThrow(
      reason,
    );
  });

  it('of uint8 codes is normalized when the user says how', async () => {
    const folder = folderOf({ 'a.bin': new Uint8Array(72).fill(51) });
    const [feed] = await feedsOf({
      sources: [join(folder, 'a.bin')],
      inputs: [ARRAY_INPUT],
      preprocessing: { preset: 'unit' },
    });
    expect(feed).toEqual({ dtype: 'float32', dims: [1, 3, 4, 6], data: new Float32Array(72).fill(0.2) });
  });

  it('asks for the sizes that the model leaves open', async () => {
    const folder = folderOf({ 'a.bin': new Uint8Array(100) });
    const input = { name: 'x', dtype: 'float32', shape: ['N', 3, null, 6] } as const;
    const error = await rejection(openDataset({ sources: [join(folder, 'a.bin')], inputs: [input] }));
    expect(error).toMatchObject({ name: 'UsageError', hint: '--shape x=1x3x128x6' });
    const dataset = await openDataset({
      sources: [fixture('arrays/stack.bin')],
      inputs: [input],
      shapes: new Map([['x', [1, 3, 4, 6]]]),
    });
    expect(dataset.count).toBe(5);
  });
});

describe('uint8 arrays', () => {
  const request = (preprocessing: object): Parameters<typeof feedsOf>[0] => ({
    sources: [fixture('arrays/pixels.npy')],
    inputs: [ARRAY_INPUT],
    preprocessing,
  });

  it('are normalized per channel like pixels', async () => {
    const [feed] = await feedsOf(request({ mean: [10, 20, 30], std: [2, 4, 8] }));
    const wanted = counting(72).map((i) => {
      const channel = Math.floor(i / 24);
      return (i - [10, 20, 30][channel]!) / [2, 4, 8][channel]!;
    });
    expect(numbers(feed!.data)).toEqual(wanted);
  });

  it('change places of red and blue for a bgr model', async () => {
    const [feed] = await feedsOf(request({ preset: 'raw', color: 'bgr' }));
    expect(numbers(feed!.data)).toEqual([...counting(24, 48), ...counting(24, 24), ...counting(24)]);
    expect((await openDataset(request({ preset: 'raw', color: 'bgr' }))).assumed).toContainEqual({
      what: 'color of arrays',
      value: 'rgb, swapped to bgr',
      from: 'default',
    });
  });

  it('change places of red and blue with channels last', async () => {
    const input = { name: 'x', dtype: 'float32', shape: ['N', 4, 6, 3] } as const;
    const [feed] = await feedsOf({
      ...request({ preset: 'raw', color: 'bgr', layout: 'nchw' }),
      inputs: [input],
    });
    expect(numbers(feed!.data).slice(0, 6)).toEqual([48, 24, 0, 49, 25, 1]);
  });

  it('feed a uint8 input as they are', async () => {
    const [feed] = await feedsOf({ ...request({}), inputs: [{ ...ARRAY_INPUT, dtype: 'uint8' }] });
    expect(feed!.data).toEqual(Uint8Array.from(counting(72)));
  });
});
