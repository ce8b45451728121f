import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { accuracyOf } from '../../../src/diff/accuracy/of-metric.js';
import { threeWay } from '../../../src/diff/accuracy/summary.js';
import type { Accuracy } from '../../../src/diff/accuracy/accuracy.js';
import { agreementResult, countedResult, resampledResult, SHIFTED } from './results.js';
import type { MetricResult } from '../../../src/run/metrics/metric.js';

const REFERENCE = JSON.parse(
  readFileSync(new URL('../../../fixtures/statistics/statistics.json', import.meta.url), 'utf8'),
) as {
  readonly tango: readonly {
    readonly gained: number;
    readonly lost: number;
    readonly samples: number;
    readonly interval: readonly [number, number];
  }[];
  readonly mcnemar: readonly { readonly gained: number; readonly lost: number; readonly p: number }[];
  readonly wilson: readonly {
    readonly hits: number;
    readonly samples: number;
    readonly interval: readonly [number, number];
  }[];
};

const TITLES = [
  { network: 'reference', title: 'float' },
  { network: 'candidate', title: 'int8, simulated' },
  { network: 'runtime', title: 'int8 file' },
];
const LABELS = { source: 'class folders', kind: 'class', classes: 10 };

function labelled(result: MetricResult, classNames: ReadonlyMap<number, string> = new Map()): Accuracy {
  return accuracyOf(result, TITLES, { labels: LABELS, decoder: 'scores', classNames });
}
function unlabelled(result: MetricResult): Accuracy {
  return accuracyOf(result, TITLES, { decoder: 'scores', classNames: new Map() });
}

describe('accuracy of counted samples', () => {
  it('has the intervals and the p of scipy, in percent and points', () => {
    const accuracy = labelled(countedResult({ samples: 2500, both: 2255, lost: 25, won: 16 }));
    const paired = REFERENCE.tango.find(({ samples }) => samples === 2500)!;
    const { p } = REFERENCE.mcnemar.find(({ lost, gained }) => lost === 25 && gained === 16)!;
    expect(accuracy.reference).toBeCloseTo(91.2, 12);
    expect(accuracy.candidate).toBeCloseTo(90.84, 12);
    expect(accuracy.delta).toBeCloseTo(-0.36, 12);
    expect(accuracy.deltaUnit).toBe('pt');
    expect(accuracy.interval![0]).toBeCloseTo(100 * paired.interval[0], 8);
    expect(accuracy.interval![1]).toBeCloseTo(100 * paired.interval[1], 8);
    expect(accuracy.pValue).toBeCloseTo(p, 12);
    expect(accuracy.test).toBe('McNemar exact');
    expect(accuracy.standing).toBe('within noise');
  });

  it("gives each network Wilson's interval, in percent", () => {
    const accuracy = labelled(countedResult({ samples: 1000, both: 900, lost: 12, won: 3 }));
    const { interval } = REFERENCE.wilson.find(({ samples }) => samples === 1000)!;
    expect(accuracy.reference).toBe(91.2);
    expect(accuracy.referenceInterval![0]).toBeCloseTo(100 * interval[0], 10);
    expect(accuracy.referenceInterval![1]).toBeCloseTo(100 * interval[1], 10);
    expect(accuracy.candidateInterval).toEqual(accuracy.networks[1]!.interval);
  });

  it.each([
    [{ samples: 1000, both: 800, lost: 60, won: 10 }, 'higher', 'worse'],
    [{ samples: 1000, both: 800, lost: 10, won: 60 }, 'higher', 'better'],
    [{ samples: 1000, both: 800, lost: 60, won: 10 }, 'lower', 'better'],
    [{ samples: 1000, both: 800, lost: 30, won: 30 }, 'higher', 'within noise'],
    [{ samples: 1000, both: 800, lost: 0, won: 0 }, 'higher', 'equal'],
    // The score interval leaves out 0; the exact test, at p 0.07, does not.
    [{ samples: 21, both: 1, lost: 7, won: 1 }, 'higher', 'within noise'],
    // The other way round cannot be: nothing is real on five samples that differ, p 0.0625.
    [{ samples: 1000, both: 900, lost: 5, won: 0 }, 'higher', 'within noise'],
  ] as const)('calls %o, where %s is better, %s', (counts, better, standing) => {
    expect(labelled({ ...countedResult(counts), better }).standing).toBe(standing);
  });

  it('compares every network with the first, and puts the second at the top', () => {
    const result = countedResult({ samples: 1000, both: 800, lost: 60, won: 10 });
    const third = countedResult({ samples: 1000, both: 850, lost: 10, won: 0 }).networks[1]!;
    const accuracy = labelled({ ...result, networks: [...result.networks, third] });
    expect(accuracy.networks.map(({ network, title, delta }) => [network, title, delta])).toEqual([
      ['reference', 'float', undefined],
      ['candidate', 'int8, simulated', -5],
      ['runtime', 'int8 file', -1],
    ]);
    expect(accuracy.delta).toBe(-5);
  });

  it('has only a reference when there is one network', () => {
    const result = countedResult({ samples: 1000, both: 912, lost: 0, won: 0 });
    const accuracy = labelled({ ...result, networks: result.networks.slice(0, 1) });
    expect(accuracy).not.toHaveProperty('candidate');
    expect(accuracy).not.toHaveProperty('delta');
    expect(accuracy.reference).toBe(91.2);
    expect(accuracy.summary).toBe('91.20 % (95 % 89.3 to 92.8, n 1000)');
  });

  it('hands on what the metric saw besides', () => {
    const result = countedResult({ samples: 1000, both: 800, lost: 60, won: 10 });
    const [first, second] = result.networks;
    const confusions = [{ from: 1, to: 2, share: 0.5, count: 4 }];
    const also = [{ metric: 'map50', value: 40 }];
    const accuracy = labelled({
      ...result,
      networks: [first!, { ...second!, ties: 3, nonFinite: 2, confusions, also }],
      chance: 10,
      leftOut: 7,
      labelOffset: { offset: 1, value: 95, isApplied: false },
    });
    expect(accuracy.networks[1]).toMatchObject({ ties: 3, nonFinite: 2, confusions, also });
    expect(accuracy).toMatchObject({ chance: 10, leftOut: 7, labelOffset: { offset: 1 }, decoder: 'scores' });
  });

  it('names the classes in their order and gives each its change', () => {
    const result = countedResult({ samples: 1000, both: 800, lost: 60, won: 10 });
    const [first, second] = result.networks;
    const accuracy = labelled(
      {
        ...result,
        networks: [
          {
            ...first!,
            perClass: [
              { label: 0, value: 90, support: 10 },
              { label: 2, value: 50, support: 4 },
            ],
          },
          {
            ...second!,
            perClass: [
              { label: 0, value: 95, support: 10, recall: 70 },
              { label: 1, value: 20, support: 0 },
              { label: 2, value: 25, support: 4 },
            ],
          },
        ],
      },
      new Map([[2, 'cat']]),
    );
    expect(accuracy.perClass).toEqual([
      { label: 0, value: 95, support: 10, recall: 70, delta: 5 },
      { label: 1, value: 20, support: 0 },
      { label: 2, name: 'cat', value: 25, support: 4, delta: -25 },
    ]);
    expect(accuracy.networks[0]!.perClass![1]).toEqual({ label: 2, name: 'cat', value: 50, support: 4 });
  });
});

describe('accuracy that is resampled', () => {
  it('has the percentiles of the paired differences, not of each network alone', () => {
    const accuracy = labelled(resampledResult({ unit: '%', better: 'higher', change: -2 }));
    // The networks' own replicates are spread over 20 points, their differences over 1.
    expect(accuracy.referenceInterval![1] - accuracy.referenceInterval![0]).toBeGreaterThan(15);
    expect(accuracy.interval![0]).toBeGreaterThan(-2.5);
    expect(accuracy.interval![1]).toBeLessThan(-1.5);
    expect(accuracy).toMatchObject({ delta: -2, test: 'paired bootstrap', standing: 'worse' });
    expect(accuracy.pValue).toBe(2 / (SHIFTED + 1));
  });

  it.each([
    ['higher', 2, 'better'],
    ['lower', 2, 'worse'],
    ['lower', -2, 'better'],
    ['higher', 0.1, 'within noise'],
  ] as const)('calls it, where %s is better, a change of %d: %s', (better, change, standing) => {
    expect(labelled(resampledResult({ unit: '', better, change })).standing).toBe(standing);
  });

  it.each(['higher', 'lower'] as const)(
    'is sure only where interval and test are, where %s is better',
    (better) => {
      // Most resamplings exceed the change: the correction for that bias moves the interval down, over 0; the test has none.
      const differences = Array.from({ length: SHIFTED }, (_, i) => (i < 15 ? -0.3 : 1 + (3 * i) / SHIFTED));
      const result = resampledResult({ unit: '%', better, change: 2 });
      const [first] = result.networks;
      const replicates = first!.replicates.map((value, i) => value + differences[i]!);
      const accuracy = labelled({ ...result, networks: [first!, { ...result.networks[1]!, replicates }] });
      expect(accuracy.pValue).toBe((2 * 16) / (SHIFTED + 1));
      expect(accuracy.interval![0]).toBeLessThan(0);
      expect(accuracy.standing).toBe('within noise');
      expect(accuracy.summary).toMatch(/, p 0\.032, n 80\): within noise, if only just$/);
    },
  );

  it('calls networks equal that are so on every resampling', () => {
    const result = resampledResult({ unit: 'dB', better: 'higher', change: 0 });
    const accuracy = labelled({ ...result, networks: [result.networks[0]!, result.networks[0]!] });
    expect(accuracy).toMatchObject({ delta: 0, standing: 'equal', pValue: 1, deltaUnit: 'dB' });
    expect(accuracy.summary).toMatch(/n 80\): no difference$/);
  });

  it('has a change, but no interval and no standing, when too many resamplings have no value', () => {
    const result = resampledResult({ unit: '%', better: 'higher', change: -2 });
    const [first, second] = result.networks;
    const replicates = second!.replicates.map((value, i) => (i % 10 === 0 ? NaN : value));
    const accuracy = labelled({ ...result, networks: [first!, { ...second!, replicates }] });
    expect(accuracy.delta).toBe(-2);
    expect(accuracy).not.toHaveProperty('interval');
    expect(accuracy).not.toHaveProperty('pValue');
    expect(accuracy).not.toHaveProperty('test');
    expect(accuracy).not.toHaveProperty('standing');
    expect(accuracy.summary).toBe(
      '70.00 % -> 68.00 %, -2.00 pt (n 80): noise or not, these samples do not tell',
    );
  });

  it('leaves out values that are no numbers', () => {
    const result = resampledResult({ unit: 'dB', better: 'higher', change: -2 });
    const [first, second] = result.networks;
    const accuracy = labelled({ ...result, networks: [first!, { ...second!, value: Infinity }] });
    expect(accuracy).not.toHaveProperty('candidate');
    expect(accuracy).not.toHaveProperty('delta');
    expect(accuracy.summary).toBe('70.00 dB -> no value (n 80)');
  });
});

describe('agreement', () => {
  it('has no reference, no change and no p: nothing says which is right', () => {
    const accuracy = unlabelled(agreementResult({ samples: 1000, same: 989 }));
    for (const key of ['reference', 'delta', 'interval', 'pValue', 'test', 'standing', 'labels']) {
      expect(accuracy).not.toHaveProperty(key);
    }
    expect(accuracy.candidate).toBe(98.9);
    expect(accuracy.networks[0]).toEqual({ network: 'reference', title: 'float', ties: 0, nonFinite: 0 });
    expect(accuracy.networks[1]).not.toHaveProperty('paired');
  });
});

describe('three comparisons', () => {
  it('are both against the labels, and one against the other', () => {
    const accuracy = labelled(countedResult({ samples: 1000, both: 909, lost: 3, won: 1 }));
    expect(threeWay(accuracy)).toEqual([
      'float against the labels: 91.20 % (95 % 89.3 to 92.8, n 1000)',
      'int8, simulated against the labels: 91.00 % (95 % 89.1 to 92.6, n 1000)',
      'int8, simulated against float: same verdict on 996 of 1000; 3 lost, 1 won',
    ]);
  });

  it('tell the change where no samples are counted', () => {
    const accuracy = labelled(resampledResult({ unit: '%', better: 'higher', change: -2 }));
    expect(threeWay(accuracy)[2]).toMatch(
      /^int8, simulated against float: -2\.00 pt \(95 % -2\.\d to -1\.\d\)$/,
    );
  });

  it('are one without labels', () => {
    expect(threeWay(unlabelled(agreementResult({ samples: 1000, same: 989 })))).toEqual([
      'int8, simulated against float: 98.90 % (95 % 98.0 to 99.4, n 1000)',
    ]);
  });
});
