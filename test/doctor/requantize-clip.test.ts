import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/doctor/index.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

function findingsOf(read: QuantParams['read']) {
  const g = graph()
    .input('x', 'float32', [1, 4])
    .node('Relu', { inputs: ['x'], outputs: ['y'], name: 'relu' })
    .node('Relu', { inputs: ['y'], outputs: ['z'], name: 'after' })
    .output('z')
    .build();
  const params: QuantParams = {
    dtype: 'uint8',
    qmin: 0,
    qmax: 255,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(0.5),
    zeroPoint: Int32Array.of(10),
    source: 'file',
    ...(read === undefined ? {} : { read }),
  };
  const lane: Lane = {
    name: 'file',
    tensors: new Map([[tensorNamed(g, 'y').id, params]]),
    uses: new Map(),
  };
  return diagnose({ graph: g, lane }).findings;
}

describe('codes that are read with other parameters than they are written with', () => {
  it('are a warning with both, the factor and the shift', () => {
    const read = { scale: Float32Array.of(0.125), zeroPoint: Int32Array.of(2) };
    expect(findingsOf(read)).toEqual([
      {
        rule: 'act.requantize-clip',
        severity: 'warning',
        subject: { node: 'relu', tensor: 'y' },
        message:
          'codes are written with scale 0.5, zero point 10 and read with 0.125, 2: what is read is 0.25 times what was computed, shifted by 1',
        args: { scale: '0.5', zeroPoint: 10, readScale: '0.125', readZeroPoint: 2 },
      },
    ]);
    // Code 14 is written for 2 and read as 1.5: a quarter of 2, and 1 more.
    expect((14 - 2) * 0.125).toBe(0.25 * ((14 - 10) * 0.5) + 1);
  });

  it('are nothing where the file reads what it writes', () => {
    expect(findingsOf(undefined)).toEqual([]);
  });
});
