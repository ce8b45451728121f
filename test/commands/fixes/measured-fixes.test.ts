/** A fix that is proposed is tried, and what it gives is told: on a file with a planted fault, and on a simulation. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/doctor/finding.js';
import type { MeasuredReport } from '../../../src/report/evaluated.js';
import { reportOf } from '../../support/evaluated-runs.js';
import { scaled } from '../../support/faults/faults.js';
import { projectPath } from '../../support/tflite-network.js';
import { workspace } from '../../support/workspace.js';

const files = workspace();

const TRIAGE = ['--data', projectPath('fixtures/triage/images.npy'), '--samples', '8'];
const DIGITS = ['--calib', projectPath('fixtures/digits/calib'), '--preset', 'unit', '--samples', '16'];

function compared(candidate: string): Promise<MeasuredReport> {
  return reportOf('compare', projectPath('fixtures/triage/triage_float.onnx'), candidate, ...TRIAGE);
}

function ofRule({ findings }: MeasuredReport, rule: string): Finding {
  const found = findings.find((finding) => finding.rule === rule);
  if (found === undefined) throw new Error(`no ${rule} among ${findings.map((one) => one.rule).join(', ')}`);
  return found;
}

/** dB of an output of the report: what the fix started from. */
function outputDb({ tensors }: MeasuredReport, name: string): number | undefined {
  return tensors.find(({ tensor }) => tensor === name)?.cumulative?.sqnrDb;
}

describe('the fix of a range that clips, in a finished file', () => {
  it('is the range of the values, and brings the output back to that of the healthy file', async () => {
    const healthy = projectPath('fixtures/triage/triage_qdq.onnx');
    const faulty = scaled(1 / 8)(new Uint8Array(readFileSync(healthy)), 'stem_relu:out');
    const report = await compared(files.file('clipped.onnx', faulty));
    const { subject, fix } = ofRule(report, 'act.clipped');
    expect(subject.tensor).toBe('stem_relu:out');
    const { tensor = '', beforeDb = NaN, afterDb = NaN, samples } = fix?.measured ?? {};
    expect(samples).toBe(8);
    expect(afterDb).toBeGreaterThan(beforeDb + 10);
    expect(beforeDb).toBeCloseTo(outputDb(report, tensor) ?? NaN, 0);
    expect(Math.abs(afterDb - (outputDb(await compared(healthy), tensor) ?? NaN))).toBeLessThan(2);
  });
});

describe('the fix of weights that share one scale, in a simulation', () => {
  it('is a scale for each channel, and gives what the changed simulation measures', async () => {
    const model = projectPath('fixtures/digits/digits_rescaled.onnx');
    const report = await reportOf('analyze', model, ...DIGITS);
    const { fix } = ofRule(report, 'w.per-tensor-spread');
    expect(fix?.edit).toBe('--per-axis');
    const { tensor = '', beforeDb = NaN, afterDb = NaN } = fix?.measured ?? {};
    expect(afterDb - beforeDb).toBeGreaterThan(10);
    expect(beforeDb).toBeCloseTo(outputDb(report, tensor) ?? NaN, 4);
    const changed = await reportOf('analyze', model, ...DIGITS, '--per-axis');
    expect(afterDb).toBeCloseTo(outputDb(changed, tensor) ?? NaN, 4);
  });
});
