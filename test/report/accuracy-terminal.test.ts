import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { Accuracy } from '../../src/diff/accuracy/accuracy.js';
import { accuracySection } from '../../src/report/accuracy-terminal.js';
import { preprocessingSection } from '../../src/report/accuracy-terminal-preprocessing.js';
import { displayWidth } from '../../src/report/text-width.js';
import type { Evaluated } from '../../src/report/evaluated.js';
import { HOSTILE, miou, named, TOP1 } from '../support/evaluated-reports.js';

const PLAIN = new Chalk({ level: 0 });
const linesOf = (report: Evaluated, width = 110): string[] => accuracySection(report, PLAIN, { width });

function without<T extends object, K extends keyof T>(whole: T, key: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key)) as Omit<T, K>;
}

/** Words of the lines between the title of a table and what follows it. */
function rowsOf(lines: readonly string[], title: RegExp, many: number): string[][] {
  const start = lines.findIndex((line) => title.test(line));
  return lines.slice(start, start + many).map((line) => line.trim().split(/ {2,}/));
}

describe('the accuracy on a terminal', () => {
  it('starts with what was measured and the sentence that a reader needs', () => {
    expect(linesOf({ accuracy: TOP1 }).slice(0, 2)).toEqual([
      'ACCURACY  top-1 over 720 samples, labels from class folders, 10 classes',
      '  87.22 % -> 86.94 %, -0.28 pt (95 % -0.9 to +0.4, p 0.69, n 720): within noise',
    ]);
  });

  it('has every network with its interval, its change and how sure that is', () => {
    expect(rowsOf(linesOf({ accuracy: TOP1 }), /^ {2}network/, 3)).toEqual([
      ['network', 'which is', 'top-1', '95 %', 'change', '95 %', 'p'],
      ['reference', 'float', '87.22 %', '84.6 to 89.5'],
      [
        'candidate',
        'int8, simulated',
        '86.94 %',
        '84.3 to 89.2',
        '-0.28 pt',
        '-0.9 to +0.4',
        '0.69',
        'within noise',
      ],
    ]);
  });

  it('tells what was lost and won, classes, samples to look at, and ties', () => {
    const text = linesOf({ accuracy: TOP1 }).join('\n');
    expect(text).toContain('candidate against reference: 5 lost, 3 won, 623 right and 89 wrong in both');
    expect(text).toContain('samples that part: cat/3.png cat -> dog, is cat');
    expect(text).toContain('int8, simulated: 12 ties for the largest score, the first index counts');
    expect(text).not.toContain('NaN');
  });

  it('tells which classes lost where the loss is real: of a change within noise some class has always lost', () => {
    const lost = linesOf({ accuracy: { ...TOP1, standing: 'worse' } }).join('\n');
    expect(lost).toContain('classes that lost: cat 78.00 % -> 75.00 % (-3.00 pt, n 72)');
    expect(lost).not.toContain('dog 90');
    expect(linesOf({ accuracy: TOP1 }).join('\n')).not.toContain('classes that lost');
  });

  it('has further metrics and the agreement in a line each, without what agreement does not prove', () => {
    const agreement = { ...without(TOP1, 'labels'), metric: 'agreement', candidate: 98.2 };
    const lines = linesOf({ accuracy: TOP1, otherMetrics: [{ ...TOP1, metric: 'top5' }], agreement });
    expect(lines.filter((line) => /^ {2}(top-5|agreement) /.test(line))).toHaveLength(2);
    expect(lines.join('\n')).toMatch(/^ {2}agreement {2}98\.20 % .*of the candidate with the reference/m);
    expect(lines.join('\n')).not.toContain('does not prove');
  });

  it('leaves the sentence to the verdict where that has it, and says why there is no accuracy', () => {
    const told = { accuracy: TOP1, verdict: { summary: `top-1 ${TOP1.summary}; more` } };
    expect(accuracySection(told, PLAIN, { width: 110 }).join('\n')).not.toContain(TOP1.summary);
    const missing = { notMeasured: [{ subject: 'accuracy', reason: 'the labels name 2 classes' }] };
    expect(accuracySection(missing, PLAIN, { width: 110 })).toEqual([
      'ACCURACY  not evaluated: the labels name 2 classes',
    ]);
  });

  it('tells NaN outputs, chance, an offset of the labels and samples left out when there are any', () => {
    const accuracy: Accuracy = {
      ...TOP1,
      networks: TOP1.networks.map((network) => ({ ...network, nonFinite: 3 })),
      chance: 10,
      labelOffset: { offset: 1, value: 86, isApplied: false },
      leftOut: 7,
    };
    const text = linesOf({ accuracy }).join('\n');
    expect(text).toContain('int8, simulated: 3 samples with NaN or infinite outputs');
    expect(text).toContain('always the most frequent class would have 10.00 %');
    expect(text).toContain('were the labels counted +1, the reference would have 86.00 %');
    expect(text).toContain('7 without anything to count left out');
  });

  it('says that agreement proves no loss, once', () => {
    const unlabelled = without(TOP1, 'labels');
    const said = (summary: string): number =>
      linesOf({ agreement: { ...unlabelled, metric: 'agreement', summary } })
        .join(' ')
        .match(/agreement only/g)!.length;
    expect(said('the same class in 98.89 % of 720 samples')).toBe(1);
    expect(said('98.89 %: agreement only; this does not prove an accuracy loss')).toBe(1);
    expect(linesOf({ agreement: { ...unlabelled, metric: 'agreement' } })[0]).toBe(
      'AGREEMENT  agreement over 720 samples, no labels',
    );
  });

  it('has networks as columns and classes as rows for a segmentation, the mean first, all classes of twelve', () => {
    const rows = rowsOf(linesOf({ accuracy: miou(12) }), /^ {2}class/, 15);
    expect(rows[0]).toEqual([...['class', 'reference', 'convolutions', 'candidate', '16 bit', 'in labels']]);
    expect(rows[1]).toEqual(['all', '55.00', '53.00', '37.00', '54.50']);
    expect(rows[2]).toEqual(['class-0', '60.00', '59.83', '58.50', '59.96', '1 000']);
    expect(rows[13]![0]).toBe('class-11');
  });

  it('has the ten classes that the candidate loses most of, of more', () => {
    const lines = linesOf({ accuracy: miou(21) });
    expect(lines).toContain('  mIoU by class, the 10 of 21 that lost most, %');
    const rows = rowsOf(lines, /^ {2}class/, 13);
    expect(rows.slice(2, 12).map(([name]) => name)).toEqual(
      Array.from({ length: 10 }, (_, i) => `class-${20 - i}`),
    );
    expect(rows[12]).toEqual(['']);
  });

  it('keeps to the width, and lets no name reach the terminal raw', () => {
    for (const width of [60, 80, 110, 160]) {
      for (const report of [{ accuracy: TOP1, otherMetrics: [miou(3)] }, named('n'.repeat(300))]) {
        const wide = linesOf(report, width).filter((line) => displayWidth(line) > width);
        expect(wide).toEqual([]);
      }
    }
    expect(linesOf(named(HOSTILE)).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  it('says nothing where nothing was evaluated', () => {
    expect(linesOf({})).toEqual([]);
    expect(preprocessingSection({ accuracy: TOP1 }, PLAIN, { width: 110 })).toEqual([]);
  });
});

describe('the preprocessings on a terminal', () => {
  it('say that quantization is not at fault, and which one explains it', () => {
    const accuracy: Accuracy = { ...TOP1, reference: 11, referenceInterval: [9, 13] };
    const preprocessings = [
      { title: 'values 0..255, RGB', flags: ['--preset raw'], value: 10, interval: [8, 12] as const },
      { title: 'values -1..1, RGB', flags: ['--preset tf'], value: 87, interval: [84, 89] as const },
    ];
    const lines = preprocessingSection({ accuracy, preprocessings }, PLAIN, { width: 110 });
    expect(lines.join(' ')).toContain('this is not a quantization problem');
    expect(rowsOf(lines, /^ {2}preprocessing/, 4)).toEqual([
      ['preprocessing', 'top-1', '95 %', 'flags'],
      ['as it is now', '11.00 %', '9.0 to 13.0'],
      ['values 0..255, RGB', '10.00 %', '8.0 to 12.0', '--preset raw'],
      ['values -1..1, RGB', '87.00 %', '84.0 to 89.0', '--preset tf'],
    ]);
    expect(lines.at(-1)).toContain('values -1..1, RGB scores 87.00 % instead of 11.00 % (--preset tf)');
  });
});
