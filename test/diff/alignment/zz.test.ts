import { readFileSync, writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { biasNotRescaled } from '../../support/faults/index.js';
it('x', () => {
  for (const f of ['onnx']) {
    const p = process.env.ZZ!;
    writeFileSync('/tmp/alignfix/faulty.onnx', biasNotRescaled(1 / 16)(new Uint8Array(readFileSync(p)), 'offsets_quant'));
  }
});
