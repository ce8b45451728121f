import { describe, expect, it } from 'vitest';
import type { Finding, Fix, MeasuredFix } from '../../src/doctor/finding.js';
import { measuredText, withFix } from '../../src/report/fix-text.js';

const measured: MeasuredFix = { tensor: 'logits', beforeDb: 3.14, afterDb: 38, samples: 16 };

describe('what a fix gave', () => {
  it('is told as dB before and after, with the number of samples', () => {
    expect(measuredText(measured)).toBe('logits 3.1 -> 38.0 dB cumulative, measured on 16 samples');
    expect(measuredText({ ...measured, samples: 1 })).toMatch(/measured on 1 sample$/);
  });

  it('is exact where there is no error left', () => {
    const { afterDb, ...exact } = measured;
    expect(afterDb).toBe(38);
    expect(measuredText(exact)).toContain('logits 3.1 -> exact dB');
  });
});

describe('the fix of a verdict', () => {
  const fix = (title: string, rest: Partial<Fix> = {}): Fix => ({ title, edit: `--${title}`, ...rest });
  const finding = (rule: string, tensor: string, of?: Fix): Finding => ({
    rule,
    severity: 'error',
    subject: { tensor },
    message: '',
    args: {},
    ...(of === undefined ? {} : { fix: of }),
  });
  const summary = 'broken';

  it('is that of the finding at the place that the verdict names', () => {
    const findings = [finding('w.axis', 'a', fix('a')), finding('w.axis', 'b', fix('b'))];
    expect(withFix({ summary, cause: 'w.axis', where: 'b' }, findings).fix?.title).toBe('b');
    expect(withFix({ summary, cause: 'w.axis', where: 'elsewhere' }, findings).fix?.title).toBe('a');
  });

  it('is rather one that was measured', () => {
    const findings = [finding('w.axis', 'a', fix('a')), finding('w.axis', 'b', fix('b', { measured }))];
    expect(withFix({ summary, cause: 'w.axis', where: 'a' }, findings).fix).toEqual(fix('b', { measured }));
  });

  it('is none where the cause has none, whatever other rules propose', () => {
    const findings = [finding('w.axis', 'a'), finding('act.clipped', 'a', fix('a'))];
    const verdict = { summary, cause: 'w.axis', where: 'a' };
    expect(withFix(verdict, findings)).toBe(verdict);
    expect(withFix({ summary }, findings)).toEqual({ summary });
  });
});
