import { describe, expect, it } from 'vitest';
import { ranked } from '../../src/report/sweep-effect.js';
import { sweepVerdict } from '../../src/report/sweep-verdict.js';
import {
  effect,
  EXACT,
  fix,
  KEPT,
  MISSED,
  swept,
  SWEPT,
  unit,
  UNLABELLED,
} from '../support/swept-reports.js';

describe('the verdict of a sweep', () => {
  it('says what is lost, which layer costs most, what the search found and what is free', () => {
    expect(SWEPT.verdict).toEqual({
      where: 'features/block4/depthwise/conv:out',
      summary:
        'everything quantized takes top-1 84.50 % -> 71.90 %, -12.60 pt (95 % -14.5 to -10.7, p < 0.001, n 720): a real loss; ' +
        'features/block4/depthwise/conv in float gives back 6.50 pt, most of 12 layers; ' +
        '2 of 12 layers in float (21.6 % of the multiply-accumulates) bring it to 84.10 % (95 % 81.3 to 86.7), ' +
        '0.40 pt short of float (95 % -1.5 to 2.3); ' +
        'without cost, range of features/block4/depthwise/conv:out from the 99.9th percentile gives 5.20 pt',
      fix: { title: '2 layers in float', edit: '--skip features/block4/depthwise/conv --skip head/conv' },
    });
  });

  it('speaks of noise and changed answers where there is no metric', () => {
    const { summary } = UNLABELLED.verdict;
    expect(summary).toContain(
      'breaks the network: output logits keeps 8.3 dB SQNR and 16.7 % of its answers change',
    );
    expect(summary).toContain('(32 samples, no metric)');
    expect(summary).toContain('in float gives back 3.6 dB (56.3 % of the noise), most of 12 layers');
    expect(summary).toContain('bring it to 19.6 dB output SQNR, 1.5 % of the answers changed');
    expect(summary).not.toMatch(/\bpt\b/);
  });

  it('calls noise what is noise, with what may still be lost, and accuses no layer then', () => {
    const { where, fix: change, summary } = KEPT.verdict;
    expect([where, change]).toEqual([undefined, undefined]);
    expect(summary).toContain('within noise, up to 2.20 pt may be lost');
    expect(summary).toContain('holds with everything quantized: no layer has to be in float');
    expect(summary).not.toContain('gives back');
  });

  it('says when nothing is lost', () => {
    expect(EXACT.verdict).toEqual({
      summary: 'nothing is lost: everything quantized, no output differs from float',
    });
  });

  it('says how near the search came to a target that it missed, by the cheapest of equals', () => {
    expect(MISSED.verdict.summary).toContain(
      'none of the 4 sets of layers that were tried is within the target of 0.1pt, the closest leaves 84.10 % (95 % 81.3 to 86.7) with 2 layers in 16 bit',
    );
    expect(MISSED.verdict.fix?.edit).toBe(
      'range of features/block4/depthwise/conv:out from the 99.9th percentile',
    );
  });

  it('goes by dB where what layers gain in points can be chance', () => {
    const little = { ...effect(72.4, 8.5), gain: 0.5, gainDb: 0.2 };
    const quiet = { ...effect(71.9, 12.3), gain: 0, gainDb: 4 };
    const layers = [unit('lucky', 'Conv', 0, undefined, little), unit('loud', 'Conv', 0, undefined, quiet)];
    const report = swept({ layers });
    expect(ranked(layers, report).map(({ name }) => name)).toEqual(['loud', 'lucky']);
    expect(report.verdict.summary).toContain('loud in float gives back 4.0 dB, most of 2 layers');
    const sure = { ...little, gain: 5 };
    const other = [unit('lucky', 'Conv', 0, undefined, sure), layers[1]!];
    expect(ranked(other, report).map(({ name }) => name)).toEqual(['lucky', 'loud']);
  });

  it('says that the loss is spread where no layer gives anything back', () => {
    const none = { ...effect(71.9, 8.3), gain: 0, gainDb: 0 };
    const { verdict } = swept({ layers: [unit('a', 'Conv', 0, undefined, none)] }, ['search']);
    expect(verdict.summary).toContain('no layer gives any of it back by itself: the loss is spread');
    expect(verdict.where).toBeUndefined();
  });

  it('names what costs most alone where nothing was restored', () => {
    const layers = [
      unit('a', 'Conv', 0, effect(84, 30), undefined),
      unit('b', 'Conv', 0, effect(74, 9), undefined),
    ];
    expect(swept({ layers }).verdict.summary).toContain('b quantized alone loses 10.50 pt, most of 2 layers');
  });

  it('counts a metric of which less is better the right way round', () => {
    const metric = {
      ...SWEPT.basis.metric!,
      metric: 'rmse',
      unit: '' as const,
      deltaUnit: '' as const,
      better: 'lower' as const,
    };
    const { summary } = sweepVerdict({
      ...swept({ search: undefined as never, fixes: [] }, ['search']),
      basis: { ...SWEPT.basis, metric },
      float: { accuracy: 0.02 },
      quantized: {
        accuracy: 0.05,
        accuracyDelta: 0.03,
        deltaInterval: [-0.001, 0.06],
        standing: 'within noise',
      },
    });
    expect(summary).toContain('takes RMSE 0.02000 -> 0.05000, +0.03000');
    expect(summary).toContain('up to 0.06000 RMSE may be lost');
  });

  it('tells of fixes and layers together where that was decided on', () => {
    const decision = {
      layers: ['head/conv'],
      to: 'float' as const,
      fixes: ['observer:percentile-99.9'],
      effect: effect(84.4, 25),
    };
    const { summary, fix: change } = sweepVerdict({ ...SWEPT, decision });
    expect(summary).toContain('with 1 layer in float and 1 fix it has 84.40 %');
    expect(change).toEqual({ title: '1 layer in float and 1 fix', edit: '--export qdq=FILE' });
  });

  it('takes no fix for free that costs something, and none that loses points; what may be luck is no gain of points', () => {
    const fixes = [
      fix('a', 'dear', 80, 20, { macsShare: 0.1, bytes: 0 }),
      fix('b', 'bad', 70, 20),
      fix('c', 'good: by far', 74.5, 9),
    ];
    expect(swept({ fixes }).verdict.summary).toMatch(/without cost, good gives 2\.60 pt$/);
    const luck = [fix('d', 'lucky', 73, 9)];
    expect(swept({ fixes: luck }).verdict.summary).toMatch(/without cost, lucky gives 0\.7 dB$/);
  });

  it('quotes names for a shell', () => {
    const points = [{ ...SWEPT.search!.points[3]!, layers: ["it's", 'a b'] }];
    const { verdict } = swept({ search: { ...SWEPT.search!, points, chosen: 0 } });
    expect(verdict.fix?.edit).toBe(`--skip 'it'\\''s' --skip 'a b'`);
  });
});
