import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '../../src/commands/inspect.js';
import { displayWidth } from '../../src/report/text-width.js';
import { REPORTERS } from '../../src/report/index.js';
import type { InspectedModel, InspectReport, Layer } from '../../src/report/inspect-report.js';
import type { TerminalOptions } from '../../src/report/terminal.js';

const DIGITS = fileURLToPath(new URL('../../fixtures/digits', import.meta.url));
const HOSTILE = `\u001b]0;owned\u0007\u202e${'x'.repeat(10_000)}\r\n`;

function rendered(report: InspectReport, options: Partial<TerminalOptions> = {}): Promise<string> {
  return REPORTERS.terminal(report, { width: 110, color: false, top: undefined, quiet: false, ...options });
}

function layer(order: number, part: Partial<Layer> = {}): Layer {
  return { order, node: `layer${order}`, op: 'Relu', shape: ['N', 8], parameters: 0, macs: 0, ...part };
}

function model(part: Partial<InspectedModel> = {}): InspectedModel {
  return {
    role: 'model',
    path: 'models/net.onnx',
    format: 'onnx',
    opset: 17,
    ops: 1,
    parameters: 0,
    bytes: 1234,
    irVersion: 8,
    domains: {},
    metadata: {},
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 3] }],
    macs: { total: 0, unknownLayers: 0, counted: {} },
    absorbed: [],
    opCounts: [{ op: 'Relu', count: 1 }],
    layers: [layer(0)],
    forecast: { weights: 0, fewLevels: 16, layers: [] },
    nonFinite: [],
    notComputed: [],
    ...part,
  };
}

function reportOf(...models: InspectedModel[]): InspectReport {
  return { schemaVersion: 1, tool: { name: 'qdbg', version: '0.0.0' }, command: 'inspect', models };
}

describe('the report of the model with rescaled channels', () => {
  let report: InspectReport;
  beforeAll(async () => {
    report = await inspect({
      models: [join(DIGITS, 'digits_rescaled.onnx')],
      shapes: new Map(),
      timestamp: false,
      complete: false,
    });
  });

  it('names the depthwise convolution that one scale would break, and what would not', async () => {
    const text = (await rendered(report)).replace(/\s+/g, ' ');
    expect(text).toContain('1 of 7 weighted layers would have channels with fewer than 16 of 256 levels');
    expect(text).toContain(
      'depthwise block1/depthwise would be unusable; one scale per channel (--per-axis) keeps them',
    );
  });

  it('has a line for every layer, in order, with range and spread of its weight', async () => {
    const lines = (await rendered(report)).split('\n');
    const first = lines.findIndex((line) => line.startsWith('LAYERS'));
    const rows = lines.slice(first + 2, first + 2 + 17);
    expect(rows.map((line) => Number(line.trim().split(/\s+/)[0]))).toEqual([...rows.keys()]);
    expect(rows[2]).toMatch(/block1\/depthwise +Conv +Nx16x8x8 +160 +10\.6 % +-122 +147\.5 +137\.7 +2$/);
  });

  it.each([60, 80, 110, 160])('keeps to %i columns', async (width) => {
    const lines = (await rendered(report, { width })).split('\n').filter((line) => !line.startsWith('MODEL'));
    expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
    expect(lines.join('\n')).toContain('147.5');
  });

  it('shows as many layers as --top says and counts the rest', async () => {
    const text = await rendered(report, { top: 3 });
    expect(text).toContain('LAYERS  17 in graph order, the first 3\n');
    expect(text).toContain('and 14 more (--top N)');
    expect(text).not.toContain('block1/pointwise');
  });

  it('is header and forecast only with --quiet', async () => {
    const text = await rendered(report, { quiet: true });
    expect(text).toMatch(/^MODEL /);
    expect(text).toContain('INT8 WEIGHTS');
    expect(text).not.toContain('LAYERS');
  });

  it('has colours only where they are wanted', async () => {
    expect(await rendered(report)).not.toContain('\u001b');
    expect(await rendered(report, { color: true })).toContain('\u001b[31m');
  });
});

/** Lines of the channels, between the titles of the table and its legend. */
function channelRows(text: string): string[] {
  const lines = text.split('\n');
  const titles = lines.findIndex((line) => line.startsWith('  channel '));
  return lines.slice(titles + 1).filter((line) => /^ +\d+ /.test(line));
}

describe('the box plots of a layer', () => {
  let report: InspectReport;
  beforeAll(async () => {
    report = await inspect({
      models: [join(DIGITS, 'digits_rescaled.onnx')],
      node: 'block1/depthwise',
      shapes: new Map(),
      timestamp: false,
      complete: false,
    });
  });

  it('mark the outlier channels and say how few levels the others keep', async () => {
    const text = await rendered(report);
    const rows = channelRows(text);
    expect(rows.map((line) => Number(line.trim().split(/\s+/)[0]))).toEqual([...Array(16).keys()]);
    expect(
      rows.filter((line) => line.includes('!')).map((line) => Number(line.trim().split(/\s+/)[0])),
    ).toEqual([7, 10]);
    expect(rows[7]).toMatch(/^ +7 +! +-122 +7\.278 +38\.45 +114 +147\.5 +254\.0 +├─+▒+┃▒+─+┤$/);
    // 2 * 0.7685 / (147.5 / 127)
    expect(rows[0]).toMatch(/^ +0 +-0\.2183 +-0\.03363 +0\.2772 +0\.526 +0\.7685 +1\.3 +┃$/);
    expect(text).toContain('2 outlier channels (7, 10): largest |w| beyond 2.641');
    expect(text.replace(/\s+/g, ' ')).toContain(
      '37.7 dB with one scale per tensor, 51.3 dB with one per channel',
    );
  });

  it.each([60, 80, 110, 160])('keep to %i columns', async (width) => {
    const lines = (await rendered(report, { width })).split('\n').filter((line) => !line.startsWith('MODEL'));
    expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
    expect(lines.filter((line) => line.includes('├')).length).toBeGreaterThan(1);
  });

  it('are those of the channels furthest from the median when --top is less than there are', async () => {
    const text = await rendered(report, { top: 3 });
    const rows = channelRows(text);
    // By max|w| over the median: 7 and 10 are far above it, 4 is the narrowest.
    expect(rows.map((line) => Number(line.trim().split(/\s+/)[0]))).toEqual([4, 7, 10]);
    expect(text).toContain('CHANNELS  3 of 16');
    expect(text.replace(/\s+/g, ' ')).toContain('13 left out');
  });

  it('show a channel without a finite value as such, before all others', async () => {
    const [weight] = report.weights ?? [];
    const channels = weight?.channels.map((stats, i) => (i === 5 ? {} : stats)) ?? [];
    const broken: InspectReport = { ...report, weights: [{ ...weight!, channels }] };
    expect(await rendered(broken, { top: 1 })).toMatch(/\n +5 +no finite value\n/);
  });
});

describe('models side by side', () => {
  it('have a column of bars each, with the counts', async () => {
    const models = ['digits.onnx', 'digits_rescaled.onnx'].map((name) => join(DIGITS, name));
    const text = await rendered(
      await inspect({ models, shapes: new Map(), timestamp: false, complete: false }),
    );
    expect(text).toMatch(/max - min +A digits\.onnx +B digits_rescaled\.onnx/);
    expect(text).toMatch(/1 \.\. 2 +█+\S? 1 +█+\S? 1\n/);
    expect(text).toMatch(/2 \.\. 5 +█+ 4 +█+\S? 3\n/);
    expect(text).toMatch(/200 \.\. 500 {10,}█+\S? 1\n/);
    expect(text).toMatch(/B +6 +3\.906 +203\.6 +269\.6 +1 +block1\/depthwise\n/);
  });

  it.each([60, 80, 160])('keep to %i columns, however many they are', async (width) => {
    const models = Array.from({ length: 9 }, (_, i) =>
      join(DIGITS, i % 2 === 0 ? 'digits.onnx' : 'digits_rescaled.onnx'),
    );
    const text = await rendered(
      await inspect({ models, shapes: new Map(), timestamp: false, complete: false }),
      { width },
    );
    expect(text.split('\n').filter((line) => displayWidth(line) > width)).toEqual([]);
    expect(text).toMatch(/\bI digits/);
  });
});

describe('a model from anybody', () => {
  it('cannot send control or direction characters to the terminal, nor lines beyond the width', async () => {
    const hostile = model({
      producer: HOSTILE,
      domains: { [HOSTILE.slice(0, 40)]: 1 },
      metadata: { [HOSTILE]: HOSTILE, ['__proto__']: 'x' },
      inputs: [{ name: HOSTILE, dtype: 'float32', shape: [HOSTILE, 3] }],
      outputs: [{ name: HOSTILE }],
      macs: { unknownLayers: 1, counted: {} },
      absorbed: [HOSTILE],
      opCounts: [{ op: HOSTILE, count: 1 }],
      layers: [
        layer(0, {
          node: HOSTILE,
          op: HOSTILE,
          shape: [HOSTILE],
          parameters: 1,
          weight: {
            tensor: HOSTILE,
            dtype: 'float32',
            shape: [1],
            axis: 0,
            min: 0,
            max: 1,
            spread: 1,
            outlierChannels: [0],
          },
        }),
      ],
      forecast: {
        weights: 1,
        fewLevels: 16,
        layers: [
          {
            node: HOSTILE,
            op: HOSTILE,
            depthwise: true,
            tensor: HOSTILE,
            channels: 2,
            fewLevelChannels: [0],
            fewestLevels: 1,
            unusable: true,
          },
        ],
      },
      nonFinite: [{ tensor: HOSTILE, node: HOSTILE, role: 'weight', count: 1, channels: [0] }],
    });
    const text = await rendered(reportOf(hostile));
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(text.split('\n').filter((line) => line.length > 110)).toEqual([]);
  });

  it('has its open extents named with the flag that fixes them', async () => {
    const text = await rendered(
      reportOf(model({ inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 'height', null] }] })),
    );
    expect(text).toContain('--shape x=1x3x<height>x<?>');
  });

  it('has its values that are not numbers counted with their places', async () => {
    const text = await rendered(
      reportOf(
        model({
          nonFinite: [
            { tensor: 'w', node: 'conv', role: 'weight', count: 3, channels: [1, 4] },
            { tensor: 'mask', node: 'where', role: 'constant', count: 1 },
          ],
        }),
      ),
    );
    expect(text).toContain('NOT FINITE  2 constants');
    expect(text).toMatch(/w +weight +of conv +3 values +in channels 1, 4\n/);
    expect(text).toMatch(/mask +constant +of where +1 value\n/);
  });

  it('has its operators with nested graphs marked', async () => {
    expect(await rendered(reportOf(model({ layers: [layer(0, { op: 'Loop', opaque: true })] })))).toMatch(
      /layer0 +Loop \(opaque\)/,
    );
  });

  it('may have no layers, no inputs and no weights', async () => {
    const text = await rendered(reportOf(model({ layers: [], inputs: [], opCounts: [], ops: 0 })));
    expect(text).toContain('LAYERS  none');
    expect(text).toContain('INPUTS  none');
    expect(text).toContain('no layer has float weights');
  });
});

describe('the JSON of an inspection', () => {
  it('is the report', async () => {
    const report = reportOf(model());
    expect(JSON.parse(await REPORTERS.json(report))).toEqual(report);
  });
});
