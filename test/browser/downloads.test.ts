/** What a reader takes away from a page: tables, drawings, paper. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import { HAS_BROWSER } from '../support/browser.js';
import { HEALTHY } from '../support/compared-reports.js';
import { EVALUATED } from '../support/evaluated-reports.js';
import { SWEPT } from '../support/swept-reports.js';
import { analyzed } from './real-reports.js';
import { reportPages, unfold } from './report-pages.js';

interface Taken {
  readonly file: string;
  readonly text: string;
}

async function taken(page: Page, button: Locator): Promise<Taken> {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { file: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

const records = (text: string): string[][] =>
  parse(text, { record_delimiter: '\r\n', relax_column_count: false });

describe.skipIf(!HAS_BROWSER)('of a report can be taken away', () => {
  const pages = reportPages();
  let report: MeasuredReport;

  beforeAll(async () => {
    report = await analyzed();
  });

  it('the table of layers, as it is sorted and filtered', async () => {
    const page = await pages.open(report);
    const cells = async () => {
      const { file, text } = await taken(
        page,
        page.getByRole('button', { name: 'Numbers of every layer: save as CSV' }),
      );
      expect(file).toBe('layers.csv');
      return records(text);
    };
    const [titles, ...rows] = await cells();
    const activations = report.tensors.filter(({ role }) => role !== 'weight' && role !== 'bias');
    const at = (title: string) => titles!.indexOf(title);
    expect(rows.map((row) => row[at('Layer')])).toEqual(activations.map(({ tensor }) => tensor));
    for (const [i, { self, range }] of activations.entries()) {
      if (self?.sqnrDb !== undefined) expect(Number(rows[i]![at('Self')])).toBeCloseTo(self.sqnrDb, 3);
      expect(Number(rows[i]![at('Max')])).toBeCloseTo(range!.max, 3);
    }
    await page.getByRole('searchbox', { name: 'Filter Numbers of every layer' }).fill('block2');
    await page.getByRole('button', { name: 'Max', exact: true }).click();
    const [, ...fewer] = await cells();
    const expected = activations
      .filter(({ tensor, node }) => `${tensor} ${node}`.includes('block2'))
      .toSorted((a, b) => a.range!.max - b.range!.max);
    expect(fewer.map((row) => row[at('Layer')])).toEqual(expected.map(({ tensor }) => tensor));
  });

  it('the findings, with nothing in them that a spreadsheet would compute', async () => {
    const formula = '=HYPERLINK("http://evil.example";"x")';
    const names = [formula, '+1', '-1+2', '@SUM(A1)', '\tx', 'a,"b"\nc'];
    const [finding] = EVALUATED.findings;
    const findings = names.map((name) => ({ ...finding!, subject: { tensor: name }, message: name }));
    const [row] = EVALUATED.tensors;
    const tensors = names.map((tensor) => ({ ...row!, tensor, node: tensor }));
    const page = await pages.open({ ...EVALUATED, findings, tensors });
    const guarded = names.map((name) => (/^[=+\-@\t]/.test(name) ? `'${name}` : name));
    const [titles, ...rows] = records(
      (await taken(page, page.getByRole('button', { name: 'Findings: save as CSV' }))).text,
    );
    expect(titles).toEqual(['rule', 'severity', 'node', 'tensor', 'message', 'fix', 'edit']);
    expect(rows.map((cells) => cells[4])).toEqual(guarded);
    expect(rows[0]![6]).toBe("'--per-axis");
    const layers = records(
      (await taken(page, page.getByRole('button', { name: 'Numbers of every layer: save as CSV' }))).text,
    );
    const at = layers[0]!.indexOf('Layer');
    expect(layers.slice(1).map((cells) => cells[at])).toEqual(guarded);
  });

  it('every drawing, as a file that is whole by itself', async () => {
    const convolutions = report.tensors.filter(({ role }) => role === 'weight').map(({ node }) => node);
    const layer = report.tensors.find(
      ({ role, node }) => role === 'activation' && convolutions.includes(node),
    )!.tensor;
    const taking = [
      { shown: report, hash: `layer=${encodeURIComponent(layer)}`, least: 4 },
      { shown: HEALTHY, hash: `layer=${encodeURIComponent(HEALTHY.tensors[1]!.tensor)}`, least: 2 },
      { shown: SWEPT, hash: '', least: 2 },
    ];
    for (const { shown, hash, least } of taking) {
      const page = await pages.open(shown, { hash, colorScheme: 'dark' });
      await unfold(page);
      const buttons = await page.getByRole('button', { name: /save as SVG$/ }).all();
      expect(buttons.length, shown.command).toBeGreaterThanOrEqual(least);
      for (const button of buttons) {
        const { file, text } = await taken(page, button);
        expect(file).toMatch(/^[\w.-]+\.svg$/);
        expect(text, file).not.toMatch(
          /var\(|currentColor.*undefined|NaN|Infinity|https?:\/\/(?!www\.w3\.org)/,
        );
        const parsed = await page.evaluate((svg) => {
          const { documentElement: root } = new DOMParser().parseFromString(svg, 'image/svg+xml');
          const all = [...root.querySelectorAll('*')];
          return {
            root: root.localName,
            faults: root.getElementsByTagName('parsererror').length,
            marks: all.filter((one) => /^(path|rect|circle|line|text)$/.test(one.localName)).length,
            active: all.filter((one) => /^(script|foreignObject|image|use|a)$/.test(one.localName)).length,
            name: root.getAttribute('aria-label') ?? '',
          };
        }, text);
        expect(parsed, file).toMatchObject({ root: 'svg', faults: 0, active: 0 });
        expect(parsed.marks, file).toBeGreaterThan(3);
        expect(parsed.name, file).not.toBe('');
      }
    }
  });

  it('the numbers behind a drawing', async () => {
    const page = await pages.open(report);
    const { file, text } = await taken(
      page,
      page.locator('#sqnr').getByRole('button', { name: /save as CSV$/ }),
    );
    expect(file).toBe('sqnr-by-layer.csv');
    const [titles, ...rows] = records(text);
    const activations = report.tensors.filter(({ role }) => role !== 'weight' && role !== 'bias');
    expect(rows.map((row) => row[titles!.indexOf('tensor')])).toEqual(
      activations.map(({ tensor }) => tensor),
    );
    const last = Number(rows.at(-1)![titles!.indexOf('cumulative SQNR (dB)')]);
    expect(last).toBeCloseTo(activations.at(-1)!.cumulative!.sqnrDb!, 3);
  });

  describe('on paper', () => {
    it('all but what only works on a screen, with nothing cut off', async () => {
      const page = await pages.open(report, { viewport: { width: 718, height: 1000 } });
      await page.emulateMedia({ media: 'print' });
      for (const hidden of ['header.top', '.tools', '.filter', '.graph-tools', 'button.more'])
        expect(await page.locator(`${hidden}:visible`).count(), hidden).toBe(0);
      for (const section of ['#verdict', '#findings', '#sqnr', '#layers', '#basis'])
        expect(await page.locator(section).isVisible(), section).toBe(true);
      const cut = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('main, main *')]
          .filter((element) => {
            const { overflowX, overflowY, clipPath } = getComputedStyle(element);
            const [wide, high] = [
              element.scrollWidth > element.clientWidth + 1 && overflowX !== 'visible',
              element.scrollHeight > element.clientHeight + 1 && overflowY !== 'visible',
            ];
            const isHidden = clipPath !== 'none' || element.closest('.visually-hidden') !== null;
            return (wide || high) && !isHidden && element.clientWidth > 1 && !element.matches('svg, svg *');
          })
          .map((element) => `${element.localName}.${element.className}`),
      );
      expect(cut).toEqual([]);
      const far = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(far).toBeLessThanOrEqual(718);
    });

    it('in black on white, whatever is chosen on the screen', async () => {
      const page = await pages.open(report, { colorScheme: 'dark' });
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(await ground()).not.toBe('rgb(255, 255, 255)');
      await page.emulateMedia({ media: 'print' });
      expect(['rgb(255, 255, 255)', 'rgba(0, 0, 0, 0)']).toContain(await ground());
      const colour = await page.evaluate(() => getComputedStyle(document.body).color);
      expect(Math.max(...colour.match(/\d+/g)!.map(Number))).toBeLessThan(80);
    });

    it('as a document of a few pages', async () => {
      const page = await pages.open(report);
      const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
      const sheets = pdf.match(/\/Type\s*\/Page\b(?!s)/g)!.length;
      expect(sheets).toBeGreaterThan(1);
      expect(sheets).toBeLessThan(30);
    });
  });
});
