import { describe, expect, it } from 'vitest';
import { weightsOf } from '../../src/ir/weights.js';
import { fitsGrid, isOnGrid } from '../../src/quant/weight-grid.js';
import { graph } from '../support/graph-builder.js';
import { spread } from '../support/spread.js';

/** Whether the weight of a convolution of that shape lies on a grid. */
function conv(dims: readonly number[], values: readonly number[]): boolean | undefined {
  const [weight] = weightsOf(
    graph()
      .input('x', 'float32', [1, dims[1] ?? 1, 8, 8])
      .constant('w', 'float32', dims, values)
      .node('Conv', { inputs: ['x', 'w'], outputs: ['y'] })
      .output('y')
      .build(),
  );
  return weight === undefined ? undefined : isOnGrid(weight);
}

describe('values on a grid', () => {
  it('are found whatever the step is and wherever they begin', () => {
    const codes = spread(60, 127).map(Math.round);
    for (const step of [0.003, 1 / 127, 0.1, 17.3]) {
      expect(fitsGrid(Float32Array.from(codes, (code) => code * step))).toBe(true);
    }
    // Of uint8 with a zero point: steps of one sign only.
    expect(fitsGrid(Float32Array.from(codes, (code) => (Math.abs(code) + 100) * 0.02))).toBe(true);
  });

  it('are found though all codes seen are multiples of none but the step', () => {
    expect(
      fitsGrid(Float32Array.from([6, 10, 15, 21, 22, 26, 33, 35, 39, 55, 77, 91], (code) => code * 0.37)),
    ).toBe(true);
  });

  it('are not numbers without a common step, nor of a finer grid than 8 bits have', () => {
    expect(fitsGrid(Float32Array.from(spread(40, 1)))).toBe(false);
    expect(fitsGrid(Float32Array.from(spread(400, 1000), (x) => Math.round(x) / 1000))).toBe(false);
  });

  it('are not judged where a few could lie anywhere', () => {
    expect(fitsGrid(Float32Array.from([1, 2, 3, 4, 5]))).toBeUndefined();
    expect(fitsGrid(new Float32Array(100))).toBeUndefined();
  });
});

describe('a weight', () => {
  it('is on a grid when each channel has one of its own', () => {
    const values = spread(8 * 27, 127).map((x, i) => Math.round(x) * 0.01 * (1 + Math.floor(i / 27)) ** 1.3);
    expect(conv([8, 3, 3, 3], values)).toBe(true);
  });

  it('is on none when one channel is on none', () => {
    const codes = spread(8 * 27, 127);
    const values = codes.map((x, i) => (i >= 54 && i < 81 ? x * 0.01 : Math.round(x) * 0.01));
    expect(conv([8, 3, 3, 3], values)).toBe(false);
  });

  it('of few elements a channel is judged as a whole, and not where every channel has a scale of its own', () => {
    const codes = spread(16 * 9, 127).map(Math.round);
    expect(
      conv(
        [16, 1, 3, 3],
        codes.map((code) => code * 0.02),
      ),
    ).toBe(true);
    const own = codes.map((code, i) => code * 0.02 * (1 + Math.floor(i / 9)) ** 1.37);
    expect(conv([16, 1, 3, 3], own)).not.toBe(true);
  });
});
