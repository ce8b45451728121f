/**
 * The pages of fixtures/examples: every command, run as a reader would, prints what its page shows; and the causes and numbers are
 * those that ONNX Runtime, the TFLite interpreter and numpy find without qdbg. A command runs once for both.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CompareReport } from '../../src/report/compare-report.js';
import type { DoctorReport } from '../../src/report/doctor-report.js';
import type { InspectReport } from '../../src/report/inspect-report.js';
import type { Report } from '../../src/report/report.js';
import { commandsOf, exampleFolder, examples, expected, notPrinted } from '../support/example-pages.js';

const ask = examples();

const NAMES = readdirSync(exampleFolder('.'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const PAGES = NAMES.map((name) => ({
  name,
  commands: commandsOf(readFileSync(join(exampleFolder(name), 'README.md'), 'utf8')),
}));

describe('the examples', () => {
  it('are the five situations, each with a recipe and what is known of it without qdbg', () => {
    expect(NAMES).toEqual(['qat-vs-float', 'salsanext', 'ssd-uint8', 'vendor-checklist', 'weight-outliers']);
    for (const name of NAMES)
      expect(readdirSync(exampleFolder(name))).toEqual(
        expect.arrayContaining(['expected.json', 'recipe.py']),
      );
    const index = readFileSync(exampleFolder('README.md'), 'utf8');
    for (const name of NAMES) expect(index).toContain(`${name}/README.md`);
  });

  it('are small: together less than 2.5 MB', () => {
    const paths = readdirSync(exampleFolder('.'), { recursive: true, encoding: 'utf8' });
    const bytes = paths.map((path) => statSync(join(exampleFolder('.'), path)));
    expect(bytes.reduce((sum, each) => sum + (each.isFile() ? each.size : 0), 0)).toBeLessThan(2.5e6);
  });

  it.each(PAGES)('$name has commands, and shows what each prints', ({ commands }) => {
    expect(commands.length).toBeGreaterThan(2);
    for (const { shown } of commands) expect(shown.join('').replaceAll('.', '')).not.toBe('');
  });
});

describe.each(PAGES)('the page of $name', ({ name, commands }) => {
  it.each(commands)('line $line: qdbg $text', async ({ text, exitCode, shown }) => {
    const { code, out, err } = await ask(name, text);
    expect(code, err).toBe(exitCode);
    expect(notPrinted(shown, out), out).toEqual([]);
  });
});

async function reported<R = Report>(name: string, text: string): Promise<R> {
  const { code, err, report } = await ask(name, text);
  expect(code, err).toBe(0);
  return report as R;
}

const ruleNames = (report: Pick<Report, 'findings'>, severity: string): string[] =>
  report.findings.filter((finding) => finding.severity === severity).map(({ rule }) => rule);

describe('salsanext', () => {
  interface Scores {
    readonly mIoU: number;
    readonly perClass: Readonly<Record<string, number>>;
  }
  const known = expected<{
    readonly models: Readonly<Record<string, Scores>>;
    readonly input: Readonly<Record<string, { readonly empty: number }>>;
    readonly scale: number;
    readonly negativeLevels: Readonly<Record<string, number>>;
  }>('salsanext');
  const DATA =
    'salsanext.onnx --calib calib.npy --eval eval.npy --labels labels.npy --classes classes.txt --ignore-label 255 --metric miou';
  const ladder = (): Promise<Report> => reported('salsanext', `analyze ${DATA} --ladder`);

  it.each([
    ['reference', 'float'],
    ['candidate', 'int8'],
    ['convolutions', 'int8ConvOnly'],
    ['int16 act.', 'int16Activations'],
    ['int16', 'int16'],
  ])('the row %s of the ladder scores what ONNX Runtime scores as %s, class by class', async (row, model) => {
    const { accuracy } = await ladder();
    const network = accuracy!.networks.find(({ network }) => network === row)!;
    const wanted = known.models[model]!;
    expect(Math.abs(network.value! - wanted.mIoU)).toBeLessThan(0.3);
    for (const { name, value } of network.perClass!)
      expect(Math.abs(value! - wanted.perClass[name!]!)).toBeLessThan(1);
  });

  it('the cause is the input: metres and remission in one scale', async () => {
    const report = await ladder();
    expect(report.verdict).toMatchObject({ cause: 'io.hetero-channels', where: 'scan' });
    const finding = report.findings.find(({ rule }) => rule === 'io.hetero-channels')!;
    expect(finding.severity).toBe('error');
    expect(Object.keys(known.input)[finding.args['worst'] as number]).toBe('remission');
    expect(finding.args['scale'] as number).toBeCloseTo(known.scale, 3);
    const scan = report.tensors.find(({ tensor }) => tensor === 'scan')!;
    const db = scan.channels!.values.map(({ selfSqnrDb }) => selfSqnrDb!);
    expect(Math.min(...db)).toBe(db[4]);
    expect(db[4]).toBeLessThan(scan.self!.sqnrDb! - 20);
  });

  it('quantized zero points leave the negative values of each LeakyRelu the levels that numpy counts', async () => {
    const { tensors } = await ladder();
    const names = Object.keys(known.negativeLevels);
    expect(names).toHaveLength(29);
    for (const name of names) {
      const { zeroPoint, qmin } = tensors.find(({ tensor }) => tensor === name)!.quant!;
      expect(Math.abs(zeroPoint[0]! - qmin - known.negativeLevels[name]!)).toBeLessThan(0.51);
    }
  });

  it.each([
    ['--skip context1/shortcut/conv', 'int8FirstInFloat'],
    ['--per-axis', 'int8PerAxis'],
  ])('%s scores what ONNX Runtime scores as %s', async (flag, model) => {
    const { accuracy } = await reported('salsanext', `analyze ${DATA} ${flag}`);
    expect(Math.abs(accuracy!.candidate! - known.models[model]!.mIoU)).toBeLessThan(0.3);
  });

  it('with the first layer in float nothing is wrong any more', async () => {
    const report = await reported('salsanext', `analyze ${DATA} --skip context1/shortcut/conv`);
    expect(report.accuracy!.standing).toBe('within noise');
    expect(report.verdict.cause).toBeUndefined();
    expect(ruleNames(report, 'error')).toEqual([]);
  });
});

describe('qat-vs-float', () => {
  const known = expected<{
    readonly models: Readonly<Record<string, { readonly top1: number }>>;
    readonly against_float: Readonly<
      Record<
        string,
        {
          readonly worse: number;
          readonly better: number;
          readonly mcnemar: number;
          readonly correlation: Readonly<Record<string, number>>;
        }
      >
    >;
  }>('qat-vs-float');
  const compared = (candidate: string, quiet = ''): Promise<CompareReport> =>
    reported(
      'qat-vs-float',
      `compare float.onnx ${candidate}.onnx --data eval.npy --labels labels.npy${quiet}`,
    );

  it.each([
    ['qat_int8', ''],
    ['ptq_int8', ' --quiet'],
    ['other_run_int8', ' --quiet'],
  ])('%s scores what ONNX Runtime scores, and is within noise by the same test', async (name, quiet) => {
    const { accuracy } = await compared(name, quiet);
    expect(accuracy).toMatchObject({ test: 'McNemar exact', standing: 'within noise' });
    // An answer or two hang on the last bit of a logit.
    expect(Math.abs(accuracy!.reference! - known.models['float']!.top1)).toBeLessThan(0.4);
    expect(Math.abs(accuracy!.candidate! - known.models[name]!.top1)).toBeLessThan(0.4);
    expect(Math.abs(accuracy!.pValue! - known.against_float[name]!.mcnemar)).toBeLessThan(0.35);
    const [low, high] = accuracy!.interval!;
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
  });

  it('after training the weights are still those of the float file, and nothing is wrong', async () => {
    const report = await compared('qat_int8');
    expect(report.verdict.cause).toBeUndefined();
    expect(ruleNames(report, 'error')).toEqual([]);
    expect(report.ladder[0]).toMatchObject({ rung: 'graph', outputs: [{ exact: true }] });
    for (const [layer, correlation] of Object.entries(known.against_float['qat_int8']!.correlation)) {
      const constant = report.constants.find(({ tensor }) => tensor === `${layer}.weight`)!;
      expect(constant.correlation).toBeCloseTo(correlation, 3);
    }
  });

  it('a shift of weights that were trained on is not taken for a fault', async () => {
    const report = await compared('qat_int8');
    expect(report.findings.map(({ rule }) => rule)).not.toContain('act.bias-shift');
  });

  it('the weights of another run are told from them', async () => {
    const report = await compared('other_run_int8', ' --quiet');
    expect(report.verdict.cause).toBe('w.not-same-model');
  });
});

describe('weight-outliers', () => {
  interface Weight {
    readonly range: number;
    readonly outliers: readonly number[];
    readonly lostChannels: number;
    readonly perTensorSqnrDb: number;
    readonly perAxisSqnrDb: number;
  }
  const known = expected<{
    readonly outliers: { readonly node: string };
    readonly ranges: Readonly<
      Record<string, { readonly median: number; readonly max: number; readonly beyond20: number }>
    >;
    readonly models: Readonly<
      Record<
        string,
        {
          readonly weights: Readonly<Record<string, Weight>>;
          readonly outputSqnrDb: Readonly<Record<string, Readonly<Record<string, number>>>>;
        }
      >
    >;
  }>('weight-outliers');
  const { node } = known.outliers;

  it('ranges of the convolutions of three models are those of numpy', async () => {
    const { weightRanges } = await reported<InspectReport>(
      'weight-outliers',
      'inspect detector_a.onnx detector_b.onnx detector_c.onnx',
    );
    const found = weightRanges!.models.map(({ median, max, farOut }) => ({ median, max, farOut }));
    for (const [i, { median, max, beyond20 }] of Object.values(known.ranges).entries()) {
      expect(found[i]!.median).toBeCloseTo(median, 3);
      expect(found[i]!.max).toBeCloseTo(max, 3);
      expect(found[i]!.farOut).toHaveLength(beyond20);
    }
    expect(found[0]!.farOut).toEqual([node]);
  });

  it('outlier channels, and what one scale would cost, are those of numpy', async () => {
    const { weights } = await reported<InspectReport>(
      'weight-outliers',
      `inspect detector_a.onnx --node ${node}`,
    );
    const [weight] = weights!;
    const wanted = known.models['detector_a']!.weights[node]!;
    expect(wanted.outliers).toEqual([11, 19]);
    expect(weight!.outlierChannels).toEqual(wanted.outliers);
    expect(weight!.perTensorSqnrDb).toBeCloseTo(wanted.perTensorSqnrDb, 1);
    expect(weight!.perAxisSqnrDb).toBeCloseTo(wanted.perAxisSqnrDb, 1);
  });

  it.each([
    ['detector_a', '', 'perTensor'],
    ['detector_a', ' --per-axis', 'perAxis'],
    ['detector_b', '', 'perTensor'],
  ])('%s%s loses as much as ONNX Runtime with its quantizer', async (model, flag, kind) => {
    const { tensors } = await reported('weight-outliers', `analyze ${model}.onnx --calib images.npy${flag}`);
    for (const [output, db] of Object.entries(known.models[model]!.outputSqnrDb[kind]!)) {
      const { cumulative } = tensors.find(({ tensor }) => tensor === output)!;
      expect(Math.abs(cumulative!.sqnrDb! - db)).toBeLessThan(0.3);
    }
  });

  it('the forecast names the layer that is the cause, and only A has one', async () => {
    const a = await reported('weight-outliers', 'analyze detector_a.onnx --calib images.npy');
    const b = await reported('weight-outliers', 'analyze detector_b.onnx --calib images.npy');
    expect(a.verdict).toMatchObject({ cause: 'w.per-tensor-spread', where: `${node}.weight` });
    expect(b.verdict.cause).toBeUndefined();
    expect(ruleNames(b, 'error')).toEqual([]);
  });
});

describe('vendor-checklist', () => {
  const known = expected<{
    readonly float: number;
    readonly floatNormalizedTwice: number;
    readonly vendor: number;
    readonly int8: Readonly<Record<string, number>>;
  }>('vendor-checklist');

  it.each(Object.entries(known.int8).filter(([folder]) => folder !== 'calib'))(
    'calibrated on %s, the integers score what ONNX Runtime scores, %d',
    async (folder, top1) => {
      const report = await reported(
        'vendor-checklist',
        `analyze textures.onnx --calib ${folder} --eval eval --preset raw --quiet`,
      );
      expect(report.accuracy!.reference).toBe(known.float);
      expect(Math.abs(report.accuracy!.candidate! - top1)).toBeLessThan(1.6);
      expect(report.accuracy!.standing).toBe('worse');
      expect(report.verdict.cause).toBe('cal.unrepresentative');
      expect(report.findings.map(({ rule }) => rule)).not.toContain('act.clipped');
    },
  );

  it('calibrated well they lose nothing, and the vendor has lost nothing either', async () => {
    const own = await reported(
      'vendor-checklist',
      'analyze textures.onnx --calib calib --eval eval --preset raw --expect-accuracy 90',
    );
    expect(own.accuracy!.standing).toBe('within noise');
    expect(Math.abs(own.accuracy!.candidate! - known.int8['calib']!)).toBeLessThan(1.1);
    const vendor = await reported(
      'vendor-checklist',
      'analyze vendor_int8.onnx --calib calib --eval eval --preset imagenet --resize stretch --quiet',
    );
    expect(Math.abs(vendor.accuracy!.candidate! - known.vendor)).toBeLessThan(1.1);
  });

  it('normalized twice, float itself guesses, and the preprocessing is to blame', async () => {
    const report = await reported(
      'vendor-checklist',
      'analyze textures.onnx --calib calib --eval eval --preset imagenet --resize stretch --expect-accuracy 90',
    );
    expect(Math.abs(report.accuracy!.reference! - known.floatNormalizedTwice)).toBeLessThan(1.1);
    expect(report.verdict.cause).toMatch(/^(base\.float-broken|io\.preproc)$/);
    expect(report.findings.map(({ rule }) => rule)).toContain('io.preproc');
  });

  it('the vendor starts behind the normalization and ends before the softmax', async () => {
    const report = await reported<CompareReport>(
      'vendor-checklist',
      'compare textures.onnx vendor_int8.onnx --data calib --preset raw',
    );
    expect(report.verdict).toMatchObject({ cause: 'io.preproc', where: 'normalized' });
    const alone = report.alignment.unmatched.reference.map(({ node }) => node);
    expect(alone).toEqual(['normalize/mean', 'normalize/std', 'softmax']);
  });
});

describe('ssd-uint8', () => {
  const known = expected<{
    readonly ranges: Readonly<Record<string, readonly [number, number]>>;
    readonly models: Readonly<Record<string, { readonly scoresAtHalf: number; readonly meanSide: number }>>;
  }>('ssd-uint8');

  it.each([
    ['ssd_uint8', 'tf'],
    ['ssd_raw_calib_uint8', 'raw'],
  ])('the input of %s was made for %s pixels', async (model, family) => {
    const { models } = await reported<InspectReport>('ssd-uint8', `inspect ${model}.tflite`);
    expect(models[0]!.inputs[0]!.contract).toMatchObject({ preprocessing: { implied: { family } } });
  });

  it('the broken export answers next to nothing right, and clips what the interpreter needs', async () => {
    expect(known.models['ssd_uint8']!.scoresAtHalf).toBe(1);
    const report = await reported<CompareReport>(
      'ssd-uint8',
      'compare ssd_float.tflite ssd_uint8.tflite --data . --preset tf --resize none',
    );
    expect(report.accuracy!.reference).toBeGreaterThan(60);
    expect(report.accuracy!.candidate).toBeLessThan(2);
    expect(report.verdict.cause).toBe('act.default-range');
    expect(ruleNames(report, 'error')).toEqual(['act.default-range']);
    const [low, high] = known.ranges['block3/project']!;
    expect(low).toBeLessThan(0);
    const { quant, range } = report.tensors.find(({ tensor }) => tensor === 'block3/project')!;
    expect(quant!.zeroPoint[0]! - quant!.qmin).toBe(0);
    expect(range!.min).toBeLessThan(low / 2);
    expect(range!.max).toBeGreaterThan(high / 2);
  });

  it.each(['', ' --reference ssd_float.tflite'])(
    'without data%s the ranges are seen to be defaults',
    async (more) => {
      const report = await reported<DoctorReport>('ssd-uint8', `doctor ssd_uint8.tflite${more}`);
      expect(report.findings[0]).toMatchObject({ rule: 'act.default-range', severity: 'error' });
      expect(report.findings.map(({ rule }) => rule)).toContain('out.prob-invariant');
      const sound = await reported<DoctorReport>('ssd-uint8', `doctor ssd_calibrated_uint8.tflite${more}`);
      expect([...ruleNames(sound, 'error'), ...ruleNames(sound, 'warning')]).toEqual([]);
    },
  );

  it('the other one was shown raw pixels', async () => {
    const report = await reported<CompareReport>(
      'ssd-uint8',
      'compare ssd_float.tflite ssd_raw_calib_uint8.tflite --data . --preset tf --resize none --quiet',
    );
    expect(report.verdict).toMatchObject({ cause: 'io.preproc', where: 'serving_default_input:0' });
  });

  it('the network itself can be quantized', async () => {
    const report = await reported(
      'ssd-uint8',
      'analyze ssd_float.tflite --calib calib --eval . --preset tf --resize none --quiet',
    );
    expect(report.accuracy!.standing).toBe('within noise');
    expect(ruleNames(report, 'error')).toEqual([]);
  });
});
