import { describe, expect, it } from 'vitest';
import { nearNames } from '../../../src/page/layers/near-names.js';

describe('nearNames', () => {
  const names = ['stem/conv', 'block1/depthwise', 'block2/depthwise', 'block1/pointwise', 'logits'];

  it('finds the name that is meant in spite of a wrong letter', () => {
    expect(nearNames('block1/depthwyse', names)[0]).toBe('block1/depthwise');
    expect(nearNames('LOGITS', names)).toEqual(['logits']);
  });

  it('finds nothing where nothing is alike, and at most five', () => {
    expect(nearNames('zzz', names)).toEqual([]);
    expect(
      nearNames(
        'conv1',
        Array.from({ length: 50 }, (_, i) => `conv${i}`),
      ),
    ).toHaveLength(5);
  });

  it('does not slow down on names without end', () => {
    expect(nearNames('x'.repeat(1e6), ['x'.repeat(1e6)])).toHaveLength(1);
  });
});
