/** Model files that are none, broken ones, and ones that cannot be simulated. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphProto, NodeProto, TensorProto } from '../../../src/onnx/proto.js';
import type { Workspace } from '../../support/workspace.js';
import {
  behindConvolution,
  BOOL,
  convolution,
  DOUBLE,
  doubles,
  filled,
  floats,
  INPUT,
  INT64,
  nestedModel,
  node,
  STRING,
  value,
  WEIGHT,
  weight,
} from './proto-models.js';
import { fine, refused, type Row } from './row.js';

/** Steers terminals, turns text around, ends C strings. */
export const HOSTILE = '\u001b[31mRED\u0007\r\nqdbg: fine \u202egnp.exe\u2066\u009b31m\u0000end';

export function modelRows(files: Workspace): Row[] {
  return [...notModels(files), ...broken(files), ...external(files), ...odd(files), ...operators(files)];
}

function notModels(files: Workspace): Row[] {
  const whole = convolution();
  const contents: Readonly<Record<string, string | Uint8Array>> = {
    'text.onnx': 'hello, I am a text\n',
    'jpeg.onnx': Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70),
    'png.onnx': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    'zip.onnx': Buffer.from('PK\u0003\u0004\u0014\0\0\0', 'latin1'),
    'hdf5.onnx': Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'),
    'flat.onnx': Buffer.from('\x1c\0\0\0TFL3\0\0\0\0', 'latin1'),
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
    refused('TFLite', 'flat.onnx x.npy', 'TFLite is not supported yet'),
    refused('an empty file', 'empty.onnx x.npy', 'empty.onnx is empty (0 bytes)'),
    refused('a Git LFS pointer', 'pointer.onnx x.npy', 'a Git LFS pointer', 'hint: git lfs pull'),
    refused('a login page', 'page.onnx x.npy', 'an HTML page'),
    refused('noise', 'noise.onnx x.npy', 'noise.onnx: not an ONNX model'),
    refused('zeros', 'zeros.onnx x.npy', 'zeros.onnx: not an ONNX model'),
    refused('a folder', 'folder.onnx x.npy', 'is a folder; a model file is wanted', 'inside.onnx'),
    refused('a missing file', 'none.onnx x.npy', 'none.onnx does not exist'),
    refused('a path under a file', 'text.onnx/m.onnx x.npy', 'text.onnx/m.onnx does not exist'),
    refused('half a model', 'half.onnx x.npy', /half\.onnx: .*truncated: it has \d+ bytes, .* ends at byte \d+/),
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
    'huge.onnx': { initializer: [weight('w', [2 ** 50, 3, 1, 1], { rawData: new Uint8Array(24) })] },
    'negative.onnx': { initializer: [weight('w', WEIGHT, { dims: [-2, 3, 1, 1] })] },
    'type.onnx': { initializer: [weight('w', WEIGHT, { dataType: 99 as 1 })] },
    'hostile.onnx': { node: [node('Relu', [HOSTILE], ['y'], { name: HOSTILE })] },
    'mismatch.onnx': { initializer: [weight('w', [2, 5, 1, 1])] },
  };
  for (const [name, graph] of Object.entries(graphs)) files.file(name, convolution(graph));
  const versions = { 1: [], 6: [], 27: [], 7: [], 26: [] };
  for (const version of Object.keys(versions)) {
    files.file(`opset${version}.onnx`, convolution({}, { opsetImport: [{ domain: '', version: Number(version) }] }));
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
    refused('150 graphs within each other', 'nested.onnx random', 'nested too deeply', 'more than 100 levels'),
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
      dataLocation: 1,
      externalData: [{ key: 'location', value: location }],
    };
    files.file(`data/${name}.onnx`, convolution({ initializer: [tensor] }));
  }
  return [
    fine('weights in a file beside the model', 'data/inside.onnx x.npy'),
    refused('weights in a file that is not there', 'data/missing.onnx x.npy', '"w"', 'none.bin', 'is not in'),
    refused('weights above the folder', 'data/above.onnx x.npy', '../secret.bin', "out of the model's folder"),
    refused('weights at an absolute path', 'data/absolute.onnx x.npy', 'an absolute path'),
    refused('weights behind a link out', 'data/link.onnx x.npy', 'a link to', "out of the model's folder"),
    refused('weights in a device', 'data/device.onnx x.npy', '/dev/zero', 'an absolute path'),
    refused('weights in a folder', 'data/folder.onnx x.npy', '"w"'),
    refused('weights above it, as Windows says', 'data/backslash.onnx x.npy', "out of the model's folder"),
    refused('weights in a file that is too short', 'data/short.onnx x.npy', 'tiny.bin', '24', '3'),
  ];
}

function odd(files: Workspace): Row[] {
  const values = filled(WEIGHT);
  const replaced = (first: number): TensorProto => floats('w', WEIGHT, [first, ...values.slice(1)]);
  const graphs: Readonly<Record<string, GraphProto>> = {
    'nan.onnx': { initializer: [replaced(NaN)] },
    'infinite.onnx': { initializer: [replaced(Infinity)] },
    'nothing.onnx': { initializer: [floats('w', WEIGHT, values.map(() => 0))] },
    'denormal.onnx': { initializer: [floats('w', WEIGHT, values.map(() => 1e-42))] },
    'overflow.onnx': { initializer: [floats('w', WEIGHT, values.map(() => 3e38))] },
    'empty-dim.onnx': { input: [value('x', [1, 3, 0, 4])] },
    'empty-batch.onnx': { input: [value('x', [0, 3, 4, 4])] },
    'no-shape.onnx': { input: [value('x')] },
    'no-inputs.onnx': { input: [], initializer: [weight('w', WEIGHT), weight('x', INPUT)] },
    'constant.onnx': { node: [], input: [], output: [value('w')] },
    'integers.onnx': { node: [node('Add', ['x', 'x'], ['y'])], input: [value('x', [1, 4], INT64)] },
    'passed.onnx': { node: [], output: [value('x')] },
    'both.onnx': { output: [value('c'), value('y')] },
    'text-input.onnx': { node: [node('Identity', ['x'], ['y'])], input: [value('x', [1], STRING)] },
    'sequence.onnx': {
      node: [node('SequenceAt', ['x', 'i'], ['y'])],
      input: [{ name: 'x', type: { sequenceType: { elemType: { tensorType: { elemType: 1 } } } } }],
      initializer: [{ name: 'i', dims: [], dataType: INT64, rawData: new Uint8Array(8) }],
    },
    'same-names.onnx': {
      node: [node('Conv', ['x', 'w'], ['c'], { name: 'n' }), node('Relu', ['c'], ['y'], { name: 'n' })],
    },
    'no-names.onnx': {
      node: [node('Conv', ['x', 'w'], ['c'], { name: '' }), node('Relu', ['c'], ['y'], { name: '' })],
    },
    'hostile-input.onnx': {
      node: [node('Conv', [HOSTILE, 'w'], ['y'], { name: HOSTILE })],
      input: [value(HOSTILE, INPUT)],
    },
    'long-names.onnx': {
      node: [node('Conv', ['x', 'w'], ['c'.repeat(10_000)]), node('Relu', ['c'.repeat(10_000)], ['y'])],
    },
    'log.onnx': { node: [node('Log', ['x'], ['l']), node('Conv', ['l', 'w'], ['y'])] },
    'batch4.onnx': { input: [value('x', [4, 3, 4, 4])] },
    'batch3.onnx': { input: [value('x', [3, 3, 4, 4])] },
    'open-batch.onnx': { input: [value('x', ['N', 3, 4, 4])] },
    'open-size.onnx': { input: [value('x', ['N', 3, 'H', 'W'])] },
    'gray.onnx': { input: [value('x', [1, 1, 4, 4])], initializer: [weight('w', [2, 1, 1, 1])] },
    'seven.onnx': { input: [value('x', [1, 7, 4, 4])], initializer: [weight('w', [2, 7, 1, 1])] },
  };
  for (const [name, graph] of Object.entries(graphs)) files.file(name, convolution(graph));
  return [
    refused('NaN in a weight', 'nan.onnx x.npy', 'NaN or infinite', "'w': 1 value", 'hint: --skip'),
    refused('infinity in a weight', 'infinite.onnx x.npy', 'NaN or infinite', "'w': 1 value"),
    fine('a weight of zeros', 'nothing.onnx x.npy'),
    fine('a weight of the smallest numbers', 'denormal.onnx x.npy'),
    fine('a weight of the largest numbers', 'overflow.onnx x.npy'),
    refused('an input without rows', 'empty-dim.onnx x.npy', 'size 0', 'x has shape [1, 3, 0, 4]'),
    refused('an input without rows, random data', 'empty-dim.onnx random', 'size 0'),
    refused('a batch of none', 'empty-batch.onnx x.npy', 'size 0', '[0, 3, 4, 4]'),
    refused('an input of unknown rank', 'no-shape.onnx x.npy', 'what shape', 'hint: --shape x='),
    fine('an input of unknown rank that is told', 'no-shape.onnx x.npy --shape x=1x3x4x4'),
    refused('no inputs', 'no-inputs.onnx random', 'has no inputs'),
    refused('constants alone', 'constant.onnx random', 'has no inputs'),
    refused('no floats', 'integers.onnx random', 'nothing to quantize', 'no node of this model computes with floats'),
    refused('an output that is the input', 'passed.onnx x.npy', 'nothing to quantize'),
    fine('two outputs', 'both.onnx x.npy'),
    refused('an input of text', 'text-input.onnx random', 'input x has type string'),
    refused('an input that is a sequence', 'sequence.onnx random', 'sequences', '\n  x\n'),
    fine('nodes of the same name', 'same-names.onnx x.npy'),
    fine('nodes without names', 'no-names.onnx x.npy'),
    fine('an input whose name steers the terminal', 'hostile-input.onnx x.npy'),
    fine('names of ten thousand letters', 'long-names.onnx x.npy'),
    fine('a network that computes NaN', 'log.onnx x.npy'),
    fine('a batch of four', 'batch4.onnx x.npy'),
    refused('a batch of four for images', 'batch4.onnx images', 'a fixed batch of 4'),
    refused('four samples in batches of three', 'batch3.onnx x.npy', '[4, 3, 4, 4]', '[3, 3, 4, 4]'),
    fine('an open batch', 'open-batch.onnx random'),
    fine('an open size that the data has', 'open-size.onnx x.npy'),
    refused('an open size for images', 'open-size.onnx images', 'to what size', 'hint: --shape x=1x3x'),
    refused('an open size for random data', 'open-size.onnx random', 'needs fixed sizes', 'hint: --shape x=1x3x'),
    fine('an open size that is told', 'open-size.onnx images --shape x=1x3x4x4'),
    refused('an open size told as 0', 'open-size.onnx images --shape x=1x3x0x4', 'positive integers'),
    refused('an open size that no memory holds', 'open-size.onnx random --shape x=1x3x60000x60000', '60000', 'bytes'),
    refused('a size that is not the model’s', 'good.onnx x.npy --shape x=1x3x5x5', '[1, 3, 4, 4]'),
    refused('a size of an input that is not there', 'good.onnx x.npy --shape z=1', 'no input "z"'),
    refused('a size that is none', 'good.onnx x.npy --shape x=axb', 'is not NAME=DIMS'),
    fine('colour images for a grey model', 'gray.onnx images'),
    refused('images for seven channels', 'seven.onnx images', '7 channels', 'images give 1 or 3', 'hint: --calib x='),
  ];
}

function operators(files: Workspace): Row[] {
  const mine = (op: string, input: string, output: string, name: string): NodeProto =>
    node(op, [input], [output], { domain: 'my.domain', name });
  const body = (op: string): GraphProto => ({
    name: op,
    node: [mine(op, 'c', 'inner', 'inside')],
    output: [value('inner')],
  });
  const attribute = (name: string, op: string): NonNullable<NodeProto['attribute']>[number] => ({
    name,
    type: 5,
    g: body(op),
  });
  files.file(
    'custom.onnx',
    behindConvolution([
      mine('Frobnicate', 'c', 'f', 'first'),
      node('Abs', ['f'], ['a']),
      mine('Wibble', 'a', 'b', 'second'),
      mine('Frobnicate', 'b', 'y', ''),
    ]),
  );
  files.file('missing-op.onnx', behindConvolution([node('NoSuchOp', ['c'], ['d']), node('Nor', ['d'], ['y'])]));
  files.file(
    'quantized-path.onnx',
    behindConvolution([mine('Frob', 'c', 'd', 'frob'), node('Conv', ['d', 'v'], ['y'])], {
      initializer: [weight('w', WEIGHT), weight('v', [2, 2, 1, 1])],
    }),
  );
  files.file(
    'in-body.onnx',
    behindConvolution(
      [node('If', ['b'], ['y'], { attribute: [attribute('then_branch', 'Frob'), attribute('else_branch', 'Wob')] })],
      { input: [value('x', INPUT), value('b', [], BOOL)] },
    ),
  );
  files.file(
    'kernels.onnx',
    behindConvolution(
      [
        mine('Frob', 'c', 'f', 'frob'),
        node('Conv', ['c', 'v'], ['d'], { name: 'again' }),
        node('Cast', ['d'], ['s'], { attribute: [{ name: 'to', type: 2, i: 1 }] }),
        node('Conv', ['s', 'u'], ['y'], { name: 'single' }),
      ],
      {
        input: [value('x', INPUT, DOUBLE)],
        output: [value('y'), value('f')],
        initializer: [doubles('w', WEIGHT), doubles('v', [2, 2, 1, 1]), weight('u', [2, 2, 1, 1])],
      },
    ),
  );
  files.file('hostile-op.onnx', behindConvolution([mine(`F${HOSTILE}`, 'c', 'y', 'N'.repeat(10_000))]));
  files.file(
    'quantized.onnx',
    behindConvolution([
      node('QuantizeLinear', ['c', 's'], ['q']),
      node('DequantizeLinear', ['q', 's'], ['y']),
    ], { initializer: [weight('w', WEIGHT), floats('s', [], [0.1])] }),
  );
  return [
    refused(
      'operators that the runtime lacks: all of them, with their places',
      'custom.onnx x.npy',
      '3 of the 5 nodes',
      'node 1 first: my.domain:Frobnicate',
      'node 3 second: my.domain:Wibble',
      'node 4 Frobnicate#4: my.domain:Frobnicate',
    ),
    refused('operators that ONNX lacks', 'missing-op.onnx x.npy', '2 of the 3 nodes', 'NoSuchOp', ': Nor'),
    refused('an operator among quantized ones', 'quantized-path.onnx x.npy', '1 of the 3', 'frob: my.domain:Frob'),
    refused(
      'operators inside a branch',
      ['in-body.onnx', 'x=x.npy', '--calib', 'b=random'],
      '1 of the 2 nodes',
      'inside If',
      'my.domain:Frob',
      'my.domain:Wob',
    ),
    refused(
      'operators that the runtime has for other types',
      'kernels.onnx random',
      '3 of the 5 nodes',
      'node 0 conv: Conv of float64',
      'node 1 frob: my.domain:Frob',
      'node 2 again: Conv of float64',
    ),
    refused('an operator whose name steers the terminal', 'hostile-op.onnx x.npy', 'F\\u001b[31mRED', '…'),
    refused('a model that is quantized already', 'quantized.onnx x.npy', 'quantized already', '2 of its 3 nodes'),
  ];
}
