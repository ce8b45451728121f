/** Rounding moves single codes of many values; a fault moves some values far. */
import { describe, expect, it } from 'vitest';
import { departs } from '../../src/diff/other-departure.js';
import type { OtherTensor } from '../../src/run/other-run.js';

function tensor(of: Partial<OtherTensor>): OtherTensor {
  return { tensor: 't', node: 'n', op: 'Conv', values: 65_536, differing: 0, simulated: {}, ...of };
}

describe('a tensor that another implementation computes', () => {
  it.each<[string, boolean, Partial<OtherTensor>]>([
    ['has single codes more in half of its values', false, { beyondTwoCodes: 0, maxCodes: 1 }],
    ['has a few values three codes off', false, { beyondTwoCodes: 600, maxCodes: 4 }],
    ['has two percent of its values three codes off', true, { beyondTwoCodes: 1311, maxCodes: 3 }],
    ['has lost one channel of 128', true, { beyondTwoCodes: 500, maxCodes: 196 }],
    [
      'has a few values far off, as where a tie is broken the other way',
      false,
      { beyondTwoCodes: 3, maxCodes: 90 },
    ],
    ['has one value that is no number', true, { beyondTwoCodes: 1, maxCodes: 0, nonFinite: 1 }],
    ['is float and was added up in another order', false, { simulated: { sqnrDb: 110 } }],
    ['is float and exact', false, { simulated: { exact: true } }],
    ['is float and another one', true, { simulated: { sqnrDb: 30 } }],
  ])('%s: departs %s', (_, wanted, of) => {
    expect(departs(tensor(of))).toBe(wanted);
  });
});
