import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/doctor/catalogue.js';
import { explained, limitText } from '../../src/report/explain.js';
import { GLOSSARY } from '../../src/report/glossary.js';

const PLAIN = { width: 100, color: false };
const said = (word?: string): string => explained(word, PLAIN);
/** As one line. */
const flat = (text: string): string => text.replace(/\s+/g, ' ');

describe('qdbg explain', () => {
  it('lists every rule with its title, and the words, when not asked for one', () => {
    const text = flat(said());
    for (const { id, title } of CATALOGUE) expect(text).toContain(`${id} ${flat(title)}`);
    for (const { word } of GLOSSARY) expect(text).toContain(word);
  });

  it('says of each rule what, why, what to do instead, how bad and what it needs', () => {
    for (const { id, severity, text } of CATALOGUE) {
      const told = flat(said(id));
      for (const part of [text.what, text.why, text.instead]) expect(told).toContain(flat(part));
      expect(told).toContain(`severity ${severity} at most`);
      expect(told).toMatch(/ needs \S/);
    }
  });

  it('knows a rule by an id that it had, in any case', () => {
    expect(said(' QAT.gap ')).toBe(said('cal.qat-gap'));
    expect(said('cal.qat-gap')).toContain('formerly    qat.gap');
  });

  it('explains words, also by their other names', () => {
    expect(said('sqnr')).toMatch(/^SQNR\n/);
    expect(said('DB')).toBe(said('SQNR'));
  });

  it('names the closest rule for one that is not there, without its control characters', () => {
    expect(() => said('act.cliped')).toThrow(
      expect.objectContaining({
        message: 'act.cliped: there is no such rule or word',
        hint: 'qdbg explain act.clipped',
      }) as Error,
    );
    expect(() => said('\u001b[31m')).toThrow(
      expect.objectContaining({ message: '\\u001b[31m: there is no such rule or word' }) as Error,
    );
    expect(() => said('constructor')).toThrow('there is no such rule or word');
    expect(() => said('§')).toThrow(
      expect.objectContaining({ hint: 'qdbg explain lists all of them' }) as Error,
    );
  });

  it('keeps within the width, whatever that is, but for words that are longer', () => {
    for (const width of [60, 80, 132]) {
      const long = explained('w.per-tensor-spread', { width, color: false })
        .split('\n')
        .filter((line) => line.length > width);
      expect(long).toEqual([]);
    }
  });

  it('is the same text with colours', () => {
    const colored = explained('act.clipped', { width: 100, color: true });
    expect(colored).not.toBe(said('act.clipped'));
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(said('act.clipped'));
  });

  it('writes where a rule begins to speak, with the end that is bad', () => {
    expect(limitText({ quantity: 'share', unit: '', warning: 0.5, error: 0.8, worse: 'higher' })).toBe(
      'share: warning > 0.5, error > 0.8',
    );
    expect(limitText({ quantity: 'SQNR', unit: 'dB', error: 15, worse: 'lower' })).toBe(
      'SQNR: error < 15 dB',
    );
  });
});
