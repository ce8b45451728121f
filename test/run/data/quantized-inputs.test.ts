import { join } from 'node:path';
import { onnx } from '../../../src/onnx/proto.js';
import { describe, expect, it } from 'vitest';
import type { Assumption, InputSpec } from '../../../src/run/data/dataset.js';
import { openDataset } from '../../../src/run/data/index.js';
import type { DatasetRequest } from '../../../src/run/data/index.js';
import { npy } from '../../support/npy.js';
import { counting, feedsOf, folderOf, matching, numbers, rejection, samplesOf } from './support.js';

/** int8 as an MFCC model takes it: 2 x 3 x 1, value = (code - 83) * 0.5. */
const INT8: InputSpec = {
  name: 'x',
  dtype: 'float32',
  shape: [1, 2, 3, 1],
  quant: { dtype: 'int8', scale: 0.5, zeroPoint: 83 },
  layout: 'nhwc',
};
const UINT8: InputSpec = { ...INT8, quant: { dtype: 'uint8', scale: 0.25, zeroPoint: 128 } };
const INT16: InputSpec = { ...INT8, quant: { dtype: 'int16', scale: 0.125, zeroPoint: 0 } };

const CODES = Int8Array.of(-128, -1, 0, 83, 84, 127);
const VALUES = [-105.5, -42, -41.5, 0, 0.5, 22];

function request(
  files: Readonly<Record<string, Uint8Array | string>>,
  input: InputSpec,
  more: Partial<DatasetRequest> = {},
): DatasetRequest {
  const folder = folderOf(files);
  const names = Object.keys(files);
  const sources = [names.length === 1 ? join(folder, names[0]!) : folder];
  return { sources, inputs: [input], flag: '--calib', ...more };
}

async function values(...given: Parameters<typeof request>): Promise<number[][]> {
  return (await feedsOf(request(...given))).map(({ data }) => numbers(data));
}

async function assumed(...given: Parameters<typeof request>): Promise<readonly Assumption[]> {
  return (await openDataset(request(...given))).assumed;
}

describe('arrays for a quantized input', () => {
  it('of its own type are codes, which is said', async () => {
    const files = { 'a.npy': npy([1, 2, 3, 1], CODES) };
    expect(await feedsOf(request(files, INT8))).toEqual([
      { dtype: 'float32', dims: [1, 2, 3, 1], data: Float32Array.from(VALUES) },
    ]);
    expect(await assumed(files, INT8)).toEqual(
      expect.arrayContaining([
        { what: 'type of x', value: 'codes of int8, fed as (code - 83) * 0.5', from: 'model' },
        { what: 'preprocessing', value: 'none: x is given as codes', from: 'default' },
      ]),
    );
  });

  it('of uint8 are codes of a uint8 input, whatever the flags for pixels say', async () => {
    const files = { 'a.npy': npy([1, 2, 3, 1], Uint8Array.of(0, 1, 127, 128, 129, 255)) };
    for (const preprocessing of [{}, { preset: 'imagenet' }]) {
      expect(await values(files, UINT8, { preprocessing })).toEqual([[-32, -31.75, -0.25, 0, 0.25, 31.75]]);
    }
    expect(await assumed(files, UINT8, { preprocessing: { preset: 'imagenet' } })).toContainEqual({
      what: 'preprocessing',
      value: 'none: x is given as codes, --preset do not apply to arrays',
      from: 'default',
    });
  });

  it('of int16 are codes of an int16 input', async () => {
    const files = { 'a.npy': npy([1, 2, 3, 1], Int16Array.of(-32768, -8, 0, 8, 80, 32767)) };
    expect(await values(files, INT16)).toEqual([[-4096, -1, 0, 1, 10, 4095.875]]);
  });

  it.each([
    ['float32', Float32Array.from(VALUES)],
    ['float64', Float64Array.from(VALUES)],
  ])('of %s are values, even far outside of what codes can say', async (type, array) => {
    const files = { 'a.npy': npy([1, 2, 3, 1], array) };
    expect(await values(files, INT8)).toEqual([VALUES]);
    expect(await assumed(files, INT8)).toContainEqual({
      what: 'type of x',
      value: `${type}: values, not codes of int8`,
      from: 'model',
    });
    const far = { 'a.npy': npy([1, 2, 3, 1], [0, 255, 1e6, -1e6, 1, 2]) };
    expect(await values(far, INT8)).toEqual([[0, 255, 1e6, -1e6, 1, 2]]);
  });

  it.each([
    ['int16', 'int8', INT8, Int16Array.from(VALUES)],
    ['int64', 'int8', INT8, BigInt64Array.from([1n, 2n, 3n, 4n, 5n, 6n])],
    ['int8', 'uint8', UINT8, CODES],
    ['int8', 'int16', INT16, CODES],
  ] as const)('of %s for an %s input are refused: codes or values?', async (type, wanted, input, array) => {
    const error = await rejection(
      openDataset(request({ 'a.npy': npy([6], array) }, { ...input, shape: [6] })),
    );
    expect(error).toMatchObject({
      name: 'DataError',
      message: `a.npy: it holds ${type}; the input takes ${wanted} codes, or the values they stand for as floats`,
      hint: `--calib x=FILE.npy of ${wanted} codes or float32 values`,
    });
  });

  it('of uint8 for an int16 input need to hear how pixels become numbers', async () => {
    const files = { 'a.npy': npy([1, 2, 3, 1], Uint8Array.from(counting(6))) };
    expect(await rejection(openDataset(request(files, INT16)))).toMatchObject({
      message: matching('it holds uint8; the input takes int16 codes'),
      hint: matching('--preset raw'),
    });
    expect(await values(files, INT16, { preprocessing: { preset: 'raw' } })).toEqual([counting(6)]);
  });

  it.each<[string, number[], InputSpec['shape'], number[]]>([
    ['without a batch dimension', [2, 3, 1], [1, 2, 3, 1], [1, 2, 3, 1]],
    ['without dimensions of size 1', [2, 3], [1, 2, 3, 1], [1, 2, 3, 1]],
    ['flat', [6], [1, 6], [1, 6]],
    ['for an open batch', [1, 2, 3, 1], ['N', 2, 3, 1], [1, 2, 3, 1]],
    ['for an input without batch', [2, 3], [2, 3], [2, 3]],
  ])('may come %s', async (_, dims, shape, wanted) => {
    const feeds = await feedsOf(request({ 'a.npy': npy(dims, CODES) }, { ...INT8, shape }));
    expect(feeds).toEqual([{ dtype: 'float32', dims: wanted, data: Float32Array.from(VALUES) }]);
  });

  it('may be stacks, in batches if the model wants them', async () => {
    const codes = Int8Array.from(counting(24, -12));
    const value = (code: number): number => (code - 83) * 0.5;
    const single = await values({ 'a.npy': npy([4, 2, 3, 1], codes) }, INT8);
    expect(single).toEqual(counting(4).map((i) => counting(6, 6 * i - 12).map(value)));
    const double = await feedsOf(
      request({ 'a.npy': npy([4, 2, 3, 1], codes) }, { ...INT8, shape: [2, 2, 3, 1] }),
    );
    expect(double.map(({ dims }) => dims)).toEqual([
      [2, 2, 3, 1],
      [2, 2, 3, 1],
    ]);
    expect(double.flatMap(({ data }) => numbers(data))).toEqual(counting(24, -12).map(value));
  });

  it('may come channels first, by --layout', async () => {
    const input: InputSpec = { ...INT8, shape: [1, 2, 2, 3] };
    const files = { 'a.npy': npy([1, 3, 2, 2], Int8Array.from(counting(12))) };
    const [fed] = await values(files, input, { preprocessing: { layout: 'nchw' } });
    expect(fed).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map((code) => (code - 83) * 0.5));
    expect(await rejection(openDataset(request(files, input)))).toMatchObject({ hint: '--layout nchw' });
  });

  it('may lie in class folders, and some be floats', async () => {
    const files = {
      'cat/a.npy': npy([2, 3, 1], CODES),
      'dog/a.npy': npy([1, 2, 3, 1], VALUES),
      'dog/b.npy': npy([2, 3, 1], CODES),
    };
    expect(await values(files, INT8)).toEqual([VALUES, VALUES, VALUES]);
    const types = (await assumed(files, INT8)).filter(({ what }) => what === 'type of x');
    expect(types.map(({ value }) => value)).toEqual([
      'codes of int8, fed as (code - 83) * 0.5',
      'float32: values, not codes of int8',
    ]);
  });

  it('are refused when they hold NaN, by name', async () => {
    const reading = samplesOf(
      request({ 'a.npy': npy([6], [1, 2, 3, NaN, 5, 6]) }, { ...INT8, shape: [1, 6] }),
    );
    await expect(reading).rejects.toThrow(/a\.npy .*of its 6 values 1 NaN/);
  });

  it('of less than a byte are checked, and named when they do not fit', async () => {
    const input: InputSpec = { ...INT8, shape: [1, 2], quant: { dtype: 'int4', scale: 0.5, zeroPoint: -8 } };
    expect(await values({ 'a.npy': npy([2], Int8Array.of(-8, 7)) }, input)).toEqual([[0, 7.5]]);
    const reading = samplesOf(request({ 'a.npy': npy([2], Int8Array.of(0, 9)) }, input));
    await expect(reading).rejects.toThrow('its element 1 is 9; -8 to 7 are int4 codes');
  });
});

describe('uint8 arrays for an int8 input', () => {
  const PIXELS = Uint8Array.of(0, 1, 127, 128, 254, 255);

  it('are pixels, whose codes are the pixels - 128', async () => {
    const files = { 'a.npy': npy([1, 2, 3, 1], PIXELS) };
    // (pixel - 128 - 83) * 0.5
    expect(await values(files, INT8)).toEqual([[-105.5, -105, -42, -41.5, 21.5, 22]]);
    const said = await assumed(files, INT8);
    expect(said).toContainEqual({
      what: 'normalization',
      value: '(pixel - 211) * 0.5, so that the code is pixel - 128',
      from: 'model',
    });
  });

  it('are normalized as flags or metadata say', async () => {
    const files = { 'a.npy': npy([1, 2, 3, 1], PIXELS) };
    expect(await values(files, INT8, { preprocessing: { preset: 'raw' } })).toEqual([numbers(PIXELS)]);
    const metadata = new Map([
      ['tflite.input.0.mean', '128'],
      ['tflite.input.0.std', '64'],
    ]);
    expect(await values(files, INT8, { metadata })).toEqual([numbers(PIXELS).map((p) => (p - 128) / 64)]);
  });

  it('may come in batches', async () => {
    const files = { 'a.npy': npy([2, 1, 3, 1], PIXELS) };
    const input: InputSpec = { ...INT8, shape: [2, 1, 3, 1] };
    expect(await values(files, input)).toEqual([[-105.5, -105, -42, -41.5, 21.5, 22]]);
  });

  it('are refused for an input that takes no images', async () => {
    const error = await rejection(
      openDataset(request({ 'a.npy': npy([6], PIXELS) }, { ...INT8, shape: [1, 6] })),
    );
    expect(error).toMatchObject({
      name: 'DataError',
      message:
        'arrays of uint8 are taken for images: input x has shape [1, 6]; images need 3 or 4 dimensions',
      hint: '--calib x=FILE.npy of int8 codes or float32 is taken as it is',
    });
  });
});

describe('uint8 arrays for a float input', () => {
  it('are pixels when the metadata of the model says how they are normalized', async () => {
    const input: InputSpec = { name: 'x', dtype: 'float32', shape: [1, 1, 2, 3], layout: 'nhwc' };
    const files = { 'a.npy': npy([1, 1, 2, 3], Uint8Array.of(0, 64, 128, 192, 224, 255)) };
    const metadata = new Map([
      ['tflite.input.0.mean', '128,64,0'],
      ['tflite.input.0.std', '128,64,1'],
    ]);
    expect(await values(files, input, { metadata })).toEqual([[-1, 0, 128, 0.5, 2.5, 255]]);
    expect(await rejection(openDataset(request(files, input)))).toMatchObject({ name: 'DataError' });
  });
});

describe('a headerless file for a quantized input', () => {
  const bytes = (array: Int8Array | Int16Array | Float32Array): Uint8Array => new Uint8Array(array.buffer);

  it.each<[string, InputSpec, Uint8Array, number[][], string]>([
    ['one byte an element is codes', INT8, bytes(CODES), [VALUES], 'int8 codes, by the size of the file'],
    [
      'two bytes an element is codes of an int16 input',
      INT16,
      bytes(Int16Array.of(-8, 0, 8, 16, 24, 32)),
      [[-1, 0, 1, 2, 3, 4]],
      'int16 codes, by the size of the file',
    ],
    [
      'four bytes an element is float32',
      INT8,
      bytes(Float32Array.from(VALUES)),
      [VALUES],
      'float32, 4 bytes an element, not 4 samples of int8 codes',
    ],
    [
      'three samples of codes',
      INT8,
      Buffer.concat([bytes(CODES), bytes(CODES), bytes(CODES)]),
      [VALUES, VALUES, VALUES],
      'int8 codes, by the size of the file',
    ],
    [
      'four samples of codes, which would be no usual float32 numbers',
      INT8,
      Buffer.concat([bytes(CODES), bytes(CODES), bytes(CODES), bytes(CODES)]),
      [VALUES, VALUES, VALUES, VALUES],
      'int8 codes: as float32 its bytes are no usual numbers',
    ],
  ])('of %s, which is said', async (_, input, content, wanted, note) => {
    expect(await values({ 'a.bin': content }, input)).toEqual(wanted);
    expect(await assumed({ 'a.bin': content }, input)).toContainEqual({
      what: 'type of x',
      value: note,
      from: 'data',
    });
  });

  it('of another size says what sizes are wanted', async () => {
    await expect(openDataset(request({ 'a.raw': new Uint8Array(7) }, INT8))).rejects.toThrow(
      'a.raw: it has 7 bytes; a sample of input x (float32, [1, 2, 3, 1]) takes 24, or 6 of int8 codes',
    );
  });

  it('in a folder or a list is one sample each', async () => {
    const files = { 'a.bin': bytes(CODES), 'b.bin': bytes(Float32Array.from(VALUES)) };
    expect(await values(files, INT8)).toEqual([VALUES, VALUES]);
    const folder = folderOf({ ...files, 'list.txt': 'b.bin\na.bin\n' });
    const sources = [join(folder, 'list.txt')];
    expect(await samplesOf({ sources, inputs: [INT8] })).toMatchObject([{ id: 'b.bin' }, { id: 'a.bin' }]);
    const feeds = await feedsOf({ sources, inputs: [INT8] });
    expect(feeds.map(({ data }) => numbers(data))).toEqual([VALUES, VALUES]);
  });
});

describe('test data as ONNX ships it, for a quantized input', () => {
  const tensor = (dataType: number, rawData: Uint8Array): Uint8Array =>
    onnx.TensorProto.encode({ dims: [1, 2, 3, 1], dataType, rawData }).finish();

  it('is codes in its own type, values as floats, and nothing else', async () => {
    const { INT8: int8, FLOAT, INT16: int16 } = onnx.TensorProto.DataType;
    const read = (content: Uint8Array): Promise<number[][]> => values({ 'input_0.pb': content }, INT8);
    expect(await read(tensor(int8, new Uint8Array(CODES.buffer)))).toEqual([VALUES]);
    expect(await read(tensor(FLOAT, new Uint8Array(Float32Array.from(VALUES).buffer)))).toEqual([VALUES]);
    await expect(read(tensor(int16, new Uint8Array(12)))).rejects.toThrow(
      'it holds int16; the input takes int8 codes, or the values they stand for as floats',
    );
  });
});

it('several inputs, quantized and not, read one archive each to its own type', async () => {
  const folder = folderOf({
    'a.npy': npy([2, 2, 3, 1], [...VALUES, ...VALUES]),
    'b.npy': npy([2, 6], Int8Array.from([...CODES, ...CODES])),
  });
  const second: InputSpec = { ...INT8, name: 'y', shape: [1, 6] };
  const samples = await samplesOf({
    sources: [`x=${join(folder, 'a.npy')}`, `y=${join(folder, 'b.npy')}`],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2, 3, 1] }, second],
  });
  for (const { feeds } of samples) {
    expect(numbers(feeds.get('x')!.data)).toEqual(VALUES);
    expect(numbers(feeds.get('y')!.data)).toEqual(VALUES);
  }
  expect(samples).toHaveLength(2);
});

it('messages name a quantized input by the type that the file has', async () => {
  const inputs = [INT8, { ...INT8, name: 'y' }];
  const error = await rejection(openDataset({ sources: ['nowhere.npy', 'y=nowhere.npy'], inputs }));
  expect(error).toMatchObject({ name: 'DataError' });
  const ambiguous = await rejection(openDataset({ sources: ['a.npy', 'b.npy'], inputs }));
  expect(ambiguous).toMatchObject({
    message: matching(/x \(int8 \[1, 2, 3, 1\]\), y \(int8 \[1, 2, 3, 1\]\)/),
  });
});
