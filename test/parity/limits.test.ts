import { describe, expect, it } from 'vitest';
import type { Agreement, Difference } from '../../parity/compare.js';
import {
  distance,
  FLOAT_LIMITS,
  INTEGER_LIMITS,
  isWithin,
  OPERATOR_LIMITS,
  type Limits,
  type Unit,
} from '../../parity/limits.js';

function isFine(unit: Unit, limits: Limits, difference: Partial<Difference>, argmax?: Agreement): boolean {
  const sums = { values: 100, equal: 100, largest: 0, absmax: 200, ...difference };
  return isWithin({ tensor: 0, unit, limits, difference: sums, ...(argmax === undefined ? {} : { argmax }) });
}

describe('the limits', () => {
  it('of an operator alone are one step of its codes', () => {
    expect(isFine('lsb', OPERATOR_LIMITS, { equal: 0, largest: 1 })).toBe(true);
    expect(isFine('lsb', OPERATOR_LIMITS, { equal: 99, largest: 2 })).toBe(false);
  });

  it('from end to end are three steps and the same largest value', () => {
    expect(isFine('lsb', INTEGER_LIMITS, { equal: 0, largest: 3 }, { places: 2, agreeing: 2 })).toBe(true);
    expect(isFine('lsb', INTEGER_LIMITS, { equal: 99, largest: 4 }, { places: 2, agreeing: 2 })).toBe(false);
    expect(isFine('lsb', INTEGER_LIMITS, { equal: 99, largest: 1 }, { places: 2, agreeing: 1 })).toBe(false);
    expect(isFine('lsb', INTEGER_LIMITS, { largest: 1 }, { places: 1000, agreeing: 990 })).toBe(true);
    expect(isFine('lsb', INTEGER_LIMITS, { largest: 1 }, { places: 1000, agreeing: 989 })).toBe(false);
  });

  it('of floats are 1e-4 of the largest value, and 1e-2 behind codes', () => {
    for (const limits of [OPERATOR_LIMITS, FLOAT_LIMITS]) {
      expect(isFine('relative', limits, { largest: 0.019 })).toBe(true);
      expect(isFine('relative', limits, { largest: 0.021 })).toBe(false);
    }
    expect(isFine('relative', INTEGER_LIMITS, { largest: 1.9 })).toBe(true);
    expect(isFine('relative', INTEGER_LIMITS, { largest: 2.1 })).toBe(false);
  });

  it('of integers that are no codes are none for an operator, however close they are', () => {
    expect(isFine('exact', OPERATOR_LIMITS, { equal: 99, largest: 1 })).toBe(false);
    expect(isFine('exact', OPERATOR_LIMITS, {})).toBe(true);
    expect(isFine('exact', INTEGER_LIMITS, { equal: 99, largest: 50 })).toBe(true);
    expect(isFine('exact', INTEGER_LIMITS, { equal: 98, largest: 1 })).toBe(false);
  });

  it('are not met by what is not finite', () => {
    for (const unit of ['lsb', 'relative'] as const) {
      expect(isFine(unit, INTEGER_LIMITS, { equal: 99, largest: Infinity })).toBe(false);
    }
  });
});

describe('the distance', () => {
  it('is relative for floats only', () => {
    const measured = {
      tensor: 0,
      limits: FLOAT_LIMITS,
      difference: { values: 1, equal: 0, largest: 2, absmax: 8 },
    };
    expect(distance({ ...measured, unit: 'relative' })).toBe(0.25);
    expect(distance({ ...measured, unit: 'lsb' })).toBe(2);
  });
});
