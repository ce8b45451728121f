import { describe, expect, it } from 'vitest';
import { chooseDecoder } from '../../../src/run/predictions/index.js';
import type { DecoderRequest, OutputForm } from '../../../src/run/predictions/index.js';
import type { BoxesPrediction, NetworkOutput } from '../../../src/run/predictions/prediction.js';
import { boxesOf, contextOf, output, requestOf } from './support.js';

/** The first box in pixels of an input of 100 x 50, as x0 y0 x1 y1. */
const PIXELS = [10, 5, 30, 20];
const SHARES = [0.1, 0.1, 0.3, 0.4];
const Y_FIRST = [0.1, 0.1, 0.4, 0.3];
const BOX = { label: 2, score: 0.75 };

const context = contextOf({ width: 100, height: 50 });
const integers = (given: NetworkOutput): OutputForm => ({
  name: given.name,
  dims: given.dims,
  dtype: 'int64',
});

async function decode(
  outputs: readonly NetworkOutput[],
  more: Partial<DecoderRequest> = {},
): Promise<BoxesPrediction> {
  const decoder = await chooseDecoder(requestOf(outputs, { context, wanted: ['boxes'], ...more }));
  expect(decoder.name).toBe('nms');
  return boxesOf(await decoder.decode(outputs, context));
}

function expectBox({ boxes, nonFinite }: BoxesPrediction): void {
  expect([boxes.length, nonFinite]).toEqual([1, 0]);
  const { x0, y0, x1, y1, ...rest } = boxes[0]!;
  [x0, y0, x1, y1].forEach((value, at) => expect(value).toBeCloseTo(SHARES[at]!, 6));
  expect(rest).toEqual(BOX);
}

describe('outputs of detectors that end in NMS', () => {
  it('reads dets and labels of MMDeploy, filled up with scores of 0', async () => {
    const dets = output('dets', [1, 2, 5], [...PIXELS, 0.75, 0, 0, 0, 0, 0]);
    const labels = output('labels', [1, 2], [2, -1]);
    expectBox(await decode([dets, labels]));
  });

  it.each([
    ['pixels', PIXELS],
    ['shares', SHARES],
  ])('reads rows of box, score, class in %s', async (_, edges) => {
    expectBox(await decode([output('output0', [1, 2, 6], [...edges, 0.75, 2, 0, 0, 0, 0, 0, 0])]));
  });

  it('reads rows of class, score, box, as PaddleDetection has them', async () => {
    const rows = output('multiclass_nms3_0.tmp_0', [2, 6], [2, 0.75, ...PIXELS, -1, 0, 0, 0, 0, 0]);
    expectBox(await decode([rows, output('multiclass_nms3_0.tmp_2', [1], [1])]));
  });

  it('reads rows of image, box, class, score, as YOLOv7 has them', async () => {
    expectBox(await decode([output('output', [1, 7], [0, ...PIXELS, 2, 0.75])]));
  });

  it('reads TFLite_Detection_PostProcess up to its count', async () => {
    const name = 'TFLite_Detection_PostProcess';
    const outputs = [
      output(name, [1, 2, 4], [...Y_FIRST, 0.2, 0.2, 0.9, 0.9]),
      output(`${name}:1`, [1, 2], [2, 1]),
      output(`${name}:2`, [1, 2], [0.75, 0.5]),
      output(`${name}:3`, [1], [1]),
    ];
    expectBox(await decode(outputs, { format: 'tflite' }));
  });

  it('tells scores from classes in the order of TensorFlow 2', async () => {
    const outputs = [
      output('StatefulPartitionedCall:1', [1, 3], [0.75, 0, 0]),
      output('StatefulPartitionedCall:3', [1, 3, 4], [...Y_FIRST, 0, 0, 0, 0, 0, 0, 0, 0]),
      output('StatefulPartitionedCall:0', [1], [3]),
      output('StatefulPartitionedCall:2', [1, 3], [2, 0, 0]),
    ];
    expectBox(await decode(outputs, { format: 'tflite' }));
  });

  it.each([2, 4, 5, 6, 7])('takes lists of %i detections beside their boxes for no rows', async (room) => {
    const rest = room - 1;
    const outputs = [
      output('StatefulPartitionedCall:1', [1, room], [0.75, ...zeros(rest)]),
      output('StatefulPartitionedCall:3', [1, room, 4], [...Y_FIRST, ...zeros(4 * rest)]),
      output('StatefulPartitionedCall:0', [1], [1]),
      output('StatefulPartitionedCall:2', [1, room], [2, ...zeros(rest)]),
    ];
    expectBox(await decode(outputs, { format: 'tflite' }));
  });

  it('goes by the operator where values fit both ways, and where there is room for one', async () => {
    const results = ['scores', 'boxes', 'count', 'classes'] as const;
    const read = async (room: number): Promise<BoxesPrediction> => {
      const outputs = [
        output('StatefulPartitionedCall:1', [1, room], [1, ...zeros(room - 1)]),
        output('StatefulPartitionedCall:3', [1, room, 4], [...Y_FIRST, ...zeros(4 * (room - 1))]),
        output('StatefulPartitionedCall:0', [1], [1]),
        output('StatefulPartitionedCall:2', [1, room], [0, ...zeros(room - 1)]),
      ];
      const forms = outputs.map((given, at): OutputForm => ({ ...form(given), result: results[at]! }));
      return decode(outputs, { outputs: forms, format: 'tflite' });
    };
    for (const room of [1, 2, 5]) {
      expect((await read(room)).boxes.map(({ label, score }) => [label, score])).toEqual([[0, 1]]);
    }
  });

  it('rounds classes and a count that went through codes, by half a step', async () => {
    const read = (count: number): Promise<BoxesPrediction> => {
      const outputs = [
        output('b', [1, 10, 4], [...Y_FIRST, ...zeros(36)]),
        output('c', [1, 10], [1.9875, ...zeros(9)]),
        output('s', [1, 10], [0.75, ...zeros(9)]),
        output('n', [1], [count]),
      ];
      const forms = outputs.map((given): OutputForm => {
        return { ...form(given), dtype: 'uint8', isQuantized: true, step: 10 / 255 };
      });
      return decode(outputs, { outputs: forms, format: 'tflite' });
    };
    expectBox(await read(1.019));
    // 3 detections are 76.5 steps.
    expectBox(await read((76 * 10) / 255));
    await expect(read(1.03)).rejects.toThrow('output n says');
  });

  it('reads the named outputs of a TensorFlow model as ONNX', async () => {
    const outputs = [
      output('detection_anchor_indices', [1, 1], [4]),
      output('detection_boxes', [1, 1, 4], Y_FIRST),
      output('detection_classes', [1, 1], [2]),
      output('detection_scores', [1, 1], [0.75]),
      output('num_detections', [1], [1]),
      output('raw_detection_boxes', [1, 40, 4]),
      output('raw_detection_scores', [1, 40, 3]),
    ].filter(({ name }) => name !== 'detection_anchor_indices');
    expectBox(await decode(outputs));
  });

  it('reads boxes, labels and scores of torchvision', async () => {
    const boxes = output('boxes', [1, 4], PIXELS);
    const labels = output('2546', [1], [2]);
    const scores = output('2545', [1], [0.75]);
    const outputs = [boxes, labels, scores];
    expectBox(await decode(outputs, { outputs: [form(boxes), integers(labels), form(scores)] }));
  });

  it('takes no detections at all, and another number in the next run', async () => {
    const none = [output('dets', [1, 0, 5]), output('labels', [1, 0])];
    const decoder = await chooseDecoder(requestOf(none, { context, wanted: ['boxes'] }));
    expect(await decoder.decode(none, context)).toEqual({ kind: 'boxes', boxes: [], nonFinite: 0 });
    const one = [output('dets', [1, 1, 5], [...PIXELS, 0.75]), output('labels', [1, 1], [2])];
    expectBox(boxesOf(await decoder.decode(one, context)));
  });

  it('counts detections that are not finite', async () => {
    const rows = [NaN, 0, 1, 1, 0.9, 0, ...PIXELS, 0.75, 2];
    const { boxes, nonFinite } = await decode([output('y', [1, 2, 6], rows)]);
    expect([boxes.length, nonFinite]).toEqual([1, 1]);
  });

  it.each([-1, 3, 0.5, NaN])('refuses a count of %f', async (count) => {
    const outputs = [
      output('b', [1, 2, 4]),
      output('classes', [1, 2]),
      output('scores', [1, 2]),
      output('count', [1], [count]),
    ];
    await expect(decode(outputs, { format: 'tflite' })).rejects.toMatchObject({
      name: 'DataError',
      message: `output count says ${count} detections; there is room for 0 to 2`,
    });
  });

  it('refuses classes that are no whole numbers, and outputs that do not go together', async () => {
    await expect(decode([output('y', [1, 1, 6], [...PIXELS, 0.75, 2.5])])).rejects.toThrow(
      'the detections have class 2.5',
    );
    const dets = [output('dets', [1, 2, 5]), output('labels', [1, 2])];
    const decoder = await chooseDecoder(requestOf(dets, { context }));
    expect(() => decoder.decode([dets[0]!, output('labels', [1, 3])], context)).toThrow(
      'output labels has dims [1, 3]; there are boxes of 2 detections',
    );
  });
});

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

function form({ name, dims }: NetworkOutput): OutputForm {
  return { name, dims, dtype: 'float32' };
}
