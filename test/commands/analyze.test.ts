/** The whole way from files to a report. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, type AnalyzeRequest } from '../../src/commands/analyze.js';
import { overrideScheme, SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { renderJson } from '../../src/report/json.js';
import type { Report, ReportedTensor } from '../../src/report/report.js';
import { Random } from '../quant/samples.js';
import { graph, type GraphBuilder } from '../support/graph-builder.js';
import { bells, smallNetwork, UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { workspace } from '../support/workspace.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const files = workspace();

/** Enough images where it is not about numbers. */
const FEW: AnalyzeRequest['data'] = {
  preprocessing: {},
  shapes: new Map(),
  skipUnreadable: false,
  samples: 8,
};

function requestFor(model: string, calib: string, changes: Partial<AnalyzeRequest> = {}): AnalyzeRequest {
  return {
    model,
    calib: [calib],
    eval: [],
    data: { preprocessing: {}, shapes: new Map(), skipUnreadable: false },
    scheme: SCHEMES['ort']!,
    selection: NO_SELECTION,
    channels: [],
    ladder: false,
    ...UNJUDGED,
    threads: 1,
    timestamp: false,
    ...changes,
  };
}

function run(model: string, calib: string, changes: Partial<AnalyzeRequest> = {}): Promise<Report> {
  return analyze(requestFor(model, calib, changes), UNWATCHED);
}

function row(report: Report, name: string): ReportedTensor {
  const found = report.tensors.find(({ tensor }) => tensor === name);
  if (found === undefined) throw new Error(`no row for ${name}`);
  return found;
}

/** Runs a network made here on rows of values for its one input `x`. */
function made(
  name: string,
  builder: GraphBuilder,
  dims: readonly number[],
  values: readonly number[],
  changes: Partial<AnalyzeRequest> = {},
): Promise<Report> {
  const model = files.model(`${name}.onnx`, builder.build());
  return run(model, files.array(`${name}.npy`, dims, values), changes);
}

describe('the worked example: six values of which 8 bits keep two', () => {
  const X = [-51.35, 165.52, 0.4, -0.4, 0.5, 1.2];
  let report: Report;
  beforeAll(async () => {
    report = await run(`${FIXTURES}worked-example/model.onnx`, `${FIXTURES}worked-example/x.npy`);
  });

  it('has 45.9 dB SQNR wherever it is measured', () => {
    const [x, y] = [row(report, 'x'), row(report, 'y')];
    for (const error of [x.self, x.cumulative, y.self, y.local, y.cumulative]) {
      expect(error?.sqnrDb?.toFixed(1)).toBe('45.9');
      // Errors 0.32 0.32 -0.4 0.4 0.35 -0.35 in the last digits of -51.03, 165.84, 0, 0, 0.85, 0.85.
      expect(error?.maxAbsError).toBeCloseTo(0.4, 5);
      expect(error?.noise).toEqual({ clip: 0, round: 1 });
    }
  });

  it('has the scale and zero point that give the codes 0 255 60 60 61 61', () => {
    const { quant } = row(report, 'x');
    const [scale, zeroPoint] = [quant!.scale[0]!, quant!.zeroPoint[0]!];
    const codes = X.map((x) =>
      Math.min(quant!.qmax, Math.max(quant!.qmin, Math.round(x / scale) + zeroPoint)),
    );
    expect(codes).toEqual([0, 255, 60, 60, 61, 61]);
    expect(codes.map((code) => ((code - zeroPoint) * scale).toFixed(2))).toEqual([
      '-51.03',
      '165.84',
      '0.00',
      '0.00',
      '0.85',
      '0.85',
    ]);
    expect(quant).toMatchObject({ dtype: 'uint8', source: 'observer' });
  });

  it('says that 45.9 dB hides four lost values, in the finding and in the verdict', () => {
    expect(row(report, 'x').lostShare).toBeCloseTo(4 / 6, 10);
    expect(report.findings.map(({ rule, subject }) => [rule, subject.tensor])).toEqual([
      ['act.outlier-range', 'x'],
      ['act.outlier-range', 'y'],
      // One sample is all there is.
      ['cal.unrepresentative', undefined],
    ]);
    expect(report.findings[0]).toMatchObject({ args: { lost: 4, values: 6 } });
    expect(report.findings[0]!.message).toContain('45.9 dB self SQNR hides 4 of 6 values');
    expect(report.verdict).toMatchObject({ cause: 'act.outlier-range', where: 'y' });
    expect(report.verdict.summary).toContain('45.9 dB');
    expect(report.verdict.summary).toContain('hides');
  });

  it('is mended by what the finding proposes', async () => {
    expect(report.findings[0]!.fix!.edit).toBe('--activations int16');
    const wide = await run(`${FIXTURES}worked-example/model.onnx`, `${FIXTURES}worked-example/x.npy`, {
      scheme: overrideScheme(SCHEMES['ort']!, { activations: 'int16' }),
    });
    expect(wide.findings.map(({ rule }) => rule)).toEqual(['cal.unrepresentative']);
    expect(row(wide, 'x').lostShare).toBe(0);
  });
});

describe('the digits network and its twin with rescaled channels', () => {
  const analyzed = (name: string, changes: Partial<AnalyzeRequest> = {}): Promise<Report> =>
    run(`${FIXTURES}digits/${name}.onnx`, `${FIXTURES}digits/calib`, changes);
  let healthy: Report;
  let twin: Report;
  beforeAll(async () => {
    healthy = await analyzed('digits');
    twin = await analyzed('digits_rescaled');
  });

  it('points at the weight with one scale for unlike channels, which it names, and at the layer that breaks', () => {
    const report = twin;
    expect(report.verdict).toMatchObject({ cause: 'w.per-tensor-spread', where: 'block1/depthwise.weight' });
    expect(report.verdict.summary).toMatch(
      /^the integer network is broken: output logits has -?\d\.\d dB SQNR/,
    );
    expect(report.verdict.summary).toContain('block1/pointwise');
    const [spread] = report.findings;
    expect(spread).toMatchObject({
      rule: 'w.per-tensor-spread',
      severity: 'error',
      subject: { node: 'block1/depthwise', tensor: 'block1/depthwise.weight' },
      args: { wideChannels: '7 10' },
    });
    expect(report.jumps[0]).toMatchObject({ node: 'block1/pointwise', from: 'block1/depthwise_relu:out' });
    const weight = report.weights.find(({ tensor }) => tensor === 'block1/depthwise.weight')!;
    expect(weight.outlierChannels).toEqual([7, 10]);
    expect(weight.perAxisSqnrDb).toBeGreaterThan(weight.perTensorSqnrDb! + 10);
  });

  it('shows what pooled SQNR hides: the culprit has a good cumulative one, but a channel without any and a bad consumer', () => {
    const report = twin;
    const culprit = row(report, 'block1/depthwise_relu:out');
    expect(culprit.cumulative!.sqnrDb).toBeGreaterThan(25);
    expect(culprit.local!.worstChannel!.sqnrDb).toBeLessThan(5);
    expect([7, 10]).not.toContain(culprit.local!.worstChannel!.channel);
    const local = report.tensors.flatMap(({ tensor, local: error }) =>
      error?.sqnrDb === undefined ? [] : [{ tensor, db: error.sqnrDb }],
    );
    expect(local.sort((a, b) => a.db - b.db)[0]!.tensor).toBe('block1/pointwise_relu:out');
  });

  it('finds nothing wrong with the healthy network', () => {
    expect(healthy.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(healthy.verdict.summary).toMatch(
      /^the integer network stays close to float: output logits has \d\d\.\d dB SQNR \(cumulative\)$/,
    );
    expect(healthy.verdict.cause).toBeUndefined();
  });

  it('finds the twin mended by what it proposes, a scale per channel', async () => {
    expect(twin.findings[0]!.fix!.edit).toBe('--per-axis');
    const scheme = overrideScheme(SCHEMES['ort']!, { granularity: 'per-axis' });
    const mended = await analyzed('digits_rescaled', { scheme, data: FEW });
    expect(mended.findings.filter(({ rule }) => rule === 'w.per-tensor-spread')).toEqual([]);
    const db = (report: Report): number => row(report, 'logits').cumulative!.sqnrDb!;
    expect(db(mended)).toBeGreaterThan(db(twin) + 10);
  });

  it('gives the same bytes again, and with another number of threads the same story', async () => {
    const [first, again] = [
      await analyzed('digits_rescaled', { data: FEW }),
      await analyzed('digits_rescaled', { data: FEW }),
    ];
    expect(renderJson(again)).toBe(renderJson(first));
    const { verdict } = await analyzed('digits_rescaled', { data: FEW, threads: 2 });
    expect([verdict.cause, verdict.where]).toEqual([twin.verdict.cause, twin.verdict.where]);
  });

  it('puts the time into the report only when asked', async () => {
    expect(healthy.createdAt).toBeUndefined();
    const { createdAt } = await analyzed('digits', { timestamp: true, data: FEW });
    expect(Math.abs(Date.parse(createdAt!) - Date.now())).toBeLessThan(60_000);
  });

  it('says what it read: hashes, sizes, samples, and what was assumed', () => {
    const report = healthy;
    expect(report).toMatchObject({
      schemaVersion: 1,
      tool: { name: 'qdbg' },
      command: 'analyze',
      models: [{ role: 'model', format: 'onnx', opset: 17, ops: 17 }],
      data: { calib: { kind: 'images', samples: 64 } },
      coverage: { ops: { quantized: 17, total: 17 }, islands: [] },
      notMeasured: [],
    });
    expect(report.models[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(report.data.calib!.assumed.map(({ what }) => what)).toContain('normalization');
    expect(report.coverage.macs.quantized).toBe(report.coverage.macs.total);
  });

  it('has a row for every tensor in graph order, constants beside the operator that reads them', () => {
    const { tensors } = healthy;
    expect(tensors.map(({ order }) => order)).toEqual(tensors.map((_, i) => i));
    const names = tensors.map(({ tensor }) => tensor);
    expect(names.slice(0, 4)).toEqual([
      'image',
      'stem/conv.weight',
      expect.stringContaining('stem/conv') as string,
      'stem/relu:out',
    ]);
    expect(names.at(-1)).toBe('logits');
    const roles = new Set(tensors.map(({ role }) => role));
    expect(roles).toEqual(new Set(['input', 'weight', 'bias', 'activation', 'output']));
    expect(tensors.find(({ tensor }) => tensor === 'stem/relu:out')).toMatchObject({
      node: 'stem/conv',
      op: 'Conv+Relu',
    });
    expect(new Set(names).size).toBe(names.length);
  });

  it('lists the channels of the worst layers and of those asked for', async () => {
    const listed = (report: Report, asked: boolean): string[] =>
      report.tensors.flatMap(({ tensor, channels }) =>
        channels !== undefined && (channels.asked === true) === asked ? [tensor] : [],
      );
    expect(listed(twin, true)).toEqual([]);
    expect(listed(twin, false)).toContain('block1/pointwise_relu:out');
    expect(row(twin, 'block1/depthwise_relu:out').channels!.values).toHaveLength(16);
    const asked = await analyzed('digits', { channels: ['head/classifier', '*pool:out'], data: FEW });
    expect(listed(asked, true)).toEqual(['block1/pool:out', 'head/pool:out', 'logits']);
    expect(row(asked, 'logits').channels!.values).toHaveLength(10);
    await expect(analyzed('digits', { channels: ['nothing*'], data: FEW })).rejects.toThrow(
      /nothing\*.*matches no/,
    );
  });

  it('counts the values of every activation that it measured, each sample in full', () => {
    const activations = healthy.tensors.filter(({ role }) => role !== 'weight' && role !== 'bias');
    expect(activations.length).toBeGreaterThan(8);
    for (const { tensor, shape, range, histogram } of activations) {
      const { lo, hi, counts } = histogram!;
      const elements = shape.slice(1).reduce<number>((product, dim) => product * Number(dim), 1);
      expect(
        counts.reduce((a, b) => a + b, 0),
        tensor,
      ).toBe(64 * elements);
      expect(counts.length).toBeLessThanOrEqual(96);
      expect([lo <= range!.min, hi >= range!.max, counts[0] === 0, counts.at(-1) === 0]).toEqual([
        true,
        true,
        false,
        false,
      ]);
    }
    expect(healthy.tensors.filter(({ role }) => role === 'weight').map((weight) => weight.histogram)).toEqual(
      healthy.tensors.filter(({ role }) => role === 'weight').map(() => undefined),
    );
  });

  it('tells the ranges that other observers would choose, and what those then give', async () => {
    const told = twin.tensors.flatMap(({ tensor, alternatives = [], forecast }) =>
      alternatives.map((alternative) => ({ tensor, forecast, ...alternative })),
    );
    expect(told.length).toBeGreaterThan(0);
    for (const { observer, selfSqnrDb, forecast } of told) {
      // What is there is the range from the smallest value to the largest.
      expect(observer).not.toBe('minmax');
      expect(forecast![observer]).toBe(selfSqnrDb);
    }
    const scheme = overrideScheme(SCHEMES['ort']!, { percentile: 99.9 });
    const chosen = await analyzed('digits_rescaled', { scheme });
    const percentiles = told.filter(({ observer }) => observer === 'percentile 99.9');
    expect(percentiles.length).toBeGreaterThan(0);
    for (const { tensor, min, max, selfSqnrDb } of percentiles) {
      const { quant, self } = row(chosen, tensor);
      expect((Math.max(max, 0) - Math.min(min, 0)) / 255).toBeCloseTo(quant!.scale[0]!, 6);
      expect(Math.abs(self!.sqnrDb! - selfSqnrDb)).toBeLessThan(0.2);
    }
  });

  it('names the five samples that are worst, beginning with the worst of all', () => {
    const errors = healthy.tensors.flatMap(({ local, cumulative }) => [local ?? [], cumulative ?? []].flat());
    const told = errors.filter(({ worstSamples }) => worstSamples !== undefined);
    expect(told.length).toBeGreaterThan(10);
    for (const { worstSamples, worstSample, worstSqnrDb } of told) {
      expect(worstSamples![0]).toEqual({ sample: worstSample, sqnrDb: worstSqnrDb });
      const db = worstSamples!.map(({ sqnrDb }) => sqnrDb);
      expect(db).toEqual([...db].sort((a, b) => a - b));
      expect(new Set(worstSamples!.map(({ sample }) => sample)).size).toBe(5);
    }
  });

  it('draws the network with the names of the rows', () => {
    const { nodes, inputs, outputs } = healthy.graph!;
    expect([inputs, outputs]).toEqual([['image'], ['logits']]);
    for (const { tensor, node, op, role } of healthy.tensors) {
      if (role === 'activation' || role === 'output') {
        expect(nodes.find((drawn) => drawn.outputs.includes(tensor))).toMatchObject({ node, op });
      }
    }
    const macs = nodes.reduce((sum, node) => sum + (node.macs ?? 0), 0);
    expect(macs).toBe(healthy.coverage.macs.total);
  });

  it('measures on evaluation data with the ranges of the calibration data', async () => {
    const report = await analyzed('digits', {
      eval: [`${FIXTURES}digits/eval`],
      data: { preprocessing: {}, shapes: new Map(), skipUnreadable: false, samples: 64 },
    });
    const calibrated = healthy;
    expect(report.data).toMatchObject({ calib: { samples: 64 }, eval: { samples: 64 } });
    expect(row(report, 'logits').quant).toEqual(row(calibrated, 'logits').quant);
    expect(row(report, 'logits').range!.max).toBeGreaterThan(row(calibrated, 'logits').range!.max);
    // Values that calibration did not see are clipped.
    expect(row(report, 'logits').self!.clippedShare).toBeGreaterThan(0);
    expect(row(calibrated, 'logits').self!.clippedShare).toBe(0);
  });

  it('finds nothing before the one layer that is quantized, and the fall at it', async () => {
    const report = await analyzed('digits_rescaled', {
      selection: { only: ['block1/depthwise'], skip: [] },
      data: FEW,
    });
    expect(row(report, 'image').cumulative).toMatchObject({ exact: true });
    expect(row(report, 'stem/relu:out').cumulative!.sqnrDb).toBeGreaterThan(40);
    expect(report.jumps[0]).toMatchObject({ node: 'block1/pointwise', from: 'block1/depthwise_relu:out' });
    const late = await analyzed('digits_rescaled', {
      selection: { only: ['head/classifier'], skip: [] },
      data: FEW,
    });
    for (const name of ['image', 'stem/relu:out', 'block1/depthwise_relu:out', 'block2/relu:out']) {
      expect(row(late, name).cumulative).toMatchObject({ exact: true, mse: 0 });
      expect(row(late, name).quant).toBeUndefined();
    }
    expect(row(late, 'logits').cumulative!.sqnrDb).toBeGreaterThan(30);
  });
});

describe('what cannot be measured', () => {
  const x = (shape: readonly (number | string)[] = [1, 4]): GraphBuilder =>
    graph().input('x', 'float32', shape);

  it('is listed with the reason: a shape that depends on the data, as behind non-maximum suppression', async () => {
    const report = await made(
      'dynamic',
      x()
        .node('Add', { name: 'before', inputs: ['x', 'x'], outputs: ['positive'] })
        .node('NonZero', { name: 'nonzero', inputs: ['positive'], outputs: ['where'] })
        .node('Transpose', { name: 'pairs', inputs: ['where'], outputs: ['indices'] })
        .node('GatherND', { name: 'pick', inputs: ['positive', 'indices'], outputs: ['picked'] })
        .node('Mul', { name: 'square', inputs: ['picked', 'picked'], outputs: ['squares'] })
        .output('squares'),
      [2, 4],
      [1, 2, -1, 0.3, 5, -4, 3, 2],
    );
    expect(report.notMeasured.map(({ subject }) => subject)).toEqual(['picked', 'squares']);
    for (const { reason } of report.notMeasured)
      expect(reason).toMatch(/depends on the data.*; kept in float$/);
    expect(report.tensors.map(({ tensor }) => tensor)).toEqual(['x', 'positive']);
    expect(report.verdict.summary).toContain('the last comparable tensor positive');
    // An operator whose tensors stay in float is not one that computes with integers.
    expect(report.coverage.ops).toEqual({ quantized: 1, total: 4 });
    expect(report.coverage.islands.map(({ nodes }) => nodes)).toContainEqual(['square']);
  });

  it('is what comes out of control flow, whose inside is not looked at; what goes in is measured', async () => {
    const model = `${FIXTURES}loader/control-flow.onnx`;
    const random = new Random(8);
    const data = files.array('control.npy', [3, 2, 3], bells(random, 18));
    const report = await run(model, data, { scheme: SCHEMES['tflite']! });
    expect(report.notMeasured.map(({ subject }) => subject)).toEqual(['acc_final', 'scans', 's', 'y']);
    expect(report.tensors.map(({ tensor }) => tensor)).toEqual(['x', 'start']);
    expect(row(report, 'start').cumulative!.sqnrDb).toBeGreaterThan(30);
    expect(report.verdict.summary).toContain('the last comparable tensor start');
  });

  it('is a tensor without elements', async () => {
    const report = await made(
      'empty',
      x()
        .constant('none', 'float32', [0, 4])
        .node('Concat', { name: 'nothing', inputs: ['none', 'none'], outputs: ['still'], attrs: { axis: 0 } })
        .node('Concat', { name: 'join', inputs: ['x', 'still'], outputs: ['y'], attrs: { axis: 0 } })
        .output('y'),
      [1, 4],
      [1, 2, 3, 4],
    );
    expect(report.notMeasured).toEqual([
      { subject: 'still', reason: expect.stringMatching(/no elements \(shape 0x4\)/) as string },
    ]);
    expect(row(report, 'y').cumulative).toBeDefined();
  });
});

describe('values at the ends of float32', () => {
  it('are measured and reported as numbers: a mask of the lowest float', async () => {
    const lowest = -3.4028234663852886e38;
    const report = await made(
      'mask',
      graph()
        .input('x', 'float32', [1, 4])
        .constant('mask', 'float32', [1, 4], [0, lowest, 0, lowest])
        .node('Add', { name: 'masked', inputs: ['x', 'mask'], outputs: ['scores'] })
        .node('Softmax', { name: 'softmax', inputs: ['scores'], outputs: ['y'] })
        .output('y'),
      [2, 4],
      [1, 2, 3, 4, 0, 1, -2, 0],
    );
    expect(() => renderJson(report)).not.toThrow();
    const scores = row(report, 'scores');
    expect(scores.range!.min).toBe(lowest);
    expect(scores.self).toMatchObject({ maxAbsError: 3 });
    expect(scores.self!.exact).toBeUndefined();
    // One step is 1e36: scores of 1 and 3 are 0 alike, and so are their shares.
    expect(row(report, 'y').local!.maxAbsError).toBeGreaterThan(0.3);
  });

  it('are told as what they are when they are not finite', async () => {
    const report = await made(
      'log',
      graph()
        .input('x', 'float32', [1, 4])
        .node('Log', { name: 'log', inputs: ['x'], outputs: ['y'] })
        .node('LeakyRelu', { name: 'next', inputs: ['y'], outputs: ['z'] })
        .output('z'),
      [2, 4],
      [1, 2, 3, 4, 0, 1, -2, 0.5],
    );
    expect(() => renderJson(report)).not.toThrow();
    expect(report.findings[0]).toMatchObject({
      rule: 'act.non-finite',
      severity: 'error',
      subject: { node: 'log', tensor: 'y' },
      args: { nonFinite: 2, sample: expect.stringContaining('log.npy#1') as string },
    });
    expect(row(report, 'y').cumulative!.nonFinite).toBe(2);
    expect(row(report, 'y').range!.max).toBeCloseTo(Math.log(4), 5);
  });

  it('stay out of every number when nothing else is there', async () => {
    const report = await made(
      'nan',
      graph()
        .input('x', 'float32', [1, 2])
        .node('Sqrt', { name: 'root', inputs: ['x'], outputs: ['y'] })
        .node('Add', { name: 'twice', inputs: ['y', 'y'], outputs: ['z'] })
        .output('z'),
      [1, 2],
      [-1, -2],
    );
    expect(() => renderJson(report)).not.toThrow();
    expect(row(report, 'y').cumulative).toBeUndefined();
    expect(report.verdict.summary).toBe('no output could be compared with float');
  });

  it('are zeros: a constant tensor of zeros is exact', async () => {
    const report = await made(
      'zeros',
      graph()
        .input('x', 'float32', [1, 2])
        .constant('nothing', 'float32', [1, 2], [0, 0])
        .node('Mul', { name: 'gone', inputs: ['x', 'nothing'], outputs: ['y'] })
        .output('y'),
      [2, 2],
      [1, 2, 3, 4],
    );
    expect(row(report, 'y').cumulative).toMatchObject({ exact: true });
    expect(report.verdict.summary).toBe('no output differs from float');
  });
});

describe('one network in every version of the operator set', () => {
  it('has the same report', async () => {
    const random = new Random(12);
    const data = files.array('images.npy', [3, 3, 8, 8], bells(random, 576));
    const reports = await Promise.all(
      [12, 13, 17, 18, 21].map(async (opset) => {
        const report = await run(files.model(`opset${opset}.onnx`, smallNetwork(opset, bells)), data);
        return {
          tensors: report.tensors,
          findings: report.findings,
          verdict: report.verdict,
          jumps: report.jumps,
        };
      }),
    );
    for (const report of reports) expect(report).toEqual(reports[0]);
  });

  it.each([7, 8, 9, 10, 11])('runs in opset %i', async (opset) => {
    const random = new Random(12);
    const data = files.array('old.npy', [2, 3, 8, 8], bells(random, 384));
    const report = await run(files.model(`old${opset}.onnx`, smallNetwork(opset, bells)), data);
    expect(row(report, 'logits').cumulative!.sqnrDb).toBeGreaterThan(15);
    expect(report.coverage.ops.quantized).toBeGreaterThan(4);
  });
});

it('reads the report of the worked example back from its JSON', async () => {
  const report = await run(`${FIXTURES}worked-example/model.onnx`, `${FIXTURES}worked-example/x.npy`);
  expect(JSON.parse(renderJson(report))).toEqual(report);
  expect(readFileSync(`${FIXTURES}worked-example/x.npy`).subarray(1, 6).toString()).toBe('NUMPY');
});
