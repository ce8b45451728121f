/** Pages of reports in a browser. After each test: none of its pages complained of anything, or asked for anything but its own file. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { renderHtml } from '../../src/report/html/index.js';
import type { AnyReport } from '../../src/report/any-report.js';
import { launched } from '../support/browser.js';
import { workspace } from '../support/workspace.js';

export interface Wanted extends BrowserContextOptions {
  /** Without #. */
  readonly hash?: string;
  /** For pages that never become ready: to be waited for by the test. */
  readonly isBroken?: true;
}

export interface ReportPages {
  /** The report's page, ready. */
  open(report: AnyReport, wanted?: Wanted): Promise<Page>;
  openHtml(html: string, wanted?: Wanted): Promise<Page>;
  /** What pages complained of, and addresses that they asked for, since this was last asked. */
  problems(): string[];
}

const OWN = /^(file|data|blob):/;
const VIEW = { width: 1280, height: 900 };

/** To be called in a file of tests, once: one browser serves it. */
export function reportPages(): ReportPages {
  const place = workspace();
  const files = new Map<AnyReport, Promise<string>>();
  let browser: Browser | undefined;
  const found: string[] = [];

  beforeAll(async () => {
    browser = await launched();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    expect(found.splice(0)).toEqual([]);
  });

  const fileOf = (html: string): string => {
    const name = `${createHash('sha256').update(html).digest('hex').slice(0, 16)}.html`;
    return existsSync(`${place.folder}/${name}`) ? `${place.folder}/${name}` : place.file(name, html);
  };
  const open = async (file: string, { hash, isBroken, ...options }: Wanted): Promise<Page> => {
    if (browser === undefined) throw new Error('pages are opened in tests');
    const context = await browser.newContext({ viewport: VIEW, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('console', (message) => found.push(`console ${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => found.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      found.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!OWN.test(request.url())) found.push(`request: ${request.url()}`);
    });
    await page.goto(`${pathToFileURL(file).href}${hash === undefined ? '' : `#${hash}`}`);
    if (isBroken === undefined && options.javaScriptEnabled !== false)
      await page.waitForSelector('html[data-ready]');
    return page;
  };
  return {
    open: async (report, wanted = {}) => {
      const file = files.get(report) ?? renderHtml(report).then(fileOf);
      files.set(report, file);
      return open(await file, wanted);
    },
    openHtml: (html, wanted = {}) => open(fileOf(html), wanted),
    problems: () => found.splice(0),
  };
}

/** The panel of the selected layer. */
export function panelOf(page: Page): ReturnType<Page['locator']> {
  return page.locator('.layer-panel');
}

/** Everything that waits for a click to be read. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
}
