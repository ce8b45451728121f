import { describe, expect, it } from 'vitest';
import {
  amount,
  bytes,
  gainText,
  pointsCell,
  shellText,
  worth,
} from '../../../src/page/commands/sweep-numbers.js';

describe('numbers of a sweep', () => {
  it('never show something as nothing', () => {
    expect(amount(0.004, '%')).toBe('0.004 %');
    expect(amount(0, '%')).toBe('0.00 %');
    expect(amount(undefined, '%')).toBe('–');
    expect(pointsCell(-0, { deltaUnit: 'pt' })).toBe('0.00');
  });

  it('count a fall of what is better when lower as worth', () => {
    expect(worth(-2, { better: 'lower' })).toBe(2);
    expect(worth(-2, { better: 'higher' })).toBe(-2);
  });

  it('say a gain with its sign, and where nothing is left to gain', () => {
    expect(gainText(13.53, { outputSqnrDb: 10 })).toBe('+13.5 dB');
    expect(gainText(-0.01, { outputSqnrDb: 10 })).toBe('0.0 dB');
    expect(gainText(undefined, { exact: true })).toBe('exact');
    expect(gainText(3, { failure: 'it crashed' })).toBe('failed');
  });

  it('quote flags for a shell', () => {
    expect(shellText(['--only', 'a/b:0', '--skip', "it's; rm"])).toBe(`--only a/b:0 --skip 'it'\\''s; rm'`);
  });

  it('count bytes in thousands', () => {
    expect(bytes(432)).toBe('432 B');
    expect(bytes(1580)).toBe('1.58 kB');
    expect(bytes(2_500_000)).toBe('2.5 MB');
  });
});
