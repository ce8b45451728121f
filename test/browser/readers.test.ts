/** Readers of all kinds: with a screen reader, in the dark, on a telephone, without motion; and those who look at pictures. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnyReport } from '../../src/report/any-report.js';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import { HAS_BROWSER } from '../support/browser.js';
import { SITUATIONS } from '../support/compared-reports.js';
import { EVALUATED } from '../support/evaluated-reports.js';
import { SWEPT } from '../support/swept-reports.js';
import { analyzed, compared, doctored, inspected } from './real-reports.js';
import { panelOf, reportPages, unfold } from './report-pages.js';

const ALL_RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Rules that are broken, with the first places. */
async function violations(page: Page, rules: readonly string[] = ALL_RULES): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found, passes } = await page.evaluate(
    (only) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { runOnly: [...only] }),
    rules,
  );
  expect(passes.length).toBeGreaterThan(rules === ALL_RULES ? 20 : 0);
  return found.map(({ id, nodes }) => {
    const places = nodes
      .slice(0, 3)
      .map(({ html, failureSummary = '' }) => `${html.slice(0, 160)} ${failureSummary}`);
    return `${id} (${nodes.length}): ${places.join(' | ')}`;
  });
}

const layerOf = (report: AnyReport): string | undefined => {
  if (!('tensors' in report)) return undefined;
  const weighted = report.tensors.find(({ role }) => role === 'weight')?.node;
  const rows = report.tensors.filter(({ role }) => role === 'activation');
  return (rows.find(({ node }) => node === weighted) ?? rows[0])?.tensor;
};

const hashOf = (report: AnyReport): { readonly hash?: string } => {
  const layer = layerOf(report);
  return layer === undefined ? {} : { hash: `layer=${encodeURIComponent(layer)}` };
};

describe.skipIf(!HAS_BROWSER)('the page of a report', () => {
  const pages = reportPages();
  const reports = new Map<string, AnyReport>([
    ['a sweep', SWEPT],
    ['an analysis with a gate', EVALUATED],
    ['a comparison of networks that are not alike', SITUATIONS['UNALIGNED']!],
    ['a comparison with a device', SITUATIONS['DEVICE_DIFFERS']!],
  ]);
  let analysis: MeasuredReport;

  beforeAll(async () => {
    analysis = await analyzed('--pictures', '4');
    reports.set('an analysis', analysis);
    reports.set('a comparison', await compared());
    reports.set('an inspection', await inspected());
    reports.set('a diagnosis', await doctored());
  });

  const kinds = [...reports.keys(), 'an analysis', 'a comparison', 'an inspection', 'a diagnosis'];

  describe('has nothing in the way of a screen reader', () => {
    it.each(kinds)('of %s, in light and dark, all unfolded, with a layer open', async (kind) => {
      const report = reports.get(kind)!;
      const page = await pages.open(report, { ...hashOf(report), colorScheme: 'light' });
      expect(await panelOf(page).count()).toBe(layerOf(report) === undefined ? 0 : 1);
      await unfold(page);
      expect(await violations(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      // The theme changes colours alone.
      expect(await violations(page, ['color-contrast'])).toEqual([]);
    });

    it('on a narrow screen, where a layer covers the page', async () => {
      const page = await pages.open(analysis, { ...hashOf(analysis), viewport: { width: 400, height: 800 } });
      expect(await violations(page)).toEqual([]);
      await page.locator('.graph-frame').focus({ timeout: 1000 });
      expect(await page.evaluate(() => document.activeElement?.closest('main') ?? null)).toBeNull();
    });

    it('names every drawing, and tells what it shows', async () => {
      const page = await pages.open(analysis, hashOf(analysis));
      const names = await page
        .locator('svg:visible:not([aria-hidden=true]):not([aria-hidden=true] *)')
        .evaluateAll((all) =>
          all
            .filter((one) => one.parentElement?.closest('svg') === null)
            .map((one) => one.getAttribute('aria-label') ?? ''),
        );
      expect(names.length).toBeGreaterThan(3);
      for (const name of names) expect(name.length).toBeGreaterThan(20);
    });
  });

  describe('in light and dark', () => {
    const isDark = (page: Page) =>
      page.evaluate(() => {
        const [ground, letters] = [
          getComputedStyle(document.body).backgroundColor,
          getComputedStyle(document.body).color,
        ];
        const light = (colour: string) =>
          colour
            .match(/\d+/g)!
            .slice(0, 3)
            .reduce((sum, part) => sum + Number(part), 0);
        return light(ground) < 150 && light(letters) > 500;
      });

    it('is as the system is, and follows it', async () => {
      const page = await pages.open(EVALUATED, { colorScheme: 'dark' });
      expect(await isDark(page)).toBe(true);
      await page.emulateMedia({ colorScheme: 'light' });
      expect(await isDark(page)).toBe(false);
      await page.getByRole('button', { name: 'Dark', exact: true }).click();
      expect(await isDark(page)).toBe(true);
    });

    it('is as the reader chose, also when it is opened again', async () => {
      const page = await pages.open(EVALUATED, { colorScheme: 'dark' });
      await page.getByRole('button', { name: 'Light', exact: true }).click();
      expect(await isDark(page)).toBe(false);
      expect(await page.getByRole('button', { name: 'Dark', exact: true }).count()).toBe(1);
      await page.reload();
      await page.waitForSelector('html[data-ready]');
      expect(await isDark(page)).toBe(false);
      await page.emulateMedia({ colorScheme: 'light' });
      await page.getByRole('button', { name: 'Dark', exact: true }).click();
      expect(await isDark(page)).toBe(true);
    });
  });

  describe('on a screen of 400 pixels', () => {
    it.each(kinds)('of %s is not wider than it, with and without a layer', async (kind) => {
      const report = reports.get(kind)!;
      const page = await pages.open(report, { viewport: { width: 400, height: 800 } });
      await unfold(page);
      const wide = () =>
        page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth));
      expect(await wide()).toBeLessThanOrEqual(400);
      const layer = layerOf(report);
      if (layer === undefined) return;
      await page.evaluate((hash) => (location.hash = hash), `layer=${encodeURIComponent(layer)}`);
      await panelOf(page).waitFor();
      expect(await wide()).toBeLessThanOrEqual(400);
      const panel = (await panelOf(page).boundingBox())!;
      expect(panel.x).toBeGreaterThanOrEqual(0);
      expect(panel.x + panel.width).toBeLessThanOrEqual(400);
    });
  });

  it('moves the graph at once for readers who want no motion, and lets it glide for others', async () => {
    for (const [reducedMotion, moves] of [
      ['reduce', false],
      ['no-preference', true],
    ] as const) {
      const page = await pages.open(analysis, { reducedMotion });
      await page.locator('.graph-frame').focus();
      await page.keyboard.press('+');
      await page.keyboard.press('End');
      const moving = await page.evaluate(
        () =>
          document.getAnimations().filter(({ effect }) => (effect?.getComputedTiming().duration ?? 0) !== 0)
            .length,
      );
      expect(moving > 0).toBe(moves);
    }
  });

  it('shows the pictures of the samples that changed most, with what both networks say', async () => {
    const { samples } = analysis.pictures!;
    expect(samples.length).toBe(4);
    const page = await pages.open(analysis);
    const section = page.locator('#pictures');
    await section.scrollIntoViewIfNeeded();
    const images = section.locator('img');
    const sizes = await images.evaluateAll((all) =>
      Promise.all(
        all.map(async (one) => {
          const image = one as HTMLImageElement;
          await image.decode();
          return [image.naturalWidth, image.naturalHeight];
        }),
      ),
    );
    expect(sizes).toEqual(samples.map(({ width, height }) => [width, height]));
    const entries = await section.locator('ol.pictures > li').allInnerTexts();
    for (const [i, { sample, reason }] of samples.entries()) {
      expect(entries[i]).toContain(sample);
      expect(entries[i]).toContain(reason);
    }
  });
});
