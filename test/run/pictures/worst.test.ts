import { describe, expect, it } from 'vitest';
import { Worst } from '../../../src/run/pictures/worst.js';

function kept(most: number, distances: readonly number[]): (readonly [number, number])[] {
  const worst = new Worst<number>(most);
  distances.forEach((distance, i) => worst.add(distance, i));
  return worst.all.map(({ distance, value }) => [distance, value]);
}

describe('Worst', () => {
  it('keeps the largest distances, largest first', () => {
    expect(kept(2, [0.1, 0.5, 0.3, 0.4])).toEqual([
      [0.5, 1],
      [0.4, 3],
    ]);
  });

  it('keeps those that came first of equal ones, in their order', () => {
    expect(kept(3, [0.5, 0.2, 0.5, 0.2, 0.5, 0.2])).toEqual([
      [0.5, 0],
      [0.5, 2],
      [0.5, 4],
    ]);
  });

  it('keeps nothing that is no distance', () => {
    expect(kept(3, [0, NaN, 0.1])).toEqual([[0.1, 2]]);
    expect(kept(0, [1])).toEqual([]);
  });

  it('says beforehand whether it would keep one', () => {
    const worst = new Worst<string>(1);
    expect([worst.wants(0), worst.wants(0.1)]).toEqual([false, true]);
    worst.add(0.1, 'first');
    expect([worst.wants(0.1), worst.wants(0.2)]).toEqual([false, true]);
  });
});
