/** What `npm run parity` prints, and how it exits. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { main } from '../../parity/main.js';
import { modelBytes } from '../loader/tflite/flat-model.js';
import { archive, entriesOf, metaEntry, metaOf, npyOf, type Entries } from '../support/golden-archive.js';
import { workspace } from '../support/workspace.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURES = join(ROOT, 'fixtures/tflite');
const SHARED = join(ROOT, '../shared');
const MODEL = join(FIXTURES, 'digits_int8.tflite');
const GOLDEN = join(FIXTURES, 'digits_int8.npz');
const RECORDED = entriesOf(GOLDEN);
const META = metaOf(RECORDED);

const files = workspace();

interface Run {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

/** In this process, on the sources. */
async function parity(...args: readonly string[]): Promise<Run> {
  let out = '';
  let err = '';
  const code = await main(args, { print: (text) => (out += text), complain: (text) => (err += text) });
  return { code, out, err };
}

/** As `npm run parity` runs it, on the build. */
function script(...args: readonly string[]): Promise<Run> {
  return new Promise((done) =>
    execFile(process.execPath, [join(ROOT, 'parity/parity.js'), ...args], (error, out, err) =>
      done({ code: error === null ? 0 : (error.code ?? 'killed'), out, err }),
    ),
  );
}

let made = 0;
function written(entries: Entries): string {
  return files.file(`${made++}.npz`, archive(entries));
}

/** Cells of the first line that begins so. */
function row(out: string, start: string): string[] {
  const line = out.split('\n').find((text) => text.startsWith(start));
  return line?.split(/ {2,}/).map((cell) => cell.trim()) ?? [];
}

const without = (entries: Entries, ...names: readonly string[]): Entries =>
  Object.fromEntries(Object.entries(entries).filter(([name]) => !names.includes(name.slice(0, -4))));

const tensorKeys = Object.keys(RECORDED)
  .filter((name) => name.startsWith('t'))
  .map((name) => name.slice(0, -4));
/** What the last operator writes. */
const LAST = META.ops.at(-1)!;
const LAST_KEY = `t0/${LAST.outputs[0]}`;

/** The recorded archive with the last byte of one array moved by `steps` of its scale. */
function moved(key: string, steps: number): Entries {
  const bytes = Uint8Array.from(RECORDED[`${key}.npy`]!);
  bytes[bytes.length - 1] = bytes.at(-1)! + steps;
  return { ...RECORDED, [`${key}.npy`]: bytes };
}

describe.concurrent('parity with the interpreter', () => {
  it('prints operators by type and the outputs, and exits 0 within the limits', async () => {
    const { code, out, err } = await parity(MODEL, GOLDEN);
    expect([code, err]).toEqual([0, '']);
    expect(row(out, 'operator ')).toEqual([
      'operator',
      'operators',
      'tensors',
      'values',
      'equal',
      'max LSB',
      'max rel. error',
      'not compared',
    ]);
    expect(row(out, 'CONV_2D').slice(0, 3)).toEqual(['CONV_2D', '4', '4']);
    for (const { op } of META.ops) expect(row(out, `${op} `).slice(4)).toEqual(['100.00 %', '0', '-', '0']);
    expect(row(out, `${LAST.outputs[0]} '`).slice(3, 7)).toEqual(['100.00 %', '0', '-', '2 of 2']);
    expect(out).toContain('END TO END');
    expect(out.trimEnd().endsWith('PASS')).toBe(true);
  });

  it('judges float networks by errors relative to the largest value', async () => {
    const { code, out } = await parity(
      join(FIXTURES, 'digits_float.tflite'),
      join(FIXTURES, 'digits_float.npz'),
    );
    expect(code).toBe(0);
    const [, , , , equal, lsb, relative] = row(out, 'CONV_2D');
    expect([equal, lsb]).toEqual(['-', '-']);
    expect(Number(relative)).toBeLessThan(1e-6);
  });

  it('judges float outputs that a DEQUANTIZE writes by the codes they are made of', async () => {
    const path = join(FIXTURES, 'ops/quantize_int8');
    const { code, out } = await parity(`${path}.tflite`, `${path}.npz`);
    expect(code).toBe(0);
    const [operators = '', outputs = ''] = out.split('END TO END');
    const [, , , , , lsb, relative] = row(operators, 'DEQUANTIZE');
    expect([lsb, Number(relative) < 1e-6]).toEqual(['-', true]);
    expect(row(outputs, "7 'dequantize1'").slice(3, 6)).toEqual(['100.00 %', '0', '-']);
  });

  it('shows every tensor and the drift with --verbose', async () => {
    const { code, out } = await parity(MODEL, GOLDEN, '--verbose');
    expect(code).toBe(0);
    const [operators = '', drift = ''] = out.split('DRIFT');
    META.ops.forEach(({ op, outputs: [output] }, i) => {
      expect(row(operators, `${op}#${i} `)[1]).toMatch(new RegExp(`^${output} '`));
      expect(row(drift, `${output} '`)).not.toEqual([]);
    });
  });

  it('does not depend on the order of samples', async () => {
    const swapped = Object.fromEntries(
      Object.entries(RECORDED).map(([name, bytes]) => [
        name.replace(/^(in|t)([01])/, (_, kind: string, sample) => `${kind}${1 - Number(sample)}`),
        bytes,
      ]),
    );
    const tables = ({ out }: Run): string => out.slice(out.indexOf('\n'));
    expect(tables(await parity(MODEL, written(swapped)))).toBe(tables(await parity(MODEL, GOLDEN)));
  });

  it('says so when a delegate has computed the archive', async () => {
    const ops = [...META.ops, { op: 'DELEGATE', inputs: [0], outputs: [META.ops[0]!.outputs[0]!] }];
    const { code, out } = await parity(
      MODEL,
      written({ ...RECORDED, ...metaEntry({ ...META, ops, xnnpack: true }) }),
    );
    expect(code).toBe(0);
    expect(out).toContain('XNNPACK');
  });
});

describe.concurrent('the script', () => {
  it('prints the same on the build, and exits with the same code', async () => {
    const beyond = written(moved(LAST_KEY, 5));
    for (const args of [[MODEL, GOLDEN], [MODEL, beyond], [MODEL]]) {
      expect(await script(...args)).toEqual(await parity(...args));
    }
  });
});

describe.concurrent('deviations exit 1', () => {
  it('naming the operator, the tensor and how far it is off', async () => {
    const { code, out, err } = await parity(MODEL, written(moved(LAST_KEY, 5)));
    expect([code, err]).toEqual([1, '']);
    const label = `${LAST.op}#${META.ops.length - 1}, tensor ${LAST.outputs[0]}`;
    expect(out).toMatch(
      new RegExp(`FAIL: 2 deviations\n {2}${label} .*: up to 5 LSB, 95\\.00 % of 20 values equal`),
    );
    expect(out).toMatch(/end to end, tensor .* up to 5 LSB/);
  });

  it('but not one step of an operator, nor three from end to end', async () => {
    expect((await parity(MODEL, written(moved(LAST_KEY, 1)))).code).toBe(0);
    const three = await parity(MODEL, written(moved(LAST_KEY, 3)));
    expect(three.code).toBe(1);
    expect(three.out).toContain('FAIL: 1 deviation\n');
    expect(three.out).not.toContain('end to end, tensor');
  });

  it('at the operator whose input was moved, if only its input was', async () => {
    const [, second] = META.ops;
    const { code, out } = await parity(MODEL, written(moved('in0/0', 100)));
    expect(code).toBe(1);
    expect(out).toContain(`${META.ops[0]!.op}#0, tensor`);
    expect(out).not.toContain(`${second!.op}#1, tensor`);
  });
});

describe.concurrent('what an archive leaves out', () => {
  /** Without the output of one operator. */
  function leavingOut(...outputs: readonly number[]): string {
    const keys = outputs.flatMap((output) => [`t0/${output}`, `t1/${output}`]);
    return written({ ...without(RECORDED, ...keys), ...metaEntry({ ...META, left_out: outputs }) });
  }

  it('is computed from the tensors before it where an operator reads it, and said to be', async () => {
    const { code, out } = await parity(MODEL, leavingOut(META.ops[0]!.outputs[0]!));
    expect(code).toBe(0);
    expect(row(out, 'DEPTHWISE_CONV_2D *').slice(1, 5)).toEqual(['1', '1', '2 048', '100.00 %']);
    expect(out).toMatch(/NOT COMPARED\n {2}CONV_2D: the archive leaves out its output \(#0\)/);
    expect(out).toMatch(/\* an input that the archive leaves out was computed here/);
  });

  it('is no reason to pass: with nothing to compare it exits 2', async () => {
    const { code, err } = await parity(MODEL, leavingOut(...META.ops.flatMap(({ outputs }) => outputs)));
    expect(code).toBe(2);
    expect(err).toMatch(/nothing could be compared/);
  });
});

describe('an operator that nothing here computes', () => {
  const SHAPE = [1, 3];
  const ABS = 101;
  const model = modelBytes({
    codes: [{ builtin: ABS }, { builtin: 32, custom: 'Mystery' }],
    tensors: ['x', 'a', 'm', 'b'].map((name) => ({ name, shape: SHAPE })),
    inputs: [0],
    outputs: [1, 3],
    operators: [
      { code: 0, inputs: [0], outputs: [1] },
      { code: 1, inputs: [1], outputs: [2] },
      { code: 0, inputs: [2], outputs: [3] },
    ],
  });
  const array = (...values: readonly number[]): Uint8Array => npyOf('<f4', SHAPE, Float32Array.from(values));
  const entries: Entries = {
    ...metaEntry({
      tensors: { 0: { name: 'x' } },
      ops: [
        { op: 'ABS', inputs: [0], outputs: [1] },
        { op: 'Mystery', inputs: [1], outputs: [2] },
        { op: 'ABS', inputs: [2], outputs: [3] },
      ],
    }),
    'in0/0.npy': array(-1, 2, -3),
    't0/1.npy': array(1, 2, 3),
    't0/2.npy': array(-7, 8, -9),
    't0/3.npy': array(7, 8, 9),
  };

  it('is listed with what depends on it, and the rest is compared', async () => {
    const { code, out, err } = await parity(files.file('mystery.tflite', model), written(entries));
    expect([code, err]).toEqual([0, '']);
    expect(row(out, 'ABS').slice(0, 4)).toEqual(['ABS', '2', '1', '3']);
    expect(row(out, 'Mystery').slice(1, 4)).toEqual(['1', '0', '0']);
    expect(out).toMatch(/NOT COMPARED\n {2}Mystery: Mystery is a custom operator/);
    expect(out).toMatch(/end to end, output 3 'b': it depends on Mystery#1/);
    expect(row(out, "1 'a'")[2]).toBe('3');
  });
});

describe('an operator that cannot be run', () => {
  const NEG = 59;
  const model = modelBytes({
    codes: [{ builtin: 0 }, { builtin: NEG }],
    tensors: [
      { name: 'x', shape: [1, 3] },
      // Of an extent that only the data tells.
      { name: 'y', shape: [0] },
      { name: 'sum', shape: [1, 3] },
      { name: 'negative', shape: [1, 3] },
    ],
    inputs: [0, 1],
    outputs: [3],
    operators: [
      { code: 0, inputs: [0, 1], outputs: [2] },
      { code: 1, inputs: [0], outputs: [3] },
    ],
  });
  const array = (...values: readonly number[]): Uint8Array =>
    npyOf('<f4', [1, values.length], Float32Array.from(values));

  it('is a deviation that names it, and the others are compared', async () => {
    const entries: Entries = {
      ...metaEntry({
        tensors: {},
        ops: [
          { op: 'ADD', inputs: [0, 1], outputs: [2] },
          { op: 'NEG', inputs: [0], outputs: [3] },
        ],
      }),
      'in0/0.npy': array(1, 2, 3),
      'in0/1.npy': npyOf('<f4', [2], Float32Array.of(1, 2)),
      't0/2.npy': array(0, 0, 0),
      't0/3.npy': array(-1, -2, -3),
    };
    const { code, out } = await parity(files.file('unfit.tflite', model), written(entries));
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL: \d deviations?\n {2}ADD#0 cannot be computed: /);
    expect(row(out, 'NEG').slice(0, 4)).toEqual(['NEG', '1', '1', '3']);
    expect(out).not.toContain('NEG#1');
  });
});

describe.concurrent('what cannot be compared exits 2 and says why on standard error', () => {
  const shrunk = npyOf('|i1', [1, 5], Int8Array.of(1, 2, 3, 4, 5));
  const other = join(FIXTURES, 'ops/prelu_int8.npz');
  const CASES: readonly (readonly [what: string, args: () => readonly string[], said: RegExp])[] = [
    ['no files', () => [], /0 files given[^]*hint: npm run parity -- MODEL\.tflite GOLDEN\.npz/],
    ['an unknown flag', () => [MODEL, GOLDEN, '--nonsense'], /--nonsense[^]*hint:/],
    ['a model that is not there', () => ['none.tflite', GOLDEN], /none\.tflite does not exist/],
    ['an archive that is not there', () => [MODEL, 'none.npz'], /none\.npz: it does not exist/],
    [
      'a model of another format',
      () => [join(ROOT, 'fixtures/digits/digits.onnx'), GOLDEN],
      /is an onnx model/,
    ],
    ['a model for an archive', () => [MODEL, MODEL], /it is not a zip archive/],
    ['the archive of another model', () => [MODEL, other], /recorded from another model[^]*operator 0 is/],
    [
      'the archive of the same network in float',
      () => [MODEL, join(FIXTURES, 'digits_float.npz')],
      /another model|it holds float32; the model has int8 there/,
    ],
    ['no meta.json', () => [MODEL, written(without(RECORDED, 'meta.json'))], /it has no meta\.json/],
    [
      'a sample without input',
      () => [MODEL, written(without(RECORDED, 'in1/0'))],
      /is incomplete[^]*in1\/0 .* is missing, an input/,
    ],
    [
      'a tensor that is missing',
      () => [MODEL, written(without(RECORDED, LAST_KEY))],
      /is incomplete[^]*t0\/.* is missing, written by SOFTMAX/,
    ],
    [
      'an array of another shape',
      () => [MODEL, written({ ...RECORDED, [`${LAST_KEY}.npy`]: shrunk })],
      /its shape is \[1, 5\]/,
    ],
    [
      'no tensors at all',
      () => [MODEL, written(without(RECORDED, ...tensorKeys))],
      /is incomplete[^]*t0\/[^]*t1\//,
    ],
  ];

  it.each(CASES)('%s', async (_, args, said) => {
    const { code, err } = await parity(...args());
    expect(code).toBe(2);
    expect(err).toMatch(said);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

const MODELS: Readonly<Record<string, string>> = {
  deeplab_uint8: 'deeplab/deeplab_uint8',
  digits_float: 'digits/digits_float',
  digits_int16x8: 'digits/digits_int16x8',
  digits_int8: 'digits/digits_int8',
  dscnn_float: 'mlperf-kws/dscnn_float',
  dscnn_int8: 'mlperf-kws/dscnn_int8',
  mobilenet_qat_uint8: 'mobilenet-qat/mobilenet_v1_0.25_qat_uint8',
  resnet8_float: 'mlperf-ic/resnet8_float',
  resnet8_int8: 'mlperf-ic/resnet8_int8',
  ssd_uint8: 'ssd/ssd_mobilenet_v1_uint8',
};

describe.skipIf(!existsSync(SHARED))('the shared archives of the interpreter', () => {
  it.each(Object.entries(MODELS))('%s', async (name, model) => {
    const { code, out, err } = await parity(
      join(SHARED, 'models', `${model}.tflite`),
      join(SHARED, 'golden', `${name}.npz`),
    );
    expect([code, err]).toEqual([0, '']);
    const shares = [...out.matchAll(/(\d+\.\d\d) %/g)].map(([, share]) => share);
    expect(new Set(shares)).toEqual(new Set(name.endsWith('float') ? [] : ['100.00']));
  });
});
