import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.js';
import { parseThresholds, type GateTexts, type Written } from '../../../src/diff/gate/thresholds.js';

const typed = (text: string): Written => ({ text, source: 'command line' });
const drop = (text: string) => parseThresholds({ maxDrop: typed(text) }).maxDrop;
const sqnr = (...texts: string[]) => parseThresholds({ minSqnr: texts.map(typed) }).minSqnr;

function refusal(texts: GateTexts): UsageError {
  try {
    parseThresholds(texts);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('--max-drop', () => {
  it.each([
    ['1pt', 1, 'pt'],
    ['0.5pt', 0.5, 'pt'],
    ['.5 pt', 0.5, 'pt'],
    ['0pt', 0, 'pt'],
    ['1%', 1, '%'],
    ['2.50 %', 2.5, '%'],
    ['1dB', 1, 'dB'],
    ['1db', 1, 'dB'],
  ])('reads %s', (text, value, unit) => {
    expect(drop(text)).toEqual({ text, source: 'command line', value, unit });
  });

  it.each([
    ['3', '3pt allows 90 % -> 87 %, 3% allows 90 % -> 87.3 %'],
    ['0.03', '0.03pt allows 90 % -> 89.97 %, 0.03% allows 90 % -> 89.973 %'],
  ])('refuses the bare number %s in one line with both of its readings', (text, readings) => {
    const { message, hint, places } = refusal({ maxDrop: typed(text) });
    expect(message).toBe(`--max-drop ${text} has no unit: ${readings}`);
    expect(hint).toBe(`--max-drop ${text}pt or --max-drop ${text}%`);
    expect(places).toEqual([]);
  });

  it.each([
    'pt',
    '%',
    'NaNpt',
    'Infinity%',
    '1e3pt',
    '0x1pt',
    '1pts',
    'one pt',
    '',
    '--1pt',
    `${'9'.repeat(400)}%`,
  ])('refuses %j', (text) => {
    expect(refusal({ maxDrop: typed(text) }).message).toMatch(/is not a number with pt, % or dB$/);
  });

  it('refuses a negative drop, bare or with a unit', () => {
    expect(refusal({ maxDrop: typed('-1pt') }).message).toBe(
      '--max-drop -1pt is negative: a drop counts up from 0, and better always passes',
    );
    expect(refusal({ maxDrop: typed('-1') })).toBeInstanceOf(UsageError);
  });

  it('refuses more points than there are', () => {
    expect(drop('100pt')?.value).toBe(100);
    expect(refusal({ maxDrop: typed('100.1pt') }).message).toBe(
      '--max-drop 100.1pt is more than there is to lose',
    );
  });
});

describe('--min-sqnr', () => {
  it('is of the outputs when it is a number', () => {
    expect(sqnr('20', '-3.5dB')).toMatchObject([
      { kind: 'outputs', db: 20 },
      { kind: 'outputs', db: -3.5 },
    ]);
  });

  it('is of layers with a glob, cumulative unless it says otherwise', () => {
    expect(sqnr('*=20', 'local:block1/*=25', 'self:op:Conv=30 dB', 'cumulative:x=1')).toMatchObject([
      { kind: 'layers', pattern: '*', measure: 'cumulative', db: 20 },
      { kind: 'layers', pattern: 'block1/*', measure: 'local', db: 25 },
      { kind: 'layers', pattern: 'op:Conv', measure: 'self', db: 30 },
      { kind: 'layers', pattern: 'x', measure: 'cumulative', db: 1 },
    ]);
  });

  it('exempts from all measures, or from the one that is named', () => {
    const [all, local] = sqnr('head/*=off', 'local:op:Softmax=off');
    expect(all).toEqual({ text: 'head/*=off', source: 'command line', kind: 'off', pattern: 'head/*' });
    expect(local).toMatchObject({ kind: 'off', pattern: 'op:Softmax', measure: 'local' });
  });

  it('splits at the last =, since names hold it too', () => {
    expect(sqnr('a=b=20')).toMatchObject([{ pattern: 'a=b', db: 20 }]);
  });

  it.each(['off', 'twenty', '', '=20', 'local:=20', 'a=', 'a=NaN', 'a=on'])('refuses %j', (text) => {
    expect(refusal({ minSqnr: [typed(text)] }).message).toContain(`--min-sqnr ${text}: `);
  });
});

describe('thresholds', () => {
  it('keep where they are written', () => {
    const source = 'qdbg.config.json';
    const parsed = parseThresholds({
      maxDrop: { text: '1pt', source },
      minSamples: typed('500'),
      failOn: { text: 'warning', source },
      inconclusive: typed('pass'),
    });
    expect(parsed).toEqual({
      maxDrop: { text: '1pt', source, value: 1, unit: 'pt' },
      minSqnr: [],
      minSamples: { text: '500', source: 'command line', value: 500 },
      failOn: { text: 'warning', source, severity: 'warning' },
      inconclusive: 'pass',
    });
  });

  it('are none when nothing is asked for, or findings never fail', () => {
    expect(parseThresholds({})).toEqual({ minSqnr: [] });
    expect(parseThresholds({ failOn: typed('never') })).toEqual({ minSqnr: [] });
  });

  it('are refused all at once, with the file of those from a file', () => {
    const { message, places, hint } = refusal({
      maxDrop: { text: '3', source: 'qdbg.config.json' },
      minSqnr: [typed('*=x')],
      minSamples: typed('0'),
      inconclusive: typed('maybe'),
      failOn: typed('note'),
    });
    expect(message).toBe('5 thresholds cannot be used');
    expect(places).toEqual([
      '--max-drop 3 has no unit: 3pt allows 90 % -> 87 %, 3% allows 90 % -> 87.3 % (qdbg.config.json)',
      "--min-sqnr *=x: 'x' is neither a number of dB nor off",
      '--min-samples 0 is not a whole number of 1 or more',
      '--inconclusive maybe is none of fail, pass',
      '--fail-on note is none of error, warning, never',
    ]);
    expect(hint).toBe('--max-drop 3pt or --max-drop 3%');
  });

  it.each(['0', '-5', '1.5', 'many', '99999999999999999999', ''])('refuse %j samples', (text) => {
    expect(refusal({ minSamples: typed(text) }).message).toContain('--min-samples');
  });
});
