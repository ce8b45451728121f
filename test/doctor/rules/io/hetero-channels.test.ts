import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import { heteroChannels } from '../../../../src/doctor/rules/io/hetero-channels.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { ChannelStudy } from '../../../../src/run/data/study.js';
import { channelStudy, dataStudy, inputStudy } from '../../../support/data-studies.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../../../support/lanes.js';

const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 2, 8, 8])
    .constant('w', 'float32', [4, 2, 1, 1])
    .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['y'] })
    .output('y')
    .build(),
);

/** Metres and intensity: steps of 0.32. */
const METRES = perTensor('uint8', 80 / 255);

function said(channels: readonly ChannelStudy[], params: QuantParams = METRES, rest: Partial<Evidence> = {}) {
  const min = Math.min(...channels.map((channel) => channel.min));
  const max = Math.max(...channels.map((channel) => channel.max));
  return heteroChannels.check({
    graph: NET,
    lane: laneOf(NET, { x: params }),
    data: dataStudy([inputStudy('x', min, max, { channels })]),
    ...rest,
  });
}

const METRES_AND_INTENSITY = [channelStudy(0, 80), channelStudy(0, 0.99)];

describe('channels of different units', () => {
  it('share a scale that leaves one of them few codes', () => {
    const [finding, ...more] = said(METRES_AND_INTENSITY);
    expect(finding).toMatchObject({
      rule: 'io.hetero-channels',
      severity: 'warning',
      subject: { node: 'conv', tensor: 'x' },
      message:
        'all channels of this input have the scale 0.3137: channel 1 has few codes left, channel 1 (0 to 0.99) 3, beside 255 of channel 0 (0 to 80)',
    });
    expect(finding!.fix?.edit).toBe(
      "x = x / np.float32([80, 0.99]) by channel, the first layer's weights times the same",
    );
    expect(more).toEqual([]);
  });

  it('are an error where the first layer is measured to be broken', () => {
    const measured = (db: number) => ({
      edges: [edgeMeasurement(NET, 'x'), edgeMeasurement(NET, 'y', { local: errorOf(db) })],
    });
    expect(said(METRES_AND_INTENSITY, METRES, measured(12))).toMatchObject([
      { severity: 'error', message: expect.stringMatching(/; conv has 12\.0 dB of its own$/) as string },
    ]);
    expect(said(METRES_AND_INTENSITY, METRES, measured(31))).toMatchObject([{ severity: 'warning' }]);
  });

  it('of a simulation can be tried with the first layer in float', () => {
    const edges = [edgeMeasurement(NET, 'x'), edgeMeasurement(NET, 'y', { local: errorOf(12) })];
    expect(said(METRES_AND_INTENSITY, METRES, { edges, scheme: SCHEMES.ort! })).toMatchObject([
      { fix: { edit: '--skip conv' }, change: { kind: 'scheme', skip: ['conv'] } },
    ]);
  });

  it.each([
    ['pictures', [channelStudy(-2.1, 2.2), channelStudy(-1.8, 2.6)], perTensor('uint8', 4.7 / 255, 114)],
    ['16 bits', METRES_AND_INTENSITY, perTensor('int16', 80 / 32767)],
    ['a scale for each', METRES_AND_INTENSITY, perAxis('uint8', 1, [0.3, 0.004])],
    [
      'a mask of 0 and 1',
      [channelStudy(0, 80), channelStudy(0, 1, { mean: 0.3, std: Math.sqrt(0.21) })],
      METRES,
    ],
    ['a channel of one value', [channelStudy(0, 80), channelStudy(1, 1)], METRES],
    ['all channels narrow: no matter of sharing', [channelStudy(0, 1), channelStudy(0, 2)], METRES],
  ])('is silent about %s', (_, channels, params) => {
    expect(said(channels, params)).toEqual([]);
  });
});

describe('a mark for what is missing', () => {
  /** 10 % of the values are `mark`, the others 0 to 20. */
  const marked = (mark: number, share = 0.1): ChannelStudy => {
    const rest = { mean: 10, std: 20 / Math.sqrt(12) };
    const mean = (1 - share) * rest.mean + share * mark;
    const squares = (1 - share) * (rest.std ** 2 + rest.mean ** 2) + share * mark * mark;
    return channelStudy(Math.min(0, mark), Math.max(20, mark), {
      mean,
      std: Math.sqrt(squares - mean * mean),
      mode: mark,
      modeShare: share,
    });
  };

  it('takes up the range where it is far from all others', () => {
    const [finding, ...more] = said([marked(-999), marked(-999)], perTensor('int8', 4, 100));
    expect(finding).toMatchObject({ severity: 'warning', args: { channel: 0, mark: -999 } });
    expect(finding!.message).toBe(
      '10 % of the values of channel 0 are -999, far from all others (mean 10, standard deviation 5.774): a mark that makes the range 1019 wide and leaves them 12 codes',
    );
    expect(finding!.fix?.edit).toBe('x = np.where(x == -999, 10, x)');
    expect(more).toEqual([]);
  });

  it.each([
    ['0 beside distances', marked(0), perTensor('uint8', 20 / 255)],
    ['-1 beside distances', marked(-1), perTensor('uint8', 21 / 255, 12)],
    ['seldom', marked(-999, 0.01), perTensor('int8', 4, 100)],
    ['16 bits', marked(-999), perTensor('int16', 0.03)],
  ])('is no matter: %s', (_, channel, params) => {
    expect(said([channel, channel], params)).toEqual([]);
  });
});
