/** The built program on TFLite files. */
import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { InspectReport } from '../../src/report/inspect-report.js';
import type { Report } from '../../src/report/report.js';
import { projectPath } from '../support/tflite-network.js';

interface Run {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

function qdbg(...args: readonly string[]): Promise<Run> {
  const env = { ...process.env, NO_COLOR: '1' };
  return new Promise((done) =>
    execFile(
      process.execPath,
      [projectPath('bin/qdbg.js'), ...args],
      { cwd: projectPath('fixtures'), env, maxBuffer: 2 ** 26 },
      (error, out, err) => done({ code: error === null ? 0 : (error.code ?? 'killed'), out, err }),
    ),
  );
}

const FLOAT = 'tflite/digits_float.tflite';
const INT8 = 'tflite/digits_int8.tflite';
const CALIB = ['--calib', 'digits/calib', '--preset', 'unit'];

describe.concurrent('qdbg inspect', () => {
  it('shows a float and an integer file as text', async () => {
    const [float, int8] = [await qdbg('inspect', FLOAT), await qdbg('inspect', INT8)];
    expect([float.code, float.err, int8.code, int8.err]).toEqual([0, '', 0, '']);
    expect(float.out).toMatch(
      /^MODEL {2}tflite\/digits_float\.tflite\n {2}tflite, by qdbg fixture, 18\.4 kB\n/,
    );
    expect(float.out).not.toContain('QUANTIZATION');
    expect(int8.out).toContain('image  int8  1x8x8x1\n');
    expect(int8.out).toContain('value = (code + 128) * 0.003921569\n');
    expect(int8.out).toContain('11 of 11 operators compute with integers');
  });

  it('gives both beside each other as one document', async () => {
    const { code, out, err } = await qdbg('inspect', FLOAT, INT8, '--report', 'json');
    expect([code, err]).toEqual([0, '']);
    const { models } = JSON.parse(out) as InspectReport;
    expect(models.map(({ format, quantization }) => [format, quantization?.scheme['name']])).toEqual([
      ['tflite', undefined],
      ['tflite', 'file'],
    ]);
  });
});

describe.concurrent('qdbg analyze', () => {
  it('simulates a float file under the scheme tflite', async () => {
    const { code, out, err } = await qdbg('analyze', FLOAT, ...CALIB, '--report', 'json');
    expect([code, err]).toEqual([0, '']);
    const report = JSON.parse(out) as Report;
    expect(report.scheme).toMatchObject({ name: 'tflite' });
    expect(report.models[0]).toMatchObject({ format: 'tflite', ops: 11, bytes: 18376 });
    expect(report.tensors.at(-1)).toMatchObject({ tensor: 'probabilities', role: 'output' });
  });

  it('measures an integer file with its own parameters, in a document and in text', async () => {
    const [document, text] = [
      await qdbg('analyze', INT8, ...CALIB, '--report', 'json'),
      await qdbg('analyze', INT8, ...CALIB),
    ];
    expect([document.code, document.err, text.code]).toEqual([0, '', 0]);
    const report = JSON.parse(document.out) as Report;
    expect(report.scheme).toEqual({
      name: 'file',
      activations: { dtype: 'int8', symmetric: false, granularity: 'per-tensor' },
      weights: { dtype: 'int8', symmetric: true, granularity: 'per-axis' },
      bias: 'int32',
    });
    expect(report.tensors.every(({ quant }) => quant?.source === 'file')).toBe(true);
    expect(text.out).toMatch(/^VERDICT {2}the file's integer network stays close to its own weights/);
    expect(text.out).toContain("scheme   the file's own: activations int8 asymmetric per-tensor");
    expect(text.out).toContain("reference: this file's own network without quantizers");
  });

  it('says under the verdict what it guessed of images', async () => {
    const guessed = await qdbg('analyze', FLOAT, '--calib', 'digits/calib');
    expect(guessed.code).toBe(0);
    const [verdict, ...below] = guessed.out.split('\n');
    expect(verdict).toMatch(/^VERDICT {2}/);
    expect(below.slice(0, below.indexOf('')).join(' ')).toMatch(
      /images are taken as .*, which is a guess: --preset says what the model wants/,
    );
    const told = await qdbg('analyze', FLOAT, ...CALIB);
    expect(told.out).not.toContain('which is a guess');
  });

  it('refuses a scheme for a file that is quantized already, and exits 2', async () => {
    const { code, out, err } = await qdbg('analyze', INT8, ...CALIB, '--scheme', 'tflite');
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(
      /^qdbg: tflite\/digits_int8\.tflite is quantized already: .*\n {2}hint: qdbg analyze/,
    );
  });
});
