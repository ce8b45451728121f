import { describe, expect, it } from 'vitest';
import type { Alignment } from '../../src/diff/alignment/alignment.js';
import type { NodeId } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { comparedRows, constantRows, reportedAlignment } from '../../src/report/compare-rows.js';
import { alignmentOf, comparedByPosition } from '../support/comparison.js';
import { tensor } from '../support/compared-reports.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';

const REFERENCE = inferShapes(
  graph()
    .input('picture', 'float32', [1, 2, 3, 5])
    .constant('kernel', 'float32', [1, 2, 1, 1], [1, 2])
    .node('Conv', { name: 'conv', inputs: ['picture', 'kernel'], outputs: ['feature'] })
    .node('Relu', { name: 'relu', inputs: ['feature'], outputs: ['result'] })
    .output('feature')
    .output('result')
    .build(),
);
const CANDIDATE = inferShapes(
  graph()
    .input('image', 'float32', [1, 3, 5, 2])
    .constant('weights', 'float32', [1, 2, 1, 1], [1, 2.5])
    .node('Transpose', { name: 'moved', inputs: ['image'], outputs: ['nchw'], attrs: { perm: [0, 3, 1, 2] } })
    .node('Conv', { name: 'CONV#1', inputs: ['nchw', 'weights'], outputs: ['out'] })
    .node('Sigmoid', { name: 'extra', inputs: ['out'], outputs: ['squashed'] })
    .output('squashed')
    .output('out')
    .build(),
);
const twin = (reference: string, candidate: string) => ({
  reference: tensorNamed(REFERENCE, reference).id,
  candidate: tensorNamed(CANDIDATE, candidate).id,
});
const image = {
  ...twin('picture', 'image'),
  view: { dims: [1, 2, 3, 5], perm: [0, 2, 3, 1] },
  ground: 'input' as const,
};
const ALIGNMENT: Alignment = alignmentOf({
  inputs: [image],
  edges: [image, { ...twin('feature', 'out'), ground: 'weights' }],
  outputs: [
    { candidate: 0, reference: undefined },
    { candidate: 1, reference: 0 },
  ],
  unmatched: { reference: [1 as NodeId], candidate: [2 as NodeId] },
  coverage: { matched: 1, total: 2 },
});

describe('rows of compared tensors', () => {
  it('have the name of the counterpart beside them, and how its axes were moved', () => {
    const rows = [
      tensor(0, 'image', '', [40, undefined, 40], { role: 'input' }),
      tensor(1, 'out', 'CONV', [40, 40, 40], { role: 'output' }),
    ];
    const [first, second] = comparedRows(REFERENCE, CANDIDATE, ALIGNMENT, rows);
    expect(first).toEqual({ ...rows[0], reference: 'picture', layout: '[N,C,H,W] as [N,H,W,C]' });
    expect(second).toEqual({ ...rows[1], reference: 'feature' });
  });

  it('leave out what has no counterpart, and constants', () => {
    const rows = [
      tensor(0, 'squashed', 'LOGISTIC', [40, 40, 40]),
      tensor(1, 'out', 'CONV', [40, 40, 40], { role: 'weight' }),
      tensor(1, 'out', 'CONV', [40, 40, 40], { role: 'bias' }),
    ];
    expect(comparedRows(REFERENCE, CANDIDATE, ALIGNMENT, rows)).toEqual([]);
  });
});

describe('rows of constants', () => {
  it('name both constants and the operator of the candidate', () => {
    const plain = inferShapes(
      graph()
        .input('image', 'float32', [1, 2, 3, 5])
        .constant('weights', 'float32', [1, 2, 1, 1], [1, 2.5])
        .node('Conv', { name: 'CONV#1', inputs: ['image', 'weights'], outputs: ['out'] })
        .output('out')
        .build(),
    );
    const [row, ...more] = constantRows(REFERENCE, plain, comparedByPosition(REFERENCE, plain));
    expect(more).toEqual([]);
    expect(row).toMatchObject({ tensor: 'weights', reference: 'kernel', node: 'CONV#1', role: 'weight' });
    expect(row!.correlation).toBeCloseTo(1, 9);
    // Σx² = 5, Σe² = 1/4.
    expect(row!.error!.sqnrDb).toBeCloseTo(10 * Math.log10(20), 6);
  });
});

describe('the reported alignment', () => {
  const report = (lane = FLOAT_LANE) =>
    reportedAlignment(REFERENCE, CANDIDATE, lane, ALIGNMENT, { matched: 2, total: 3 });

  it('has what was found, by what it was told, and what was not, by the names of the files', () => {
    expect(report()).toEqual({
      operators: { matched: 1, total: 2 },
      tensors: { matched: 2, total: 3 },
      grounds: { input: 1, weights: 1 },
      inputs: [{ candidate: 'image', reference: 'picture', layout: '[N,C,H,W] as [N,H,W,C]' }],
      outputs: [
        { candidate: 'squashed', position: 0, type: 'float32' },
        { candidate: 'out', position: 1, type: 'float32', reference: 'feature', referencePosition: 0 },
      ],
      unmatched: {
        reference: [{ node: 'relu', op: 'Relu', tensor: 'result' }],
        candidate: [{ node: 'extra', op: 'Sigmoid', tensor: 'squashed' }],
      },
    });
  });

  it.each([
    [3, 'uint8, value = (code - 3) * 0.1'],
    [-128, 'int8, value = (code + 128) * 0.1'],
    [0, 'uint8, value = code * 0.1'],
  ])('gives the formula of codes with the zero point %d', (zeroPoint, type) => {
    const params = perTensor(zeroPoint < 0 ? 'int8' : 'uint8', 0.1, zeroPoint);
    const lane = { ...laneOf(CANDIDATE, { out: params }), arithmetic: 'tflite' as const };
    const coded = { ...CANDIDATE, format: 'tflite' as const };
    const { outputs } = reportedAlignment(REFERENCE, coded, lane, ALIGNMENT, { matched: 2, total: 3 });
    expect(outputs[1]!.type).toBe(type);
  });
});
