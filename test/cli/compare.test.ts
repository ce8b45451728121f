/** `qdbg compare` from the command line: the documents it gives, and what it refuses. */
import { execFile } from 'node:child_process';
import { CommanderError, type Command } from '@commander-js/extra-typings';
import { beforeAll, describe, expect, it } from 'vitest';
import { failure, usageFailure } from '../../src/cli/failure.js';
import { programWith } from '../../src/cli/program.js';
import { compareRequest } from '../../src/cli/requests.js';
import { compare } from '../../src/commands/compare.js';
import type { CompareReport } from '../../src/report/compare-report.js';
import { renderJson } from '../../src/report/json.js';
import { REPORTERS } from '../../src/report/index.js';
import { graph } from '../support/graph-builder.js';
import { npy } from '../support/npy.js';
import { TYPED } from '../support/requests.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);

const FLOAT = fixture('triage/triage_float.onnx');
const QDQ = fixture('triage/triage_qdq.onnx');
const IMAGES = ['--data', fixture('triage/images.npy'), '--threads', '1'];
const DIGITS = fixture('digits/digits.onnx');
const DIGITS_INT8 = fixture('tflite/digits_int8.tflite');
const DIGITS_FLOAT = fixture('tflite/digits_float.tflite');
const CALIB = ['--data', fixture('digits/calib'), '--preset', 'unit', '--samples', '8', '--threads', '1'];

interface Outcome {
  readonly code: number;
  readonly err: string;
  readonly report?: CompareReport;
}

/** What `main` does with a command line, in this process. */
async function qdbg(...args: readonly string[]): Promise<Outcome> {
  let report: CompareReport | undefined;
  const unused = () => Promise.reject(new Error('not tested here'));
  const program = programWith({
    analyze: unused,
    inspect: unused,
    doctor: unused,
    sweep: unused,
    explain: unused,
    report: unused,
    template: unused,
    compare: async (models, options) => {
      report = await compare(await compareRequest(models, options, TYPED), () => undefined);
    },
  });
  let printed = '';
  for (const command of [program, ...program.commands] as Command[]) {
    command
      .exitOverride()
      .configureOutput({ outputError: (text) => (printed += usageFailure(text, 'qdbg compare')) });
  }
  try {
    await program.parseAsync(['compare', ...args], { from: 'user' });
    return { code: 0, err: '', ...(report === undefined ? {} : { report }) };
  } catch (error) {
    if (error instanceof CommanderError) return { code: 2, err: printed };
    const { text, exitCode } = failure(error);
    return { code: exitCode, err: text };
  }
}

async function reported(...args: readonly string[]): Promise<CompareReport> {
  const { code, err, report } = await qdbg(...args);
  expect([code, err]).toEqual([0, '']);
  return report!;
}

/** One line that says what is wrong, and a hint at the end. */
async function expectRefusal(args: readonly string[], ...says: readonly RegExp[]): Promise<void> {
  const { code, err } = await qdbg(...args);
  expect(code, err).toBe(2);
  const lines = err.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^qdbg: \S/);
  expect(lines.at(-1)).toMatch(/^ {2}hint: \S/);
  for (const text of says) expect(err).toMatch(text);
}

describe('the document', () => {
  let report: CompareReport;
  beforeAll(async () => {
    report = await reported(FLOAT, QDQ, ...IMAGES, '--detail', '4');
  });

  it('has the keys of the contract', () => {
    const document = JSON.parse(renderJson(report)) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual(
      expect.arrayContaining([
        'schemaVersion',
        'tool',
        'command',
        'models',
        'data',
        'scheme',
        'coverage',
        'graph',
        'alignment',
        'tensors',
        'constants',
        'outputs',
        'ladder',
        'findings',
        'verdict',
        'notMeasured',
      ]),
    );
    expect(document['command']).toBe('compare');
    expect(document).not.toHaveProperty('createdAt');
    expect(renderJson(report)).not.toMatch(/NaN|Infinity|null/);
  });

  it('has the reference first, then the candidate, each with its own format and size', () => {
    expect(report.models.map(({ role, path, format }) => [role, path, format])).toEqual([
      ['reference', FLOAT, 'onnx'],
      ['candidate', QDQ, 'onnx'],
    ]);
  });

  it('draws the candidate, with every one of its rows', () => {
    const { nodes, inputs } = report.graph!;
    const writers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
    for (const { tensor, node, op } of report.tensors) {
      if (!inputs.includes(tensor)) expect(writers.get(tensor), tensor).toMatchObject({ node, op });
    }
    expect(report.tensors.some(({ tensor }) => inputs.includes(tensor))).toBe(true);
    expect(nodes.flatMap((node) => node.inputs).filter((name) => !writers.has(name))).toEqual(
      expect.arrayContaining([...inputs]),
    );
  });

  it('names the worst of the samples that layers were measured on', () => {
    const told = report.tensors.flatMap(({ cumulative }) => cumulative?.worstSamples ?? []);
    expect(told.length).toBeGreaterThan(10);
    for (const { cumulative } of report.tensors) {
      const { worstSample, worstSamples = [] } = cumulative!;
      // Of 4 samples.
      expect(worstSamples.length).toBeLessThanOrEqual(4);
      expect(worstSamples[0]?.sample).toBe(worstSample);
    }
  });

  it('has every tensor of the candidate beside the one of the reference, with the three errors', () => {
    expect(report.tensors.length).toBeGreaterThan(10);
    for (const { tensor, reference, cumulative } of report.tensors) {
      expect(reference, tensor).toBeTruthy();
      expect(cumulative, tensor).toBeDefined();
    }
    expect(report.tensors.some(({ self }) => self?.sqnrDb !== undefined)).toBe(true);
    expect(report.tensors.some(({ local }) => local?.sqnrDb !== undefined)).toBe(true);
    const orders = report.tensors.map(({ order }) => order);
    expect(orders).toEqual([...orders].sort((a, b) => a - b));
  });

  it('has the whole alignment of a healthy export', () => {
    const { operators, outputs, unmatched } = report.alignment;
    expect(operators.matched).toBe(operators.total);
    expect(outputs.map(({ position, referencePosition }) => [position, referencePosition])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(unmatched.candidate).toEqual([]);
  });

  it('has four rungs on the samples of --detail, and the outputs on all', () => {
    expect(report.ladder.map(({ rung, samples }) => [rung, samples])).toEqual([
      ['graph', 4],
      ['weights', 4],
      ['activations', 4],
      ['everything', 4],
    ]);
    expect([report.outputs.rung, report.outputs.samples]).toEqual(['everything', 16]);
    const [ofGraph] = report.ladder[0]!.outputs;
    // In float the export computes what the reference does.
    expect(ofGraph!.exact === true || (ofGraph!.sqnrDb ?? 0) > 90).toBe(true);
  });

  it("has constants beside the reference's", () => {
    expect(report.constants.length).toBeGreaterThan(8);
    for (const { tensor, role, correlation = 1 } of report.constants)
      if (role === 'weight') expect(correlation, tensor).toBeGreaterThan(0.99);
  });

  it('is the same again: nothing in it depends on when it was made', async () => {
    const again = await reported(FLOAT, QDQ, ...IMAGES, '--detail', '4');
    expect(renderJson(again)).toBe(renderJson(report));
  });

  it('as text begins with the verdict', async () => {
    const text = await REPORTERS.terminal(report, { width: 100, color: false, top: undefined, quiet: false });
    expect(text.split('\n')[0]).toContain(report.verdict.summary.slice(0, 40));
    expect(text).not.toMatch(/\u001b/);
  });
});

describe('pairs', () => {
  it.each([
    ['ONNX', FLOAT, IMAGES],
    ['a float TFLite file', DIGITS_FLOAT, CALIB],
  ])('the same file twice is exact: %s', async (_, path, data) => {
    const { verdict, outputs, findings } = await reported(path, path, ...data);
    expect(verdict).toEqual({ summary: 'exact: not one value of the candidate differs from the reference' });
    expect(outputs.outputs.every(({ exact }) => exact === true)).toBe(true);
    expect(findings.map(({ rule, severity }) => [rule, severity])).toEqual([['q.partial', 'note']]);
  });

  it('across formats a TFLite file has its tensors in its own order of axes', async () => {
    const { models, alignment, tensors, verdict } = await reported(DIGITS, DIGITS_INT8, ...CALIB);
    expect(models.map(({ format }) => format)).toEqual(['onnx', 'tflite']);
    expect(alignment.operators.matched).toBe(alignment.operators.total);
    expect(tensors.some(({ layout }) => layout === '[N,C,H,W] as [N,H,W,C]')).toBe(true);
    expect(verdict.cause).toBeUndefined();
  });

  it('a quantized reference is run as its file says, and what the two share is exact', async () => {
    const { verdict, models, tensors } = await reported(QDQ, QDQ, ...IMAGES);
    expect(models[0]!.role).toBe('reference');
    expect(tensors.every(({ cumulative }) => cumulative?.exact === true)).toBe(true);
    expect(verdict).toEqual({
      cause: 'base.double-quantized',
      summary: 'no output of the candidate differs from the reference',
    });
  });

  it('data that are codes of the candidate are read as what they stand for', async () => {
    const codes = new Int8Array(2 * 64).map((_, i) => ((i * 37) % 256) - 128);
    const header = npy([2, 8, 8, 1], []);
    const text = new TextDecoder('latin1').decode(header).replace("'<f4'", "'|i1'");
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const path = files.file('codes.npy', Uint8Array.from([...bytes, ...new Uint8Array(codes.buffer)]));
    const { tensors, data } = await reported(DIGITS_FLOAT, DIGITS_INT8, '--data', path, '--threads', '1');
    expect(data.data?.samples).toBe(2);
    const image = tensors.find(({ role }) => role === 'input')!;
    // value = (code + 128) / 255: codes pass through the input's quantizer unchanged.
    expect(image.range!.min).toBeCloseTo((Math.min(...codes) + 128) / 255, 6);
    expect(image.range!.max).toBeCloseTo((Math.max(...codes) + 128) / 255, 6);
    expect(image.self?.exact === true || (image.self?.sqnrDb ?? 0) > 100).toBe(true);
  });
});

describe('what cannot be compared is refused with exit code 2', () => {
  const head = graph()
    .input('image', 'float32', ['N', 3, 12, 12])
    .constant(
      'w',
      'float32',
      [4, 3, 5, 5],
      Array.from({ length: 300 }, (_, i) => ((i * 71) % 37) - 18),
    )
    .node('Conv', { name: 'other', inputs: ['image', 'w'], outputs: ['y'] })
    .output('y')
    .build();

  it('two different networks, with the share that was found and the one that is wanted', () =>
    expectRefusal(
      [FLOAT, files.model('other.onnx', head), ...IMAGES],
      /do not look like the same network: 0 of 1 compute operators .*\(0 %\), \d+ % are wanted/,
      /other \(Conv\)/,
      /hint: qdbg inspect .*--min-aligned PERCENT/,
    ));

  it('models without common inputs', () => {
    const path = files.model(
      'tokens.onnx',
      graph()
        .input('tokens', 'float32', [1, 7])
        .node('Relu', { inputs: ['tokens'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    return expectRefusal(
      [FLOAT, path, ...IMAGES],
      /the two models have no common inputs/,
      /candidate input tokens \[1, 7\]/,
    );
  });

  it('no data, empty data, and data that fit neither', async () => {
    await expectRefusal([FLOAT, QDQ], /compare needs data/, /hint: --data/);
    const empty = files.file('empty/readme.txt', 'no images').replace(/\/readme\.txt$/, '');
    await expectRefusal([FLOAT, QDQ, '--data', empty], /empty/);
    const none = files.file('none.npy', npy([0, 3, 12, 12], []));
    const { code, err } = await qdbg(FLOAT, QDQ, '--data', none);
    expect(code).toBe(2);
    expect(err).toMatch(/none\.npy: .*holds no data/);
    const wrong = files.array(
      'wrong.npy',
      [1, 5, 7],
      Array.from({ length: 35 }, () => 1),
    );
    const misfit = await qdbg(FLOAT, QDQ, '--data', wrong);
    expect(misfit.code).toBe(2);
    expect(misfit.err).toMatch(/wrong\.npy: its shape is \[1, 5, 7\]/);
  });

  it('a dump folder that does not exist, has nothing, or nothing of this network', async () => {
    const run = (folder: string, ...says: readonly RegExp[]) =>
      expectRefusal([FLOAT, QDQ, ...IMAGES, '--actual', folder], ...says);
    await run(`${files.folder}/nowhere`, /nowhere/);
    const empty = files.file('dump0/readme.txt', '').replace(/\/readme\.txt$/, '');
    await run(empty, /dump0/);
    const strange = files.array('dump1/no_such_tensor.npy', [1, 2], [1, 2]).replace(/\/[^/]*$/, '');
    await run(strange, /no_such_tensor/);
  });

  it.each([
    [['--detail', '0'], /--detail/],
    [['--min-aligned', '101'], /--min-aligned/],
    [['--min-aligned', 'most'], /--min-aligned/],
    [['--shape', 'image'], /--shape image is not NAME=DIMS/],
    [['--scheme', 'ort'], /--scheme/],
  ])('flags that make no sense: %j', (flags, says) => expectRefusal([FLOAT, QDQ, ...IMAGES, ...flags], says));

  it('one model alone', () => expectRefusal([FLOAT, ...IMAGES], /candidate/i));
});

describe('--min-aligned', () => {
  const twoLayers = (second: readonly number[]) =>
    graph()
      .input('x', 'float32', [1, 3, 8, 8])
      .constant(
        'w0',
        'float32',
        [4, 3, 3, 3],
        Array.from({ length: 108 }, (_, i) => ((i * 29) % 31) / 31 - 0.5),
      )
      .constant('w1', 'float32', [2, 4, 3, 3], second)
      .node('Conv', { name: 'first', inputs: ['x', 'w0'], outputs: ['a'] })
      .node('Relu', { name: 'relu', inputs: ['a'], outputs: ['b'] })
      .node('Conv', { name: 'second', inputs: ['b', 'w1'], outputs: ['y'] })
      .output('y')
      .build();
  const reference = files.model(
    'whole.onnx',
    twoLayers(Array.from({ length: 72 }, (_, i) => ((i * 13) % 17) / 17 - 0.5)),
  );
  const more = graph()
    .input('x', 'float32', [1, 3, 8, 8])
    .constant(
      'w0',
      'float32',
      [4, 3, 3, 3],
      Array.from({ length: 108 }, (_, i) => ((i * 29) % 31) / 31 - 0.5),
    )
    .constant(
      'wa',
      'float32',
      [6, 4, 1, 1],
      Array.from({ length: 24 }, (_, i) => ((i * 11) % 23) - 11),
    )
    .constant(
      'wb',
      'float32',
      [5, 6, 1, 1],
      Array.from({ length: 30 }, (_, i) => ((i * 7) % 29) - 14),
    )
    .node('Conv', { name: 'first', inputs: ['x', 'w0'], outputs: ['a'] })
    .node('Relu', { name: 'relu', inputs: ['a'], outputs: ['b'] })
    .node('Conv', { name: 'new1', inputs: ['b', 'wa'], outputs: ['c'] })
    .node('Conv', { name: 'new2', inputs: ['c', 'wb'], outputs: ['d'] })
    .output('d')
    .build();
  const candidate = files.model('more.onnx', more);
  const data = [
    '--data',
    files.array(
      'x.npy',
      [2, 3, 8, 8],
      Array.from({ length: 384 }, (_, i) => ((i * 7) % 19) / 19),
    ),
    '--threads',
    '1',
  ];

  it('goes on with less when told to, and then shows the layers that have no counterpart', async () => {
    await expectRefusal([reference, candidate, ...data], /1 of 3 compute operators/);
    const { alignment, tensors } = await reported(reference, candidate, ...data, '--min-aligned', '30');
    expect(alignment.operators).toEqual({ matched: 1, total: 3 });
    expect(alignment.unmatched.candidate.map(({ node }) => node)).toEqual(['new1', 'new2']);
    expect(tensors.find(({ tensor }) => tensor === 'b')?.cumulative?.exact).toBe(true);
  });
});

describe('the built program', () => {
  const built = (...args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> =>
    new Promise((done) =>
      execFile(
        process.execPath,
        [projectPath('bin/qdbg.js'), 'compare', ...args],
        { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 2 ** 26 },
        (error, out, err) => done({ code: error === null ? 0 : error.code, out, err }),
      ),
    );

  it('writes the report on standard output and nothing else there', async () => {
    const { code, out, err } = await built(FLOAT, QDQ, ...IMAGES, '--report', 'json');
    expect([code, err]).toEqual([0, '']);
    expect((JSON.parse(out) as CompareReport).command).toBe('compare');
  });

  it('writes what it refuses on standard error alone', async () => {
    const { code, out, err } = await built(FLOAT, QDQ);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^qdbg: compare needs data/);
  });

  it('shows progress on standard error when asked to tell more', async () => {
    const { code, out, err } = await built(FLOAT, QDQ, ...IMAGES, '--verbose');
    expect(code).toBe(0);
    expect(out).toMatch(/^VERDICT/);
    expect(err).not.toBe('');
  });
});
