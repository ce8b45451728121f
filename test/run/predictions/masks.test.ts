import { describe, expect, it } from 'vitest';
import { chooseDecoder } from '../../../src/run/predictions/index.js';
import type { DecoderRequest } from '../../../src/run/predictions/index.js';
import type { NetworkOutput, Prediction } from '../../../src/run/predictions/prediction.js';
import { contextOf, output, requestOf } from './support.js';

async function decode(given: NetworkOutput, more: Partial<DecoderRequest>): Promise<Prediction> {
  const decoder = await chooseDecoder(requestOf([given], more));
  return decoder.decode([given], more.context ?? contextOf());
}

/** Scores of cell i are those of row i. */
const SCORES = [
  [1, 0, 0],
  [0, 2, 1],
  [0, 3, 3],
  [NaN, -1, -2],
  [-5, -4, -3],
  [Infinity, 0, 0],
];

describe('segmentation', () => {
  const context = contextOf({ width: 3, height: 2 });
  const wanted = {
    kind: 'mask',
    width: 3,
    height: 2,
    classes: 3,
    data: Uint16Array.of(0, 1, 1, 1, 2, 0),
    ties: 1,
    nonFinite: 2,
  };

  it('takes the largest score of the last dimension, counting ties and values that are not finite', async () => {
    const given = output('y', [1, 2, 3, 3], SCORES.flat());
    expect(await decode(given, { decode: 'segmentation', format: 'tflite', context })).toEqual(wanted);
  });

  it('takes the largest score of the first dimension where that is not of the image', async () => {
    const byClass = [0, 1, 2].flatMap((label) => SCORES.map((row) => row[label]!));
    expect(await decode(output('y', [1, 3, 2, 3], byClass), { decode: 'segmentation', context })).toEqual(
      wanted,
    );
  });

  it('tells the classes by the input, not by the format', async () => {
    const given = output('y', [1, 4, 6, 5]);
    const small = contextOf({ width: 48, height: 32 });
    expect(await decode(given, { decode: 'segmentation', format: 'onnx', context: small })).toMatchObject({
      width: 6,
      height: 4,
      classes: 5,
    });
  });

  it('tells the classes by the smaller dimension where the input is no image', async () => {
    const given = output('y', [1, 20, 8, 64]);
    const none = contextOf(undefined);
    const found = await decode(given, { decode: 'segmentation', context: { ...none, input: undefined } });
    expect(found).toMatchObject({ width: 64, height: 8, classes: 20 });
  });

  it.each([
    ['probabilities', [0.2, 0.6, 0.5, 0.51, 0, 1], [0, 1, 0, 1, 0, 1]],
    ['logits', [-3, 0.2, 0, 4, -0.1, 9], [0, 1, 0, 1, 0, 1]],
  ])('takes one %s a cell for class 1', async (_, values, labels) => {
    const given = output('y', [1, 2, 3, 1], values);
    expect(await decode(given, { decode: 'segmentation', context })).toMatchObject({
      data: Uint16Array.from(labels),
      ties: 1,
      classes: 2,
    });
  });
});

describe('argmax', () => {
  const context = contextOf({ width: 3, height: 2 });

  it('takes the class of each cell as it is', async () => {
    const given = output('y', [1, 2, 3, 1], [0, 1, 2, 300, 4, 5]);
    expect(await decode(given, { decode: 'argmax', context })).toEqual({
      kind: 'mask',
      width: 3,
      height: 2,
      data: Uint16Array.of(0, 1, 2, 300, 4, 5),
      ties: 0,
      nonFinite: 0,
    });
  });

  it.each([0.5, -1, NaN, 65_535])('refuses %f as a class', async (value) => {
    await expect(decode(output('y', [1], [value]), { decode: 'argmax' })).rejects.toMatchObject({
      name: 'DataError',
      message: `output y [1] holds ${value}; --decode argmax takes whole numbers from 0 to 65534, one class each`,
    });
  });

  it('takes one number for the class', async () => {
    expect(await decode(output('y', [1, 1], [7]), { decode: 'argmax' })).toEqual({ kind: 'class', label: 7 });
  });
});

describe('values', () => {
  it('puts the outputs one behind the other', async () => {
    const outputs = [output('a', [1, 2], [1, 2]), output('b', [1], [3])];
    const decoder = await chooseDecoder(requestOf(outputs, { decode: 'values' }));
    expect(decoder.decode(outputs, contextOf())).toEqual({ kind: 'values', data: Float64Array.of(1, 2, 3) });
  });
});
