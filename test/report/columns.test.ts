import { describe, expect, it } from 'vitest';
import { bar } from '../../src/report/bar.js';
import { columns, columnsWithin, type Column } from '../../src/report/columns.js';
import { displayWidth } from '../../src/report/text-width.js';

const RIGHT: Column = { title: 'n', align: 'right' };

describe('columns', () => {
  it('are as wide as their widest cell, aligned as said, without trailing blanks', () => {
    expect(
      columns(
        [{ title: 'name' }, RIGHT],
        [
          ['a', '100'],
          ['longer', '5'],
          ['x', ''],
        ],
        80,
      ),
    ).toEqual(['name      n', 'a       100', 'longer    5', 'x']);
  });

  it('have no line of titles when all titles are empty', () => {
    expect(columns([{ title: '' }, { title: '' }], [['a', 'b']], 80)).toEqual(['a  b']);
  });

  it('shorten names in the middle so that lines fit, and only names', () => {
    const [, line = ''] = columns(
      [{ title: 'name', least: 8 }, RIGHT],
      [['abcdefghijklmnopqrstuvwxyz', '12345']],
      20,
    );
    expect(displayWidth(line)).toBe(20);
    expect(line).toMatch(/^abcd….*z {2}12345$/);
  });

  it('leave out the most expendable column when shorter names are not enough', () => {
    const layout: Column[] = [
      { title: 'name', least: 4 },
      { title: 'second', expendable: 2 },
      { title: 'first', expendable: 1 },
    ];
    const rows = [['abcdefgh', '123456', '12345']];
    expect(columns(layout, rows, 30)[0]).toBe('name      second  first');
    expect(columns(layout, rows, 18)[0]).toBe('name      second');
    expect(columns(layout, rows, 10)[0]).toBe('name');
  });

  it('line up beside East Asian names, which take two cells a character', () => {
    expect(
      columns(
        [{ title: '' }, { title: '' }],
        [
          ['日本', 'x'],
          ['abcd', 'x'],
        ],
        80,
      ),
    ).toEqual(['日本  x', 'abcd  x']);
    expect(displayWidth('e\u0301')).toBe(1);
  });

  it('colour the text of a cell and no blanks, so that colour disturbs neither widths nor ends of lines', () => {
    const paint = (text: string): string => `<${text}>`;
    expect(
      columns(
        [RIGHT, { title: '' }],
        [
          [{ text: '1', paint }, 'a'],
          ['100', 'b'],
        ],
        80,
      ),
    ).toEqual(['  n', '  <1>  a', '100  b']);
  });

  it('take ten thousand rows in less than a second', () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => [`layer${i}`, 'Conv', '1x2x3', String(i)]);
    const started = performance.now();
    expect(columns([{ title: 'a', least: 10 }, { title: 'b' }, { title: 'c' }, RIGHT], rows, 80).length).toBe(
      10_001,
    );
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('say which of them fit beside something else, and how wide those are', () => {
    const layout: Column[] = [{ title: 'name' }, { title: 'extra', expendable: 1 }, RIGHT];
    const rows = [['longer', '12345', '100']];
    expect(columnsWithin(layout, rows, 80)).toEqual({ shown: [0, 1, 2], width: 'longer  12345  100'.length });
    expect(columnsWithin(layout, rows, 17)).toEqual({ shown: [0, 2], width: 'longer  100'.length });
  });
});

describe('a bar', () => {
  it('has the length of its share in eighths of a character, and shows what is not nothing', () => {
    expect(bar(1, 4)).toBe('████');
    expect(bar(0.5, 4)).toBe('██');
    expect(bar(0.28125, 4)).toBe('█▏');
    expect(bar(1e-9, 4)).toBe('▏');
    expect(bar(0, 4)).toBe('');
  });
});
