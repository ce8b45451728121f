/** A real browser for tests of HTML reports: Chromium as the system has it, or the one that CHROME_BIN names. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Undefined where there is none; on CI that is a fault, which launching tells. */
const BROWSER = [process.env['CHROME_BIN'] ?? '', ...PLACES].find(
  (place) => place !== '' && existsSync(place),
);

/** Whether tests that need a browser can run, or have to. */
export const HAS_BROWSER = BROWSER !== undefined || process.env['CI'] !== undefined;

/** @throws Error without a browser */
export function launched(): Promise<Browser> {
  if (BROWSER === undefined) throw new Error('no Chromium: apt-get install chromium, or set CHROME_BIN');
  // Containers that run as root give Chromium no sandbox; the pages are this project's own.
  return chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
