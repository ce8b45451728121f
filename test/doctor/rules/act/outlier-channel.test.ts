import { describe, expect, it } from 'vitest';
import { outlierChannel } from '../../../../src/doctor/rules/act/outlier-channel.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { perTensor } from '../../../support/lanes.js';

const CHANNELS = 8;
const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, CHANNELS, 4, 4])
    .node('Relu', { name: 'writer', inputs: ['x'], outputs: ['a'] })
    .node('Sigmoid', { name: 'reader', inputs: ['a'], outputs: ['y'] })
    .output('y')
    .build(),
);

/** Channel 5 reaches `reach`, all others 1; one scale for 0 to `reach`. */
function found(
  reach: number,
  readerDb: number,
  cumulative = 10,
  tensor = 'a',
): ReturnType<typeof outlierChannel.check> {
  const channels = Array.from({ length: CHANNELS }, (_, c) => ({
    min: 0,
    max: c === 5 ? reach : 1,
    sqnrDb: new Map(),
  }));
  return outlierChannel.check(
    evidence(NET, [
      edgeMeasurement(
        NET,
        tensor,
        { self: errorOf(45), cumulative: errorOf(cumulative) },
        { quant: perTensor('uint8', reach / 255), channels, range: { min: 0, max: reach } },
      ),
      edgeMeasurement(NET, 'y', {
        local: errorOf(readerDb),
        self: errorOf(45),
        cumulative: errorOf(cumulative),
      }),
    ]),
  );
}

describe('act.outlier-channel, without a reference', () => {
  it('is an error where the reader is broken, with the channel, the codes left and what one scale each would give', () => {
    const [finding] = found(100, 5);
    // Noise is the mean of (width / widest)^2: one of 8 channels, the others 1e-4.
    const gain = -10 * Math.log10((1 + 7e-4) / 8);
    expect(finding).toMatchObject({
      severity: 'error',
      subject: { node: 'writer', tensor: 'a' },
      message:
        'channel 5 of 8 reaches 100 times as far as the median: half of the channels have 2.55 of 256 codes or fewer; ' +
        `one scale per channel would give ${gain.toFixed(1)} dB; reader, which reads them, keeps 5 dB (local)`,
    });
    expect(finding?.args['gainDb']).toBeCloseTo(gain, 9);
  });

  it.each([
    [100, 20, 10, 'warning'],
    [100, 5, 25, 'note'],
    [20, 5, 10, 'note'],
  ])('a channel %d times the others, reader %d dB, network %d dB: %s', (reach, reader, whole, severity) => {
    expect(found(reach, reader, whole).map((finding) => finding.severity)).toEqual([severity]);
  });

  it('says nothing below 8 times, nor of an input', () => {
    expect(found(7, 5)).toEqual([]);
    expect(found(100, 5, 10, 'x')).toEqual([]);
  });
});
