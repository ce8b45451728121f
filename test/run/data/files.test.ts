import { describe, expect, it } from 'vitest';
import { atMost, compareNatural, extensionOf } from '../../../src/run/data/files.js';

describe('compareNatural', () => {
  it.each([
    [
      ['img10', 'img9', 'img1'],
      ['img1', 'img9', 'img10'],
    ],
    [
      ['b', 'B', 'a', 'A'],
      ['A', 'B', 'a', 'b'],
    ],
    [['x007', 'x7', 'x07', 'x8'], ['x7', 'x07', 'x007', 'x8'].sort()],
    [
      ['a1b2', 'a1b10', 'a01b3'],
      ['a1b2', 'a01b3', 'a1b10'],
    ],
    [
      ['20', '3', '99999999999999999999', '100000000000000000000'],
      ['3', '20', '99999999999999999999', '100000000000000000000'],
    ],
  ])('sorts %j', (names, sorted) => {
    const result = [...names].sort(compareNatural);
    expect(result.map((name) => name.replace(/0+(?=\d)/g, ''))).toEqual(
      sorted.map((name) => name.replace(/0+(?=\d)/g, '')),
    );
  });

  it('is a total order: different names are never equal', () => {
    const names = ['x7', 'x07', 'x007', 'x', '7', '07', 'X7'];
    for (const a of names) for (const b of names) expect(compareNatural(a, b) === 0).toBe(a === b);
  });
});

describe('extensionOf', () => {
  it.each([
    ['a/b.PNG', '.png'],
    ['a.tar.gz', '.gz'],
    ['a.b/c', ''],
    ['none', ''],
  ])('of %s is %j', (name, extension) => {
    expect(extensionOf(name)).toBe(extension);
  });
});

it('atMost says how many lines it leaves out', () => {
  expect(atMost(['a', 'b', 'c'], 2)).toEqual(['a', 'b', 'and 1 more']);
  expect(atMost(['a', 'b'], 2)).toEqual(['a', 'b']);
});
