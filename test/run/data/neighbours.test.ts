import { describe, expect, it } from 'vitest';
import { channelView } from '../../../src/run/data/input-sketch.js';
import { Neighbours } from '../../../src/run/data/neighbours.js';

const [SIZE, CHANNELS] = [8, 3];

/** A picture that rises along both sides, with channels 40 apart; pixel by pixel or in planes. */
function picture(order: 'nhwc' | 'nchw'): Float32Array {
  const values = new Float32Array(SIZE * SIZE * CHANNELS);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++)
      for (let c = 0; c < CHANNELS; c++) {
        const at = order === 'nhwc' ? (y * SIZE + x) * CHANNELS + c : (c * SIZE + y) * SIZE + x;
        values[at] = 3 * x + 5 * y + 40 * c + ((x * y * (c + 1)) % 4);
      }
  return values;
}

/** @param read the order that the extents say, which may be another than that of the elements */
function steps(order: 'nhwc' | 'nchw', read: 'nhwc' | 'nchw', times = 1) {
  const dims = read === 'nhwc' ? [1, SIZE, SIZE, CHANNELS] : [1, CHANNELS, SIZE, SIZE];
  const neighbours = new Neighbours();
  for (let i = 0; i < times; i++) neighbours.add(picture(order), dims, channelView(dims, read));
  return neighbours.steps();
}

describe('neighbours in memory', () => {
  // By numpy: np.abs(np.diff(...)) of the same elements.
  it('of a picture that lies pixel by pixel are far apart, every third is near', () => {
    const found = steps('nhwc', 'nhwc')!;
    expect(found).toMatchObject({ read: 'pixels', channels: 3 });
    expect(found.within).toBeCloseTo(39.98412698, 6);
    expect(found.across).toBeCloseTo(79.06349206, 6);
    expect(found.apart).toBeCloseTo(4.75132275, 6);
  });

  it('of a picture that lies in planes are near, every third is farther', () => {
    const found = steps('nchw', 'nchw')!;
    expect(found).toMatchObject({ read: 'planes', channels: 3 });
    expect(found.within).toBeCloseTo(5.01587302, 6);
    expect(found.across).toBeCloseTo(4.65079365, 6);
    expect(found.apart).toBeCloseTo(9.67195767, 6);
  });

  it('do not depend on how they are read', () => {
    const { within, across, apart } = steps('nhwc', 'nhwc')!;
    expect(steps('nhwc', 'nchw')).toEqual({ read: 'planes', channels: 3, within, across, apart });
  });

  it('are means over all samples', () => {
    const [once, twice] = [steps('nhwc', 'nhwc')!, steps('nhwc', 'nhwc', 2)!];
    expect(twice.within).toBeCloseTo(once.within, 10);
    expect(twice.apart).toBeCloseTo(once.apart, 10);
  });

  it('are looked at in pictures of several channels only', () => {
    const of = (dims: readonly number[]) => {
      const neighbours = new Neighbours();
      neighbours.add(new Float32Array(192), dims, channelView(dims, 'nchw'));
      return neighbours.steps();
    };
    expect(of([1, 1, 8, 24])).toBeUndefined();
    expect(of([1, 192])).toBeUndefined();
    expect(of([1, 3, 1, 64])).toBeUndefined();
    expect(of([1, 48, 2, 2])).toBeUndefined();
    expect(of([1, 3, 8, 8])).toBeDefined();
  });

  it('of samples that lie in several ways have no mean', () => {
    const neighbours = new Neighbours();
    for (const dims of [
      [1, 3, 8, 8],
      [1, 8, 8, 3],
    ])
      neighbours.add(picture('nchw'), dims, channelView(dims, 'nchw'));
    expect(neighbours.steps()).toBeUndefined();
  });
});
