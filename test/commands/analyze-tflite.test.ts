/** TFLite files through `analyze`: the same network as ONNX beside it, and a file that is quantized already. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, type AnalyzeRequest } from '../../src/commands/analyze.js';
import { UsageError } from '../../src/errors.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { renderJson } from '../../src/report/json.js';
import type { Report, ReportedTensor } from '../../src/report/report.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { openNetwork, projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const ONNX = 'fixtures/digits/digits.onnx';
const FLOAT = 'fixtures/tflite/digits_float.tflite';
const INT8 = 'fixtures/tflite/digits_int8.tflite';

/** Without a scheme. */
function run(model: string, changes: Partial<AnalyzeRequest> = {}): Promise<Report> {
  const data = {
    preprocessing: { preset: 'unit' },
    shapes: new Map<string, readonly number[]>(),
    skipUnreadable: false,
  };
  const request: AnalyzeRequest = {
    model: projectPath(model),
    calib: [projectPath('fixtures/digits/calib')],
    eval: [],
    data,
    selection: NO_SELECTION,
    channels: [],
    ladder: false,
    ...UNJUDGED,
    threads: 1,
    timestamp: false,
  };
  return analyze({ ...request, ...changes }, UNWATCHED);
}

function row(report: Report, name: string): ReportedTensor {
  const found = report.tensors.find(({ tensor }) => tensor === name);
  if (found === undefined) throw new Error(`no row for ${name}`);
  return found;
}

describe('one network as TFLite and as ONNX, under the scheme tflite', () => {
  /** Activations of the TFLite file and of the ONNX file. */
  const SAME: readonly (readonly [string, string])[] = [
    ['image', 'image'],
    ['stem/conv', 'stem/relu:out'],
    ['block1/depthwise', 'block1/depthwise_relu:out'],
    ['block1/pointwise', 'block1/pointwise_relu:out'],
    ['block1/pool', 'block1/pool:out'],
    ['block2/expand', 'block2/expand_relu6:out'],
    ['block2/depthwise', 'block2/depthwise_relu6:out'],
    ['block2/project', 'block2/project_bn:out'],
    ['block2/add', 'block2/relu:out'],
    ['head/pool', 'head/pool:out'],
    ['head/classifier', 'logits'],
  ];
  const WEIGHTS = [
    ...['stem/conv', 'block1/depthwise', 'block1/pointwise', 'block2/expand'],
    ...['block2/depthwise', 'block2/project', 'head/classifier'],
  ].map((layer) => `${layer}.weight`);
  let tflite: Report;
  let onnx: Report;
  beforeAll(async () => {
    tflite = await run(FLOAT, { scheme: SCHEMES['tflite']! });
    onnx = await run(ONNX, { scheme: SCHEMES['tflite']! });
  });

  it.each(SAME)('gives %s and %s the same range, scale and zero point', (a, b) => {
    const [one, other] = [row(tflite, a), row(onnx, b)];
    expect(one.quant).toMatchObject({ dtype: 'int8', zeroPoint: other.quant!.zeroPoint });
    expect(one.quant!.scale).toHaveLength(1);
    expect(one.quant!.scale[0]! / other.quant!.scale[0]!).toBeCloseTo(1, 5);
    expect(one.range!.min).toBeCloseTo(other.range!.min, 4);
    expect(one.range!.max).toBeCloseTo(other.range!.max, 4);
  });

  it.each(SAME)('measures the same errors on %s as on %s', (a, b) => {
    const [one, other] = [row(tflite, a), row(onnx, b)];
    for (const kind of ['self', 'local', 'cumulative'] as const) {
      expect(one[kind]?.sqnrDb === undefined).toBe(other[kind]?.sqnrDb === undefined);
      if (one[kind]?.sqnrDb === undefined) continue;
      expect(Math.abs(one[kind].sqnrDb - other[kind]!.sqnrDb!)).toBeLessThan(0.3);
    }
  });

  it.each(WEIGHTS)('gives %s the same scales, one for each output channel', (name) => {
    const [one, other] = [row(tflite, name), row(onnx, name)];
    expect(one.quant!.dtype).toBe('int8');
    expect(one.quant!.scale.length).toBeGreaterThan(1);
    expect(one.quant!.scale.length).toBe(other.quant!.scale.length);
    one.quant!.scale.forEach((scale, i) => expect(scale / other.quant!.scale[i]!).toBeCloseTo(1, 5));
    const depthwise = name.endsWith('depthwise.weight');
    // Shapes and axes are those of the file: [1, h, w, channels] for depthwise convolutions.
    expect(one.quant!.axis).toBe(depthwise ? 3 : 0);
    expect(one.shape[one.quant!.axis!]).toBe(one.quant!.scale.length);
    expect(Math.abs(one.self!.sqnrDb! - other.self!.sqnrDb!)).toBeLessThan(0.01);
  });

  it('lists what the file has, in its words and order, and nothing else', () => {
    const activations = tflite.tensors.filter(({ role }) => role !== 'weight' && role !== 'bias');
    expect(activations.map(({ tensor }) => tensor)).toEqual([...SAME.map(([a]) => a), 'probabilities']);
    expect(row(tflite, 'block2/depthwise').shape).toEqual([1, 4, 4, 48]);
    expect(row(tflite, 'block2/depthwise')).toMatchObject({
      op: 'DEPTHWISE_CONV_2D',
      node: 'DEPTHWISE_CONV_2D#5',
    });
    expect(tflite.notMeasured).toEqual([]);
    expect(tflite.models[0]).toMatchObject({ format: 'tflite', ops: 11 });
    expect(tflite.models[0]).not.toHaveProperty('opset');
  });

  it('counts operators of the file as covered, and the same multiply-accumulates', () => {
    expect(tflite.coverage.ops).toEqual({ quantized: 11, total: 11 });
    expect(tflite.coverage.macs).toEqual(onnx.coverage.macs);
    expect(tflite.coverage.islands).toEqual([]);
  });

  it('counts the same parameters but those that BatchNormalization is folded into', () => {
    const biases = 16 + 24 + 24;
    const { parameters } = tflite.models[0]!;
    expect(parameters).toBe(
      16 * 9 + 16 + 16 * 9 + 16 + 24 * 16 + 24 + 48 * 24 + 48 + 48 * 9 + 48 + 24 * 48 + 24 + 250,
    );
    expect(parameters).toBeGreaterThanOrEqual(onnx.models[0]!.parameters - biases);
  });
});

describe('the scheme of a model of which nothing is said', () => {
  it('is tflite for a TFLite file and ort for an ONNX file', async () => {
    const [tflite, onnx] = [await run(FLOAT), await run(ONNX)];
    expect(tflite.scheme).toMatchObject({ name: 'tflite' });
    expect(onnx.scheme).toMatchObject({ name: 'ort' });
    expect(row(tflite, 'stem/conv').quant!.dtype).toBe('int8');
    expect(row(onnx, 'stem/relu:out').quant!.dtype).toBe('uint8');
  });

  it('takes changes to that default', async () => {
    const report = await run(FLOAT, { schemeOverrides: { activations: 'int16' } });
    expect(row(report, 'stem/conv').quant!.dtype).toBe('int16');
    expect(row(report, 'stem/conv.weight').quant!.dtype).toBe('int8');
  });
});

describe('a TFLite file that is quantized already', () => {
  let report: Report;
  beforeAll(async () => {
    report = await run(INT8, { eval: [projectPath('fixtures/digits/eval')] });
  });

  it('is measured with its own parameters, which the report shows as they are in the file', async () => {
    const { graph, lane } = await openNetwork(INT8);
    expect(report.scheme).toMatchObject({ name: 'file', bias: 'int32' });
    const quantized = report.tensors.filter(({ quant }) => quant !== undefined);
    const ofFile = [...lane.tensors.keys()].filter((id) => graph.inner?.has(id) !== true);
    expect(quantized).toHaveLength(ofFile.length);
    for (const { tensor, quant } of quantized) {
      const { id } = graph.tensors.find(({ name }) => name === tensor)!;
      const params = lane.tensors.get(id)!;
      expect(quant!.source).toBe('file');
      expect(quant!.scale).toEqual(Array.from(params.scale));
      expect(quant!.zeroPoint).toEqual(Array.from(params.zeroPoint));
    }
  });

  it('is compared with the network that its weights make, and says so', () => {
    expect(report.verdict.summary).toMatch(
      /^top-1 99\.50 % -> 99\.50 %, .*: no difference; the file's integer network stays close to its own weights computed in float: output probabilities has 4\d\.\d dB/,
    );
    // Stored codes are what they stand for: what rounding them has cost is not to be seen in the file.
    for (const { role, self } of report.tensors) {
      if (role === 'weight' || role === 'bias') expect(self).toBeUndefined();
    }
  });

  it('loses in each operator what the same scheme loses when it is simulated', async () => {
    const simulated = await run(FLOAT, {
      scheme: SCHEMES['tflite']!,
      eval: [projectPath('fixtures/digits/eval')],
    });
    for (const { tensor, role, local, cumulative } of simulated.tensors) {
      if (role === 'weight' || role === 'bias' || local?.sqnrDb === undefined) continue;
      const other = row(report, tensor);
      // The reference has rounded weights too, and integer kernels round a little more than float ones between quantizers.
      expect(other.local!.sqnrDb!).toBeGreaterThan(local.sqnrDb - 2);
      expect(other.cumulative!.sqnrDb!).toBeGreaterThan(cumulative!.sqnrDb! - 2);
    }
  });

  it('has nothing to complain about, and proposes no flags of a simulation', () => {
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(report.findings.filter(({ fix }) => fix?.edit.includes('--') === true)).toEqual([]);
    expect(report.coverage.ops).toEqual({ quantized: 11, total: 11 });
  });

  it.each<[string, Partial<AnalyzeRequest>]>([
    ['a scheme', { scheme: SCHEMES['ort']! }],
    ['changes to a scheme', { schemeOverrides: { activations: 'int16' } }],
    ['--only', { selection: { only: ['stem/*'], skip: [] } }],
    ['--skip', { selection: { only: [], skip: ['op:CONV_2D'] } }],
  ])('is not simulated again: %s is refused', async (_, changes) => {
    const error: unknown = await run(INT8, changes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('is quantized already') as string,
    });
  });
});

describe('the rescaled twin with one scale for each weight', () => {
  it('loses much where values leave ranges that were made with other weights, which the findings name', async () => {
    const report = await run('fixtures/tflite/digits_rescaled_int8.tflite');
    expect(report.scheme).toMatchObject({ name: 'file', weights: { granularity: 'per-tensor' } });
    expect(row(report, 'block1/depthwise.weight').quant).not.toHaveProperty('axis');
    // Both sides have the rounded weights: what is measured is what that does to the ranges behind them.
    expect(report.verdict).toMatchObject({ cause: 'act.clipped', where: 'block1/pointwise' });
    expect(report.findings.find(({ rule }) => rule === 'w.per-tensor-spread')).toMatchObject({
      subject: { tensor: 'block1/depthwise.weight' },
    });
    expect(report.verdict.summary).toContain('the largest fall is at CONV_2D#2 (CONV_2D)');
    expect(report.notMeasured).toEqual([]);
  });
});

describe('a file with a scale that is no number', () => {
  const files = workspace();
  it.each([
    ['0', 0],
    ['NaN', NaN],
    ['Infinity', Infinity],
  ])('%s is analyzed all the same, and that is the cause', async (text, scale) => {
    const bytes = readFileSync(projectPath(INT8));
    const { lane, graph } = await openNetwork(INT8);
    const { id } = graph.tensors.find(({ name }) => name === 'block2/add')!;
    const stored = Buffer.from(new Uint8Array(lane.tensors.get(id)!.scale.slice().buffer));
    const at = bytes.indexOf(stored);
    expect(bytes.indexOf(stored, at + 1)).toBe(-1);
    bytes.writeFloatLE(scale, at);
    const report = await run(relative(projectPath(''), files.file(`${text}.tflite`, bytes)));
    expect(report.findings[0]).toMatchObject({ rule: 'q.degenerate', severity: 'error' });
    expect(report.verdict).toMatchObject({ cause: 'q.degenerate', where: 'block2/add' });
    const again = JSON.parse(renderJson(report)) as Report;
    expect(row(again, 'block2/add').quant!.scale).toEqual([Number.isFinite(scale) ? scale : text]);
    expect(row(again, 'block2/add')).not.toHaveProperty('levels');
  });
});
