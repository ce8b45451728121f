/** What the custom operator that ends an SSD refuses; what it computes is held against the interpreter in fixtures/tflite/ops. */
import { encode } from 'flatbuffers/js/flexbuffers.js';
import { describe, expect, it } from 'vitest';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import { floatBelow } from '../../../src/loader/tflite/lower/detection.js';
import { described } from './subgraph.js';

const OP = 'TFLite_Detection_PostProcess';
const SETTINGS = {
  max_detections: 10,
  max_classes_per_detection: 1,
  nms_score_threshold: 0.25,
  nms_iou_threshold: 0.5,
  num_classes: 3,
  y_scale: 10.5,
  x_scale: 10.5,
  h_scale: 5.5,
  w_scale: 5.5,
};
const SHAPES: readonly (readonly number[])[] = [
  [1, 20, 4],
  [1, 20, 4],
  [20, 4],
];

function lowered(settings: object, shapes = SHAPES): string[] {
  const all = [...shapes, [1, 10, 4], [1, 10], [1, 10], [1]];
  const tensors = all.map((shape, index) => ({
    index,
    name: `t${index}`,
    type: 'FLOAT32' as const,
    shape,
    isVariable: false,
  }));
  const customOptions = encode({ ...SETTINGS, ...settings });
  const [inputs, outputs] = [
    [0, 1, 2],
    [3, 4, 5, 6],
  ] as const;
  const operator = {
    index: 0,
    op: OP,
    custom: true,
    version: 1,
    inputs,
    outputs,
    options: {},
    customOptions,
  };
  return described(buildGraph({ name: 'main', tensors, operators: [operator], inputs, outputs }).graph);
}

describe(OP, () => {
  it('becomes one suppression and no opaque operator', () => {
    const operators = lowered({});
    expect(operators.filter((op) => op === 'NonMaxSuppression')).toHaveLength(1);
    expect(operators.filter((op) => op.startsWith(OP))).toEqual([]);
  });

  it.each<[object, string, (readonly (readonly number[])[])?]>([
    [{ max_detections: 0 }, 'max_detections is 0, not 1 to 1048576'],
    [{ max_detections: 2 ** 30 }, 'max_detections is 1073741824, not 1 to 1048576'],
    [
      { max_detections: 2000, max_classes_per_detection: 2000 },
      'the number of results is 4000000, not 1 to 1048576',
    ],
    [{ max_classes_per_detection: -1 }, 'max_classes_per_detection is -1, not 1 to 1048576'],
    [{ num_classes: 0 }, 'num_classes is 0, not 1 to 1048576'],
    [{ use_regular_nms: true, detections_per_class: 0 }, 'detections_per_class is 0, not 1 to 1048576'],
    [{ nms_iou_threshold: 0 }, 'nms_iou_threshold is 0, not in (0, 1]'],
    [{ nms_iou_threshold: 1.5 }, 'nms_iou_threshold is 1.5, not in (0, 1]'],
    [{ num_classes: 5 }, 'inputs of shapes [1,20,4], [1,20,4], [20,4] for 5 classes'],
    [{ num_classes: 2 }, 'inputs of shapes [1,20,4], [1,20,4], [20,4] for 2 classes'],
    [
      {},
      'inputs of shapes [2,20,4], [1,20,4], [20,4] for 3 classes',
      [
        [2, 20, 4],
        [1, 20, 4],
        [20, 4],
      ],
    ],
    [
      {},
      'inputs of shapes [1,20,4], [1,20,4], [19,4] for 3 classes',
      [
        [1, 20, 4],
        [1, 20, 4],
        [19, 4],
      ],
    ],
  ])('with %j is opaque: %s', (settings, reason, shapes = SHAPES) => {
    expect(lowered(settings, shapes)).toEqual([`${OP}: ${reason}`]);
  });
});

describe('the float right below', () => {
  it.each([0.25, 1, 1e-8, -0.25, 3e38])('%d has no other in between', (value) => {
    const float = Math.fround(value);
    const below = floatBelow(value);
    expect(below).toBeLessThan(float);
    expect([below, float]).toContain(Math.fround((below + float) / 2));
  });

  it('0 is the smallest there is, negative', () => {
    expect(floatBelow(0)).toBe(-(2 ** -149));
    expect(floatBelow(-0)).toBe(-(2 ** -149));
  });

  it('all others is nothing', () => {
    expect(floatBelow(-Infinity)).toBe(-Infinity);
    expect(floatBelow(NaN)).toBeNaN();
  });
});
