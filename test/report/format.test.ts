import { describe, expect, it } from 'vitest';
import { percent } from '../../src/doctor/wording.js';
import {
  bytes,
  count,
  decibels,
  labelled,
  listed,
  number,
  plural,
  printable,
  shape,
  shortened,
  wrapped,
} from '../../src/report/format.js';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [1, '100 %'],
    [0.5, '50 %'],
    [0.12345, '12.3 %'],
    [0.0123, '1.23 %'],
    [0.00456, '0.5 %'],
    [0.0001, '0.01 %'],
    [0.00001, '<0.01 %'],
    [0.9999999, '100 %'],
  ])('a share of %d reads %s', (share, text) => {
    expect(percent(share)).toBe(text);
  });

  it('have four digits, and exponents only where they are shorter', () => {
    expect([0, 1, -1.23456, 1234.56, 0.00012345, 123456, 1e-7, -2.5e9].map(number)).toEqual([
      '0',
      '1',
      '-1.235',
      '1235',
      '0.0001234',
      '1.23e+5',
      '1.00e-7',
      '-2.50e+9',
    ]);
  });

  it('are grouped and counted in words', () => {
    expect([0, 999, 1000, 1234567].map(count)).toEqual(['0', '999', '1 000', '1 234 567']);
    expect([plural(1, 'op'), plural(0, 'op'), plural(2000, 'sample')]).toEqual([
      '1 op',
      '0 ops',
      '2 000 samples',
    ]);
    expect([0, 999, 1000, 1536000, 2.5e9].map(bytes)).toEqual(['0 B', '999 B', '1 kB', '1.54 MB', '2.5 GB']);
  });

  it('are decibels with one decimal, exact, or none', () => {
    expect(decibels({ sqnrDb: 12.345 })).toBe('12.3');
    expect(decibels({ exact: true })).toBe('exact');
    expect(decibels({})).toBe('-');
    expect(decibels(undefined)).toBe('-');
  });
});

describe('names', () => {
  it('lose what would steer a terminal or hide, and keep the letters of any language', () => {
    expect(printable('a\u001b[31mb\r\n\tc\u0000\u009b')).toBe(
      'a\\u001b[31mb\\u000d\\u000a\\u0009c\\u0000\\u009b',
    );
    expect(printable('x\u202ey\u2066z\u200b\u061c\ufeff')).toBe('x\\u202ey\\u2066z\\u200b\\u061c\\ufeff');
    expect(printable('层/слой/ß 😀')).toBe('层/слой/ß 😀');
  });

  it('are shortened in the middle to at most the width, whatever the width', () => {
    expect(shortened('short', 5)).toBe('short');
    expect(shortened('block1/depthwise.weight', 12)).toBe('blo…e.weight');
    for (let width = -3; width <= 12; width++) {
      const text = shortened('block1/depthwise.weight', width);
      expect(text.length).toBe(Math.max(1, width));
    }
    expect(shortened('a\nb', 10)).toBe('a\\u000ab');
  });

  it('have their shapes written out', () => {
    expect([shape(undefined), shape([]), shape([1, 'N', null, 3])]).toEqual(['?', 'scalar', '1xNx?x3']);
  });

  it('are listed up to a number', () => {
    expect([listed([], 3), listed(['a'], 3), listed([1, 2, 3], 3), listed([1, 2, 3, 4, 5], 3)]).toEqual([
      '',
      'a',
      '1, 2, 3',
      '1, 2, 3 and 2 more',
    ]);
  });
});

describe('text', () => {
  it('is broken at blanks', () => {
    expect(wrapped('the quick brown fox', 10)).toEqual(['the quick', 'brown fox']);
    expect(wrapped('', 10)).toEqual([]);
  });

  it('is cut where there is no blank, without losing anything', () => {
    const word = 'x'.repeat(25);
    expect(wrapped(`a ${word} b`, 10)).toEqual(['a', 'x'.repeat(10), 'x'.repeat(10), 'xxxxx b']);
    for (const width of [-1, 0, 1, 3, 100])
      expect(wrapped(`a ${word}`, width).join('').replaceAll(' ', '')).toBe(`a${word}`);
  });

  it('stands behind its label', () => {
    expect(labelled('model  ', 'one two three', 14)).toEqual(['model  one two', '       three']);
    expect(labelled('model  ', 'one', 14, (line) => `*${line}*`)).toEqual(['model  *one*']);
  });
});
