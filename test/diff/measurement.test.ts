import { describe, expect, it } from 'vitest';
import { channelSqnr, measurementOf } from '../../src/diff/measurement.js';
import { sqnr } from '../../src/ir/sums.js';
import { emptyErrorSums, type ErrorSums, type ValueSums } from '../../src/ir/sums.js';
import { Random } from '../quant/samples.js';

const VALUE: ValueSums = { count: 10, nonFinite: 0, sumXX: 100, clipped: 0 };

function errorsOf(parts: Partial<ErrorSums>): ErrorSums {
  return { ...emptyErrorSums(parts.sumEE?.length ?? 1), ...parts };
}

describe('SQNR', () => {
  it.each([
    [100, 1, 20],
    [1, 1, 0],
    [1, 4, -6.0206],
    [2, 1e-30, 303.0103],
    [1e78, 1e70, 80],
  ])('of %d over %d is %d dB', (signal, noise, db) => {
    expect(sqnr(signal, noise).sqnrDb).toBeCloseTo(db, 4);
  });

  it('is exact without noise, with or without signal', () => {
    expect(sqnr(5, 0)).toEqual({ exact: true });
    expect(sqnr(0, 0)).toEqual({ exact: true });
  });

  it('is absent without signal, and where energies are beyond numbers', () => {
    expect(sqnr(0, 3)).toEqual({});
    expect(sqnr(Infinity, 3)).toEqual({});
    expect(sqnr(3, Infinity)).toEqual({});
    expect(sqnr(NaN, 3)).toEqual({});
  });
});

describe('a measurement', () => {
  it('has mean, largest and mean squared error of all channels together', () => {
    const error = errorsOf({
      sumEE: Float64Array.of(3, 1),
      sumE: Float64Array.of(-4, 2),
      maxAbsE: Float64Array.of(1.5, 0.5),
    });
    const measured = measurementOf(VALUE, error)!;
    expect(measured).toMatchObject({ mse: 0.4, bias: -0.2, maxAbsError: 1.5, nonFinite: 0 });
    expect(measured.sqnrDb).toBeCloseTo(10 * Math.log10(25), 10);
    // A shift by -0.2 has the energy 10 * 0.04 of the 4.
    expect(measured.biasShare).toBeCloseTo(0.1, 10);
    expect(measured.exact).toBeUndefined();
  });

  it('says what a shift of each channel by itself explains, also where the shifts cancel', () => {
    const random = new Random(5);
    const shifts = [0.5, -0.5, 0.1, 0];
    const errors = shifts.map((shift) => Array.from({ length: 50 }, () => shift + 0.2 * random.bell()));
    const all = errors.flat();
    const rest = (list: readonly number[], shift: number): number =>
      list.reduce((left, e) => left + (e - shift) ** 2, 0);
    const meanOf = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
    const measured = measurementOf(
      { ...VALUE, count: all.length },
      errorsOf({
        sumEE: Float64Array.from(errors, (list) => rest(list, 0)),
        sumE: Float64Array.from(errors, (list) => list.reduce((a, b) => a + b, 0)),
      }),
    )!;
    // What is left when every channel is moved back by its mean, and when all are moved by one.
    const left = errors.reduce((sum, list) => sum + rest(list, meanOf(list)), 0);
    expect(measured.channelBiasShare).toBeCloseTo(1 - left / rest(all, 0), 10);
    expect(measured.biasShare).toBeCloseTo(1 - rest(all, meanOf(all)) / rest(all, 0), 10);
    expect(measured.channelBiasShare).toBeGreaterThan(0.6);
    expect(measured.biasShare).toBeLessThan(0.1);
  });

  it('has no share of channels where there is one channel, or no error', () => {
    const one = errorsOf({ sumEE: Float64Array.of(4), sumE: Float64Array.of(4) });
    expect(measurementOf(VALUE, one)).not.toHaveProperty('channelBiasShare');
    expect(measurementOf(VALUE, errorsOf({ sumEE: Float64Array.of(0, 0) }))).not.toHaveProperty(
      'channelBiasShare',
    );
  });

  it('is about the finite values only', () => {
    const error = errorsOf({ sumEE: Float64Array.of(4), sumE: Float64Array.of(4), nonFinite: 6 });
    expect(measurementOf({ ...VALUE, nonFinite: 6 }, error)).toMatchObject({ mse: 1, bias: 1, nonFinite: 6 });
  });

  it('has no SQNR and is not exact when errors are seen but their squares are nothing', () => {
    const measured = measurementOf(VALUE, errorsOf({ maxAbsE: Float64Array.of(3) }))!;
    expect([measured.sqnrDb, measured.exact, measured.maxAbsError]).toEqual([undefined, undefined, 3]);
  });

  it('is absent when nothing finite was seen', () => {
    expect(measurementOf({ ...VALUE, nonFinite: 10 }, errorsOf({ nonFinite: 10 }))).toBeUndefined();
    expect(measurementOf({ ...VALUE, count: 0 }, errorsOf({}))).toBeUndefined();
  });

  it('says how the noise is shared by clipped and by rounded values; the two add to 1 or to 0', () => {
    const noise = (clipEE: number, sumEE: number) =>
      measurementOf({ ...VALUE, clipped: 5 }, errorsOf({ sumEE: Float64Array.of(sumEE), clipEE }))!;
    expect(noise(3, 4).noise).toEqual({ clip: 0.75, round: 0.25 });
    expect(noise(3, 4).clippedShare).toBe(0.5);
    // The two sums are rounded apart.
    expect(noise(4.0000001, 4).noise).toEqual({ clip: 1, round: 0 });
    expect(noise(0, 0)).toMatchObject({ exact: true, noise: { clip: 0, round: 0 }, biasShare: 0, mse: 0 });
  });

  it('names the worst sample, also one without signal, which has no SQNR', () => {
    const worst = (sumXX: number) =>
      measurementOf(
        VALUE,
        errorsOf({ sumEE: Float64Array.of(1), worst: [{ sample: 'a.png', sumXX, sumEE: 1 }] }),
      )!;
    expect(worst(10)).toMatchObject({ worstSample: 'a.png', worstSqnrDb: 10 });
    expect(worst(0).worstSample).toBe('a.png');
    expect(worst(0).worstSqnrDb).toBeUndefined();
    expect(measurementOf(VALUE, errorsOf({ sumEE: Float64Array.of(1) }))!.worstSample).toBeUndefined();
  });

  it('lists the worst samples that have an SQNR', () => {
    const worst = [
      { sample: 'silent', sumXX: 0, sumEE: 1 },
      { sample: 'a', sumXX: 1, sumEE: 1 },
      { sample: 'beyond', sumXX: Infinity, sumEE: Infinity },
      { sample: 'b', sumXX: 10, sumEE: 1 },
    ];
    const measured = measurementOf(VALUE, errorsOf({ sumEE: Float64Array.of(4), worst }))!;
    expect(measured.worstSample).toBe('silent');
    expect(measured).not.toHaveProperty('worstSqnrDb');
    expect(measured.worstSamples).toEqual([
      { sample: 'a', sqnrDb: 0 },
      { sample: 'b', sqnrDb: 10 },
    ]);
    expect(
      measurementOf(VALUE, errorsOf({ sumEE: Float64Array.of(4), worst: worst.slice(0, 1) })),
    ).not.toHaveProperty('worstSamples');
  });

  it('names the worst channel among those with signal and noise, when there are several', () => {
    const channel = (xx: readonly number[], ee: readonly number[]) =>
      measurementOf(VALUE, errorsOf({ sumEE: Float64Array.from(ee) }), Float64Array.from(xx))!.worstChannel;
    expect(channel([100, 10, 1000], [1, 1, 1])).toEqual({ channel: 1, sqnrDb: 10 });
    expect(channel([100, 0, 1000], [1, 5, 1])).toEqual({ channel: 0, sqnrDb: 20 });
    expect(channel([0, 0], [1, 1])).toBeUndefined();
    expect(channel([5, 5], [0, 0])).toBeUndefined();
    expect(channel([100], [1])).toBeUndefined();
  });
});

describe('SQNR by channel', () => {
  it('leaves out channels without signal and keeps those without noise', () => {
    expect(channelSqnr(Float64Array.of(10, 0, 10), Float64Array.of(1, 1, 0))).toEqual([
      { channel: 0, sqnrDb: 10 },
      { channel: 2, sqnrDb: Infinity },
    ]);
  });

  it('is empty for one channel and for sums that do not belong together', () => {
    expect(channelSqnr(Float64Array.of(1), Float64Array.of(1))).toEqual([]);
    expect(channelSqnr(Float64Array.of(1, 1), Float64Array.of(1))).toEqual([]);
  });
});
