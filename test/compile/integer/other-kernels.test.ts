/**
 * Operators that are no products of matrices compute on codes. That the codes are the TFLite interpreter's, every one, is held against
 * the same files in test/loader/tflite/operators.test.ts; fixtures/tflite/cases_kernels.py makes them.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operatorProgram } from '../../../src/compile/operator-program.js';
import { operatorsOf } from '../../../src/ir/operators.js';
import { loadModel } from '../../../src/loader/index.js';
import { compiled } from '../../support/compiled.js';
import { projectPath } from '../../support/tflite-network.js';

const OPS = projectPath('fixtures/tflite/ops');
const CASES = readdirSync(OPS).filter((name) => name.startsWith('kernels_') && name.endsWith('.tflite'));

describe('operators of a file with codes', () => {
  it('are recorded in all families and types', () => {
    expect(CASES).toHaveLength(24);
  });

  it.each(CASES)('are not computed on values between quantizers: %s', async (name) => {
    const { graph, lane } = await loadModel(`${OPS}/${name}`);
    const onValues = operatorsOf(graph).filter((operator) => {
      const { model } = operatorProgram(graph, lane!, operator);
      return compiled(model).count('QuantizeLinear') > 0;
    });
    expect(onValues.map(({ main }) => `${main.origin.op}#${main.origin.index}`)).toEqual([]);
  });
});
