import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/run/data/index.js';
import type { InputSpec } from '../../../src/run/data/dataset.js';
import { counting, fixture, folderOf, numbers, samplesOf } from './support.js';

const IMAGE: InputSpec = { name: 'image', dtype: 'float32', shape: ['N', 3, 4, 6] };
const SIZE: InputSpec = { name: 'size', dtype: 'int64', shape: [2] };

/** A folder as the ONNX model zoo has it. */
function modelFolder(): string {
  const folder = folderOf({ 'model.onnx': 'x' });
  for (const set of ['test_data_set_0', 'test_data_set_1'])
    cpSync(fixture(set), join(folder, set), { recursive: true });
  return folder;
}

describe('ONNX test data', () => {
  it('gives one sample a folder, from raw and from typed fields', async () => {
    const folder = modelFolder();
    const dataset = await openDataset({ sources: [folder], inputs: [IMAGE, SIZE] });
    expect(dataset).toMatchObject({ kind: 'onnx-test-data', ids: ['test_data_set_0', 'test_data_set_1'] });
    const samples = await samplesOf({ sources: [folder], inputs: [IMAGE, SIZE] });
    expect(samples.map(({ feeds }) => numbers(feeds.get('image')!.data))).toEqual([
      counting(72),
      counting(72, 100),
    ]);
    expect(samples.map(({ feeds }) => feeds.get('size'))).toEqual([
      { dtype: 'int64', dims: [2], data: BigInt64Array.of(4n, 6n) },
      { dtype: 'int64', dims: [2], data: BigInt64Array.of(5n, 6n) },
    ]);
  });

  it('is matched by the names in the files, whatever the order of the inputs', async () => {
    const [first] = await samplesOf({ sources: [fixture('test_data_set_0')], inputs: [SIZE, IMAGE] });
    expect(first!.id).toBe('test_data_set_0');
    expect(first!.feeds.get('image')!.dims).toEqual([1, 3, 4, 6]);
  });

  it('is matched by number when the names are not those of the inputs, and says so', async () => {
    const inputs = [
      { ...IMAGE, name: 'x' },
      { ...SIZE, name: 'y' },
    ];
    const { assumed } = await openDataset({ sources: [fixture('test_data_set_0')], inputs });
    expect(assumed).toContainEqual({ what: 'file of y', value: 'input_1.pb, by number', from: 'data' });
  });

  it('must hold one file per input', async () => {
    await expect(openDataset({ sources: [fixture('test_data_set_0')], inputs: [IMAGE] })).rejects.toThrow(
      'it holds input_0.pb, input_1.pb; input_0.pb are wanted',
    );
  });

  it('of another shape or type is refused by name', async () => {
    const run = (input: InputSpec): Promise<unknown> =>
      samplesOf({ sources: [fixture('test_data_set_0')], inputs: [input, SIZE] });
    await expect(run({ ...IMAGE, shape: ['N', 4, 4, 6] })).rejects.toThrow(
      /test_data_set_0 \(sample 1 of 1, input image\): its shape is \[1, 3, 4, 6\]; input image takes \[N, 4, 4, 6\]/,
    );
    await expect(run({ ...IMAGE, dtype: 'int32' })).rejects.toThrow(
      /it holds float32; the input takes int32/,
    );
  });

  it('that is no TensorProto is refused', async () => {
    const folder = folderOf({ 'test_data_set_0/input_0.pb': 'not a protobuf at all' });
    await expect(openDataset({ sources: [folder], inputs: [IMAGE] })).rejects.toThrow(/input_0\.pb/);
  });
});
