import { describe, expect, it } from 'vitest';
import { concatSharedScale } from '../../../../src/doctor/rules/act/concat-shared-scale.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const JOINED = inferShapes(
  graph()
    .input('boxes', 'float32', [1, 4, 100])
    .input('scores', 'float32', [1, 3, 100])
    .node('Sigmoid', { name: 'sigmoid', inputs: ['scores'], outputs: ['s'] })
    .node('Relu', { name: 'decode', inputs: ['boxes'], outputs: ['b'] })
    .node('Concat', { name: 'join', inputs: ['b', 's'], outputs: ['y'], attrs: { axis: 1 } })
    .output('y')
    .build(),
);

describe('act.concat-shared-scale, from the file alone', () => {
  const found = (scores: number): string[] =>
    concatSharedScale
      .check({
        graph: JOINED,
        lane: laneOf(JOINED, {
          b: perTensor('uint8', 2.5),
          s: perTensor('uint8', scores),
          y: perTensor('uint8', 2.5),
        }),
      })
      .map(({ severity, message }) => `${severity}: ${message}`);

  it('compares the ranges of the quantizers before the Concat: a warning, since nothing was seen', () => {
    expect(found(1 / 255)).toEqual([
      'warning: Concat join gives all its inputs the scale 2.5: the range of its quantizer has 1 codes left, those of another 255',
    ]);
  });

  it('is a note while some codes are left, and nothing for 16 and more', () => {
    expect(found(0.08)).toEqual([expect.stringMatching(/^note/)]);
    expect(found(0.2)).toEqual([]);
  });
});

describe('act.concat-shared-scale on an output of boxes and scores', () => {
  const NET = inferShapes(
    graph()
      .input('x', 'float32', [1, 7, 100])
      .node('Relu', { name: 'head', inputs: ['x'], outputs: ['y'] })
      .output('y')
      .build(),
  );
  const found = (scores: readonly number[], db: number, scale = 2.5): (string | undefined)[] => {
    const channels = [640, 640, 600, 500, ...scores].map((max) => ({
      min: 0,
      max,
      sqnrDb: new Map([['self' as const, max > 100 ? 45 : db]]),
    }));
    const seen = edgeMeasurement(
      NET,
      'y',
      { self: errorOf(45) },
      {
        quant: perTensor('uint8', scale),
        channels,
        edge: { ...edgeMeasurement(NET, 'y').edge, channels: 7 },
      },
    );
    return concatSharedScale
      .check({ ...evidence(NET, [seen]), lane: laneOf(NET, { y: perTensor('uint8', scale) }) })
      .map(({ severity, message }) => `${severity}: ${message}`);
  };

  it('is an error where the scores are lost', () => {
    expect(found([0.9, 1, 0.8], 0)).toEqual([
      'error: one scale of 2.5 serves all 7 channels of this output: channels 4, 5, 6 have 1 codes left at most, 4 others at least 200',
    ]);
  });

  it('warns while the scores keep 15 dB, and is a note from 25 dB', () => {
    expect(found([30, 30, 20], 16)).toEqual([expect.stringMatching(/^warning/)]);
    expect(found([30, 30, 20], 26)).toEqual([expect.stringMatching(/^note/)]);
  });

  it('is nothing where one class just did not come, or the scores are as large as the boxes', () => {
    expect(found([200, 300, 0.1], 0)).toEqual([]);
    expect(found([200, 300, 640], 45)).toEqual([]);
  });
});
