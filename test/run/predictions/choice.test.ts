import { describe, expect, it } from 'vitest';
import { DECODERS, chooseDecoder } from '../../../src/run/predictions/index.js';
import type { OutputForm } from '../../../src/run/predictions/index.js';
import { contextOf, output, requestOf } from './support.js';

const form = (dims: readonly number[], dtype: OutputForm['dtype'] = 'float32', name = 'y'): OutputForm => {
  return { name, dims, dtype };
};

describe('chooseDecoder without --decode', () => {
  it.each([
    ['scores of classes', [form([1, 10])], 'classes', 'scores'],
    ['scores with extents of 1 about them', [form([1, 1, 1, 1001])], 'classes', 'scores'],
    ['scores without a batch', [form([10])], 'classes', 'scores'],
    ['quantized scores', [{ ...form([1, 10], 'uint8'), isQuantized: true }], 'classes', 'scores'],
    ['one class', [form([1], 'int64')], 'argmax', 'class'],
    ['scores of cells', [form([1, 3, 64, 96])], 'segmentation', 'mask'],
    ['classes of cells', [form([1, 64, 96], 'int32')], 'argmax', 'mask'],
    ['one number', [form([1, 1])], 'values', 'values'],
    ['numbers of no form', [form([1, 7, 5, 4, 2])], 'values', 'values'],
    ['detections', [form([1, 300, 6])], 'nms', 'boxes'],
  ] as const)('reads %s', async (_, outputs, name, kind) => {
    expect(await chooseDecoder(requestOf(outputs))).toMatchObject({ name, kind });
  });

  it('does what labels and metric can use', async () => {
    expect((await chooseDecoder(requestOf([form([1, 10])], { wanted: ['values'] }))).name).toBe('values');
    expect((await chooseDecoder(requestOf([form([1, 1])], { wanted: ['scores'] }))).name).toBe('classes');
    expect((await chooseDecoder(requestOf([form([1, 6])], { wanted: ['scores', 'class'] }))).name).toBe(
      'classes',
    );
  });

  it('has a decoder of its own for a network that ends in ArgMax', async () => {
    const wanted = ['mask'] as const;
    const context = contextOf({ width: 513, height: 513 });
    const request = { wanted, context, format: 'tflite' as const };
    const float = await chooseDecoder(requestOf([form([1, 513, 513, 2])], request));
    const integer = await chooseDecoder(requestOf([form([1, 513, 513], 'int64')], request));
    expect([float.kind, float.classes, integer.kind, integer.classes]).toEqual([
      'mask',
      2,
      'mask',
      undefined,
    ]);
  });

  it('names the outputs and what makes such predictions when nothing fits', async () => {
    await expect(
      chooseDecoder(requestOf([form([1, 10], 'float32', 'logits')], { wanted: ['boxes'] })),
    ).rejects.toMatchObject({
      name: 'UsageError',
      message: 'the outputs are logits [1, 10]: no decoder makes boxes of them',
      hint: '--decode nms, ssd, yolov5, yolov8, yolox, nanodet, picodet, ./decode.js',
    });
  });

  it('does not choose between two outputs of scores, and takes the one that the user names', async () => {
    const outputs = [output('age', [1, 9]), output('mood:1', [1, 7], [0, 1, 2, 3, 4, 5, 6])];
    await expect(chooseDecoder(requestOf(outputs, { wanted: ['scores'] }))).rejects.toMatchObject({
      hint: '--decode classes:OUTPUT, ./decode.js',
    });
    const decoder = await chooseDecoder(requestOf(outputs, { wanted: ['scores'], decode: 'classes:mood:1' }));
    expect(decoder.classes).toBe(7);
    const found = await decoder.decode(outputs, contextOf());
    expect(found).toMatchObject({ kind: 'scores', scores: outputs[1]!.data });
  });

  it('says when the outputs look like a batch', async () => {
    await expect(chooseDecoder(requestOf([form([8, 10])], { wanted: ['scores'] }))).rejects.toThrow(
      'a batch of 8? one sample at a time is decoded',
    );
  });
});

describe('chooseDecoder with --decode', () => {
  it('lists the names when there is no such decoder', async () => {
    await expect(chooseDecoder(requestOf([form([1, 10])], { decode: 'yolo9000' }))).rejects.toMatchObject({
      name: 'UsageError',
      message: '--decode yolo9000: there is no such decoder',
      hint: `--decode ${DECODERS.join(', ')} or ./decode.js`,
    });
  });

  it('says what outputs the decoder takes, and which decoder would do', async () => {
    await expect(
      chooseDecoder(requestOf([form([1, 10], 'float32', 'logits')], { decode: 'ssd', wanted: ['scores'] })),
    ).rejects.toMatchObject({
      name: 'DataError',
      message: expect.stringMatching(
        /^--decode ssd: the outputs are logits \[1, 10\]; it takes box encodings/,
      ) as string,
      hint: '--decode classes, ./decode.js',
    });
  });

  it('refuses what the labels cannot be compared with', async () => {
    await expect(
      chooseDecoder(requestOf([form([1, 10])], { decode: 'classes', wanted: ['boxes'] })),
    ).rejects.toThrow('--decode classes gives scores; labels and metric take boxes');
  });

  it('names the outputs when the one named is not there', async () => {
    await expect(chooseDecoder(requestOf([form([1, 10])], { decode: 'classes:z' }))).rejects.toMatchObject({
      places: ['y [1, 10]'],
    });
  });
});
