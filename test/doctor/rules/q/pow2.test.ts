import { describe, expect, it } from 'vitest';
import { pow2 } from '../../../../src/doctor/rules/q/pow2.js';
import { graph } from '../../../support/graph-builder.js';
import { edgeMeasurement } from '../../../support/evidence.js';
import { laneOf, perAxis, perTensor } from '../../../support/lanes.js';

const BUILDER = graph().input('x', 'float32', [1, 2, 4, 4]);
for (let i = 0; i < 4; i++) {
  BUILDER.constant(`w${i}`, 'float32', [2, 2, 1, 1]);
  BUILDER.value(`y${i}`, 'float32', [1, 2, 4, 4]);
  BUILDER.node('Conv', { inputs: [i === 0 ? 'x' : `y${i - 1}`, `w${i}`], outputs: [`y${i}`] });
}
const G = BUILDER.node('Sigmoid', { inputs: ['y3'], outputs: ['p'] })
  .output('p')
  .build();
const POWERS = {
  x: perTensor('int8', 2 ** -4),
  w0: perAxis('int8', 0, [2 ** -7, 2 ** -9]),
  y0: perTensor('int8', 2 ** -3),
  w1: perTensor('int8', 2 ** -8),
  y1: perTensor('int8', 2 ** -2),
  y2: perTensor('int8', 2 ** -3),
};

describe('q.pow2', () => {
  it('notes that all scales are powers of two, whatever an operator prescribes', () => {
    const lane = laneOf(G, { ...POWERS, p: perTensor('int8', 1 / 255) });
    expect(pow2.check({ graph: G, lane })).toMatchObject([
      {
        severity: 'note',
        subject: {},
        args: { scales: 6 },
        message: expect.stringContaining('up to one bit') as string,
      },
    ]);
  });

  it('says what it costs on data', () => {
    const lane = laneOf(G, POWERS);
    // 128 * 2 ** -3 = 16 for values that need 127 steps of 0.0625, and of 0.125: 6.02 and 0 dB.
    const edges = [7.9375, 15.875].map((max, i) =>
      edgeMeasurement(
        G,
        i === 0 ? 'y0' : 'y2',
        {},
        { quant: perTensor('int8', 2 ** -3), range: { min: -max, max } },
      ),
    );
    const [found] = pow2.check({ graph: G, lane, edges });
    expect(found?.args.meanLossDb).toBeCloseTo(3.01, 2);
  });

  it('says nothing where one scale is none, or where there are too few to tell', () => {
    expect(pow2.check({ graph: G, lane: laneOf(G, { ...POWERS, y3: perTensor('int8', 0.07) }) })).toEqual([]);
    const { x, w0, y0 } = POWERS;
    expect(pow2.check({ graph: G, lane: laneOf(G, { x, w0, y0 }) })).toEqual([]);
  });
});
