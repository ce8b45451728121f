import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { REPORTERS } from '../../src/report/index.js';
import { checkReporter } from '../../src/report/refused.js';
import type { SweepReport } from '../../src/report/sweep-report.js';
import { HOSTILE } from '../support/evaluated-reports.js';
import { EXACT, KEPT, MISSED, namedSweep, SWEPT, UNLABELLED } from '../support/swept-reports.js';

const ALL = [SWEPT, UNLABELLED, KEPT, EXACT, MISSED];

describe('a sweep as JSON', () => {
  it('is the document, without NaN and null', async () => {
    for (const report of ALL) {
      const text = await REPORTERS.json(report);
      expect(JSON.parse(text)).toEqual(report);
      expect(text).not.toMatch(/\bnull\b|NaN/);
    }
  });

  it('has no number that is none', async () => {
    const broken: SweepReport = { ...SWEPT, quantized: { outputSqnrDb: NaN } };
    await expect(REPORTERS.json(broken)).rejects.toThrow('outputSqnrDb is NaN');
  });
});

describe('a sweep as CSV', () => {
  const rowsOf = async (report: SweepReport): Promise<Record<string, string>[]> =>
    parse(await REPORTERS.csv(report), { columns: true, record_delimiter: '\r\n' });

  it('has a row for each network, unit, experiment, set and fix, and says which it is', async () => {
    const rows = await rowsOf(SWEPT);
    const kinds = [...new Set(rows.map(({ kind }) => kind))];
    expect(kinds).toEqual(['network', 'layer', 'op', 'group', 'experiment', 'search', 'fix', 'together']);
    expect(rows.filter(({ kind }) => kind === 'layer')).toHaveLength(12);
    expect(rows.find(({ name }) => name === 'head/conv')).toMatchObject({
      op: 'Conv+Relu',
      macs_share: '0.2',
      alone_output_sqnr_db: '16.2',
      restored_output_sqnr_db: '9.8',
      accuracy: '',
    });
    const chosen = rows.find(({ is_chosen }) => is_chosen === 'true');
    expect(chosen).toMatchObject({ layers: '2', layer_names: 'features/block4/depthwise/conv;head/conv' });
    expect(Number(chosen!['drop'])).toBeCloseTo(0.4);
    expect(rows.find(({ kind }) => kind === 'fix')).toMatchObject({ family: 'observer', extra_bytes: '0' });
  });

  it('gives a spreadsheet no formula to run', async () => {
    for (const row of await rowsOf(namedSweep('=1+1'))) {
      for (const cell of [row['name'], row['title'], row['op'], row['tensor'], row['flags'], row['failure']])
        expect(cell).not.toMatch(/^=/);
    }
    expect((await rowsOf(namedSweep(HOSTILE))).length).toBe((await rowsOf(SWEPT)).length + 3);
  });
});

describe('a sweep as Markdown', () => {
  it('begins with the answer, and has the tables of a comment', async () => {
    const text = await REPORTERS.md(SWEPT);
    expect(text.split('\n')[0]).toBe('### qdbg sweep <code>net.onnx</code>: within 1pt by 2 layers in float');
    for (const title of ['Search', 'Fixes', 'Layers', 'Groups', 'Experiments', 'Exports'])
      expect(text).toContain(`\n#### ${title}`);
    expect(text).toContain('| 2 | 21.6 % | +216 kB | **84.10** |');
    expect((await REPORTERS.md(KEPT)).split('\n')[0]).toContain('what is lost is within noise');
    expect((await REPORTERS.md(MISSED)).split('\n')[0]).toContain('target 0.1pt missed');
  });

  it('keeps its tables whole and its names harmless', async () => {
    const text = await REPORTERS.md(namedSweep(HOSTILE));
    // What is set as code mentions nobody.
    expect(text.replaceAll(/<code>.*?<\/code>/g, '')).not.toMatch(/@team/);
    expect(text).not.toMatch(/<script|\]\(http|[\u0000\u001b\u202e]/);
    const cells = (line: string): number => line.split('|').length;
    text.split('\n').forEach((line, at, lines) => {
      const before = lines[at - 1] ?? '';
      if (line.startsWith('|') && before.startsWith('|')) expect(cells(line)).toBe(cells(before));
    });
  });
});

describe('a sweep as annotations', () => {
  it('is the verdict and notices, and a warning where the target is missed or a layer fails', async () => {
    const lines = (await REPORTERS.github(SWEPT)).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^::notice file=models\/net\.onnx,title=qdbg verdict::everything quantized/);
    expect(lines.every((line) => line.startsWith('::notice '))).toBe(true);
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines.join('\n')).toContain('title=qdbg layer features/block4/depthwise/conv::in float');
    const warnings = (await REPORTERS.github(MISSED))
      .split('\n')
      .filter((line) => line.startsWith('::warning'));
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('0.1pt is missed');
    expect(warnings[1]).toContain('SIGSEGV');
  });

  it('lets no name begin a command', async () => {
    for (const line of (await REPORTERS.github(namedSweep(HOSTILE))).trimEnd().split('\n'))
      expect(line).toMatch(/^::(notice|warning) /);
  });
});

describe('what a sweep has no report for', () => {
  it('is refused before a run and after it, with what it has instead', async () => {
    for (const name of ['junit', 'sarif'] as const) {
      expect(() => checkReporter('sweep', name)).toThrow(UsageError);
      expect(() => checkReporter('sweep', name)).toThrow(
        'it has terminal, json, html, md, csv, github and model-explorer',
      );
      await expect(REPORTERS[name](SWEPT)).rejects.toThrow(UsageError);
    }
    for (const name of ['terminal', 'json', 'html', 'md', 'csv', 'github', 'model-explorer'])
      expect(() => checkReporter('sweep', name)).not.toThrow();
    expect(() => checkReporter('analyze', 'junit')).not.toThrow();
    expect(() => checkReporter('doctor', 'model-explorer')).toThrow('qdbg doctor lists findings');
  });
});
