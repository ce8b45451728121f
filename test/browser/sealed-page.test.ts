/** A page runs its own program alone, asks for nothing, and says so when a part of it is missing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html/index.js';
import { HAS_BROWSER } from '../support/browser.js';
import { HEALTHY } from '../support/compared-reports.js';
import { EVALUATED } from '../support/evaluated-reports.js';
import { largeReport } from '../support/large-report.js';
import { SWEPT } from '../support/swept-reports.js';
import { panelOf, reportPages, unfold } from './report-pages.js';

describe.skipIf(!HAS_BROWSER)('the page of a report', () => {
  const pages = reportPages();

  it('runs no script but its own, neither one that is written into the file nor one that is added later', async () => {
    const html = await renderHtml(EVALUATED);
    const injected = '<script>window.ran=1</script><img src="data:," onerror="window.ran=1"></body>';
    const page = await pages.openHtml(html.replace('</body>', injected));
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = 1';
      const link = document.createElement('a');
      link.href = 'javascript:window.ran=1';
      document.body.append(script, link);
      link.click();
    });
    await page.waitForTimeout(100);
    expect(await page.evaluate(() => 'ran' in window)).toBe(false);
    const refused = pages.problems();
    expect(refused.length).toBeGreaterThanOrEqual(4);
    expect(refused.filter((text) => !/Content Security Policy/.test(text))).toEqual([]);
    // Those are the browser's words for what the file does not allow: the page itself is whole.
    expect(await page.locator('#verdict').innerText()).toContain('the integer network is broken');
  });

  it('lets nothing be asked of a server, by a script in it or an element', async () => {
    const asked: string[] = [];
    const server = createServer(({ url = '' }, response) => {
      asked.push(url);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const page = await pages.open(EVALUATED);
      const results = await page.evaluate(async (to) => {
        for (const [element, attribute] of [
          ['img', 'src'],
          ['iframe', 'src'],
          ['script', 'src'],
          ['object', 'data'],
        ]) {
          const added = document.createElement(element!);
          added.setAttribute(attribute!, `${to}/${element}`);
          document.body.append(added);
        }
        const sheet = document.createElement('style');
        sheet.textContent = `@import "${to}/sheet"; body { background-image: url("${to}/background") }`;
        document.head.append(sheet);
        const fetched = await fetch(`${to}/fetch`).then(String, () => 'refused');
        await new Promise((resolve) => setTimeout(resolve, 300));
        return fetched;
      }, address);
      expect(results).toBe('refused');
      expect(asked).toEqual([]);
      const refused = pages.problems();
      expect(refused.filter((text) => /Content Security Policy/.test(text)).length).toBeGreaterThanOrEqual(6);
    } finally {
      server.close();
    }
  });

  it('asks for nothing and complains of nothing, whatever is looked at in it', async () => {
    for (const report of [EVALUATED, HEALTHY, SWEPT]) {
      const page = await pages.open(report);
      await unfold(page);
      for (const button of await page.locator('th button:visible').all()) await button.click();
      for (const link of await page.locator('nav.contents a:visible').all()) await link.click();
      const rows = page.locator('#layer-table tbody tr td:first-child');
      if ((await rows.count()) > 0) await rows.first().click();
      await page.mouse.move(400, 400);
    }
    expect(pages.problems()).toEqual([]);
  });

  describe('that was not copied whole', () => {
    it.each([0.3, 0.6, 0.9])('says so instead of staying empty: %d of its data', async (share) => {
      const html = await renderHtml(largeReport(40, 16));
      const [start, end] = [
        html.indexOf('id="document">'),
        html.indexOf('</script>', html.indexOf('id="document">')),
      ];
      const page = await pages.openHtml(html.slice(0, start + (end - start) * share), { isBroken: true });
      const notice = page.getByText('not copied whole');
      await notice.waitFor();
      await expect
        .poll(() => notice.evaluate((one) => getComputedStyle(one).opacity), { timeout: 10_000 })
        .toBe('1');
    });

    it('says so where its program is cut', async () => {
      const html = await renderHtml(EVALUATED);
      const page = await pages.openHtml(html.slice(0, -20_000), { isBroken: true });
      await page.getByText('not copied whole').waitFor();
      // An unfinished script is none, and no fault either.
      expect(await page.locator('html[data-ready]').count()).toBe(0);
    });

    it('says what is wrong with data that was changed', async () => {
      const html = await renderHtml(EVALUATED);
      for (const broken of [
        html.replace(/(id="document">)[^<]{40}/, '$1'),
        html.replace(/(id="document">)[^<]+/, '$1????'),
        html.replace(/(id="document">)[^<]+/, '$1'),
      ]) {
        const page = await pages.openHtml(broken, { isBroken: true });
        const alert = page.getByRole('alert');
        await alert.waitFor();
        expect(await alert.innerText()).toMatch(/^This report cannot be shown: .{5}/);
      }
    });

    it('says nothing of the kind when it is whole', async () => {
      const page = await pages.open(EVALUATED);
      expect(await page.getByText('not copied whole').count()).toBe(0);
    });
  });

  it('says verdict and findings where no script may run', async () => {
    const page = await pages.open(EVALUATED, { javaScriptEnabled: false });
    const text = await page.locator('body').innerText();
    expect(text).toContain('the integer network is broken');
    expect(text).toContain('one scale serves all 16 channels');
    expect(text).not.toContain('not copied whole');
  });

  it('of a thousand layers is less than 5 MB, opens, and is searched, sorted and walked', async () => {
    const report = largeReport(1000, 512);
    const html = await renderHtml(report);
    expect(html.length).toBeLessThan(5e6);
    const page = await pages.openHtml(html);
    const load = await page.evaluate(
      () =>
        performance.getEntriesByType('paint').find(({ name }) => name === 'first-contentful-paint')
          ?.startTime,
    );
    console.log(
      `1,000 layers: ${(html.length / 1e6).toFixed(2)} MB, shown after ${((load ?? NaN) / 1000).toFixed(2)} s`,
    );
    const rows = page.locator('#layer-table tbody tr');
    const first = await rows.count();
    expect(first).toBeLessThan(400);
    await page.locator('#layer-table').getByRole('button', { name: 'Show all 1,001 rows' }).click();
    expect(await rows.count()).toBe(1001);
    await page.getByRole('searchbox', { name: 'Filter Numbers of every layer' }).fill('block249/conv2');
    expect(await rows.count()).toBe(1);
    await rows.first().locator('td').first().click();
    expect(await panelOf(page).locator('h2').innerText()).toContain('block249/conv2');
    await page.getByRole('application', { name: 'Graph of the network' }).focus();
    await page.keyboard.press('0');
    await page.keyboard.press('End');
    expect(await page.locator('.graph-line').innerText()).toContain('block249/conv3');
  });
});
