import { describe, expect, it } from 'vitest';
import { printable, shortened, wrapped } from '../../src/report/format.js';
import { displayWidth, headOf, paddedTo, tailOf } from '../../src/report/text-width.js';

describe('the cells of a text', () => {
  // As wcwidth of terminals counts: https://www.unicode.org/reports/tr11/
  it.each([
    ['abc', 3],
    ['日本語', 6],
    ['ｗｉｄｅ', 8],
    ['한글', 4],
    ['\u1112\u1161\u11ab', 2],
    ['e\u0301\u0302', 1],
    ['\u0301', 1],
    ['שלום', 4],
    ['👍', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['█▁', 2],
    ['𠀀', 2],
  ])('of %s are %i', (text, cells) => expect(displayWidth(text)).toBe(cells));

  it('are never cut in the middle of a character', () => {
    expect(headOf('日本語', 5)).toBe('日本');
    expect(tailOf('日本語', 5)).toBe('本語');
    expect(headOf('e\u0301e\u0301', 1)).toBe('e\u0301');
    expect(tailOf('a👍', 1)).toBe('');
    expect(tailOf('abc', 0)).toBe('');
    expect(paddedTo('日', 4)).toBe('日  ');
    expect(paddedTo('日', 4, 'right')).toBe('  日');
  });

  it('decide how names are shortened and where sentences break', () => {
    for (const name of ['卷积'.repeat(40), 'e\u0301'.repeat(90), '👍'.repeat(40), 'x'.repeat(90)])
      for (let width = 1; width < 60; width++) {
        expect(displayWidth(shortened(name, width))).toBeLessThanOrEqual(width);
        const lines = wrapped(`${name} and ${name}`, width);
        expect(lines.filter((line) => displayWidth(line) > Math.max(width, 2))).toEqual([]);
        expect(lines.join('').replaceAll(' ', '')).toBe(`${name}and${name}`);
      }
  });

  it('are bounded where marks pile up without end', () => {
    expect(displayWidth(shortened(`a${'\u0301'.repeat(10_000)}b`.repeat(9), 5))).toBeLessThanOrEqual(5);
  });

  it('are the same wherever a long name is cut into pieces to be counted', () => {
    expect(displayWidth('层'.repeat(200_000))).toBe(400_000);
    for (let before = 990; before < 1010; before++) {
      const text = 'x'.repeat(before);
      expect(displayWidth(`${text}👩‍👩‍👧${text}`)).toBe(2 * before + 2);
      expect(displayWidth(`${text}e\u0301${text}`)).toBe(2 * before + 1);
    }
  });
});

describe('what is printable', () => {
  it('has no invisible characters, tags beyond the first plane among them', () => {
    expect(printable('a\u00ad\u{e0041}\u3164\ufff9b')).toBe('a\\u00ad\\u{e0041}\\u3164\\ufff9b');
    expect(printable('👍 é 日本')).toBe('👍 é 日本');
  });
});
