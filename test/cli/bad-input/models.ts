/** Files that are no models, and broken models. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onnx } from '../../../src/onnx/proto.js';
import type { GraphProto, NodeProto, TensorProto } from '../../../src/onnx/proto.js';
import type { Workspace } from '../../support/workspace.js';
import { convolution, filled, nestedModel, node, WEIGHT, weight } from './proto-models.js';
import { HOSTILE } from './hostile.js';
import { fine, refused, type Row } from './row.js';

export function modelRows(files: Workspace): Row[] {
  return [...notModels(files), ...broken(files), ...external(files)];
}

function notModels(files: Workspace): Row[] {
  const whole = convolution();
  const contents: Readonly<Record<string, string | Uint8Array>> = {
    'text.onnx': 'hello, I am a text\n',
    'jpeg.onnx': Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70),
    'png.onnx': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    'zip.onnx': Buffer.from('PK\u0003\u0004\u0014\0\0\0', 'latin1'),
    'hdf5.onnx': Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'),
    'empty.onnx': '',
    'pointer.onnx': 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
    'page.onnx': '<!DOCTYPE html><html>please log in</html>',
    'noise.onnx': Uint8Array.from({ length: 999 }, (_, i) => (i * i * 31 + 7) & 255),
    'zeros.onnx': new Uint8Array(999),
    'half.onnx': whole.subarray(0, whole.length >> 1),
    'cut.onnx': whole.subarray(0, whole.length - 1),
    'byte.onnx': whole.subarray(0, 1),
    'start.onnx': whole.subarray(0, 2),
    'model.txt': whole,
    'folder.onnx/inside.onnx': whole,
  };
  for (const [name, content] of Object.entries(contents)) files.file(name, content);
  return [
    refused('text', 'text.onnx x.npy', 'text.onnx is not a model', 'a text file'),
    refused('a JPEG named .onnx', 'jpeg.onnx x.npy', 'a JPEG image', 'hint: '),
    refused('a PNG named .onnx', 'png.onnx x.npy', 'a PNG image'),
    refused('a zip archive', 'zip.onnx x.npy', 'a zip archive', 'hint: unzip'),
    refused('HDF5', 'hdf5.onnx x.npy', 'an HDF5 file', 'hint: '),
    refused('an empty file', 'empty.onnx x.npy', 'empty.onnx is empty (0 bytes)'),
    refused('a Git LFS pointer', 'pointer.onnx x.npy', 'a Git LFS pointer', 'hint: git lfs pull'),
    refused('a login page', 'page.onnx x.npy', 'an HTML page'),
    refused('noise', 'noise.onnx x.npy', 'noise.onnx: not an ONNX model'),
    refused('zeros', 'zeros.onnx x.npy', 'zeros.onnx: not an ONNX model'),
    refused('a folder', 'folder.onnx x.npy', 'is a folder; a model file is wanted', 'inside.onnx'),
    refused('a missing file', 'none.onnx x.npy', 'none.onnx does not exist'),
    refused('a path under a file', 'text.onnx/m.onnx x.npy', 'text.onnx/m.onnx does not exist'),
    refused(
      'half a model',
      'half.onnx x.npy',
      /half\.onnx: .*truncated: it has \d+ bytes, .* ends at byte \d+/,
    ),
    refused('a model without its last byte', 'cut.onnx x.npy', 'truncated'),
    refused('the first byte of a model', 'byte.onnx x.npy', 'truncated'),
    refused('a model without a graph', 'start.onnx x.npy', 'there is no graph in it'),
    fine('a model with another extension', 'model.txt x.npy'),
    fine('a model that is there', 'good.onnx x.npy'),
  ];
}

function broken(files: Workspace): Row[] {
  const relu = (input: string, output: string): NodeProto => node('Relu', [input], [output]);
  const graphs: Readonly<Record<string, GraphProto>> = {
    'cycle.onnx': { node: [relu('b', 'y'), relu('y', 'b')] },
    'itself.onnx': { node: [relu('y', 'y')] },
    'undefined.onnx': { node: [relu('nope', 'y'), node('Add', ['x', 'neither'], ['z'])] },
    'twice.onnx': { node: [relu('x', 'y'), relu('x', 'y')] },
    'short.onnx': { initializer: [weight('w', WEIGHT, { rawData: new Uint8Array(23) })] },
    'huge.onnx': { initializer: [weight('w', WEIGHT, { dims: [2 ** 50, 3, 1, 1] })] },
    'negative.onnx': { initializer: [weight('w', WEIGHT, { dims: [-2, 3, 1, 1] })] },
    'type.onnx': { initializer: [weight('w', WEIGHT, { dataType: 99 })] },
    'hostile.onnx': { node: [node('Relu', [HOSTILE], ['y'], { name: HOSTILE })] },
    'mismatch.onnx': { initializer: [weight('w', [2, 5, 1, 1])] },
  };
  for (const [name, graph] of Object.entries(graphs)) files.file(name, convolution(graph));
  for (const version of [1, 6, 7, 26, 27]) {
    files.file(`opset${version}.onnx`, convolution({}, { opsetImport: [{ domain: '', version }] }));
  }
  for (const irVersion of [2, 3, 13, 14]) files.file(`ir${irVersion}.onnx`, convolution({}, { irVersion }));
  files.file('opsets.onnx', convolution({}, { opsetImport: [] }));
  files.file('nested.onnx', nestedModel(150));
  return [
    refused('nodes in a circle', 'cycle.onnx x.npy', "nodes need each other's outputs"),
    refused('a node that reads itself', 'itself.onnx x.npy', "nodes need each other's outputs"),
    refused('values that nothing defines', 'undefined.onnx x.npy', '"nope"', '"neither"', 'nothing defines'),
    refused('a value defined twice', 'twice.onnx x.npy', '"y" is defined twice'),
    refused('a weight with too few bytes', 'short.onnx x.npy', 'takes 24 bytes', '23'),
    refused('a weight of 2^50 channels', 'huge.onnx x.npy', /"w".*(?:takes \d+ bytes|more than 2\^53)/),
    refused('a negative extent', 'negative.onnx x.npy', '[-2, 3, 1, 1]'),
    refused('a data type that ONNX does not have', 'type.onnx x.npy', 'data type 99'),
    refused('names that steer the terminal', 'hostile.onnx x.npy', 'nothing defines', '\\u001b[31mRED'),
    refused('a weight that does not fit its input', 'mismatch.onnx x.npy', 'Conv', 'sample x.npy#0'),
    refused('opset 1', 'opset1.onnx x.npy', 'opset 1; 7 to 26 are supported', 'hint: '),
    refused('opset 6', 'opset6.onnx x.npy', 'opset 6; 7 to 26 are supported', 'hint: '),
    refused('opset 27', 'opset27.onnx x.npy', 'opset 27; 7 to 26 are supported', 'hint: '),
    fine('opset 7', 'opset7.onnx x.npy'),
    fine('opset 26', 'opset26.onnx x.npy'),
    refused('no opset', 'opsets.onnx x.npy', 'opset_import'),
    refused('IR version 2', 'ir2.onnx x.npy', 'IR version 2; 3 to 13 are supported'),
    refused('IR version 14', 'ir14.onnx x.npy', 'IR version 14; 3 to 13 are supported'),
    fine('IR version 3', 'ir3.onnx x.npy'),
    fine('IR version 13', 'ir13.onnx x.npy'),
    refused(
      '150 graphs within each other',
      'nested.onnx random',
      'nested too deeply',
      'more than 100 levels',
    ),
  ];
}

function external(files: Workspace): Row[] {
  const bytes = new Uint8Array(Float32Array.from(filled(WEIGHT)).buffer);
  files.file('secret.bin', bytes);
  files.file('data/w.bin', bytes);
  files.file('data/tiny.bin', bytes.subarray(0, 3));
  symlinkSync(join(files.folder, 'secret.bin'), join(files.folder, 'data/link.bin'));
  const locations: Readonly<Record<string, string>> = {
    inside: 'w.bin',
    missing: 'none.bin',
    above: '../secret.bin',
    absolute: join(files.folder, 'secret.bin'),
    link: 'link.bin',
    device: '/dev/zero',
    folder: '.',
    backslash: '..\\secret.bin',
    short: 'tiny.bin',
  };
  for (const [name, location] of Object.entries(locations)) {
    const tensor: TensorProto = {
      name: 'w',
      dims: [...WEIGHT],
      dataType: 1,
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [{ key: 'location', value: location }],
    };
    files.file(`data/${name}.onnx`, convolution({ initializer: [tensor] }));
  }
  return [
    fine('weights in a file beside the model', 'data/inside.onnx x.npy'),
    refused('weights in a file that is not there', 'data/missing.onnx x.npy', '"w"', 'none.bin', 'is not in'),
    refused(
      'weights above the folder',
      'data/above.onnx x.npy',
      '../secret.bin',
      "out of the model's folder",
    ),
    refused('weights at an absolute path', 'data/absolute.onnx x.npy', 'an absolute path'),
    refused('weights behind a link out', 'data/link.onnx x.npy', 'a link to', "out of the model's folder"),
    refused('weights in a device', 'data/device.onnx x.npy', '/dev/zero', 'an absolute path'),
    refused('weights in a folder', 'data/folder.onnx x.npy', '"w"'),
    refused('weights above it, as Windows says', 'data/backslash.onnx x.npy', "out of the model's folder"),
    refused('weights in a file that is too short', 'data/short.onnx x.npy', 'tiny.bin', '24', '3'),
  ];
}
