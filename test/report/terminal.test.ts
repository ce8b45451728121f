/** The terminal report, of real runs and of reports written by hand to hurt it. */
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/commands/analyze.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import type { Report, ReportedData, ReportedTensor, ReportedWeight } from '../../src/report/report.js';
import { renderTerminal, type TerminalOptions } from '../../src/report/terminal.js';
import { errorOf } from '../support/evidence.js';
import { UNJUDGED } from '../support/requests.js';

const DIGITS = fileURLToPath(new URL('../../fixtures/digits/', import.meta.url));
const PLAIN: TerminalOptions = { width: 110, color: false, top: undefined, quiet: false };
const WIDTHS = [60, 80, 110, 160];

function digits(name: string, channels: readonly string[] = []): Promise<Report> {
  return analyze(
    {
      model: `${DIGITS}${name}.onnx`,
      calib: [`${DIGITS}calib`],
      eval: [],
      data: { preprocessing: {}, shapes: new Map(), skipUnreadable: false },
      scheme: SCHEMES['ort']!,
      selection: NO_SELECTION,
      channels,
      ladder: false,
      ...UNJUDGED,
      threads: 1,
      timestamp: false,
    },
    () => undefined,
  );
}

const linesOf = (report: Report, options: Partial<TerminalOptions> = {}): string[] =>
  renderTerminal(report, { ...PLAIN, ...options }).split('\n');

/** Lines of the section whose first line starts so, up to the next blank line. */
function section(lines: readonly string[], title: string): string[] {
  const start = lines.findIndex((line) => line.startsWith(title));
  if (start < 0) return [];
  const length = lines.slice(start).indexOf('');
  return lines.slice(start, length < 0 ? undefined : start + length);
}

let twin: Report;
let healthy: Report;
beforeAll(async () => {
  twin = await digits('digits_rescaled', ['block1/depthwise']);
  healthy = await digits('digits');
});

describe('the report of the network with rescaled channels', () => {
  it('starts with what is wrong, where, why, and what to try', () => {
    const lines = linesOf(twin);
    expect(lines[0]).toMatch(/^VERDICT {2}the integer network is broken: output logits has -?\d\.\d dB SQNR/);
    expect(lines.slice(0, 3).join(' ')).toMatch(
      /the largest fall is at\s+block1\/pointwise \(Conv\+Relu\), \d+\.\d -> -?\d\.\d dB\s+cause w\.per-tensor-spread at block1\/depthwise\.weight/,
    );
    const told = section(lines, 'FINDINGS');
    expect(told[1]).toBe('  error    w.per-tensor-spread  block1/depthwise > block1/depthwise.weight');
    expect(told.join(' ')).toMatch(/channels 7, 10 take the range/);
    expect(told.find((line) => line.includes('try:'))).toBe(
      '           try: --per-axis  (give every output channel its own scale)',
    );
  });

  it('names the layer where cumulative SQNR falls most, and from which input', () => {
    const [, first] = section(linesOf(twin), 'LARGEST FALLS');
    expect(first).toMatch(
      /^ {2}block1\/pointwise \(Conv\+Relu\) +\d\d\.\d {2}-> +-?\d\.\d {2}from block1\/depthwise_relu:out$/,
    );
  });

  it('ranks layers by local SQNR, with every number under a title, and says what the titles mean', () => {
    const [title, head, ...rest] = section(linesOf(twin), 'WORST LAYERS');
    expect(title).toBe('WORST LAYERS  10 of 12 measured, by local SQNR in dB, higher is better');
    expect(head!.trim().split(/ {2,}/)).toEqual([
      'layer',
      'op',
      'self',
      'local',
      'cumul.',
      'worst ch.',
      'levels',
      'lost',
      'clip/round',
      'max|e|',
    ]);
    const rows = rest.slice(0, 10).map((line) => line.trim().split(/ {2,}/));
    expect(rows[0]!.slice(0, 2)).toEqual(['block1/pointwise', 'Conv+Relu']);
    const local = rows.map(([, , , db]) => Number(db));
    expect(local).toEqual(local.toSorted((a, b) => a - b));
    for (const row of rows) expect(row).toHaveLength(10);
    const legend = rest.slice(10).join(' ');
    for (const term of [
      'self:',
      'local:',
      'cumul.:',
      'worst ch.:',
      'levels:',
      'lost:',
      'clip/round:',
      'max|e|:',
    ])
      expect(legend).toContain(term);
  });

  it('shows the weight with the poorest channel first, with the indices of those that stand apart', () => {
    const [, , first] = section(linesOf(twin), 'WEIGHTS');
    expect(first).toMatch(/^ {2}block1\/depthwise\.weight +16 +\d\d\.\d +\d\d\.\d +1\.1 {2}7, 10$/);
  });

  it('lists the channels asked for, worst first', () => {
    const rows = section(linesOf(twin), 'CHANNELS');
    expect(rows[0]).toMatch(/^CHANNELS of block1\/depthwise_relu:out {2}10 of 16 along axis 1, worst first/);
    expect(rows).toHaveLength(12);
    expect(section(linesOf(healthy), 'CHANNELS')).toEqual([]);
  });

  it('ends with what it was measured with', () => {
    const text = linesOf(twin).slice(-12).join(' ').replace(/\s+/g, ' ');
    expect(text).toMatch(
      /model .*digits_rescaled\.onnx \(onnx opset 17, 17 ops, 3 836 parameters, 18\.8 kB\)/,
    );
    expect(text).toContain('17 of 17 ops, 100 % of the multiply-accumulates');
    expect(text).toContain('64 samples, images');
    expect(text).toContain('normalization pixel / 255 (default)');
  });

  it('is cut to as many rows as asked for, and to verdict and findings when quiet', () => {
    const rows = section(linesOf(twin, { top: 3 }), 'WORST LAYERS');
    expect(rows[0]).toContain('3 of 12 measured');
    expect(section(linesOf(twin, { top: 3 }), 'WEIGHTS')[0]).toContain('3 of 7');
    const titles = linesOf(twin, { quiet: true }).filter((line) => /^[A-Z]{4}/.test(line));
    expect(titles.map((line) => line.split(' ')[0])).toEqual(['VERDICT', 'FINDINGS']);
  });
});

describe('the report of a healthy network', () => {
  it('says so, has notes only, and says how much was looked at', () => {
    const lines = linesOf(healthy);
    expect(lines[0]).toMatch(
      /^VERDICT {2}the integer network stays close to float: output logits has \d\d\.\d dB SQNR/,
    );
    expect(section(lines, 'FINDINGS').filter((line) => /^ {2}\S/.test(line))).toEqual([
      '  note     rt.u8s8-saturation  stem/conv',
    ]);
    expect(section(lines, 'CHECKED')[0]).toMatch(
      /^CHECKED {2}\d\d rules: no fault found; \d\d more would need /,
    );
    expect(lines.join('\n')).not.toContain('cause');
  });
});

describe('the text of a report', () => {
  it.each(WIDTHS)('fits a screen of %i columns', (width) => {
    for (const report of [twin, healthy]) {
      const long = linesOf(report, { width }).filter((line) => line.length > width);
      // Paths hold no blank to break at: they may be cut, but nothing is lost.
      expect(long).toEqual([]);
    }
  });

  it('keeps what matters of a table on the narrowest screen', () => {
    const head = section(linesOf(twin, { width: 60 }), 'WORST LAYERS').find((line) =>
      line.includes('layer '),
    );
    for (const title of ['layer', 'self', 'local', 'cumul.']) expect(head).toContain(title);
  });

  it('has colours only when they are wanted, and the same words with and without', () => {
    const plain = renderTerminal(twin, PLAIN);
    const colored = renderTerminal(twin, { ...PLAIN, color: true });
    expect(plain).not.toContain('\u001b');
    expect(colored).toContain('\u001b[31m');
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it('ends with one line break and has no trailing blanks', () => {
    const lines = linesOf(twin);
    expect(lines.at(-1)).toBe('');
    expect(lines.at(-2)).not.toBe('');
    expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
  });
});

/** Escape sequences, a line break, text direction, and length. */
const SHORT = '\u001b[2J\u0007\r\n\u202e\u061c\ufeff';
const LONG = `${SHORT}${'x'.repeat(5000)}`;

function hostile(name: string): Report {
  const tensor = (role: ReportedTensor['role'], order: number): ReportedTensor => ({
    tensor: `${name}${order}`,
    node: name,
    op: name,
    role,
    order,
    shape: [1, 3],
    levels: 3,
    lostShare: 0.5,
    self: errorOf(12, { worstChannel: { channel: 1, sqnrDb: 1 } }),
    local: errorOf(10),
    cumulative: errorOf(5),
    forecast: { mse: 30 },
    channels: { axis: 1, values: [{ min: 0, max: 1, localSqnrDb: 3 }], asked: true },
  });
  const weight: ReportedWeight = {
    tensor: name,
    node: name,
    axis: 0,
    channels: [{}, {}],
    outlierChannels: Array.from({ length: 100 }, (_, i) => i),
    fence: 1,
    perTensorSqnrDb: 3,
    perAxisSqnrDb: 30,
    deadChannels: [],
    perTensorLevels: [1, 200],
  };
  const finding = {
    rule: 'act.clipped',
    severity: 'error',
    message: `all of ${name} is clipped`,
    args: {},
  } as const;
  return {
    ...twin,
    models: [{ ...twin.models[0]!, path: name }],
    data: { calib: { ...twin.data.calib!, path: name, excluded: [{ sample: name, reason: name }] } },
    scheme: { ...twin.scheme, name },
    coverage: { ...twin.coverage, islands: [{ nodes: [name], reason: `'${name}' is not quantized` }] },
    tensors: [tensor('input', 0), tensor('activation', 1), tensor('output', 2)],
    weights: [weight],
    findings: Array.from({ length: 5 }, () => ({
      ...finding,
      subject: { node: name, tensor: name },
      fix: { title: 'keep it in float', edit: `--skip '${name}'` },
    })),
    verdict: { summary: `output ${name} is broken`, cause: 'act.clipped', where: name },
    jumps: [{ tensor: name, node: name, op: name, fromDb: 30, toDb: 3, from: name }],
    notMeasured: [{ subject: name, reason: 'its shape depends on the data' }],
  };
}

describe('names that anybody may have written into a file', () => {
  const cases = WIDTHS.flatMap((width) => [SHORT, LONG].map((name) => [width, name.length, name] as const));

  it.each(cases)(
    'neither steer the terminal nor leave the screen of %i columns: %i characters',
    (width, _, name) => {
      const text = renderTerminal(hostile(name), { ...PLAIN, width });
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u061c\ufeff]/);
      expect(text).toContain('\\u001b');
      expect(text.split('\n').filter((line) => line.length > width)).toEqual([]);
      for (const title of [
        'VERDICT',
        'FINDINGS',
        'LARGEST FALLS',
        'WORST LAYERS',
        'CHANNELS',
        'WEIGHTS',
        'WHAT TO TRY',
        'NOT MEASURED',
        'model',
      ])
        expect(text).toContain(`\n${title}`.slice(title === 'VERDICT' ? 1 : 0));
    },
  );

  it('do not either where there are colours', () => {
    const text = renderTerminal(hostile(SHORT), { ...PLAIN, color: true });
    expect(stripVTControlCharacters(text)).toBe(renderTerminal(hostile(SHORT), PLAIN));
  });
});

describe('what a report may lack', () => {
  const empty = (changes: Partial<Report>): Report => ({
    ...twin,
    tensors: [],
    weights: [],
    findings: [],
    jumps: [],
    notMeasured: [],
    verdict: { summary: 'no output could be compared with float' },
    ...changes,
  });

  it('is left out with its title', () => {
    const titles = linesOf(empty({})).filter((line) => /^\S/.test(line));
    expect(titles.map((line) => line.split(' ')[0])).toEqual([
      'VERDICT',
      'CHECKED',
      'model',
      'scheme',
      'calib',
    ]);
  });

  it('shows an exact layer as such, and a fall from an exact input', () => {
    const { tensors } = twin;
    const exact = tensors.map((tensor) =>
      tensor.local === undefined
        ? tensor
        : { ...tensor, cumulative: errorOf('exact'), self: errorOf('exact') },
    );
    const fromExact = { tensor: 'b', node: 'conv', op: 'Conv', toDb: 3, from: 'a' };
    const lines = linesOf(empty({ tensors: exact, jumps: [fromExact] }));
    expect(section(lines, 'LARGEST FALLS')[1]).toMatch(/ exact {2}-> /);
    expect(section(lines, 'WORST LAYERS')[2]).toMatch(/ exact .* exact /);
  });

  it('says what was not measured once for each reason', () => {
    const shapes = ['a', 'b', 'c', 'd', 'e'].map((subject) => ({
      subject,
      reason: 'its shape depends on the data',
    }));
    const rows = section(
      linesOf(empty({ notMeasured: [...shapes, { subject: 'f', reason: 'it has no elements' }] })),
      'NOT MEASURED',
    );
    expect(rows).toEqual([
      'NOT MEASURED  6',
      '  5 because its shape depends on the data: a, b, c and 2 more',
      '  1 because it has no elements: f',
    ]);
  });

  it('says of random data what it is worth', () => {
    const data = { calib: { ...twin.data.calib!, kind: 'random', path: 'random', samples: 1 } };
    expect(linesOf(empty({ data })).join('\n')).toContain(
      'random: 1 sample, random - A SMOKE TEST, NOT A RESULT',
    );
  });
});

describe('what was guessed of images', () => {
  const withData = (data: Partial<Report['data']>): Report => ({
    ...healthy,
    data: { ...healthy.data, ...data },
  });
  const guess = { what: 'normalization', value: 'pixel / 255' };
  /** As if the user had said what the images mean. */
  const told = (): ReportedData => {
    const { guessed, ...data } = healthy.data.calib!;
    expect(guessed).toBeDefined();
    return data;
  };
  const verdictLines = (report: Report): string => section(linesOf(report), 'VERDICT').join('\n');

  it('stands under the verdict, with the flag that says what is right', () => {
    const { calib } = healthy.data;
    expect(verdictLines(withData({ calib: { ...calib!, guessed: guess } }))).toContain(
      '\n         images are taken as pixel / 255, which is a guess: --preset says what the model wants',
    );
    expect(verdictLines(withData({ calib: told() }))).not.toContain('guess');
  });

  it('is about the data that was measured on', () => {
    const report = withData({ calib: told(), eval: { ...told(), guessed: guess } });
    expect(verdictLines(report)).toContain('which is a guess');
  });

  it('steers no terminal', () => {
    const { calib } = healthy.data;
    const report = withData({ calib: { ...calib!, guessed: { ...guess, value: '\u001b[31mred' } } });
    expect(verdictLines(report)).toContain('\\u001b[31mred');
  });
});

describe('the report on a finished file', () => {
  const finished: Partial<Report> = {
    scheme: {
      name: 'file',
      activations: { dtype: 'int8', symmetric: false, granularity: 'per-tensor' },
      weights: { dtype: 'int8', symmetric: true, granularity: 'per-axis' },
      bias: 'int32',
    },
  };

  it('says that the parameters are its own, and what it is compared with', () => {
    const text = linesOf({ ...healthy, ...finished }, { width: 200 }).join('\n');
    expect(text).toContain(
      "scheme   the file's own: activations int8 asymmetric per-tensor, weights int8 symmetric per-axis, bias int32",
    );
    expect(text).toContain("reference: this file's own network without quantizers");
    expect(linesOf(healthy, { width: 200 }).join('\n')).not.toContain('reference:');
  });
});
