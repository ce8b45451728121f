import { describe, expect, it } from 'vitest';
import type { Layer } from '../../../src/page/layers/layer.js';
import {
  bucketPoints,
  bucketsOf,
  decibelScale,
  heightOf,
  lonePoints,
} from '../../../src/page/layers/sqnr-points.js';

function layer(name: string, cumulative: object | undefined): Layer {
  const activation = {
    tensor: name,
    node: name,
    op: 'Conv',
    role: 'activation',
    order: 0,
    shape: [],
    cumulative,
  };
  return { tensor: name, node: name, op: 'Conv', activation, constants: [], weights: [] } as unknown as Layer;
}

describe('decibelScale', () => {
  it('holds 0 dB and all values, in tens', () => {
    expect(decibelScale([{ sqnrDb: 31.2 }, { sqnrDb: 47 }, undefined, {}])).toEqual({ low: 0, high: 50 });
    expect(decibelScale([{ sqnrDb: -4.9 }])).toEqual({ low: -10, high: 20 });
  });

  it('gives exact values a lane of their own above the axis', () => {
    const scale = decibelScale([{ sqnrDb: 42 }, { exact: true }]);
    expect(scale.high).toBe(50);
    expect(scale.lane?.label).toBe('exact');
    expect(scale.lane?.y).toBeGreaterThan(50);
  });

  it('does not stretch to a value that is as good as exact', () => {
    const scale = decibelScale([{ sqnrDb: 147.7 }, { sqnrDb: 45 }]);
    expect(scale.high).toBe(50);
    expect(scale.lane?.label).toBe('> 100');
    expect(heightOf({ sqnrDb: 147.7 }, scale)).toBe(scale.lane?.y);
    expect(decibelScale([{ sqnrDb: 147.7 }, { exact: true }]).lane?.label).toBe('exact, > 100');
  });

  it('does not stretch down to noise that is a million times the signal', () => {
    const scale = decibelScale([{ sqnrDb: -300 }, { sqnrDb: 20 }]);
    expect(scale.low).toBe(-60);
    expect(heightOf({ sqnrDb: -300 }, scale)).toBe(-60);
  });
});

describe('heightOf', () => {
  const scale = decibelScale([{ sqnrDb: 42 }, { exact: true }]);

  it('has no height for what was not measured or has no number', () => {
    expect(heightOf(undefined, scale)).toBeUndefined();
    expect(heightOf({}, scale)).toBeUndefined();
    expect(heightOf({ sqnrDb: 'Infinity' as unknown as number }, scale)).toBeUndefined();
  });

  it('is the value itself within the axis, and the lane where exact', () => {
    expect(heightOf({ sqnrDb: 12.5 }, scale)).toBe(12.5);
    expect(heightOf({ exact: true }, scale)).toBe(scale.lane?.y);
  });
});

describe('bucketsOf', () => {
  it('gives each layer its own where there is room', () => {
    expect(bucketsOf(3, 100, 2)).toEqual([
      { first: 0, last: 0 },
      { first: 1, last: 1 },
      { first: 2, last: 2 },
    ]);
  });

  it('holds every layer once where there is not', () => {
    const buckets = bucketsOf(1003, 1000, 2);
    expect(buckets[0]).toEqual({ first: 0, last: 2 });
    expect(buckets.at(-1)).toEqual({ first: 1002, last: 1002 });
    expect(buckets.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(1003);
  });
});

describe('bucketPoints', () => {
  it('shows the lowest layer of a bucket, and a gap where none has a value', () => {
    const layers = [
      layer('a', { sqnrDb: 30 }),
      layer('b', { sqnrDb: 10 }),
      layer('c', undefined),
      layer('d', {}),
      layer('e', { sqnrDb: 20 }),
    ];
    const scale = decibelScale(layers.map(({ activation }) => activation.cumulative));
    const points = bucketPoints(
      layers,
      'cumulative',
      [
        { first: 0, last: 1 },
        { first: 2, last: 3 },
        { first: 4, last: 4 },
      ],
      scale,
    );
    expect(points).toEqual([
      { x: 0.5, y: 10, top: 30 },
      { x: 2.5, y: NaN, top: NaN },
      { x: 4, y: 20, top: 20 },
    ]);
    expect(lonePoints(points).map(({ x }) => x)).toEqual([0.5, 4]);
  });
});
