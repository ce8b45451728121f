import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { renderGithub } from '../../src/report/github.js';
import {
  EVALUATED,
  FINDING,
  HOSTILE,
  MEASURED,
  miou,
  named,
  NOTE,
  TOP1,
} from '../support/evaluated-reports.js';
import { AGREEMENT } from './markdown-accuracies.js';

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

describe('the annotations of GitHub Actions', () => {
  it('say the verdict first, then what fails the gate, then the rest by level', () => {
    const lines = linesOf(renderGithub(EVALUATED));
    expect(lines[0]).toBe(
      '::notice file=models/net.onnx,title=qdbg verdict::the integer network is broken; gate: fail, of 4 checks 2 failed, 1 inconclusive',
    );
    expect(lines.map((line) => /^::(\w+)/.exec(line)![1])).toEqual([
      ...['notice', 'error', 'error', 'error', 'warning', 'notice', 'notice'],
    ]);
    expect(lines[1]).toContain(
      'title=qdbg gate fail%3A min-sqnr block1/*::min-sqnr block1/*: -0.7 dB observed',
    );
    expect(lines[3]).toContain('title=w.per-tensor-spread at block1/depthwise > block1/depthwise.weight::');
  });

  it('escape what the documentation names: % and line breaks, and : and , in properties', () => {
    const finding: Finding = { ...FINDING, rule: 'a:b,c%', subject: {}, message: '50 %, a:b' };
    const [, line] = linesOf(renderGithub({ ...MEASURED, findings: [finding] }));
    expect(line).toContain('title=a%3Ab%2Cc%25::50 %25, a:b');
    const path = 'a,b:c%.onnx';
    const [verdict] = linesOf(
      renderGithub({ ...MEASURED, models: MEASURED.models.map((model) => ({ ...model, path })) }),
    );
    expect(verdict).toContain('file=a%2Cb%3Ac%25.onnx,');
  });

  it('hold one command a line, whatever the names are', () => {
    for (const name of [HOSTILE, '\n::error::x', '\r\n::stop-commands::x', '::set-output name=a::b']) {
      const text = renderGithub(named(name));
      for (const line of linesOf(text))
        expect(line).toMatch(/^::(?:error|warning|notice) (?:file=[^:,]*,)?title=[^:,]*::/);
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    }
  });

  it('are at most ten of a level, with the others counted, and the gate before findings', () => {
    const findings = [
      ...Array.from({ length: 30 }, () => FINDING),
      ...Array.from({ length: 30 }, () => ({ ...FINDING, severity: 'warning' as const })),
      ...Array.from({ length: 30 }, () => NOTE),
    ];
    const lines = linesOf(renderGithub({ ...EVALUATED, findings }));
    for (const level of ['error', 'warning', 'notice']) {
      expect(lines.filter((line) => line.startsWith(`::${level} `))).toHaveLength(10);
    }
    const errors = lines.filter((line) => line.startsWith('::error'));
    expect(errors[0]).toContain('min-sqnr');
    // 2 checks and 30 findings, of which 9 are told.
    expect(errors[9]).toMatch(/::and 23 more of this kind/);
  });

  it('have agreement beside labels as its number alone, and metrics by the names that readers know', () => {
    const lines = linesOf(
      renderGithub({ ...EVALUATED, findings: [], agreement: AGREEMENT, otherMetrics: [miou(3)] }),
    );
    expect(lines.slice(-3).map((line) => line.replace(/^.*?title=/, ''))).toEqual([
      'qdbg top-1::87.22 %25 -> 86.94 %25, -0.28 pt (95 %25 -0.9 to +0.4, p 0.69, n 720): within noise',
      'qdbg mIoU::55.00 %25 -> 37.00 %25, -18.00 pt (95 %25 -19.1 to -16.8, n 100): a real loss',
      'qdbg agreement::agreement of the candidate with the reference: 98.20 %25 (95 %25 96.7 to 99.0)',
    ]);
    expect(lines.join()).not.toMatch(/no labels|does not prove|miou|top1/);
  });

  it('say once what the verdict says already', () => {
    const summary = `top-1 ${TOP1.summary}; the integer network is broken`;
    const text = renderGithub({ ...MEASURED, accuracy: TOP1, verdict: { summary } });
    expect(text.split('within noise')).toHaveLength(2);
  });

  it('name the metric of a check, and no tensor that is called as one', () => {
    const failed = EVALUATED.gate!.checks.map((check) => ({
      ...check,
      where: 'top1',
      verdict: 'fail' as const,
    }));
    const lines = linesOf(renderGithub({ ...EVALUATED, gate: { verdict: 'fail', checks: failed } }));
    expect(lines.find((line) => line.includes('::max-drop:'))).toContain('(top-1)');
    expect(lines.find((line) => line.includes('::fail-on error:'))).toContain('(top1)');
  });

  it('say why there is no accuracy', () => {
    const notMeasured = [
      { subject: 'logits', reason: 'no values' },
      { subject: 'accuracy', reason: 'no image for 3 labels' },
    ];
    const lines = linesOf(renderGithub({ ...MEASURED, notMeasured }));
    const told = lines.filter((line) => line.includes('not evaluated'));
    expect(told).toEqual([
      '::notice file=models/net.onnx,title=qdbg accuracy::accuracy not evaluated: no image for 3 labels',
    ]);
  });

  it('count nothing where ten fit', () => {
    const text = renderGithub({ ...MEASURED, findings: Array.from({ length: 10 }, () => FINDING) });
    expect(text).not.toContain('more of this kind');
  });
});
