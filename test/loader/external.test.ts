import { createHash } from 'node:crypto';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { LoadError } from '../../src/errors.js';
import { toFloat32 } from '../../src/ir/elements.js';
import type { Graph } from '../../src/ir/graph.js';
import { loadModel } from '../../src/loader/index.js';
import { onnx } from '../../src/onnx/proto.js';
import type { TensorProto } from '../../src/onnx/proto.js';
import {
  expectedValues,
  fixture,
  loadProto,
  modelOf,
  refusal,
  temporaryFolder,
  tensorNamed,
} from './model-files.js';

const EXPECTED = (expectedValues() as { external: Record<string, number[]> }).external;
const { EXTERNAL } = onnx.TensorProto.DataLocation;
const folder = temporaryFolder();

describe('external data', () => {
  it('is read on demand, at its offset, with or without a length', async () => {
    const { graph, bytes, directory } = await loadModel(fixture('external.onnx'));
    expect([...toFloat32(tensorNamed(graph, 'w').data!)]).toEqual(EXPECTED['w']);
    expect([...toFloat32(tensorNamed(graph, 'b').data!)]).toEqual(EXPECTED['b']);
    expect(tensorNamed(graph, 'b').data!.external).toEqual({
      directory,
      location: 'external.bin',
      offset: 112,
    });
    expect(bytes).toBe(readFileSync(fixture('external.onnx')).length + 128);
  });

  it('counts in the hash of the model', async () => {
    const model = await loadModel(fixture('external.onnx'));
    const both = Buffer.concat(['external.onnx', 'external.bin'].map((name) => readFileSync(fixture(name))));
    expect(await model.sha256()).toBe(createHash('sha256').update(both).digest('hex'));
  });

  let home = '';
  beforeEach(() => {
    home = join(folder, 'home');
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home);
    writeFileSync(join(folder, 'outside.bin'), new Uint8Array(64));
    writeFileSync(join(home, 'inside.bin'), new Uint8Array(64));
  });

  const loadExternal = (entries: Record<string, string>): Promise<Graph> =>
    loadProto(
      home,
      modelOf({
        initializer: [
          {
            name: 'w',
            dataType: 1,
            dims: [4],
            dataLocation: EXTERNAL,
            externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
          },
        ],
      }),
    );

  it.each<[string, Record<string, string>, RegExp]>([
    ['a missing file', { location: 'gone.bin' }, /"gone\.bin", which is not in .*home/],
    ['no location', {}, /without a location/],
    [
      'a path through ..',
      { location: '../outside.bin' },
      /"\.\.\/outside\.bin", which leads out of the model's folder/,
    ],
    ['a path back in through ..', { location: 'a/../inside.bin' }, /leads out/],
    ['a Windows path through ..', { location: 'a\\..\\..\\outside.bin' }, /leads out/],
    ['an absolute path', { location: '/etc/hostname' }, /"\/etc\/hostname", an absolute path/],
    ['a drive letter', { location: 'C:inside.bin' }, /absolute path/],
    ['a NUL in the name', { location: 'a\0b' }, /not a file name/],
    ["ONNX Runtime's address marker", { location: '*/_ORT_MEM_ADDR_/*' }, /marker/],
    ['a folder', { location: '.' }, /out of the model's folder|not a regular file/],
    [
      'a short file',
      { location: 'inside.bin', offset: '60' },
      /bytes 60 to 76 of external file inside\.bin, which has 64/,
    ],
    ['a length that disagrees', { location: 'inside.bin', length: '64' }, /takes 16 bytes .* length 64/],
    ['an offset that is no number', { location: 'inside.bin', offset: '1e3' }, /offset "1e3"/],
    ['a negative offset', { location: 'inside.bin', offset: '-4' }, /offset "-4"/],
    ['an offset beyond all files', { location: 'inside.bin', offset: '99999999999999999999' }, /offset/],
  ])('with %s is refused', async (_what, entries, message) => {
    const error = await refusal(loadExternal(entries));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/"w"/);
  });

  it('missing for many tensors is one problem, not many', async () => {
    const tensor = (name: string): TensorProto => ({
      name,
      dataType: 1,
      dims: [4],
      dataLocation: EXTERNAL,
      externalData: [{ key: 'location', value: 'gone.bin' }],
    });
    const error = await refusal(loadProto(home, modelOf({ initializer: ['a', 'b', 'c'].map(tensor) })));
    expect(error.message).toMatch(/"gone\.bin", which is not in/);
    expect(error.places).toEqual([]);
  });

  it('through a symbolic link out of the folder is refused, inside it is not', async () => {
    symlinkSync('../outside.bin', join(home, 'sly.bin'));
    const error = await refusal(loadExternal({ location: 'sly.bin' }));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(/"sly\.bin", a link to .*outside\.bin/);
    symlinkSync('inside.bin', join(home, 'fine.bin'));
    await expect(loadExternal({ location: 'fine.bin' })).resolves.toBeDefined();
  });

  it('through a linked folder out of the folder is refused', async () => {
    symlinkSync('..', join(home, 'up'));
    expect((await refusal(loadExternal({ location: 'up/outside.bin' }))).message).toMatch(/a link to/);
  });

  it('through a hard link is refused', async () => {
    linkSync(join(folder, 'outside.bin'), join(home, 'hard.bin'));
    const error = await refusal(loadExternal({ location: 'hard.bin' }));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(/"hard\.bin", a hard link/);
  });

  it('beside the real file of a linked model, as model caches lay them out, is read', async () => {
    copyFileSync(fixture('external.onnx'), join(home, 'blob1'));
    copyFileSync(fixture('external.bin'), join(home, 'blob2'));
    const snapshot = join(folder, 'snapshot');
    mkdirSync(snapshot);
    symlinkSync('../home/blob1', join(snapshot, 'model.onnx'));
    symlinkSync('../home/blob2', join(snapshot, 'external.bin'));
    const { graph } = await loadModel(join(snapshot, 'model.onnx'));
    expect([...toFloat32(tensorNamed(graph, 'w').data!)]).toEqual(EXPECTED['w']);
  });

  it('that changes after loading is refused when it is read', async () => {
    const graph = await loadExternal({ location: 'inside.bin' });
    truncateSync(join(home, 'inside.bin'), 4);
    expect(() => tensorNamed(graph, 'w').data!.bytes()).toThrow(LoadError);
  });

  it('of 3 GB takes neither time nor memory to load', async () => {
    truncateSync(join(home, 'inside.bin'), 3 * 2 ** 30);
    const rss = process.memoryUsage().rss;
    const graph = await loadProto(
      home,
      modelOf({
        initializer: [
          {
            name: 'w',
            dataType: 1,
            dims: [3 * 2 ** 28],
            dataLocation: EXTERNAL,
            externalData: [{ key: 'location', value: 'inside.bin' }],
          },
          {
            name: 'end',
            dataType: 1,
            dims: [1],
            dataLocation: EXTERNAL,
            externalData: [
              { key: 'location', value: 'inside.bin' },
              { key: 'offset', value: String(3 * 2 ** 30 - 4) },
            ],
          },
        ],
      }),
    );
    expect(tensorNamed(graph, 'w').data!.byteLength).toBe(3 * 2 ** 30);
    expect([...toFloat32(tensorNamed(graph, 'end').data!)]).toEqual([0]);
    expect(process.memoryUsage().rss - rss).toBeLessThan(100e6);
  });
});
