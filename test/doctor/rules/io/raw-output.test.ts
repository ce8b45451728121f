import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Diagnosed } from '../../../../src/doctor/finding.js';
import { rawOutput } from '../../../../src/doctor/rules/io/raw-output.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { FLOAT_LANE, type QuantParams } from '../../../../src/ir/lane.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const NET = inferShapes(
  graph({ format: 'tflite' })
    .input('x', 'float32', [1, 4])
    .node('Relu', { name: 'to boxes', inputs: ['x'], outputs: ['boxes'] })
    .node('Sigmoid', { name: 'to scores', inputs: ['x'], outputs: ['scores'] })
    .output('boxes')
    .output('scores')
    .build(),
);

const BOXES = perTensor('uint8', 2, 10);
const SCORES = perTensor('uint8', 1 / 256, 0);

const said = (boxes: QuantParams, scores: QuantParams, rest: Partial<Evidence> = {}): readonly Diagnosed[] =>
  rawOutput.check({ graph: NET, lane: laneOf(NET, { boxes, scores }), ...rest });

describe('outputs that are integers', () => {
  it('come with the formula of each where they are not alike', () => {
    expect(said(BOXES, SCORES)).toMatchObject([
      {
        severity: 'note',
        message:
          '2 outputs are codes, each with a scale and zero point of its own: ' +
          'boxes: x = (q.astype(np.float32) - 10) * np.float32(2); scores: x = q.astype(np.float32) * np.float32(0.00390625)',
      },
    ]);
  });

  it('need no word where one formula serves all, or nothing is quantized yet', () => {
    expect(said(SCORES, SCORES)).toEqual([]);
    expect(said(BOXES, SCORES, { scheme: SCHEMES.tflite! })).toEqual([]);
    expect(rawOutput.check({ graph: NET, lane: FLOAT_LANE })).toEqual([]);
  });

  it('are read back with the numbers of another one', () => {
    const { scale, zeroPoint } = BOXES;
    expect(said(BOXES, { ...SCORES, read: { scale, zeroPoint } })).toMatchObject([
      {
        severity: 'error',
        subject: { tensor: 'scores' },
        message:
          'output scores is read back with the scale and zero point of output boxes (2, 10); its own are 0.003906, 0',
        explains: ['scores'],
      },
    ]);
    // With numbers of no other output: act.requantize-clip tells of it.
    const odd = { scale: Float32Array.of(0.5), zeroPoint };
    expect(said(BOXES, { ...SCORES, read: odd }).map(({ severity }) => severity)).toEqual(['note']);
  });
});

describe('the reference', () => {
  const reference = { graph: NET, lane: FLOAT_LANE };
  const edges = (min: number, max: number) => [
    edgeMeasurement(NET, 'scores', { self: errorOf(1) }, { range: { min, max } }),
  ];

  it('gives codes where the candidate gives values', () => {
    const [finding] = said(BOXES, SCORES, { reference, edges: edges(0, 231) });
    expect(finding).toMatchObject({ severity: 'error', subject: { tensor: 'scores' } });
    expect(finding!.message).toBe(
      "the reference gives 0 to 231 at output scores, whole numbers as uint8 codes are; the candidate's values are 0 to 0.9961",
    );
    expect(finding!.fix?.edit).toBe('x = q.astype(np.float32) * np.float32(0.00390625)');
  });

  it.each([
    ['values', 0, 0.98],
    ['values beyond the range, but no whole numbers', 0, 231.4],
    ['whole numbers that are no codes', -7, 900],
    ['counts within the range', 0, 1],
  ])('gives %s', (_, min, max) => {
    expect(said(SCORES, SCORES, { reference, edges: edges(min, max) })).toEqual([]);
  });
});

describe('what a device gave', () => {
  const dumped = (read: string) =>
    said(SCORES, SCORES, {
      actual: {
        source: 'dumps',
        samples: 1,
        tensors: [
          { tensor: 'scores', node: '', op: '', values: 4, differing: 0, simulated: { exact: true }, read },
        ],
        skipped: [],
      },
    });

  it('is codes in floats', () => {
    expect(dumped('raw codes (float32)')).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('codes in floats') as string },
    ]);
  });

  it('is codes in integers, or values', () => {
    expect(dumped('raw codes (uint8)')).toEqual([]);
    expect(dumped('dequantized values (float32)')).toEqual([]);
  });
});

describe('codes that a file makes floats', () => {
  const cast = (...between: readonly string[]) => {
    let builder = graph()
      .input('x', 'float32', [1, 4])
      .constant('s', 'float32', [], [0.25])
      .constant('z', 'uint8', [], [128])
      .node('QuantizeLinear', { name: 'q', inputs: ['x', 's', 'z'], outputs: ['t0'] });
    between.forEach((op, at) => {
      const attrs = op === 'Cast' ? { to: 1 } : {};
      builder = builder.node(op, { name: op, inputs: [`t${at}`], outputs: [`t${at + 1}`], attrs });
    });
    return builder.output(`t${between.length}`).build();
  };
  const told = (rest: Partial<Evidence>, ...between: readonly string[]) =>
    rawOutput.check({ graph: cast(...between), lane: FLOAT_LANE, ...rest });

  it('lack scale and zero point', () => {
    expect(told({}, 'Cast')).toMatchObject([
      {
        severity: 'warning',
        message: 'output t1 is the codes of q made into floats, without its scale and zero point',
        fix: { edit: 'x = (q.astype(np.float32) - 128) * np.float32(0.25)' },
      },
    ]);
    expect(told({ outputDb: -12 }, 'Cast', 'Flatten')).toMatchObject([{ severity: 'error' }]);
  });

  it('are something else once something was computed from them', () => {
    expect(told({}, 'Cast', 'Sqrt')).toEqual([]);
    expect(told({}, 'Flatten')).toEqual([]);
  });
});
