import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnyReport } from '../../../src/report/any-report.js';
import { renderPage } from '../../../src/report/html/index.js';
import type { PageDocument } from '../../../src/report/html/page-document.js';
import { renderJson } from '../../../src/report/json.js';
import { HEALTHY } from '../../support/compared-reports.js';
import { EVALUATED, HOSTILE, named } from '../../support/evaluated-reports.js';
import { largeReport } from '../../support/large-report.js';
import { SWEPT } from '../../support/swept-reports.js';

const PROGRAM = { script: 'start("\u00e4");\r\n', style: 'main > p { color: red }' };

const page = (report: AnyReport): Promise<string> => renderPage(report, PROGRAM);

function between(html: string, before: string, after: string): string {
  const start = html.indexOf(before) + before.length;
  expect(html.split(before)).toHaveLength(2);
  return html.slice(start, html.indexOf(after, start));
}

/** As the page's program reads it. */
function carried(html: string): PageDocument {
  const data = between(html, '<script type="application/octet-stream;base64" id="document">', '</script>');
  expect(data).toMatch(/^[A-Za-z0-9+/]+=*$/);
  return JSON.parse(inflateRawSync(Buffer.from(data, 'base64')).toString()) as PageDocument;
}

describe('the HTML report', () => {
  it('is one file that may ask for nothing, with a program that only its hash lets run', async () => {
    const html = await page(EVALUATED);
    const script = between(html, '</script>\n<script>', '</script>');
    const hash = createHash('sha256').update(Buffer.from(script)).digest('base64');
    const policy = between(html, '<meta http-equiv="Content-Security-Policy" content="', '">');
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      'img-src data: blob:',
      `script-src 'sha256-${hash}'`,
      "style-src 'unsafe-inline'",
    ]);
    expect(script).toBe('start("\u00e4");\n');
    expect(html).not.toMatch(/<link|<iframe|<base|\bsrc=|\bhref=|https?:/);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n/);
    expect(html.endsWith('</html>\n')).toBe(true);
  });

  it('says the answer to readers without scripts', async () => {
    const html = await page(EVALUATED);
    const text = between(html, '<noscript><pre>', '</pre></noscript>');
    expect(text).toContain('the integer network is broken');
    expect(text).toContain('one scale serves all 16 channels');
    expect(html).toContain('<title>net.onnx - qdbg analyze</title>');
  });

  it('carries the document of every command', async () => {
    const inspect: AnyReport = {
      schemaVersion: 1,
      tool: { name: 'qdbg', version: '1.0.0' },
      command: 'inspect',
      models: [],
    };
    for (const report of [EVALUATED, HEALTHY, SWEPT, inspect]) {
      const { report: shown } = carried(await page(report));
      expect(shown.command).toBe(report.command);
      expect(Object.keys(shown)).toEqual(Object.keys(JSON.parse(renderJson(report)) as object));
    }
  });

  it('is the same, byte for byte, of a report that was written as JSON and read again', async () => {
    for (const report of [EVALUATED, HEALTHY, SWEPT, named(HOSTILE), largeReport(40, 16)]) {
      const read = JSON.parse(renderJson(report)) as AnyReport;
      expect(await page(read)).toBe(await page(report));
    }
  });

  it('lets no name become markup', async () => {
    const names = [HOSTILE, '</script><script>x', '</noscript><img onerror=x>', '<!--', ']]>', `"'&`];
    const count = (html: string, tag: RegExp): number => html.match(tag)?.length ?? 0;
    const plain = await page(named('x'));
    for (const name of names) {
      const html = await page(named(name));
      for (const tag of [/<[a-z!]/gi, /<\/[a-z]/gi]) expect(count(html, tag)).toBe(count(plain, tag));
      const { report } = carried(html);
      expect(report.command === 'analyze' && report.tensors[0]?.tensor).toBe(name);
    }
  });

  it('takes no program that would end early', async () => {
    for (const script of ['"</script>"', '"</SCRIPT >"', 'x<!--y', '</style>'])
      await expect(renderPage(EVALUATED, { ...PROGRAM, script })).rejects.toThrow(RangeError);
    await expect(renderPage(EVALUATED, { ...PROGRAM, style: '</style>' })).rejects.toThrow(RangeError);
  });

  describe('of a thousand layers with 512 channels each', () => {
    let html = '';
    beforeAll(async () => {
      html = await page(largeReport(1000, 512));
    });

    it('leaves room in 5 MB for its program, and draws the network', () => {
      // The program with its chart library takes about 0.5 MB.
      expect(html.length).toBeLessThan(4e6);
      const { report, layout, leftOut } = carried(html);
      expect(layout?.nodes).toHaveLength(1000);
      expect(report.command === 'analyze' && report.tensors.length).toBe(1751);
      expect(leftOut?.join()).toMatch(/of 384000 channels of weights are shown here/);
    });
  });
});
