/** Names out of models are text, whatever they say, and wherever a page shows them. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnyReport } from '../../src/report/any-report.js';
import type { DoctorReport } from '../../src/report/doctor-report.js';
import type { Evaluated } from '../../src/report/evaluated.js';
import type { InspectReport } from '../../src/report/inspect-report.js';
import type { ReportedPicture } from '../../src/report/report-pictures.js';
import type { Report } from '../../src/report/report.js';
import { HAS_BROWSER } from '../support/browser.js';
import { hostile } from '../support/compared-reports.js';
import { HOSTILE, named } from '../support/evaluated-reports.js';
import { largeReport } from '../support/large-report.js';
import { namedSweep } from '../support/swept-reports.js';
import { inspected } from './real-reports.js';
import { panelOf, reportPages, unfold } from './report-pages.js';

const NAMES: Readonly<Record<string, string>> = {
  'the end of a script': '</script><script>window.pwned=1</script>',
  'an image that fails': '<img src=x onerror="window.pwned=1">',
  quotes: `"'\`><svg onload=window.pwned=1> \${window.pwned=1} {{pwned}} &quot;`,
  'letters that turn the direction of text': 'safe/\u202egnp.exe\u2066\u200b\u05d0\u05d1',
  'ten thousand characters': 'abcdefghi/'.repeat(1000),
  'a name that objects have': '__proto__',
  'another one': 'constructor',
  'the address of a program': 'javascript:window.pwned=1',
  'a code that is cut off': '%E0%A4%A',
  'half of a character': 'a\ud800b',
  'all that nobody may write': HOSTILE,
  'a formula': '=HYPERLINK("http://evil.example","x")',
  'an address': 'http://evil.example/x.png',
  nothing: '',
};

/** One red pixel. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

function pictureOf(name: string, kind: 'boxes' | 'mask' | 'scores'): ReportedPicture {
  const answers = {
    boxes: { kind, boxes: [{ x0: 0.1, y0: 0.1, x1: 0.6, y1: 0.7, label: 0, score: 0.5 }] },
    mask: { kind, image: PIXEL, labels: [{ label: 0, color: '#aa0000', share: 0.5 }] },
    scores: { kind, best: [{ label: 0, share: 0.9 }] },
  } as Readonly<Record<string, ReportedPicture['reference']>>;
  const answer = answers[kind]!;
  const sides = { reference: answer, candidate: answer, truth: answer };
  return {
    sample: `${kind}${name}`,
    image: PIXEL,
    width: 100,
    height: 80,
    ...sides,
    distance: 1,
    reason: name,
  };
}

/** With a graph, pictures and every part of a layer, all of one name. */
function analyze(name: string): Report & Evaluated {
  const report = named(name);
  const { tensors, weights } = largeReport(3, 4);
  const names = { tensor: name, node: name, op: name };
  return {
    ...report,
    models: report.models.map((model) => ({ ...model, format: 'onnx' })),
    scheme: { name, [name]: name },
    coverage: { ...report.coverage, islands: [{ nodes: [name], reason: name }] },
    graph: {
      inputs: [`${name}in`],
      outputs: [name],
      nodes: [
        {
          node: name,
          op: name,
          inputs: [`${name}in`],
          outputs: [name],
          index: 0,
          members: [name],
          float: name,
        },
        { node: `${name}2`, op: name, inputs: [name], outputs: [`${name}2`], index: 1 },
      ],
    },
    tensors: tensors.map((tensor, at) => ({ ...tensor, ...names, tensor: at === 0 ? name : `${name}${at}` })),
    weights: weights.map((weight) => ({ ...weight, ...names })),
    jumps: [{ ...names, fromDb: 40, toDb: 10, from: `${name}1` }],
    notMeasured: [{ subject: name, reason: name }],
    pictures: {
      samples: (['boxes', 'mask', 'scores'] as const).map((kind) => pictureOf(name, kind)),
      among: 9,
      classNames: { 0: name },
    },
  };
}

function doctor(name: string): DoctorReport {
  const { schemaVersion, tool, models, data, graph, tensors, findings, rules, verdict, notMeasured } =
    analyze(name);
  return {
    ...{ schemaVersion, tool, models, data, graph: graph!, tensors, findings, rules, verdict, notMeasured },
    command: 'doctor',
    basis: 'simulation',
    inspected: {
      inputs: [{ name, shape: [1, null], dtype: 'float32' }],
      outputs: [{ name, shape: [1, 10], dtype: 'float32' }],
    },
  };
}

/** What is a name, or may be one, in the document of an inspection. */
const NAMED = new Set(
  (
    'path producer name node op tensor nodes entries exits reason evidence absorbed subject text message title edit ' +
    'widest farOut codes values sharedWith inputs outputs members'
  ).split(' '),
);

/** Names begin with `name` and stay apart. */
function renamed(value: unknown, name: string, isName = false): unknown {
  if (typeof value === 'string') return isName ? `${name}${value}` : value;
  if (Array.isArray(value)) return value.map((item) => renamed(item, name, isName));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, renamed(item, name, NAMED.has(key))]),
  );
}

/** As it is to be read: nothing that is not seen, and nothing that turns what is read. */
function legible(name: string): string {
  return name.replaceAll(
    /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return `\\u${'0'.repeat(4 - code.length)}${code}`;
    },
  );
}

interface Seen {
  readonly pwned: boolean;
  readonly scripts: number;
  readonly foreign: string[];
  readonly handlers: string[];
  readonly links: string[];
  readonly images: string[];
  readonly turning: string[];
  readonly inherited: number;
  readonly wide: string[];
  readonly text: string;
}

function look(page: Page): Promise<Seen> {
  return page.evaluate(() => {
    const inPage = [...document.querySelectorAll('#app *')];
    const attributes = inPage.flatMap((element) => [...element.attributes]);
    const placeOf = (element: Element) => `${element.localName}.${element.getAttribute('class') ?? ''}`;
    const strings = inPage.flatMap((element) => [
      ...[...element.childNodes].map((node) => [`text of ${placeOf(element)}`, node.nodeValue ?? '']),
      ...[...element.attributes]
        .filter((one) => !/^(href|value)$/.test(one.name))
        .map((one) => [`${one.name} of ${placeOf(element)}`, one.value]),
    ]);
    const ends = document.documentElement.clientWidth;
    const isScrolled = (element: Element | null): boolean =>
      element !== null &&
      (getComputedStyle(element).overflowX !== 'visible' || isScrolled(element.parentElement));
    return {
      pwned: 'pwned' in window,
      scripts: document.querySelectorAll('script').length,
      foreign: inPage
        .filter((element) =>
          element.matches('script, iframe, object, embed, link, meta, base, form, svg a, use'),
        )
        .map((element) => element.outerHTML.slice(0, 200)),
      handlers: attributes.filter((one) => one.name.startsWith('on')).map((one) => one.name),
      links: [...document.querySelectorAll('a')].map((link) => link.getAttribute('href') ?? ''),
      images: [...document.images].map((image) => image.src.slice(0, 11)),
      turning: [['title', document.title], ...strings]
        .filter(([, text]) =>
          /[\u0000-\u0008\u000b-\u001f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/u.test(
            text!,
          ),
        )
        .map(([place]) => place!),
      inherited: Object.keys(Object.prototype).length,
      wide:
        document.documentElement.scrollWidth <= ends
          ? []
          : inPage
              .filter((one) => one.getBoundingClientRect().right > ends && !isScrolled(one.parentElement))
              .map(placeOf),
      text: document.querySelector('#app')!.textContent,
    };
  });
}

function expectText(seen: Seen, name: string): void {
  const { text, links, images, ...rest } = seen;
  expect(rest).toEqual({
    ...{ pwned: false, scripts: 2, foreign: [], handlers: [], turning: [], inherited: 0, wide: [] },
  });
  expect(links.filter((link) => !link.startsWith('#'))).toEqual([]);
  expect(images.filter((image) => image !== 'data:image/')).toEqual([]);
  const read = legible(name);
  if (name === '') expect(text).toContain('(no name)');
  else expect(text).toContain(read.length <= 60 ? read : read.slice(0, 20));
}

describe.skipIf(!HAS_BROWSER)('a name in a report', () => {
  const pages = reportPages();
  let inspection: InspectReport;

  beforeAll(async () => {
    inspection = await inspected();
  });

  describe.each(Object.entries(NAMES))('that is %s', (_, name) => {
    it('is text wherever an analysis shows it, and its layer opens', async () => {
      const page = await pages.open(analyze(name), {
        hash: `layer=${encodeURIComponent(name.replaceAll(/[\ud800-\udfff]/gu, '\ufffd'))}`,
      });
      await unfold(page);
      expectText(await look(page), name);
      expect(await panelOf(page).getByRole('alert').count()).toBe(0);
      expect(await panelOf(page).locator('h3').count()).toBeGreaterThan(2);
      await page.locator('#layer-table tbody a').last().click();
      await page.locator('#pictures').scrollIntoViewIfNeeded();
      expectText(await look(page), name);
      await page.reload();
      await page.waitForSelector('html[data-ready]');
      expect(await panelOf(page).getByRole('alert').count()).toBe(0);
    });
  });

  describe.each([
    'all that nobody may write',
    'ten thousand characters',
    'a name that objects have',
    'nothing',
  ])('that is %s', (kind) => {
    const name = NAMES[kind]!;
    const reports: Readonly<Record<string, () => AnyReport>> = {
      comparison: () => hostile(name),
      sweep: () => namedSweep(name),
      'diagnosis by a doctor': () => doctor(name),
      inspection: () => renamed(inspection, name) as InspectReport,
    };
    it.each(Object.keys(reports))('is text in a %s', async (command) => {
      const page = await pages.open(reports[command]!());
      await unfold(page);
      expectText(await look(page), command === 'inspection' && name === '' ? 'Conv' : name);
    });
  });

  it('cannot stand for another one: layers that differ in what is not seen are two', async () => {
    const [plain, turned] = ['conv1', 'conv1\u200b'];
    const report = analyze(plain);
    const tensors = report.tensors
      .slice(0, 2)
      .map((row, at) => ({ ...row, tensor: at === 0 ? plain : turned }));
    const page = await pages.open({ ...report, tensors });
    const rows = page.locator('#layer-table tbody tr');
    expect(await rows.locator('td:nth-child(2)').allInnerTexts()).toEqual(['conv1', 'conv1\\u200b']);
    await rows.nth(1).locator('a').click();
    expect(await panelOf(page).locator('h2').innerText()).toBe('conv1\\u200b');
  });
});
