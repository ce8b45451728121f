import { describe, expect, it } from 'vitest';
import { requantizeClip } from '../../../../src/doctor/rules/act/requantize-clip.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 64])
    .node('Relu', { name: 'relu', inputs: ['x'], outputs: ['a'] })
    .node('Identity', { name: 'again', inputs: ['a'], outputs: ['b'] })
    .node('Sigmoid', { name: 'after', inputs: ['b'], outputs: ['y'] })
    .output('y')
    .build(),
);

const WIDE = perTensor('uint8', 0.1);

function found(second: number, clippedShare?: number, db = 10): (string | undefined)[] {
  const seen =
    clippedShare === undefined
      ? {}
      : {
          edges: [
            edgeMeasurement(NET, 'b', { self: errorOf(db, { clippedShare, noise: { clip: 1, round: 0 } }) }),
          ],
        };
  const lane = laneOf(NET, { a: WIDE, b: perTensor('uint8', second) });
  return requantizeClip
    .check({ graph: NET, lane, ...seen })
    .map(({ severity, message }) => `${severity}: ${message}`);
}

describe('values that are quantized twice', () => {
  it('are an error where the second range cuts off what the first holds, and nothing is left', () => {
    expect(found(0.02, 0.2)).toEqual([
      'error: the values are quantized twice, over 0 to 25.5 and then over 0 to 5.1: ' +
        '20 % of the values are inside the first and outside the second',
    ]);
  });

  it.each<[number, number, string | undefined]>([
    [0.2, 20, 'warning'],
    [0.2, 35, 'note'],
    [0.002, 10, 'warning'],
    [0.0005, 10, undefined],
  ])('a share of %d at %d dB is %s', (share, db, severity) => {
    expect(found(0.02, share, db).map((line) => line?.split(':')[0])).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('are a note where nothing was measured and the second holds less than half', () => {
    expect(found(0.02)).toEqual([expect.stringMatching(/^note: .* the second holds 20 % of the first$/)]);
    expect(found(0.08)).toEqual([]);
  });

  it('are a note where the two scales are nearly one: a second rounding for nothing', () => {
    expect(found(0.103)).toEqual([
      'note: the values are quantized twice, with scale 0.1 and then 0.103, which is 3 % more: the second rounding gains nothing',
    ]);
  });

  it('are nothing where the parameters are the same, or the second type has more codes', () => {
    expect(found(0.1)).toEqual([]);
    const lane = laneOf(NET, { a: WIDE, b: perTensor('int16', 1e-5) });
    expect(requantizeClip.check({ graph: NET, lane })).toEqual([]);
  });
});
