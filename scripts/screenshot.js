// docs/report.png: the HTML report of a network whose channels were rescaled, as a browser shows it.
// Needs a build, and Chromium: /usr/bin/chromium, or the one that CHROME_BIN names.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'qdbg-screenshot-'));
const report = join(folder, 'report.html');
const digits = 'fixtures/digits';
const WIDTH = 1400;
const LAYER = 'block1/depthwise_relu:out';

try {
  const flags = ['--calib', `${digits}/calib`, '--eval', `${digits}/eval`, '--report', `html=${report}`];
  execFileSync(
    process.execPath,
    ['bin/qdbg.js', 'analyze', `${digits}/digits_rescaled.onnx`, ...flags, '--quiet'],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const shot = await shown(`${pathToFileURL(report).href}#layer=${encodeURIComponent(LAYER)}`);
  // Flat colours: 64 of them are all that the eye finds here.
  await sharp(shot)
    .png({ palette: true, colours: 64, dither: 0, effort: 10 })
    .toFile(join(root, 'docs/report.png'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function shown(address) {
  const browser = await chromium.launch({
    executablePath: process.env['CHROME_BIN'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'], // as root in a container
  });
  try {
    const page = await browser.newPage({
      viewport: { width: WIDTH, height: 1700 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    await page.goto(address);
    await page.locator('#layer-title').waitFor();
    await page.getByRole('button', { name: '2 errors' }).click(); // the notes would push the chart out of the picture
    await page.getByRole('heading', { name: 'Values and quantization grid' }).evaluate(scrolledTo);
    await page.evaluate(() => document.activeElement?.blur());
    const chart = await page.locator('#sqnr .chart-place').boundingBox();
    return await page.screenshot({ clip: { x: 0, y: 0, width: WIDTH, height: chart.y + chart.height } });
  } finally {
    await browser.close();
  }
}

/** In the page: brings an element of the layer's panel to the top of it, and moves nothing else. */
function scrolledTo(element) {
  const panel = element.closest('.layer-panel');
  const tools = panel.querySelector('.panel-tools');
  panel.scrollTop += element.getBoundingClientRect().top - tools.getBoundingClientRect().bottom - 12;
}
