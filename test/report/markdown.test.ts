import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.js';
import { command, text } from '../../src/report/markdown-text.js';
import { EVALUATED, FINDING, HOSTILE, MEASURED, miou, named } from '../support/evaluated-reports.js';

/** Cells of the table whose first title this is, titles first. */
function tableOf(markdown: string, title: string): string[][] {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${title} |`));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start, start + length).map((line) => line.slice(2, -2).split(' | '));
}

describe('the Markdown report', () => {
  it('starts with whether the gate passed, the verdict and its cause', () => {
    const lines = renderMarkdown(EVALUATED).split('\n');
    expect(lines[0]).toBe('### qdbg analyze <code>net.onnx</code>: GATE FAILED');
    expect(lines[2]).toBe('**the integer network is broken**');
    expect(renderMarkdown(MEASURED)).toContain('measured, no gate set');
  });

  it('has the accuracy of all networks with intervals, and what was lost and won', () => {
    const markdown = renderMarkdown(EVALUATED);
    expect(tableOf(markdown, 'network')[3]).toEqual([
      ...[
        'candidate',
        'int8, simulated',
        '**86.94 %**',
        '84.3 to 89.2',
        '-0.28 pt',
        '-0.9 to +0.4',
        '0.69',
        'within noise',
      ],
    ]);
    expect(markdown).toContain('5 lost, 3 won, 623 right and 89 wrong in both');
    expect(markdown).toContain('p 0.69, n 720');
  });

  it('has the checks with margin and source, what fails first', () => {
    const [titles, , first] = tableOf(renderMarkdown(EVALUATED), 'check');
    expect(titles!.slice(0, 4)).toEqual(['check', 'threshold', 'observed', 'margin']);
    expect(first!.slice(1, 4)).toEqual(['20 dB', '**-0.7 dB**', '-20.7']);
    expect(first).toContain('qdbg.config.json');
  });

  it('has networks as columns and classes as rows where a class matters', () => {
    const table = tableOf(renderMarkdown({ ...EVALUATED, accuracy: miou(3) }), 'class');
    expect(table[0]).toEqual([
      'class',
      'float',
      'convolutions only 8 bit',
      'everything 8 bit',
      'everything 16 bit',
      'in labels',
    ]);
    expect(table[2]!.slice(0, 2)).toEqual(['**all**', '**55.00 %**']);
    expect(table).toHaveLength(6);
  });

  it('has drift, findings with the command to copy, what is suppressed, and what it rests on', () => {
    const markdown = renderMarkdown(EVALUATED);
    expect(tableOf(markdown, 'layer')[2]).toEqual([
      ...['<code>block1/pointwise</code>', 'Conv+Relu', '27.90 -> -0.70 (-28.60)', '30.10 -> 10.70 (-19.40)'],
    ]);
    expect(markdown).toContain('  - try `--per-axis` (give every output channel its own scale)');
    expect(markdown).toContain('known since 2025 (until 2027-01-31)');
    expect(markdown).toContain('sha256 <code>aaaaaaaaaaaa</code>');
  });

  it('holds no markup of a name, and no table is broken', () => {
    const markdown = renderMarkdown(named(HOSTILE));
    const outside = markdown.replaceAll(/(`+)[^`].*?\1(?!`)/g, '');
    expect(outside).not.toMatch(/<(?!\/?(?:code|details|summary)>)/);
    // Nobody is mentioned in code.
    expect(outside.replaceAll(/<code>.*?<\/code>/g, '')).not.toMatch(/@team|https?:|www\.|\[x\]|#1\b(?!;)/);
    const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.length).toBeGreaterThan(10);
    for (const title of ['network', 'check', 'layer', 'preprocessing']) {
      const widths = tableOf(markdown, title).map((cells) => cells.length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  it('keeps a command as it is, in a fence that none of its characters closes', () => {
    expect(command('--skip a|b')).toBe('`--skip a|b`');
    expect(command('--skip ``a`b')).toBe('```--skip ``a`b```');
    expect(command('`a')).toBe('`` `a ``');
    expect(command('a\nb')).toBe('`a\\u000ab`');
  });

  it('leaves no issue or person mentioned by accident', () => {
    expect(text('#12 @org/team')).toBe('&#35;&#8203;12 @&#8203;org/team');
  });

  it('is shorter than GitHub takes, whatever there is to tell', () => {
    const long = named('|'.repeat(10_000));
    const many = {
      ...long,
      findings: Array.from({ length: 5000 }, () => ({ ...FINDING, message: '|'.repeat(5000) })),
      otherMetrics: Array.from({ length: 40 }, () => miou(200)),
      tensors: Array.from({ length: 3000 }, () => long.tensors[0]!),
    };
    const markdown = renderMarkdown(many);
    expect(Buffer.byteLength(markdown)).toBeLessThan(60_000);
    expect(markdown).toMatch(/parts? too long for a comment/);
    expect(markdown.startsWith('### qdbg')).toBe(true);
  });

  it('is the same each time', () => {
    expect(renderMarkdown(EVALUATED)).toBe(renderMarkdown(EVALUATED));
  });
});
