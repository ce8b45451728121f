import { describe, expect, it } from 'vitest';
import type { ErrorMeasurement } from '../../../src/diff/measurement.js';
import { readingsOf } from '../../../src/page/layers/readings.js';
import type { LayerTensor } from '../../../src/page/layers/layer.js';

function measured(more: Partial<ErrorMeasurement>): ErrorMeasurement {
  return {
    mse: 0.1,
    maxAbsError: 1,
    bias: 0,
    clippedShare: 0,
    noise: { clip: 0, round: 1 },
    biasShare: 0,
    nonFinite: 0,
    ...more,
  };
}

function tensor(more: Partial<LayerTensor>): LayerTensor {
  return { tensor: 't', node: 'n', op: 'Conv', role: 'activation', order: 0, shape: [1], ...more };
}

describe('readingsOf', () => {
  it('says that the weights or the inputs are to blame where local is far below self', () => {
    const row = tensor({ self: measured({ sqnrDb: 40.1 }), local: measured({ sqnrDb: 27.6 }) });
    expect(readingsOf(row, true)).toEqual([
      'Local is 12.5 dB below self: most of what this operator adds comes from its weights, its bias or the quantizers of its inputs, not from the quantizer of its output.',
    ]);
    expect(readingsOf(row, false)[0]).toContain('comes from the quantizers of its inputs');
  });

  it('says nothing where the numbers do not decide', () => {
    expect(
      readingsOf(tensor({ self: measured({ sqnrDb: 40 }), local: measured({ sqnrDb: 37 }) }), true),
    ).toEqual([]);
    expect(readingsOf(tensor({}), true)).toEqual([]);
    expect(readingsOf(tensor({ self: measured({}), local: measured({}) }), true)).toEqual([]);
  });

  it('tells an error that came in from one that is made here', () => {
    const inherited = tensor({ local: measured({ sqnrDb: 37.4 }), cumulative: measured({ sqnrDb: -2.5 }) });
    expect(readingsOf(inherited, true)).toEqual([
      'Cumulative is 39.9 dB below local: most of the error here came in with the inputs.',
    ]);
    const exact = tensor({ local: measured({ exact: true }), cumulative: measured({ sqnrDb: 20 }) });
    expect(readingsOf(exact, true)).toEqual(['All of the error here came in with the inputs.']);
    const own = tensor({ local: measured({ sqnrDb: 27.6 }), cumulative: measured({ sqnrDb: 27.4 }) });
    expect(readingsOf(own, true)).toEqual([
      'The error here is as large as what this operator adds by itself.',
    ]);
  });

  it('says nothing of its own of an operator that adds nothing', () => {
    const row = tensor({ self: measured({ sqnrDb: 40 }), local: measured({ exact: true }) });
    expect(readingsOf(row, true)).toEqual(['This operator adds no error of its own.']);
  });

  it('names clipping, shifts, channels and values that are not finite where they make the error', () => {
    const row = tensor({
      self: measured({ sqnrDb: 30, noise: { clip: 0.7, round: 0.3 }, clippedShare: 0.002 }),
      local: measured({
        sqnrDb: 28,
        biasShare: 0.8,
        nonFinite: 2,
        worstChannel: { channel: 7, sqnrDb: 3 },
      }),
      levels: 6.2,
    });
    const text = readingsOf(row, true).join('\n');
    expect(text).toContain('2 values are NaN or infinite');
    expect(text).toContain('Clipping makes 70.0 % of the noise of the quantizer, on 0.20 % of the values');
    expect(text).toContain('A constant shift of all values explains 80.0 % of the noise');
    expect(text).toContain('Channel 7 is 25.0 dB below all channels together: 3.0 dB');
    expect(text).toContain('have 6.2 steps of the quantizer');
  });
});
