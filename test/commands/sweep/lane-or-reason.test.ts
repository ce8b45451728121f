import { expect, it } from 'vitest';
import { laneOrReason } from '../../../src/commands/sweep/experiments/lane-or-reason.js';
import { DataError } from '../../../src/errors.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';

it('gives the lane, or why there is none, and does not hide a fault of its own', () => {
  expect(laneOrReason(() => FLOAT_LANE)).toBe(FLOAT_LANE);
  expect(laneOrReason(() => undefined)).toMatch(/^calibration did not follow/);
  const refuse = (): never => {
    throw new DataError('no finite range', { places: ["'a': 0 to Infinity", "'b'"] });
  };
  expect(laneOrReason(refuse)).toBe("no finite range; 'a': 0 to Infinity; 'b'");
  expect(() =>
    laneOrReason(() => {
      throw new RangeError('a bug');
    }),
  ).toThrow('a bug');
});
