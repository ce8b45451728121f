import { describe, expect, it } from 'vitest';
import { openGolden } from '../../parity/golden.js';
import { DataError } from '../../src/errors.js';
import { archive, metaEntry, npyOf, type Entries, type Meta } from '../support/golden-archive.js';
import { workspace } from '../support/workspace.js';

const files = workspace();

const META: Meta = {
  model: 'relu.tflite',
  tensors: { 0: { name: 'x' }, 1: { name: 'y' } },
  ops: [{ op: 'RELU', inputs: [0], outputs: [1] }],
};
const X = npyOf('|i1', [1, 3], Int8Array.of(-1, 0, 5));
const Y = npyOf('|i1', [1, 3], Int8Array.of(0, 0, 5));
const WHOLE: Entries = { ...metaEntry(META), 'in0/0.npy': X, 't0/1.npy': Y, 'in1/0.npy': X, 't1/1.npy': Y };

let made = 0;
function path(entries: Entries): string {
  return files.file(`${made++}.npz`, archive(entries));
}

describe('an archive of the interpreter', () => {
  it('tells of its samples, operators and tensors', async () => {
    const golden = await openGolden(path(WHOLE));
    expect(golden).toMatchObject({ model: 'relu.tflite', delegated: false, samples: 2, operators: META.ops });
    expect(golden.tensorNames).toEqual(
      new Map([
        [0, 'x'],
        [1, 'y'],
      ]),
    );
    expect(golden.leftOut).toEqual(new Set());
    expect([golden.has(1, 1), golden.has(2, 1), golden.has(0, 2)]).toEqual([true, false, false]);
  });

  it('gives inputs and written tensors as they are stored', async () => {
    const golden = await openGolden(path(WHOLE));
    expect(await golden.read(0, 0)).toEqual({ dtype: 'int8', dims: [1, 3], data: Int8Array.of(-1, 0, 5) });
    expect(await golden.read(1, 1)).toEqual({ dtype: 'int8', dims: [1, 3], data: Int8Array.of(0, 0, 5) });
  });

  it('brings other orders of bytes and of axes into the usual one', async () => {
    const bytes = Buffer.alloc(12);
    [1, 4, 2, 5, 3, 6].forEach((value, i) => bytes.writeInt16BE(value, 2 * i));
    const golden = await openGolden(path({ ...WHOLE, 't0/1.npy': npyOf('>i2', [2, 3], bytes, true) }));
    expect(await golden.read(0, 1)).toEqual({
      dtype: 'int16',
      dims: [2, 3],
      data: Int16Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  it('lists what was left out and says when a delegate computed it', async () => {
    const golden = await openGolden(
      path({ ...WHOLE, ...metaEntry({ ...META, xnnpack: true, left_out: [7, 9] }) }),
    );
    expect([golden.delegated, golden.leftOut]).toEqual([true, new Set([7, 9])]);
  });
});

describe('an archive that cannot be used is a DataError that names the file and the reason', () => {
  const withMeta = (meta: unknown): Entries => ({ ...WHOLE, ...metaEntry(meta) });
  const CASES: readonly (readonly [what: string, entries: Entries, said: RegExp])[] = [
    ['no meta.json', { 'in0/0.npy': X }, /\.npz: it has no meta\.json/],
    ['meta.json that is no JSON', withMeta('{'), /\.npz: meta\.json: it is not JSON/],
    ['meta.json that is something else', withMeta([1]), /meta\.json: it is not what a recorder writes/],
    [
      'meta.json of floats',
      { ...WHOLE, 'meta.json.npy': npyOf('<f4', [1], Float32Array.of(1)) },
      /it holds float32; text/,
    ],
    ['no sample', metaEntry(META), /it holds 0 samples, but none called in0\/ and t0\//],
    [
      'a sample that is left out',
      { ...metaEntry(META), 'in0/0.npy': X, 'in2/0.npy': X },
      /none called in1\/ and t1\//,
    ],
    [
      'arrays under other names',
      { ...metaEntry(META), 'x.npy': X, 'in01/0.npy': X },
      /it holds 0 samples, but none called in0\/ and t0\//,
    ],
  ];

  it.each(CASES)('%s', async (_, entries, said) => {
    const opened = openGolden(path(entries));
    await expect(opened).rejects.toThrow(DataError);
    await expect(opened).rejects.toThrow(said);
  });

  it('operators of the wrong form, each listed', async () => {
    const ops = [{ op: 1, inputs: [0.5], outputs: [] }];
    const error: unknown = await openGolden(path(withMeta({ ...META, ops }))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).places.map((place) => place.split(':')[0])).toEqual([
      'ops.0.op',
      'ops.0.inputs.0',
    ]);
  });

  it('something that is no archive, or is not there', async () => {
    await expect(openGolden(files.file('text.npz', 'no zip'))).rejects.toThrow(
      /text\.npz: it is not a zip archive/,
    );
    await expect(openGolden(`${files.folder}/none.npz`)).rejects.toThrow(/none\.npz: it does not exist/);
  });

  const EXPECTED = { dtype: 'int8', dims: [1, 3] };
  const ARRAYS: readonly (readonly [what: string, array: Uint8Array, said: RegExp])[] = [
    [
      'an array of another type',
      npyOf('|u1', [1, 3], Uint8Array.of(1, 2, 3)),
      /t0\/1: it holds uint8; .* int8 there/,
    ],
    [
      'an array of another shape',
      npyOf('|i1', [3], Int8Array.of(1, 2, 3)),
      /t0\/1: its shape is \[3\]; .* \[1, 3\] there/,
    ],
    [
      'an array that is too short',
      npyOf('|i1', [1, 3], Int8Array.of(1, 2)),
      /t0\/1: it has \d+ bytes; its shape/,
    ],
    ['no array', Buffer.from('text'), /t0\/1: it is not a \.npy file/],
    ['Python objects', npyOf('|O', [1, 3], Int8Array.of(1, 2, 3)), /t0\/1: it holds Python objects/],
  ];

  it.each(ARRAYS)('%s', async (_, array, said) => {
    const golden = await openGolden(path({ ...WHOLE, 't0/1.npy': array }));
    const read = golden.read(0, 1, EXPECTED);
    await expect(read).rejects.toThrow(DataError);
    await expect(read).rejects.toThrow(said);
  });

  it('an array that claims to be huge, without reading it', async () => {
    const bomb = npyOf('|i1', [1, 2 ** 30], new Int8Array(2 ** 20));
    const golden = await openGolden(path({ ...WHOLE, 't0/1.npy': bomb }));
    await expect(golden.read(0, 1)).rejects.toThrow(DataError);
    await expect(golden.read(0, 1, EXPECTED)).rejects.toThrow(DataError);
  });
});
