/** What is found out about samples while they pass by. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Sample } from '../../../src/run/data/dataset.js';
import { isNoise } from '../../../src/run/data/noise.js';
import { oneFolder } from '../../../src/run/data/sample-folders.js';
import { studied, StudyBuilder } from '../../../src/run/data/study-builder.js';

function sample(id: string, values: Float32Array, dims: readonly number[] = [1, values.length]): Sample {
  return { id, index: 0, feeds: new Map([['x', { dtype: 'float32', dims, data: values }]]) };
}

function studyOf(samples: readonly Sample[]): ReturnType<StudyBuilder['study']> {
  const builder = new StudyBuilder({ flag: '--calib', kind: 'npy', layout: 'nchw' });
  samples.forEach((one) => builder.add(one));
  return builder.study();
}

/** Numbers in [0, 1) that look random and are the same in every run. */
function scrambled(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

function gradient(height: number, width: number, from: number): Float32Array {
  return Float32Array.from(
    { length: height * width },
    (_, i) => from + (i % width) / width + Math.floor(i / width) / 99,
  );
}

describe('the study of a data set', () => {
  it('has moments and percentiles of all values, and of each channel', () => {
    const [low, high] = [scrambled(4000, 1), scrambled(4000, 2).map((value) => 100 + 50 * value)];
    const { inputs } = studyOf([sample('a', Float32Array.from([...low, ...high]), [1, 2, 40, 100])]);
    const [input] = inputs;
    expect(input?.channels).toHaveLength(2);
    const sorted = [...high].sort((a, b) => a - b);
    const mean = high.reduce((sum, value) => sum + value, 0) / high.length;
    const [, second] = input?.channels ?? [];
    expect(second?.min).toBe(sorted[0]);
    expect(second?.max).toBe(sorted.at(-1));
    expect(second?.mean).toBeCloseTo(mean, 6);
    expect(second?.std).toBeCloseTo(
      Math.sqrt(high.reduce((sum, v) => sum + (v - mean) ** 2, 0) / high.length),
      6,
    );
    expect(Math.abs((second?.p001 ?? 0) / (sorted[4] ?? 1) - 1)).toBeLessThan(0.005);
    expect(Math.abs((second?.p999 ?? 0) / (sorted[3995] ?? 1) - 1)).toBeLessThan(0.005);
    expect(input?.min).toBe(Math.min(...low));
    expect(input?.max).toBe(sorted.at(-1));
    expect(input?.isWhole).toBe(false);
    expect(input?.distinct).toBe(257);
  });

  it('tells pixels by their whole numbers, and a border by the value that is there most', () => {
    const pixels = scrambled(1200, 3).map((value, i) => (i < 400 ? 114 : Math.floor(200 * value)));
    const [input] = studyOf([sample('a', pixels, [1, 1, 30, 40])]).inputs;
    expect(input?.isWhole).toBe(true);
    expect(input?.distinct).toBeLessThanOrEqual(200);
    expect(input?.channels[0]?.mode).toBe(114);
    expect(input?.channels[0]?.modeShare).toBeCloseTo(1 / 3, 1);
  });

  it('keeps the extremes of large inputs though it looks at some of their values only', () => {
    const values = scrambled(300 * 300, 4);
    values[77_777] = 9;
    values[12_345] = -7;
    const [input] = studyOf([sample('a', values, [1, 1, 300, 300])]).inputs;
    expect([input?.min, input?.max]).toEqual([-7, 9]);
    expect(input?.mean).toBeCloseTo(0.5, 1);
  });

  it('counts samples that are there again and names them', () => {
    const [a, b] = [scrambled(32, 1), scrambled(32, 2)];
    const { duplicates } = studyOf([sample('1', a), sample('2', b), sample('3', a.slice()), sample('4', a)]);
    expect(duplicates).toEqual({ count: 2, groups: [['1', '3', '4']] });
  });

  it('takes samples of nearly one value for such, but not sparse ones', () => {
    const grey = new Float32Array(64).fill(0.5);
    grey[0] = 0.502;
    const sparse = new Float32Array(64);
    sparse[3] = 1;
    const found = studyOf([sample('grey', grey), sample('sparse', sparse), sample('full', scrambled(64, 1))]);
    expect(found.nearConstant).toEqual({ count: 1, first: ['grey'] });
  });

  it('studies the first whole pass only, and gives the same samples', async () => {
    const all = [sample('1', scrambled(20, 1)), sample('2', scrambled(20, 2))];
    const dataset = {
      kind: 'npy' as const,
      path: 'x.npy',
      names: [],
      available: 2,
      excluded: [],
      assumed: [],
      preprocessing: undefined,
    };
    const source = {
      count: 2,
      async *samples() {
        for (const one of all) yield await Promise.resolve(one);
      },
    };
    const samples = studied(source, dataset, { flag: '--data', layout: 'nchw' });
    for await (const one of samples.samples()) {
      expect(one.id).toBe('1');
      break;
    }
    expect(await samples.study()).toBeUndefined();
    for (let pass = 0; pass < 2; pass++) {
      const ids: string[] = [];
      for await (const { id } of samples.samples()) ids.push(id);
      expect(ids).toEqual(['1', '2']);
      expect(await samples.study()).toMatchObject({ samples: 2, flag: '--data', duplicates: { count: 0 } });
    }
  });
});

describe('white noise', () => {
  const dims = [1, 1, 32, 32];

  it('is told from a picture, whether uniform or normal', () => {
    expect(isNoise(scrambled(1024, 5), dims, 'nchw')).toBe(true);
    const [u, v] = [scrambled(1024, 6), scrambled(1024, 7)];
    const normal = u.map((x, i) => Math.sqrt(-2 * Math.log(x + 1e-9)) * Math.cos(2 * Math.PI * (v[i] ?? 0)));
    expect(isNoise(normal, dims, 'nchw')).toBe(true);
    expect(isNoise(gradient(32, 32, 0), dims, 'nchw')).toBe(false);
    expect(isNoise(new Float32Array(1024), dims, 'nchw')).toBe(false);
  });

  it('is not looked for in what is no picture', () => {
    expect(isNoise(scrambled(490, 5), [1, 49, 10, 1], 'nhwc')).toBe(false);
    expect(isNoise(scrambled(1024, 5), [1, 1024], 'nchw')).toBe(false);
  });
});

describe('the folder that samples come from', () => {
  const root = mkdtempSync(join(tmpdir(), 'study-'));
  const write = (folder: string, files: readonly string[]): { id: string; index: number; file: string }[] => {
    mkdirSync(join(root, folder), { recursive: true });
    return files.map((name, index) => {
      const file = join(root, folder, name);
      writeFileSync(file, '');
      return { id: `${folder}/${name}`, index, file };
    });
  };
  afterAll(() => rmSync(root, { recursive: true }));

  it('is told when the others lie beside it, or are hardly used', async () => {
    const cats = write('set/cat', ['1.png', '2.png', '3.png']);
    const dogs = write('set/dog', ['1.png', '2.png', '3.png']);
    expect(await oneFolder(cats, join(root, 'set/cat'))).toEqual({
      name: 'cat',
      share: 1,
      others: ['dog'],
      isInside: false,
    });
    expect(await oneFolder([...cats, ...dogs], join(root, 'set'))).toBeUndefined();
  });

  it('is nothing to speak of where folders say what files are for', async () => {
    const calib = write('other/calib', ['1.png', '2.png']);
    write('other/eval', ['1.png', '2.png']);
    expect(await oneFolder(calib, join(root, 'other/calib'))).toBeUndefined();
  });
});
