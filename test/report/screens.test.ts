/** What holds of every terminal report: it fits the screen, in any script, with any names; --quiet and --top are heard. */
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '../../src/commands/inspect.js';
import type { AnyReport } from '../../src/report/any-report.js';
import type { DoctorReport } from '../../src/report/doctor-report.js';
import type { InspectReport } from '../../src/report/inspect-report.js';
import { REPORTERS } from '../../src/report/index.js';
import type { TerminalOptions } from '../../src/report/terminal.js';
import { displayWidth } from '../../src/report/text-width.js';
import { SITUATIONS, WEIGHTS_SWAPPED } from '../support/compared-reports.js';
import { EVALUATED } from '../support/evaluated-reports.js';
import { largeReport } from '../support/large-report.js';
import { SWEPT, UNLABELLED } from '../support/swept-reports.js';
import { projectPath } from '../support/tflite-network.js';

const WIDTHS = [40, 59, 110];
const PLAIN: TerminalOptions = { width: 110, color: false, top: undefined, quiet: false };

/** Wide, combining, right to left, control, emoji, joined letters, and length. */
const NAMES: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => `层/卷积/${name}/${'很长的名字'.repeat(9)}`,
  (name) => `${'e\u0301'.repeat(30)}${name}`,
  (name) => `שלום/${name}\u202eمرحبا`,
  (name) => `${name}\u001b[2J\r\n\u0007${'👍🇩🇪❤️'.repeat(9)}`,
  (name) => `${'क्षि'.repeat(20)}${name}`,
  (name) => `${name}${'x'.repeat(3000)}`,
];

/** Of keys that hold what files say. */
const TOLD = new Set([
  'tensor',
  'node',
  'op',
  'path',
  'name',
  'where',
  'sample',
  'message',
  'summary',
  'file',
  'reason',
  'subject',
]);

function renamed<Value>(value: Value, name: (text: string) => string, key = ''): Value {
  if (typeof value === 'string') return (TOLD.has(key) ? name(value) : value) as Value;
  if (Array.isArray(value)) return value.map((each) => renamed<unknown>(each, name, key)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([own, each]) => [
      own,
      own === 'tool' ? each : renamed<unknown>(each, name, own),
    ]),
  ) as Value;
}

const doctor: DoctorReport = {
  schemaVersion: EVALUATED.schemaVersion,
  tool: EVALUATED.tool,
  command: 'doctor',
  basis: 'file',
  models: EVALUATED.models,
  data: {},
  inspected: { inputs: [{ name: 'in', dtype: 'float32', shape: [1, 'N', null] }], outputs: [] },
  tensors: [],
  findings: EVALUATED.findings,
  rules: { checked: ['w.axis'], skipped: [{ rule: 'io.layout', missing: 'data' }] },
  verdict: EVALUATED.verdict,
  notMeasured: [],
  ...(EVALUATED.gate === undefined ? {} : { gate: EVALUATED.gate }),
};

const reports: Record<string, AnyReport> = {
  analyze: EVALUATED,
  'analyze, large': largeReport(24, 8, 32),
  ...Object.fromEntries(Object.entries(SITUATIONS).map(([name, report]) => [`compare, ${name}`, report])),
  doctor,
  sweep: SWEPT,
  'sweep without labels': UNLABELLED,
};

const inspected = (...models: readonly string[]): Promise<InspectReport> =>
  inspect({
    models: models.map((name) => projectPath(`fixtures/${name}`)),
    shapes: new Map(),
    timestamp: false,
    complete: true,
  });

beforeAll(async () => {
  reports['inspect'] = await inspected('digits/digits_rescaled.onnx');
  reports['inspect, quantized'] = await inspected('tflite/digits_int8.tflite');
  reports['inspect, two'] = await inspected('digits/digits.onnx', 'digits/digits_rescaled.onnx');
});

const rendered = (report: AnyReport, options: Partial<TerminalOptions> = {}): Promise<string> =>
  REPORTERS.terminal(report, { ...PLAIN, ...options });

describe('every terminal report', () => {
  it('has no line wider than the screen, and no control character, whatever names are', async () => {
    for (const [what, report] of Object.entries(reports))
      for (const name of NAMES)
        for (const width of WIDTHS) {
          const lines = (await rendered(renamed(report, name), { width })).split('\n');
          expect(
            lines.filter((line) => displayWidth(line) > width),
            `${what} at ${width}`,
          ).toEqual([]);
          expect(
            lines.filter((line) => /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(line)),
            what,
          ).toEqual([]);
        }
  }, 120_000);

  it('says the same with colour and without: nothing is told by colour alone', async () => {
    for (const report of Object.values(reports))
      for (const width of [40, 80, 110]) {
        const colored = await rendered(report, { width, color: true });
        expect(stripVTControlCharacters(colored)).toBe(await rendered(report, { width }));
      }
  });

  it('draws with ASCII alone where more cannot be shown, in the same places', async () => {
    for (const [what, report] of Object.entries(reports)) {
      const [plain, drawn] = [await rendered(report, { unicode: false }), await rendered(report)];
      expect(plain.replace(/[ -~\n]/g, ''), what).toBe('');
      expect(plain.split('\n').map(displayWidth)).toEqual(drawn.split('\n').map(displayWidth));
    }
  });

  it('has verdict, gate and findings only with --quiet', async () => {
    const titles = async (report: AnyReport): Promise<string[]> =>
      (await rendered(report, { quiet: true }))
        .split('\n')
        .flatMap((line) => /^[A-Z]{2,}/.exec(line)?.[0] ?? []);
    expect(await titles(EVALUATED)).toEqual(['VERDICT', 'ACCURACY', 'GATE', 'FINDINGS']);
    expect((await rendered(EVALUATED, { quiet: true })).split('\n\n')[1]!.split('\n').length).toBeLessThan(3);
    const told = { ...EVALUATED, verdict: { summary: `${EVALUATED.accuracy!.summary}; more` } };
    expect(await titles(told)).toEqual(['VERDICT', 'GATE', 'FINDINGS']);
    expect(await titles(WEIGHTS_SWAPPED)).toEqual(['VERDICT', 'FINDINGS']);
    expect(await titles(doctor)).toEqual(['VERDICT', 'GATE', 'FINDINGS']);
    expect(await titles(SWEPT)).toEqual(['VERDICT', 'SEARCH', 'FIXES']);
  });

  it('has as many rows as --top says in its tables of layers', async () => {
    const large = largeReport(24, 8, 32);
    const rows = async (title: string, top: number): Promise<number> => {
      const sections = (await rendered(large, { top })).split('\n\n');
      const section = sections.find((text) => text.startsWith(title));
      return section === undefined ? 0 : section.split('\n').length;
    };
    for (const title of ['WORST LAYERS', 'VALUES', 'WEIGHTS'])
      expect((await rows(title, 7)) - (await rows(title, 3)), title).toBeGreaterThanOrEqual(4);
  });
});

describe('tables of every command', () => {
  it('are there as CSV and as Markdown', async () => {
    for (const [what, report] of Object.entries(reports)) {
      const csv = await REPORTERS.csv(report);
      expect(csv.split('\r\n')[0], what).toMatch(/^[a-z]\w*(,[a-z]\w*)+$/);
      const markdown = await REPORTERS.md(report, PLAIN);
      expect(markdown, what).toMatch(/^### /);
      expect(Buffer.byteLength(markdown)).toBeLessThan(60_000);
      expect(markdown.match(/<details>/g)?.length).toBe(markdown.match(/<\/details>/g)?.length);
    }
  });

  it('guard names of files in both', async () => {
    const name = (text: string): string => `=cmd|${text}\`</code><script>@owner | [x](http://x)`;
    for (const [what, report] of Object.entries(reports)) {
      const markdown = await REPORTERS.md(renamed(report, name), PLAIN);
      expect(markdown.replace(/<code>[^<]*<\/code>/g, ''), what).not.toMatch(/<script|@owner|\]\(http/);
      const csv = await REPORTERS.csv(renamed(report, name));
      expect(csv, what).not.toMatch(/(^|,|\n)"?=/);
    }
  });
});
