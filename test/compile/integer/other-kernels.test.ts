/**
 * Operators that are no products of matrices, against the TFLite interpreter, where their kernels round in ways of their own: see
 * fixtures/tflite/cases_kernels.py.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareOperators } from '../../../parity/operators.js';
import { openGolden } from '../../../parity/golden.js';
import { openNetwork } from '../../../parity/network.js';
import { operatorProgram } from '../../../src/compile/operator-program.js';
import { operatorsOf } from '../../../src/ir/operators.js';
import { loadModel } from '../../../src/loader/index.js';
import { compiled } from '../../support/compiled.js';
import { projectPath } from '../../support/tflite-network.js';

const OPS = projectPath('fixtures/tflite/ops');
const CASES = readdirSync(OPS)
  .filter((name) => name.startsWith('kernels_') && name.endsWith('.tflite'))
  .map((name) => name.slice(0, -'.tflite'.length));

describe('kernels', () => {
  it.each(CASES)("give the interpreter's results, every one: %s", async (name) => {
    const network = await openNetwork(`${OPS}/${name}.tflite`);
    const golden = await openGolden(`${OPS}/${name}.npz`);
    const differing: string[] = [];
    let compared = 0;
    for await (const { operator, measured, failure, notCompared } of compareOperators(network, golden, {
      threads: 1,
    })) {
      expect([failure, ...notCompared]).toEqual([undefined]);
      for (const { tensor, difference } of measured) {
        const { values, equal, largest } = difference;
        compared += values;
        if (equal !== values)
          differing.push(`${operator.op}, tensor ${tensor}: ${values - equal}, up to ${largest}`);
      }
    }
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(200);
  });

  it.each(CASES)('compute on codes, not on values between quantizers: %s', async (name) => {
    const { graph, lane } = await loadModel(`${OPS}/${name}.tflite`);
    const rounded = operatorsOf(graph).filter(
      (operator) => compiled(operatorProgram(graph, lane!, operator).model).count('QuantizeLinear') > 0,
    );
    expect(rounded.map(({ main }) => `${main.origin.op}#${main.origin.index}`)).toEqual([]);
  });
});
