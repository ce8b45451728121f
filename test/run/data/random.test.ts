import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/run/data/index.js';
import type { DType } from '../../../src/ir/graph.js';
import { numbers, rejection, samplesOf, matching } from './support.js';

const request = (dtype: DType, seed?: number): Parameters<typeof samplesOf>[0] => ({
  sources: ['random'],
  inputs: [{ name: 'x', dtype, shape: ['N', 1000] }],
  seed,
});

describe('random data', () => {
  it('is labelled for what it is', async () => {
    const dataset = await openDataset(request('float32'));
    expect(dataset).toMatchObject({ kind: 'random', count: 8 });
    expect(dataset.assumed).toContainEqual(
      expect.objectContaining({ value: matching(/random.*smoke test/) }),
    );
  });

  it('is the same for the same seed and another for another seed or sample', async () => {
    const [first, second] = await samplesOf(request('float32', 1));
    const [again] = await samplesOf(request('float32', 1));
    const [other] = await samplesOf(request('float32', 2));
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(second!.feeds).not.toEqual(first!.feeds);
  });

  it('is uniform in 0 to 1 for floats', async () => {
    const [sample] = await samplesOf(request('float32'));
    const { dims, data } = sample!.feeds.get('x')!;
    const values = numbers(data);
    expect(dims).toEqual([1, 1000]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    const mean = values.reduce((sum, value) => sum + value, 0) / 1000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / 1000));
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = values.filter((value) => Math.floor(value * 10) === tenth).length;
      expect(share).toBeGreaterThan(50);
      expect(share).toBeLessThan(150);
    }
  });

  it.each([
    ['uint8', 0, 255],
    ['int8', -128, 127],
    ['int64', 0, 1],
    ['int32', 0, 1],
    ['bool', 0, 1],
  ] as const)('of type %s reaches from %i to %i', async (dtype, lowest, highest) => {
    const samples = await samplesOf(request(dtype));
    const values = samples.flatMap(({ feeds }) => numbers(feeds.get('x')!.data));
    expect([Math.min(...values), Math.max(...values)]).toEqual([lowest, highest]);
  });

  it.each([
    ['int8', 0.5, -128, 0, 127.5, '-128 to 127 of int8, fed as (code + 128) * 0.5'],
    ['uint8', 0.0078125, 128, -1, 0.9921875, '0 to 255 of uint8, fed as (code - 128) * 0.0078125'],
    ['int4', 0.25, 0, -2, 1.75, '-8 to 7 of int4, fed as code * 0.25'],
  ] as const)(
    'covers the codes of an %s input evenly, and says so',
    async (dtype, scale, zeroPoint, lowest, highest, said) => {
      const input = { ...request('float32').inputs[0]!, quant: { dtype, scale, zeroPoint } };
      const of = { ...request('float32'), inputs: [input] };
      const values = (await samplesOf(of)).flatMap(({ feeds }) => numbers(feeds.get('x')!.data));
      expect([Math.min(...values), Math.max(...values)]).toEqual([lowest, highest]);
      const codes = values.map((value) => value / scale + zeroPoint);
      expect(codes.every(Number.isInteger)).toBe(true);
      const possible = (highest - lowest) / scale + 1;
      const mean = codes.reduce((sum, code) => sum + code, 0) / codes.length;
      // Of integers that are uniform: mean in the middle, variance (n^2 - 1) / 12; within five standard errors.
      const middle = (lowest + highest) / 2 / scale + zeroPoint;
      expect(Math.abs(mean - middle)).toBeLessThan(5 * Math.sqrt((possible ** 2 - 1) / 12 / codes.length));
      const counts = new Map<number, number>();
      for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
      expect(counts.size).toBe(possible);
      expect(Math.max(...counts.values())).toBeLessThan((3 * codes.length) / possible);
      expect((await openDataset(of)).assumed).toContainEqual({
        what: 'values of x',
        value: `uniform over the codes ${said}`,
        from: 'model',
      });
    },
  );

  it('reaches both ends of an int16 input, and depends on its quantization', async () => {
    const of = (scale: number): Parameters<typeof samplesOf>[0] => ({
      sources: ['random'],
      inputs: [
        {
          name: 'x',
          dtype: 'float32',
          shape: ['N', 1000],
          quant: { dtype: 'int16', scale, zeroPoint: 0 },
        },
      ],
      samples: 40,
    });
    const values = (await samplesOf(of(1))).flatMap(({ feeds }) => numbers(feeds.get('x')!.data));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-32768);
    expect(Math.min(...values)).toBeLessThan(-32700);
    expect(Math.max(...values)).toBeGreaterThan(32700);
    expect(Math.max(...values)).toBeLessThanOrEqual(32767);
    const digests = [await openDataset(of(1)), await openDataset(of(2)), await openDataset(of(1))].map(
      (dataset) => dataset.sha256(),
    );
    const [first, other, again] = await Promise.all(digests);
    expect(other).not.toBe(first);
    expect(again).toBe(first);
  });

  it('has as many samples as asked for', async () => {
    expect(await samplesOf({ ...request('float32'), samples: 3 })).toHaveLength(3);
  });

  it('needs the sizes that the model leaves open', async () => {
    const inputs = [{ name: 'x', dtype: 'float32', shape: ['N', 'height'] }] as const;
    expect(await rejection(openDataset({ sources: ['random'], inputs }))).toMatchObject({
      name: 'UsageError',
      hint: '--shape x=1x128',
    });
  });
});
