import { describe, expect, it } from 'vitest';
import {
  deltaIntervalText,
  deltaText,
  intervalText,
  pText,
  roundedUp,
  valueText,
} from '../../../src/diff/accuracy/wording.js';

describe('numbers of accuracy', () => {
  it('have two decimals in percent and dB', () => {
    expect([valueText(91.2, '%'), valueText(31.256, 'dB'), valueText(0, '%'), valueText(100, '%')]).toEqual([
      '91.20 %',
      '31.26 dB',
      '0.00 %',
      '100.00 %',
    ]);
  });

  it('have four digits without a unit, and an exponent where they are very small', () => {
    expect([
      valueText(0.0123456, ''),
      valueText(123.456, ''),
      valueText(3.2e-7, ''),
      valueText(0, ''),
    ]).toEqual(['0.01235', '123.5', '3.20e-7', '0']);
  });

  it('never read as 0 or 100 % when they are not', () => {
    expect(valueText(99.998, '%')).toBe('99.998 %');
    expect(valueText(0.0004, '%')).toBe('0.0004 %');
    expect(intervalText([89.3, 99.98], '%')).toBe('89.30 to 99.98');
  });

  it('have the sign of what they are, and zero has none', () => {
    expect([deltaText(-0.36, 'pt'), deltaText(0.2, 'pt'), deltaText(0, 'pt'), deltaText(-0, 'pt')]).toEqual([
      '-0.36 pt',
      '+0.20 pt',
      '0.00 pt',
      '0.00 pt',
    ]);
    expect(deltaText(-1e-12, 'pt')).toBe('0.00 pt');
    expect(deltaText(-1e-12, 'pt')).not.toContain('-');
  });

  it('never end an interval at 0 that leaves 0 out', () => {
    expect(deltaIntervalText([-0.9, 0.2], 'pt')).toBe('-0.9 to +0.2');
    expect(deltaIntervalText([-0.96, -0.03], 'pt')).toBe('-0.96 to -0.03');
    expect(deltaIntervalText([0, 0], 'pt')).toBe('0.0 to 0.0');
    expect(intervalText([1234.5, 1234.9], '')).toBe('1234.5 to 1234.9');
    expect(deltaIntervalText([-0.00012, 0.00034], '')).toBe('-0.00012 to +0.00034');
  });

  it('give p two digits, three beside 0.05', () => {
    expect([0.2145, 0.0012, 0.00099, 1, 0.0496, 0.0504, 0.04].map(pText)).toEqual([
      'p 0.21',
      'p 0.0012',
      'p < 0.001',
      'p 1.0',
      'p 0.0496',
      'p 0.0504',
      'p 0.040',
    ]);
  });

  it('round samples up to two digits', () => {
    expect([7, 21, 381, 1387, 1400, 123456].map(roundedUp)).toEqual([
      '7',
      '21',
      '390',
      '1,400',
      '1,400',
      '130,000',
    ]);
  });
});
