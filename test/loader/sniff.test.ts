import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { LoadError, UsageError } from '../../src/errors.js';
import { loadModel } from '../../src/loader/index.js';
import { encodeModel } from '../../src/onnx/proto.js';
import { fixture, modelOf, refusal, temporaryFolder } from './model-files.js';

const folder = temporaryFolder();
const text = (content: string): Buffer => Buffer.from(content);

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('a file that is not a model', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['torch.onnx', zipSync({ 'archive/data.pkl': text('x') }), /PyTorch archive/],
    ['keras.onnx', zipSync({ 'metadata.json': text('{}') }), /Keras archive/],
    ['arrays.onnx', zipSync({ 'arr_0.npy': text('x') }), /NumPy archive/],
    ['any.onnx', zipSync({ 'readme.txt': text('x') }), /a zip archive/],
    ['keras.h5', Buffer.from('894844460d0a1a0a00', 'hex'), /HDF5/],
    ['old.pt', Buffer.from('80028a0a6cfc9c46f9', 'hex'), /old PyTorch/],
    [
      'weights.safetensors',
      Buffer.concat([Buffer.from('4000000000000000', 'hex'), text('{"w":{}}')]),
      /safetensors/,
    ],
    ['model.gguf', text('GGUF\u0003'), /GGUF/],
    ['array.npy', Buffer.from('934e554d5059010076', 'hex'), /NumPy array/],
    [
      'image.onnx',
      Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), deflateSync(text('x'))]),
      /PNG image/,
    ],
    ['photo.onnx', Buffer.from('ffd8ffe000104a464946', 'hex'), /JPEG image/],
    ['model.onnx.gz', gzipSync('model'), /gzip/],
    ['page.onnx', text('<!DOCTYPE html><html><body>Sign in</body></html>'), /HTML page/],
    ['openvino.onnx', text('<?xml version="1.0"?><net name="m"/>'), /XML/],
    ['model.json', text('{"modelTopology": {}}'), /JSON/],
    [
      'graph.txt',
      text('<ir_version: 8, opset_import: ["" : 17]>\ng (float[1] x)'),
      /ONNX model written as text/,
    ],
    [
      'pointer.onnx',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'),
      /Git LFS pointer/,
    ],
    ['notes.onnx', text('remember the milk\n'), /a text file/],
    ['archive.tflite', zipSync({ 'model.tflite': text('x') }), /a zip archive/],
    [
      'old.tflite',
      Buffer.concat([Buffer.from('1c000000', 'hex'), text('TFL1')]),
      /TFLite file of another format/,
    ],
    [
      'bare.tflite',
      Buffer.from('1c0000001400200004000800', 'hex'),
      /without the identifier of TFLite files: bytes 4 to 7 are 0x14002000, 0x54464c33 \("TFL3"\) is wanted/,
    ],
    ['short.tflite', Buffer.from('1c00', 'hex'), /without the identifier of TFLite files: .* missing/],
    ['noise.onnx', Buffer.from('ffffffffffffffffffffffff', 'hex'), /not an ONNX model/],
    ['frozen.pb', Buffer.from('0a1a0a0170120b506c616365686f6c6465722a00', 'hex'), /not an ONNX model/],
    ['tensor.pb', Buffer.from('0803100142017822000000', 'hex'), /not an ONNX model|damaged/],
  ])('%s is refused by name', async (name, bytes, message) => {
    const error = await refusal(loadModel(fileOf(name, bytes)));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(name);
  });

  it('is an empty file', async () => {
    const error = await refusal(loadModel(fileOf('empty.onnx', new Uint8Array(0))));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(/empty \(0 bytes\)/);
  });

  it('is a folder, whose models are then named', async () => {
    const models = join(folder, 'models');
    mkdirSync(models);
    copyFileSync(fixture('shapes.onnx'), join(models, 'a.onnx'));
    const error = await refusal(loadModel(models));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(/is a folder/);
    expect(error.places).toEqual(['a.onnx']);
    expect(error.hint).toBe(`qdbg inspect ${models}/a.onnx`);
  });

  it('is a missing or unreadable file', async () => {
    const missing = await refusal(loadModel(join(folder, 'nowhere.onnx')));
    expect(missing).toBeInstanceOf(UsageError);
    expect(missing.message).toMatch(/nowhere\.onnx does not exist/);
  });

  it.skipIf(process.getuid?.() === 0)('is a file without read permission', async () => {
    const path = fileOf('secret.onnx', readFileSync(fixture('shapes.onnx')));
    chmodSync(path, 0);
    expect((await refusal(loadModel(path))).message).toMatch(/may not be read/);
  });

  it('is a device', async () => {
    expect((await refusal(loadModel('/dev/zero'))).message).toMatch(/not a regular file/);
  });
});

describe('an ONNX file', () => {
  it('loads whatever its extension is', async () => {
    const { graph } = await loadModel(fileOf('model.tflite.bin', readFileSync(fixture('shapes.onnx'))));
    expect(graph.nodes).toHaveLength(3);
  });

  it('that is cut is said to be truncated, with its size', async () => {
    const bytes = readFileSync(fixture('tensor-types.onnx'));
    const error = await refusal(loadModel(fileOf('cut.onnx', bytes.subarray(0, 700))));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(/truncated: it has 700 bytes, its graph ends at byte \d+/);
  });

  it('without a graph is not a model', async () => {
    const bytes = encodeModel({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }] });
    expect((await refusal(loadModel(fileOf('hollow.onnx', bytes)))).message).toMatch(/no graph/);
  });

  it('in two halves, concatenated, is one model, as protobuf defines', async () => {
    const whole = modelOf();
    const { graph } = await loadModel(
      fileOf(
        'halves.onnx',
        Buffer.concat([
          encodeModel({ ...whole, graph: { ...whole.graph, output: [] } }),
          encodeModel({ graph: { output: [...whole.graph!.output!, { name: 'x' }] } }),
        ]),
      ),
    );
    expect(graph.nodes).toHaveLength(1);
    expect(graph.outputs.map((id) => graph.tensors[id]!.name)).toEqual(['y', 'x']);
  });
});
