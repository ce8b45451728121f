import { describe, expect, it } from 'vitest';
import { accuracyOf } from '../../../src/diff/accuracy/of-metric.js';
import type { MetricResult } from '../../../src/run/metrics/metric.js';
import { agreementResult, countedResult, resampledResult, type Counts } from './results.js';

const TITLES = [
  { network: 'reference', title: 'float' },
  { network: 'candidate', title: 'int8' },
];

function told(result: MetricResult, kind: 'labels' | 'no labels' = 'labels'): string {
  const labels = kind === 'labels' ? { labels: { source: 'class folders', kind: 'class' } } : {};
  return accuracyOf(result, TITLES, { ...labels, decoder: 'scores', classNames: new Map() }).summary;
}
const counted = (counts: Counts): string => told(countedResult(counts));

describe('the sentence about accuracy', () => {
  it('has both values, the change, its interval, p, n and what that means', () => {
    expect(counted({ samples: 2500, both: 2255, lost: 25, won: 16 })).toBe(
      '91.20 % -> 90.84 %, -0.36 pt (95 % -0.9 to +0.1, p 0.21, n 2500): within noise',
    );
  });

  it('calls a loss and a gain real', () => {
    expect(counted({ samples: 1000, both: 800, lost: 100, won: 10 })).toMatch(
      /^90\.00 % -> 81\.00 %, -9\.00 pt \(95 % -11\.\d to -7\.\d, p < 0\.001, n 1000\): a real loss$/,
    );
    expect(counted({ samples: 1000, both: 800, lost: 10, won: 100 })).toMatch(
      /\+9\.00 pt \(95 % \+7\.\d to \+11\.\d, p < 0\.001, n 1000\): a real gain$/,
    );
  });

  it('says that more of an error is a loss', () => {
    expect(told(resampledResult({ unit: '', better: 'lower', change: 2 }))).toMatch(/\): a real loss$/);
  });

  it('finds no difference where there is none, and gives zero no sign', () => {
    expect(counted({ samples: 1000, both: 912, lost: 0, won: 0 })).toBe(
      '91.20 % -> 91.20 %, 0.00 pt (95 % -0.4 to +0.4, p 1.0, n 1000): no difference',
    );
  });

  it('says how many samples would tell when the interval is wide', () => {
    // By fixtures/statistics the interval is 7.404 points wide: 200 * (7.404 / 2)² = 2741.
    expect(counted({ samples: 200, both: 170, lost: 6, won: 5 })).toMatch(
      /: within noise, which is wide: 2,800 samples would tell 1 pt apart$/,
    );
    // z² (1 - t) / t for t = 1 %: 380.3.
    expect(counted({ samples: 20, both: 18, lost: 0, won: 0 })).toMatch(
      /: no difference, on too few samples: 390 would tell 1 pt apart$/,
    );
  });

  it('says so when interval and test part', () => {
    expect(counted({ samples: 2500, both: 2266, lost: 14, won: 5 })).toBe(
      '91.20 % -> 90.84 %, -0.36 pt (95 % -0.76 to -0.02, p 0.064, n 2500): within noise, if only just',
    );
  });

  it('does not round a change to nothing, nor a miss to 100 %', () => {
    expect(counted({ samples: 50000, both: 49998, lost: 1, won: 0 })).toMatch(
      /^99\.998 % -> 99\.996 %, -0\.002 pt /,
    );
  });

  it('keeps enough digits of numbers without a unit', () => {
    const result = resampledResult({ unit: '', better: 'lower', change: 2 });
    const scaled = {
      ...result,
      networks: result.networks.map((score) => ({
        ...score,
        value: score.value! / 5000,
        replicates: score.replicates.map((value) => value / 5000),
      })),
    };
    expect(told(scaled)).toMatch(
      /^0\.01400 -> 0\.01440, \+0\.00040 \(95 % \+0\.0003\d* to \+0\.0004\d*, p 0\.0020, n 80\): a real loss$/,
    );
  });

  it('says when nothing was scored', () => {
    const result = countedResult({ samples: 10, both: 5, lost: 0, won: 0 });
    const networks = result.networks.map((score) => ({ ...score, value: NaN, hits: 0 }));
    expect(told({ ...result, samples: 0, networks })).toBe('top1 has no value: no sample was scored');
  });
});

describe('the sentence about agreement', () => {
  it('says that it does not prove a loss', () => {
    expect(told(agreementResult({ samples: 1000, same: 989 }), 'no labels')).toBe(
      'the same class in 98.90 % of 1000 samples (95 % 98.0 to 99.4): agreement only; this does not prove an accuracy loss',
    );
  });

  it('does not prove anything either when all agree', () => {
    expect(told(agreementResult({ samples: 1000, same: 1000 }), 'no labels')).toBe(
      'the same class in all 1000 samples (95 % 99.6 to 100.0): agreement only; this does not prove the accuracy',
    );
  });

  it('names other metrics', () => {
    expect(told(resampledResult({ unit: 'dB', better: 'higher', change: -2 }), 'no labels')).toMatch(
      /^miou 68\.00 dB over 80 samples \(95 % 58\.\d to 77\.\d\): agreement only; this does not prove an accuracy loss$/,
    );
  });

  it('says when there is no value', () => {
    const result = resampledResult({ unit: 'dB', better: 'higher', change: -2 });
    const networks = result.networks.map((score) => ({ ...score, value: NaN }));
    expect(told({ ...result, networks }, 'no labels')).toBe('miou has no value (n 80)');
  });
});
