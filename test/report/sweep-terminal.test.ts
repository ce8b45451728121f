import { describe, expect, it } from 'vitest';
import { explained } from '../../src/report/explain.js';
import type { SweepReport } from '../../src/report/sweep-report.js';
import { renderSweep } from '../../src/report/sweep-terminal.js';
import { HOSTILE } from '../support/evaluated-reports.js';
import {
  effect,
  EXACT,
  KEPT,
  MISSED,
  namedSweep,
  swept,
  SWEPT,
  UNLABELLED,
} from '../support/swept-reports.js';

const REPORTS = { SWEPT, UNLABELLED, KEPT, EXACT, MISSED };

function screen(report: SweepReport, width = 100, rest: { quiet?: boolean; top?: number } = {}): string {
  return renderSweep(report, { width, color: false, top: rest.top, quiet: rest.quiet === true });
}

/** Lines of the section that begins so. */
function section(text: string, title: string): string[] {
  return (text.split('\n\n').find((part) => part.startsWith(title)) ?? '').trimEnd().split('\n');
}

const flat = (text: string): string => text.replace(/\s+/g, ' ');

describe('the sweep on a terminal', () => {
  it('has no line that is longer than the screen, whatever the screen', () => {
    for (const report of Object.values(REPORTS)) {
      for (const width of [60, 80, 100, 160]) {
        for (const line of screen(report, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });

  it('says the same on every screen', () => {
    for (const width of [60, 100, 160]) {
      const text = flat(screen(SWEPT, width));
      expect(text).toContain(flat(SWEPT.verdict.summary));
      for (const told of [
        '+6.50',
        'head/conv',
        'met, unsure, chosen',
        'stopped: target met',
        '+5.20',
        '407.1 %',
      ])
        expect(text).toContain(told);
    }
  });

  it('has the layers that are won back most first, with what they cost alone, as many as asked for', () => {
    const lines = section(screen(SWEPT, 160), 'LAYERS');
    expect(lines[0]).toBe('LAYERS  10 of 12 (--top 12 lists all), most gained when restored first, in pt');
    expect(lines[1]!.trim().split(/ {2,}/)).toEqual([
      ...['layer', 'op', 'MACs', 'alone dB', 'alone pt', 'restored pt', 'restored dB', 'noise gone'],
    ]);
    expect(lines[2]!.trim().split(/ {2,}/)).toEqual([
      ...['features/block4/depthwise/conv', 'Conv+Clip', '1.6 %', '14.9', '-3.30', '+6.50', '+3.6', '56.3 %'],
    ]);
    expect(flat(lines.join(' '))).toContain('less than about 1.90 pt can be chance');
    expect(section(screen(SWEPT, 160, { top: 3 }), 'LAYERS')[0]).toContain('3 of 12');
  });

  it('ranks by dB where points say nothing, and says so', () => {
    expect(section(screen(UNLABELLED), 'LAYERS')[0]).toBe(
      'LAYERS  10 of 12 (--top 12 lists all), most gained when restored first, in dB',
    );
    expect(section(screen(KEPT, 160), 'LAYERS')[0]).toContain(
      'in dB: what they differ by in pt can be chance',
    );
  });

  it('has experiments by family, with the base marked and shares as bars', () => {
    const lines = section(screen(SWEPT, 160), 'EXPERIMENTS');
    expect(lines.find((line) => line.includes('minmax'))).toMatch(
      /minmax \* .* 12\.60 .* 100\.0 % {2}█{10}$/,
    );
    expect(lines.findIndex((line) => line.trim() === 'where ranges come from')).toBeLessThan(
      lines.findIndex((line) => line.includes('percentile 99.9')),
    );
    expect(lines.find((line) => line.includes('weights only'))).toMatch(
      /0\.70 .* 5\.6 % .*▌ +--activations float$/,
    );
  });

  it('shows everything quantized as the base where no experiment is it', () => {
    const experiments = SWEPT.experiments.filter(({ isBase }) => isBase !== true);
    expect(section(screen(swept({ experiments }), 160), 'EXPERIMENTS')[2]).toMatch(
      /everything quantized \* .* 12\.60 .* 100\.0 %/,
    );
  });

  it('has the sets that nothing betters, cheapest first, the answer and why it stopped', () => {
    const lines = section(screen(SWEPT, 160), 'SEARCH');
    const rows = lines.filter((line) => /^ +\d/.test(line)).map((line) => line.trim().split(/ {2,}/));
    expect(rows.map(([layers]) => layers)).toEqual(['0', '1', '2']);
    expect(rows[2]!.slice(0, 7)).toEqual(['2', '21.6 %', '+216 kB', '84.10', '81.3 to 86.7', '0.40', '19.6']);
    expect(lines.at(-1)).toBe('  stopped: target met, and no layer can be spared');
  });

  it('ranks fixes as they came, and names those that gave nothing', () => {
    const lines = section(screen(SWEPT), 'FIXES');
    expect(flat(lines[0]!)).toContain('3 of 4 changes tried help');
    expect(lines.find((line) => line.includes('equalization'))).toMatch(
      /^ +\+2\.70 +\+1\.6 +none {2}equalization/,
    );
    expect(lines.find((line) => line.includes('16 bit'))).toContain('20.0 % MACs +12.3 kB');
    expect(lines.at(-1)).toBe('  no gain: bias correction of all layers');
  });

  it('says of a layer that could not be run why', () => {
    expect(flat(screen(MISSED))).toContain('failed: attention/softmax: the runtime ended (SIGSEGV)');
  });

  it('says what was written, how to use it and what it cannot carry', () => {
    const lines = section(screen(SWEPT), 'EXPORTS');
    expect(lines[1]).toBe('  ort  out/nodes.json');
    expect(lines.at(-1)!.trim()).toBe('not told: ranges of activations');
  });

  it('says what was decided on, and whether the target holds with it', () => {
    const decision = {
      layers: ['head/conv'],
      to: 'float' as const,
      fixes: ['equalization:block4'],
      effect: effect(84.4, 25),
      meetsTarget: true,
    };
    const lines = section(screen(swept({ decision }), 160), 'DECISION');
    expect(lines).toEqual([
      'DECISION  1 layer in float and 1 fix: 84.40 % (95 % 81.6 to 87.0), 25.0 dB output SQNR, within the target of 1pt',
      '  in float: head/conv',
      '  + equalization of block 4 with what follows it',
    ]);
  });

  it('is verdict, search and fixes when quiet', () => {
    const titles = screen(SWEPT, 100, { quiet: true })
      .split('\n\n')
      .map((part) => part.split(' ')[0]);
    expect(titles).toEqual(['VERDICT', 'SEARCH', 'FIXES']);
  });

  it('lets no name of a file reach the terminal as it is, or break a line', () => {
    for (const width of [60, 160]) {
      const text = screen(namedSweep(HOSTILE), width);
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(text.split('\n').some((line) => line.startsWith('::error'))).toBe(false);
    }
  });

  it('has no NaN, undefined or null on it', () => {
    for (const report of Object.values(REPORTS))
      expect(screen(report)).not.toMatch(/NaN|undefined|null|Infinity/);
  });

  it('uses words that qdbg explain knows', () => {
    const said = (word: string): string => flat(explained(word, { width: 100, color: false }));
    for (const word of [
      'MACs',
      'restored',
      'noise gone',
      'changed',
      'pt',
      'pareto',
      'group',
      'experiment',
      'sweep',
    ])
      expect(said(word).length).toBeGreaterThan(80);
    expect(said('alone')).toContain('qdbg analyze --only NAME');
    expect(said('alone')).toContain('Measured at the outputs');
    expect(said('equalization')).toContain('1906.04721');
  });
});
