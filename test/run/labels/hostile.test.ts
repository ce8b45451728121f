import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QdbgError } from '../../../src/errors.js';
import { openLabels } from '../../../src/run/labels/index.js';
import type { TruthKind } from '../../../src/run/labels/truth.js';
import { folderOf } from '../data/support.js';
import { classesOf, labelFixture, requestOf, samplesIn } from './support.js';

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const MUTATIONS = 150;

describe('damaged label files', () => {
  it.each<[string, string, TruthKind]>([
    ['coco.json', 'l.json', 'boxes'],
    ['coco.json', 'l.json', 'class'],
    ['values.npy', 'l.npy', 'values'],
    ['masks.npy', 'l.npy', 'mask'],
    ['classes.npy', 'l.npy', 'class'],
    ['masks/palette4.png', 'masks/a.png', 'mask'],
    ['masks/grey16.png', 'masks/a.png', 'mask'],
    ['recipe.py', 'l.csv', 'class'],
    ['recipe.py', 'l.txt', 'values'],
    ['recipe.py', 'labels/a.txt', 'boxes'],
    ['recipe.py', 'data.yaml', 'boxes'],
  ])('end in labels or in an error for the user: %s as %s', async (fixture, name, kind) => {
    const below = numbers(name.length * 31 + fixture.length);
    const sound = readFileSync(labelFixture(fixture));
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = Buffer.from(sound.subarray(0, i % 3 === 0 ? below(sound.length) : sound.length));
      for (let change = 0; change < 3 && bytes.length > 0; change++) bytes[below(bytes.length)] = below(256);
      const root = folderOf({ 'labels/b.txt': '0 0.5 0.5 0.1 0.1', [name]: bytes });
      const samples = samplesIn(root, 'images/a.jpg', 'images/b.jpg', 'empty.jpg', 'images/d.jpg');
      const labels = /^l\./.test(name) ? { labels: join(root, name) } : {};
      try {
        const found = await openLabels(
          requestOf({ root, samples, wanted: [kind], skipUnlabelled: true, ...labels }),
        );
        for (const sample of samples) {
          if (found?.unlabelled.has(sample.id) === false) expect((await found.read(sample)).kind).toBe(kind);
        }
      } catch (error) {
        if (!(error instanceof QdbgError)) throw error;
        expect(error.message).not.toBe('');
      }
    }
  });
});

describe('many labels', () => {
  it('of names that end alike are matched without comparing each with each', async () => {
    const count = 20_000;
    const ids = Array.from({ length: count }, (_, i) => `scene${i}/image.png`);
    const root = folderOf({ 'l.csv': ids.map((id, i) => `${id},${i % 7}`).join('\n') });
    const start = performance.now();
    const found = await classesOf({ root, samples: samplesIn(root, ...ids), labels: join(root, 'l.csv') });
    expect(found).toEqual(ids.map((_, i) => i % 7));
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('in folders whose links lead in a circle are listed once', async () => {
    const root = folderOf({ 'ant/1.png': 'x', 'bee/1.png': 'x' });
    symlinkSync(root, join(root, 'loop'));
    expect(await classesOf({ root, samples: samplesIn(root, 'ant/1.png', 'bee/1.png') })).toEqual([0, 1]);
  });
});
