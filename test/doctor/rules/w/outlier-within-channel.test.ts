import { describe, expect, it } from 'vitest';
import { outlierWithinChannel } from '../../../../src/doctor/rules/w/outlier-within-channel.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { constantData, graph, tensorNamed } from '../../../support/graph-builder.js';
import { laneOf, perAxis } from '../../../support/lanes.js';

const [CHANNELS, TAPS] = [2, 2048];
const MANY_TAPS = 2 ** 17;

/** Channel 1 has a value of `outlier` among values of -1 to 1. */
function network(outlier: number, taps = TAPS): Graph {
  const values = Array.from({ length: CHANNELS * taps }, (_, i) =>
    i === taps + 7 ? outlier : Math.sin(12.9898 * i) * Math.cos(78.233 * i),
  );
  return inferShapes(
    graph()
      .input('x', 'float32', [1, taps, 2, 2])
      .constant('w', 'float32', [CHANNELS, taps, 1, 1], values)
      .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

function found(
  outlier: number,
  cumulative?: number,
  isStored = false,
): ReturnType<typeof outlierWithinChannel.check> {
  const g = network(outlier);
  const edges =
    cumulative === undefined ? [] : [edgeMeasurement(g, 'y', { cumulative: errorOf(cumulative) })];
  const lane = laneOf(g, { w: perAxis('int8', 0, [1 / 127, Math.max(outlier, 1) / 127]) });
  const stored = constantData('int8', [CHANNELS, TAPS, 1, 1]);
  const codes = isStored ? { codes: new Map([[tensorNamed(g, 'w').id, stored]]) } : {};
  return outlierWithinChannel.check({ ...evidence(g, edges), lane: { ...lane, ...codes } });
}

describe('w.outlier-within-channel', () => {
  it('names the channel and its crest, and that one large weight is not to be clipped', () => {
    const [finding] = found(30, 15);
    expect(finding).toMatchObject({
      severity: 'warning',
      subject: { node: 'conv', tensor: 'w' },
      args: { channels: 1, worstChannel: 1 },
    });
    // 254 steps over twice the largest value, an error of step^2 / 12.
    const crest = Number(finding?.args['crest']);
    expect(crest).toBeGreaterThan(24.7);
    const db = 20 * Math.log10((127 * Math.sqrt(12)) / crest);
    expect(finding?.message).toContain(`leaves them ${db.toFixed(1)} dB; clipping it would cost`);
  });

  it('tells what clipping would give where the many others gain more than the one loses', () => {
    const g = network(60, MANY_TAPS);
    const lane = laneOf(g, { w: perAxis('int8', 0, [1 / 127, 60 / 127]) });
    const [finding] = outlierWithinChannel.check({ ...evidence(g, []), lane });
    expect(Number(finding?.args['gainDb'])).toBeGreaterThan(2);
    expect(finding?.message).toMatch(/; scales of least squared error would give the layer \d+\.\d dB more$/);
  });

  it('is a note while the network stays close to float', () => {
    expect(found(30, 25)).toMatchObject([{ severity: 'note' }]);
  });

  it('says nothing of channels whose largest value is not far out', () => {
    expect(found(3, 15)).toEqual([]);
  });

  it('says nothing of stored codes, whose originals are not known', () => {
    expect(found(30, 15, true)).toEqual([]);
  });
});
