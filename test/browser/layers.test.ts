/** Finding a layer: in the table, the chart, the graph, by address and by keyboard. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import { HAS_BROWSER } from '../support/browser.js';
import { analyzed } from './real-reports.js';
import { panelOf, reportPages } from './report-pages.js';

describe.skipIf(!HAS_BROWSER)('a layer of a report', () => {
  const pages = reportPages();
  let report: MeasuredReport;
  let names: string[];

  beforeAll(async () => {
    report = await analyzed();
    names = report.tensors
      .filter(({ role }) => role !== 'weight' && role !== 'bias')
      .map(({ tensor }) => tensor);
  });

  /** Text of the rows' cells below a heading. */
  async function column(page: Page, title: string): Promise<string[]> {
    const titles = await page.locator('#layer-table thead th button').allInnerTexts();
    const at = titles.findIndex((text) => text.trim().startsWith(title));
    expect(at).toBeGreaterThanOrEqual(0);
    return page.locator(`#layer-table tbody td:nth-child(${at + 1})`).allInnerTexts();
  }

  const heading = (page: Page, title: string) =>
    page.locator('#layer-table thead th', { has: page.getByRole('button', { name: title, exact: true }) });
  const title = (page: Page) => panelOf(page).getByRole('heading', { level: 2 });

  describe('in the table', () => {
    it('has a row each, in the order of computation, with the numbers of the report', async () => {
      const page = await pages.open(report);
      expect(await column(page, 'Layer')).toEqual(names);
      const levels = report.tensors.flatMap(({ tensor, self }) =>
        names.includes(tensor) ? [self?.exact === true ? 'exact' : `${self!.sqnrDb!.toFixed(1)} dB`] : [],
      );
      expect(await column(page, 'Self')).toEqual(levels);
    });

    it('is sorted by the number of a heading, the other way at the second click', async () => {
      const page = await pages.open(report);
      const decibels = (name: string) =>
        report.tensors.find(({ tensor }) => tensor === name)!.cumulative?.sqnrDb;
      const measured = names.filter((name) => decibels(name) !== undefined);
      const rising = measured.toSorted((a, b) => decibels(a)! - decibels(b)!);
      const falling = measured.toSorted((a, b) => decibels(b)! - decibels(a)!);
      expect(rising).not.toEqual(names);
      await page.getByRole('button', { name: 'Cumulative', exact: true }).click();
      expect(await heading(page, 'Cumulative').getAttribute('aria-sort')).toBe('ascending');
      expect((await column(page, 'Layer')).slice(0, rising.length)).toEqual(rising);
      await page.getByRole('button', { name: /^Cumulative/ }).click();
      expect((await column(page, 'Layer')).filter((name) => rising.includes(name))).toEqual(falling);
      expect(await page.locator('#layer-table th[aria-sort="descending"]').count()).toBe(1);
    });

    it('is found by words of its name and operator, and the number of rows is told', async () => {
      const page = await pages.open(report);
      const field = page.getByRole('searchbox', { name: 'Filter Numbers of every layer' });
      const { tensor, op } = report.tensors.find(({ tensor: name }) => name === names[3])!;
      await field.fill(`${op.toUpperCase()} ${tensor.slice(1)}`);
      expect(await column(page, 'Layer')).toEqual([tensor]);
      expect(await page.locator('#layer-table [role=status]').innerText()).toBe(`1 of ${names.length}`);
      await field.fill('no such layer');
      expect(await column(page, 'Layer')).toEqual([]);
      await field.fill('');
      expect(await column(page, 'Layer')).toEqual(names);
    });

    it('is found by its operator', async () => {
      const page = await pages.open(report);
      const op = report.tensors.find(({ tensor }) => tensor === names[2])!.op;
      await page.locator('#layer-table select').selectOption(op);
      const shown = await column(page, 'Layer');
      expect(shown).toContain(names[2]);
      expect(shown.length).toBeLessThan(names.length);
      expect(new Set(await column(page, 'Operator'))).toEqual(new Set([op]));
    });

    it('opens at a click on its row, and the row is marked', async () => {
      const page = await pages.open(report);
      await page.locator('#layer-table tbody tr').nth(4).locator('td').first().click();
      expect(await title(page).innerText()).toBe(names[4]);
      const marked = page.locator('#layer-table tbody tr[aria-current=true]');
      expect(await marked.innerText()).toContain(names[4]);
      expect(new URL(page.url()).hash).toBe(`#layer=${encodeURIComponent(names[4]!)}`);
    });
  });

  it('opens at a click into the chart, the one that its tip names', async () => {
    const page = await pages.open(report);
    const chart = page.locator('#sqnr .chart-place > *').first();
    await chart.scrollIntoViewIfNeeded();
    const box = (await chart.boundingBox())!;
    const middle = box.y + box.height / 3;
    await page.mouse.click(box.x + box.width - 30, middle);
    expect(await title(page).innerText()).toBe(names.at(-1));
    await page.keyboard.press('Escape');
    await page.mouse.click(box.x + 70, middle);
    expect(await title(page).innerText()).toBe(names[0]);
  });

  it('is hidden in the chart when all of its series are switched off but one', async () => {
    const page = await pages.open(report);
    const buttons = page.locator('#sqnr figcaption button[aria-pressed]');
    const lines = () => page.locator('#sqnr .chart-place svg path').count();
    const all = await lines();
    expect(await buttons.count()).toBe(3);
    await buttons.nth(0).click();
    expect(await buttons.nth(0).getAttribute('aria-pressed')).toBe('false');
    expect(await lines()).toBeLessThan(all);
    await buttons.nth(0).click();
    expect(await lines()).toBe(all);
  });

  it('opens at a click in the graph, which shows it when another is chosen', async () => {
    const page = await pages.open(report);
    const frame = page.getByRole('application', { name: 'Graph of the network' });
    await frame.scrollIntoViewIfNeeded();
    const site = page.locator('.graph-svg [data-site]', { hasText: 'Conv' }).first();
    await site.click();
    const opened = await title(page).innerText();
    expect(report.graph!.nodes.find(({ outputs }) => outputs.includes(opened))!.op).toContain('Conv');
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await panelOf(page).count()).toBe(0);
    await page.locator('#layer-table tbody tr').last().locator('td').first().click();
    const ring = (await page.locator('.graph-svg .ring.selected').boundingBox())!;
    const place = (await frame.boundingBox())!;
    expect(ring.y).toBeGreaterThanOrEqual(place.y);
    expect(ring.y + ring.height).toBeLessThanOrEqual(place.y + place.height);
  });

  it('is found in the graph by name, and coloured by another number', async () => {
    const page = await pages.open(report);
    const field = page.getByRole('searchbox', { name: 'Find an operator by name' });
    const { node } = report.graph!.nodes.at(-1)!;
    await field.fill(node);
    expect(await page.locator('.graph-tools [role=status]').innerText()).toMatch(/^\d+$/);
    await field.press('Enter');
    expect(await page.locator('.graph-line').innerText()).toContain(node);
    const fills = () =>
      page
        .locator('.graph-svg [data-site] > rect')
        .evaluateAll((boxes) => boxes.map((box) => box.style.fill));
    const before = await fills();
    const choices = page.locator('.graph-choice select');
    const values = await choices
      .locator('option')
      .evaluateAll((all) => all.map((one) => one.getAttribute('value')!));
    expect(values.length).toBeGreaterThan(2);
    await choices.selectOption(values.at(-1)!);
    await expect.poll(fills).not.toEqual(before);
  });

  describe('by address', () => {
    it('is open at once, and the page is not scrolled away from its beginning', async () => {
      const page = await pages.open(report, { hash: `layer=${encodeURIComponent(names[2]!)}` });
      expect(await title(page).innerText()).toBe(names[2]);
      expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
    });

    it('may be that of its operator or of a weight', async () => {
      const weight = report.tensors.find(({ role }) => role === 'weight')!;
      const output = report.tensors.find(({ role, node }) => role === 'activation' && node === weight.node)!;
      for (const name of [weight.node, weight.tensor]) {
        const page = await pages.open(report, { hash: `layer=${encodeURIComponent(name)}` });
        expect(await title(page).innerText()).toBe(output.tensor);
      }
    });

    it('follows back and forward', async () => {
      const page = await pages.open(report);
      for (const at of [1, 5])
        await page.locator('#layer-table tbody tr').nth(at).locator('td').first().click();
      await page.getByRole('button', { name: 'Close' }).click();
      const seen = async () => ((await panelOf(page).count()) === 0 ? '' : title(page).innerText());
      for (const name of [names[5], names[1], '']) {
        await page.goBack();
        await expect.poll(seen).toBe(name);
      }
      await page.goForward();
      await expect.poll(seen).toBe(names[1]);
    });

    it('follows an address that is typed into the open page', async () => {
      const page = await pages.open(report);
      await page.evaluate((hash) => (location.hash = hash), `layer=${encodeURIComponent(names[3]!)}`);
      await expect.poll(() => title(page).innerText()).toBe(names[3]);
    });

    it('of none says that there is no such layer, and leads to names like it', async () => {
      const wrong = `${names[3]}_x`;
      const page = await pages.open(report, { hash: `layer=${encodeURIComponent(wrong)}` });
      expect(await panelOf(page).getByRole('alert').innerText()).toBe(
        'No layer of this report has that name.',
      );
      expect(await title(page).innerText()).toBe(wrong);
      await panelOf(page).getByRole('link', { name: names[3]!, exact: true }).click();
      expect(await title(page).innerText()).toBe(names[3]);
    });

    it('leads from sections of the contents to where they begin', async () => {
      const page = await pages.open(report);
      await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Layers' }).click();
      const { y } = (await page.getByRole('heading', { name: 'Layers', exact: true }).boundingBox())!;
      const bar = (await page.locator('header.top').boundingBox())!;
      expect(y).toBeGreaterThanOrEqual(Math.max(0, bar.y + bar.height) - 1);
      expect(y).toBeLessThan(400);
    });
  });

  describe('by keyboard', () => {
    const active = (page: Page) =>
      page.evaluate(() => {
        const element = document.activeElement!;
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        const place = element.getBoundingClientRect();
        const labelled = element.getAttribute('aria-labelledby');
        const label =
          element.getAttribute('aria-label') ??
          (labelled === null ? null : document.getElementById(labelled)?.textContent) ??
          element.closest('label')?.textContent ??
          element.textContent;
        const all = [...document.querySelectorAll('*')];
        return {
          at: all.indexOf(element),
          kind: element.matches('.graph-frame') ? 'graph' : element.localName,
          label: label.trim(),
          isSeen: place.width > 0 && place.height > 0 && place.bottom > 0 && place.top < innerHeight,
          isMarked: (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none',
        };
      });

    it('is reached with Tab through all controls in their order, each named and each marked', async () => {
      const page = await pages.open(report);
      const stops: Awaited<ReturnType<typeof active>>[] = [];
      for (let presses = 0; presses < 400; presses++) {
        await page.keyboard.press('Tab');
        const stop = await active(page);
        if (stop.kind === 'body') break;
        stops.push(stop);
      }
      expect(stops[0]!.label).toBe('Skip to the verdict');
      expect(stops.map(({ at }) => at)).toEqual(stops.map(({ at }) => at).toSorted((a, b) => a - b));
      expect(stops.filter(({ label, isSeen, isMarked }) => label === '' || !isSeen || !isMarked)).toEqual([]);
      const kinds = new Set(stops.map(({ kind }) => kind));
      expect([...kinds].sort()).toEqual(
        expect.arrayContaining(['a', 'button', 'graph', 'input', 'select', 'summary']),
      );
      const controls = await page.locator('button:visible, a[href]:visible, summary:visible').count();
      expect(stops.length).toBeGreaterThanOrEqual(controls);
    });

    it('opens from its name in the table, and Escape goes back to where one was', async () => {
      const page = await pages.open(report);
      const link = page.locator('#layer-table tbody a').nth(2);
      await link.focus();
      await page.keyboard.press('Enter');
      expect(await title(page).innerText()).toBe(names[2]);
      expect(await title(page).evaluate((element) => element === document.activeElement)).toBe(true);
      await page.keyboard.press('Escape');
      expect(await panelOf(page).count()).toBe(0);
      expect(await link.evaluate((element) => element === document.activeElement)).toBe(true);
      expect(new URL(page.url()).hash).toBe('');
    });

    it('opens in the graph with arrows and Enter', async () => {
      const page = await pages.open(report);
      const frame = page.getByRole('application', { name: 'Graph of the network' });
      await frame.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowDown');
      const line = await page.locator('.graph-line').innerText();
      await page.keyboard.press('Enter');
      const opened = await title(page).innerText();
      const { nodes } = report.graph!;
      const node = nodes.find(({ outputs }) => outputs.includes(opened))!;
      expect(line).toContain(node.node);
      expect(nodes[0]!.outputs).toEqual(expect.arrayContaining([...node.inputs]));
      await page.keyboard.press('Escape');
      expect(await frame.evaluate((element) => element === document.activeElement)).toBe(true);
    });

    it('is followed by the next one and the one before', async () => {
      const page = await pages.open(report, { hash: `layer=${encodeURIComponent(names[1]!)}` });
      const next = panelOf(page).getByRole('button', { name: 'Next' });
      await next.focus();
      await page.keyboard.press('Enter');
      expect(await title(page).innerText()).toBe(names[2]);
      await panelOf(page).getByRole('button', { name: 'Previous' }).click();
      await panelOf(page).getByRole('button', { name: 'Previous' }).click();
      expect(await title(page).innerText()).toBe(names[0]);
      const previous = panelOf(page).getByRole('button', { name: 'Previous' });
      expect(await previous.getAttribute('aria-disabled')).toBe('true');
    });

    it('leaves a filter by Escape, with the layer still open', async () => {
      const page = await pages.open(report, { hash: `layer=${encodeURIComponent(names[1]!)}` });
      const field = page.getByRole('searchbox', { name: 'Filter Numbers of every layer' });
      await field.fill('conv');
      await field.press('Escape');
      expect(await panelOf(page).count()).toBe(1);
    });
  });
});
