/**
 * Every operator of fixtures/tflite/ops beside the TFLite interpreter: alone on the interpreter's own inputs, and as a part of its
 * network. The archives beside the models hold what the interpreter (builtin kernels, ai-edge-litert 2.3.0) computed.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../parity/compare.js';
import { compareOutputs } from '../../../parity/end-to-end.js';
import { openGolden } from '../../../parity/golden.js';
import { equalShare, isWithin, type Measured } from '../../../parity/limits.js';
import { openNetwork } from '../../../parity/network.js';
import { compareOperators, type OperatorResult } from '../../../parity/operators.js';
import { checkRecorded } from '../../../parity/recorded.js';

const OPS = fileURLToPath(new URL('../../../fixtures/tflite/ops/', import.meta.url));
const CASES = readdirSync(OPS)
  .filter((name) => name.endsWith('.tflite'))
  .map((name) => name.slice(0, -'.tflite'.length));
const OPTIONS = { threads: 1 };

/** Of the tensor's largest value, for operators that compute in float. */
const FLOAT_ERROR = 1e-5;

/**
 * Least share of equal codes among the integers of an operator; those that are not listed give the very codes of the interpreter.
 */
const EQUAL_SHARE: Readonly<Record<string, number>> = {
  // Computed in float between quantizers: values halfway between two codes go to the even one.
  FAKE_QUANT: 0.95,
};

/** What is wrong with one output of an operator; nothing when it is as it should be. */
function fault({ operator }: OperatorResult, measured: Measured): string | undefined {
  const { tensor, unit, difference } = measured;
  const place = `${operator.op}#${operator.index}, tensor ${tensor}`;
  if (!isWithin(measured)) return `${place}: beyond the limits (${JSON.stringify(difference)})`;
  if (unit === 'relative') {
    const error = relativeError(difference);
    return error <= FLOAT_ERROR ? undefined : `${place}: ${error} of its largest value`;
  }
  const share = equalShare(difference);
  return share >= (EQUAL_SHARE[operator.op] ?? 1) ? undefined : `${place}: ${100 * share} % equal`;
}

describe.concurrent('operators compute what the TFLite interpreter does', () => {
  it('with both a model and an archive for every case', () => {
    const archives = readdirSync(OPS).filter((name) => name.endsWith('.npz'));
    expect(archives).toEqual(CASES.map((name) => `${name}.npz`));
    expect(CASES.length).toBeGreaterThan(100);
  });

  it.for(CASES)('%s', async (name) => {
    const network = await openNetwork(`${OPS}${name}.tflite`);
    const golden = await openGolden(`${OPS}${name}.npz`);
    checkRecorded(network, golden);
    const faults: string[] = [];
    for await (const result of compareOperators(network, golden, OPTIONS)) {
      const { operator, measured, failure, notCompared } = result;
      const reasons = failure === undefined ? notCompared : [failure];
      faults.push(...reasons.map((reason) => `${operator.op}#${operator.index}: ${reason}`));
      faults.push(...measured.flatMap((one) => fault(result, one) ?? []));
    }
    const outputs = await compareOutputs(network, golden, OPTIONS);
    if (outputs.failure !== undefined) faults.push(`end to end: ${outputs.failure}`);
    for (const { tensor, reason } of outputs.notCompared) faults.push(`output ${tensor}: ${reason}`);
    for (const measured of outputs.measured) {
      if (!isWithin(measured)) faults.push(`output ${measured.tensor}: ${JSON.stringify(measured)}`);
    }
    expect(faults).toEqual([]);
  });
});
