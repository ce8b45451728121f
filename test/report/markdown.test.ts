import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.js';
import { command, text } from '../../src/report/markdown-text.js';
import { EVALUATED, FINDING, HOSTILE, MEASURED, miou, named } from '../support/evaluated-reports.js';
import { AGREEMENT, LOST } from './markdown-accuracies.js';

/** Cells of the table whose first title this is, titles first. */
function tableOf(markdown: string, title: string): string[][] {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${title} |`));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start, start + length).map((line) => line.slice(2, -2).split(' | '));
}

/** Character references as a reader sees them. */
function read(markdown: string): string {
  return markdown
    .replaceAll(/&#(\d+);/g, (_, point: string) => String.fromCodePoint(Number(point)))
    .replaceAll('\u200b', '');
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
    expect(table[2]).toEqual([...['**all**', '**55.00**', '**53.00**', '**37.00**', '**54.50**', '']]);
    expect(table).toHaveLength(6);
  });

  it('lists all classes up to twelve, of more the ten that lost most, and names the worst in a line', () => {
    const markdown = (classes: number): string => renderMarkdown({ ...EVALUATED, accuracy: miou(classes) });
    expect(tableOf(markdown(12), 'class')).toHaveLength(3 + 12);
    const rows = tableOf(markdown(21), 'class').slice(3);
    expect(rows.map(([name]) => name)).toEqual(Array.from({ length: 10 }, (_, i) => `class-${20 - i}`));
    expect(markdown(21)).toContain('mIoU by class, the 10 of 21 that lost most, %:');
    const [, named] = /Classes that lost: (.*)/.exec(renderMarkdown({ ...MEASURED, accuracy: LOST }))!;
    expect(named).toBe('**dog** (-18.00 pt), **cat** (-3.00 pt)');
    expect(renderMarkdown(EVALUATED)).not.toContain('Classes that lost');
  });

  it('has classes of two networks, with the change of each', () => {
    expect(tableOf(renderMarkdown(EVALUATED), 'class').slice(3)).toEqual([
      ['cat', '78.00', '75.00', '-3.00 pt', '72'],
      ['dog', '90.00', '91.00', '+1.00 pt', '72'],
    ]);
  });

  it('has five samples of whole networks at most, with the names of the classes, and what is taken for what', () => {
    const markdown = renderMarkdown({ ...MEASURED, accuracy: LOST });
    const rows = tableOf(markdown, 'sample').slice(2);
    expect(rows).toHaveLength(5);
    expect(rows[0]).toEqual(['<code>cat/0.png</code>', 'cat', 'cat', 'candidate', 'dog']);
    expect(markdown).not.toContain('step/');
    expect(markdown).toContain('- candidate takes, unlike the reference: cat as dog (1 234)');
  });

  it('has one metric in full and each other one in a line, with agreement as its number alone', () => {
    const markdown = renderMarkdown({ ...EVALUATED, otherMetrics: [miou(3)], agreement: AGREEMENT });
    expect(markdown.match(/^#### (?:Accuracy|Agreement)/gm)).toEqual(['#### Accuracy']);
    expect(read(markdown)).toContain('\n- mIoU: 55.00 % -> 37.00 %, -18.00 pt (95 % -19.1 to -16.8, n 100)');
    expect(read(markdown)).toContain(
      '\n- agreement of the candidate with the reference: 98.20 % (95 % 96.7 to 99.0)\n',
    );
    expect(markdown).not.toMatch(/no labels|does not prove|\*\*-\*\*/);
  });

  it('has agreement in full where there are no labels, without a row of the reference with itself', () => {
    const markdown = renderMarkdown({ ...MEASURED, agreement: AGREEMENT });
    expect(markdown).toContain('#### Agreement: agreement over 720 samples, no labels');
    expect(markdown).toContain('does not prove an accuracy loss');
    expect(tableOf(markdown, 'network')).toEqual([
      ['network', 'which is', 'agreement', '95 %'],
      ['---', '---', '---:', '---:'],
      ['candidate', 'int8, simulated', '**98.20 %**', '96.7 to 99.0'],
    ]);
  });

  it('says once what the verdict says already, and the first metric of a family with the others', () => {
    const summary = `top-1 ${LOST.summary}; the integer network is broken`;
    const markdown = renderMarkdown({ ...MEASURED, accuracy: LOST, verdict: { summary } });
    expect(markdown.split('a real loss')).toHaveLength(2);
    expect(read(markdown)).toContain('- mAP@.5: reference 61.00 %, candidate 58.50 %');
  });

  it('calls the metric of a check as readers know it', () => {
    expect(tableOf(renderMarkdown(EVALUATED), 'check').find(([name]) => name === 'max-drop')).toContain(
      '<code>top-1</code>',
    );
  });

  it('says why there is no accuracy', () => {
    const notMeasured = [
      { subject: 'logits', reason: 'no values' },
      { subject: 'accuracy', reason: 'no image for 3 labels' },
    ];
    const markdown = renderMarkdown({ ...MEASURED, notMeasured });
    expect(read(markdown)).toContain('\n- accuracy not evaluated: no image for 3 labels\n');
    expect(markdown).not.toContain('no values');
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
