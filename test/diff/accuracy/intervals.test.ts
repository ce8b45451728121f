import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bootstrapInterval,
  isOutsideScore,
  pairedDifferences,
  tangoInterval,
  wilsonInterval,
} from '../../../src/diff/accuracy/intervals.js';
import { Random } from '../../quant/samples.js';

type Pair = readonly [number, number];
interface Paired {
  readonly gained: number;
  readonly lost: number;
  readonly samples: number;
  readonly interval: Pair;
}
interface Single {
  readonly hits: number;
  readonly samples: number;
  readonly interval: Pair;
}
const REFERENCE = JSON.parse(
  readFileSync(new URL('../../../fixtures/statistics/statistics.json', import.meta.url), 'utf8'),
) as {
  readonly wilson: readonly Single[];
  readonly tango: readonly Paired[];
  readonly published: {
    readonly wilson: readonly Single[];
    readonly tango: readonly (Paired & { readonly source: string; readonly digits: number })[];
  };
  readonly percentiles: readonly {
    readonly count: number;
    readonly estimate: number;
    readonly interval: Pair;
  }[];
};

const tango = ({ gained, lost, samples }: Omit<Paired, 'interval'>): Pair =>
  tangoInterval({ onlyReference: lost, onlyCandidate: gained }, samples)!;

describe('the interval of a share', () => {
  it.each(REFERENCE.wilson)('is that of scipy for $hits of $samples', ({ hits, samples, interval }) => {
    const [low, high] = wilsonInterval(hits, samples)!;
    expect(low).toBeCloseTo(interval[0], 13);
    expect(high).toBeCloseTo(interval[1], 13);
  });

  it.each(REFERENCE.published.wilson)(
    'is what Newcombe prints for $hits of $samples',
    ({ hits, samples, interval }) => {
      expect(wilsonInterval(hits, samples)!.map((end) => end.toFixed(4))).toEqual(
        interval.map((end) => end.toFixed(4)),
      );
    },
  );

  it('ends exactly at 0 without a hit and at 1 without a miss', () => {
    for (const samples of [1, 3, 7, 49, 1000, 12345]) {
      expect(wilsonInterval(0, samples)![0]).toBe(0);
      expect(wilsonInterval(samples, samples)![1]).toBe(1);
    }
  });

  it('is none without samples', () => {
    expect(wilsonInterval(0, 0)).toBeUndefined();
  });
});

describe('the interval of a paired difference', () => {
  it.each(REFERENCE.tango)(
    'is where the likelihood says it ends: $gained won, $lost lost of $samples',
    (counts) => {
      const [low, high] = tango(counts);
      expect(low).toBeCloseTo(counts.interval[0], 9);
      expect(high).toBeCloseTo(counts.interval[1], 9);
    },
  );

  it.each(REFERENCE.published.tango)('is what $source print for $gained and $lost of $samples', (counts) => {
    expect(tango(counts).map((end) => end.toFixed(counts.digits))).toEqual(
      counts.interval.map((end) => end.toFixed(counts.digits)),
    );
  });

  it('is mirrored when the networks change places', () => {
    const [low, high] = tango({ gained: 3, lost: 11, samples: 70 });
    const [mirroredLow, mirroredHigh] = tango({ gained: 11, lost: 3, samples: 70 });
    expect(low).toBeCloseTo(-mirroredHigh, 12);
    expect(high).toBeCloseTo(-mirroredLow, 12);
  });

  it('has a width when nothing differs, z²/(n + z²) to either side', () => {
    const z2 = 1.959963984540054 ** 2;
    const [low, high] = tango({ gained: 0, lost: 0, samples: 500 });
    expect(high).toBeCloseTo(z2 / (500 + z2), 12);
    expect(low).toBeCloseTo(-z2 / (500 + z2), 12);
  });

  it('holds the observed difference and stays in -1..1, whatever the counts', () => {
    for (let samples = 1; samples <= 12; samples++) {
      for (let gained = 0; gained <= samples; gained++) {
        for (let lost = 0; lost + gained <= samples; lost++) {
          const [low, high] = tango({ gained, lost, samples });
          const observed = (gained - lost) / samples;
          expect(low).toBeGreaterThanOrEqual(-1);
          expect(high).toBeLessThanOrEqual(1);
          expect(low).toBeLessThanOrEqual(observed);
          expect(high).toBeGreaterThanOrEqual(observed);
          expect(high - low).toBeGreaterThan(0);
        }
      }
    }
  });

  it('leaves out exactly the differences beyond its ends', () => {
    const counts = { onlyReference: 9, onlyCandidate: 4 };
    const [low, high] = tangoInterval(counts, 300)!;
    const outside = (difference: number): boolean => isOutsideScore(counts, 300, difference);
    expect([low - 1e-9, low + 1e-9, high - 1e-9, high + 1e-9].map(outside)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('is none without samples', () => {
    expect(tangoInterval({ onlyReference: 0, onlyCandidate: 0 }, 0)).toBeUndefined();
  });

  // Of a quantized network: few samples change sides, more of them to the bad one.
  it.each([
    { lost: 0.03, won: 0.02, samples: 300 },
    { lost: 0.05, won: 0.01, samples: 200 },
    { lost: 0.1, won: 0.1, samples: 100 },
  ])(
    'covers the true difference as often as it claims: $lost, $won of $samples',
    ({ lost, won, samples }) => {
      const random = new Random(7);
      const rounds = 4000;
      let covered = 0;
      for (let round = 0; round < rounds; round++) {
        let onlyReference = 0;
        let onlyCandidate = 0;
        for (let i = 0; i < samples; i++) {
          const draw = random.uniform();
          if (draw < lost) onlyReference++;
          else if (draw < lost + won) onlyCandidate++;
        }
        if (!isOutsideScore({ onlyReference, onlyCandidate }, samples, won - lost)) covered++;
      }
      expect(covered / rounds).toBeGreaterThan(0.93);
      expect(covered / rounds).toBeLessThan(0.975);
    },
  );
});

describe('the interval of resamplings', () => {
  const replicates = (count: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => ((i * 7919) % 1009) / 1009);

  it.each(REFERENCE.percentiles)(
    'has the bias-corrected percentiles of numpy and scipy for $count around $estimate',
    ({ count, estimate, interval }) => {
      const [low, high] = bootstrapInterval(replicates(count), estimate)!;
      // The error function is a formula of seven digits.
      expect(low).toBeCloseTo(interval[0], 6);
      expect(high).toBeCloseTo(interval[1], 6);
    },
  );

  it('holds its estimate, even where every resampling lies beyond it', () => {
    const [low, high] = bootstrapInterval(replicates(1000), -0.5)!;
    expect(low).toBe(-0.5);
    expect(high).toBeLessThan(0.05);
  });

  it('passes over resamplings without a value, unless they are many', () => {
    const few = new Float64Array([...replicates(1000), ...new Array<number>(40).fill(NaN)]);
    const many = new Float64Array([...replicates(1000), ...new Array<number>(60).fill(NaN)]);
    expect(bootstrapInterval(few, 0.5)).toEqual(bootstrapInterval(replicates(1000), 0.5));
    expect(bootstrapInterval(many, 0.5)).toBeUndefined();
  });

  it('is none of a few resamplings', () => {
    expect(bootstrapInterval(replicates(39), 0.5)).toBeUndefined();
    expect(bootstrapInterval(new Float64Array(0), 0.5)).toBeUndefined();
  });

  it('leaves the resamplings in their order, which pairs them', () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => 100 - i);
    bootstrapInterval(values, 50);
    expect(values[0]).toBe(100);
  });

  it('takes differences pair by pair, NaN where one has no value', () => {
    expect(pairedDifferences(Float64Array.of(1, NaN, 3), Float64Array.of(1.5, 2, 1))).toEqual(
      Float64Array.of(0.5, NaN, -2),
    );
  });
});
