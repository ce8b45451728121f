import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { GateCheck } from '../../src/diff/gate/gate.js';
import { displayWidth } from '../../src/report/text-width.js';
import { gateSection } from '../../src/report/gate-terminal.js';
import { driftSection } from '../../src/report/gate-terminal-drift.js';
import { DRIFT, EVALUATED, GATE, HOSTILE, named } from '../support/evaluated-reports.js';

const PLAIN = new Chalk({ level: 0 });
const cells = (line: string | undefined): string[] => (line ?? '').trim().split(/ {2,}/);

describe('the gate on a terminal', () => {
  it('has every check with threshold, what was observed, margin, source and verdict, what fails first', () => {
    const lines = gateSection({ gate: GATE }, PLAIN, { width: 110 });
    expect(lines[0]).toBe('GATE  FAIL  of 4 checks 2 failed, 1 inconclusive');
    expect(cells(lines[1])).toEqual([
      ...['check', 'threshold', 'observed', 'margin', 'decided at', 'source', 'verdict'],
    ]);
    expect(cells(lines[2])).toEqual([
      ...[
        'min-sqnr block1/*',
        '20 dB',
        '-0.7 dB',
        '-20.7',
        'block1/pointwise:out',
        'qdbg.config.json',
        'FAIL',
      ],
    ]);
    expect(lines.slice(2, 6).map((line) => cells(line).at(-1))).toEqual([
      'FAIL',
      'FAIL',
      'INCONCLUSIVE',
      'pass',
    ]);
    expect(lines).toContain('  min-samples: 280 samples too few');
  });

  it('says that all passed, and of one check, one', () => {
    const [passed] = GATE.checks;
    expect(gateSection({ gate: { verdict: 'pass', checks: [passed!] } }, PLAIN, { width: 110 })[0]).toBe(
      'GATE  pass  1 check, all passed',
    );
  });

  it('lists twenty checks and counts the others', () => {
    const checks = Array.from({ length: 50 }, (_, i): GateCheck => ({
      ...GATE.checks[0]!,
      name: `check-${i}`,
    }));
    const lines = gateSection({ gate: { verdict: 'fail', checks: [...checks, GATE.checks[1]!] } }, PLAIN, {
      width: 110,
    });
    expect(cells(lines[2])[0]).toBe('min-sqnr block1/*');
    expect(lines).toContain('  and 31 more checks; --report json lists all');
  });

  it('tells what is suppressed, with a gate and without', () => {
    const line = '  suppressed: act.wide-range at stem:out: known since 2025 (until 2027-01-31)';
    expect(gateSection(EVALUATED, PLAIN, { width: 110 })).toContain(line);
    const { suppressed } = EVALUATED;
    expect(gateSection({ suppressed: suppressed! }, PLAIN, { width: 110 })).toEqual(['SUPPRESSED  1', line]);
    expect(gateSection({}, PLAIN, { width: 110 })).toEqual([]);
  });

  it('shows what was not observed as such, never as 0', () => {
    const { name, source, threshold, unit, verdict } = GATE.checks[0]!;
    const check: GateCheck = { name, source, threshold, unit, verdict };
    const lines = gateSection({ gate: { verdict: 'pass', checks: [check] } }, PLAIN, { width: 110 });
    expect(cells(lines[2]).slice(1, 4)).toEqual(['1 pt', '-', '-']);
  });

  it('keeps to the width, and lets no name reach the terminal raw', () => {
    for (const width of [60, 80, 110]) {
      for (const report of [EVALUATED, named('n'.repeat(300))]) {
        const lines = [...gateSection(report, PLAIN, { width }), ...driftSection(report, PLAIN, { width })];
        expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
      }
    }
    const hostile = [
      ...gateSection(named(HOSTILE), PLAIN, { width: 110 }),
      ...driftSection(named(HOSTILE), PLAIN, { width: 110 }),
    ];
    expect(hostile.join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});

describe('the drift on a terminal', () => {
  it('has layers from the baseline to now, what came, and what else is different', () => {
    const lines = driftSection({ drift: DRIFT }, PLAIN, { width: 110 });
    expect(lines[0]).toBe('DRIFT  against qdbg-baseline.json: 12 layers matched, 2 changed');
    expect(cells(lines[2])).toEqual([
      ...['block1/pointwise', 'Conv+Relu', '27.90 -> -0.70 (-28.60)', '30.10 -> 10.70 (-19.40)'],
    ]);
    expect(cells(lines[3])).toEqual(['head', 'Gemm', 'exact -> 31.00', '-', 'was out']);
    expect(lines.slice(4)).toEqual([
      '  top-1 of the candidate 87.1 -> 86.94',
      '  the worst layer by local SQNR is now block1/pointwise; it was stem:out',
      '  new findings (1): w.per-tensor-spread at block1/depthwise',
      '  qdbg 1.0.0 -> 1.1.0',
    ]);
  });

  it('says that nothing has changed, and nothing without a baseline', () => {
    const still = driftSection({ drift: { ...DRIFT, drift: [] } }, PLAIN, { width: 110 });
    expect(still[0]).toBe('DRIFT  against qdbg-baseline.json: 12 layers matched, all as they were');
    expect(driftSection({}, PLAIN, { width: 110 })).toEqual([]);
  });
});
