import { describe, expect, it } from 'vitest';
import { paretoFront, type TradeOff } from '../../../src/commands/sweep/search/pareto.js';
import { Random } from '../../quant/samples.js';

const point = (macsShare: number, extraBytes: number, loss?: number, layers = 1): TradeOff => ({
  macsShare,
  extraBytes,
  layers,
  ...(loss === undefined ? {} : { loss }),
});

describe('the Pareto front', () => {
  it('has what costs nothing, what loses nothing, and what is worth its cost between', () => {
    expect(
      paretoFront([
        point(0, 0, 10),
        point(0.5, 10, 4),
        point(0.6, 12, 5),
        point(0.2, 30, 8),
        point(1, 40, 0),
      ]),
    ).toEqual([true, true, false, true, true]);
  });

  it('has one of several that cost and lose the same: that with the fewest layers, the first of equals', () => {
    expect(paretoFront([point(0.1, 5, 3, 2), point(0.1, 5, 3, 1), point(0.1, 5, 3, 1)])).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('leaves out what could not be evaluated, which beats nothing either', () => {
    expect(paretoFront([point(0, 0), point(0.1, 5, 3)])).toEqual([false, true]);
  });

  it('has no point that another one beats, and every point that none does', () => {
    const random = new Random(4);
    const draw = (): number => random.integer(0, 6);
    const points = Array.from({ length: 120 }, () => point(draw(), draw(), draw(), random.integer(1, 3)));
    const front = paretoFront(points);
    const values = ({ macsShare, extraBytes, loss, layers }: TradeOff): number[] => [
      macsShare,
      extraBytes,
      loss!,
      layers,
    ];
    points.forEach((one, at) => {
      const isBeaten = points.some((other, otherAt) => {
        const [a, b] = [values(other), values(one)];
        const isNoWorse = [0, 1, 2].every((i) => a[i]! <= b[i]!);
        const isBetter = [0, 1, 2].some((i) => a[i]! < b[i]!);
        const isSame = isNoWorse && !isBetter;
        return isNoWorse && (isBetter || (isSame && (a[3]! < b[3]! || (a[3] === b[3] && otherAt < at))));
      });
      expect(front[at]).toBe(!isBeaten);
    });
  });
});
