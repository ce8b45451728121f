/** Arrays, archives and lists that cannot be read or do not fit the model. */
import { crc32, deflateRawSync } from 'node:zlib';
import { npy } from '../../support/npy.js';
import type { Workspace } from '../../support/workspace.js';
import { convolution, filled, floats, INPUT, INT64, node, value, weight } from './proto-models.js';
import { fine, refused, type Row } from './row.js';

const STACK = [4, ...INPUT.slice(1)];

export function dataRows(files: Workspace): Row[] {
  return [...arrays(files), ...archives(files), ...lists(files), ...inputs(files)];
}

function arrays(files: Workspace): Row[] {
  const values = filled(STACK);
  const some = (at: number, value: number): number[] => values.with(at, value);
  const array = (name: string, dims: readonly number[], content: readonly number[]): string =>
    files.file(`${name}.npy`, npy(dims, content));
  array('x', STACK, values);
  array('high', [4, 3, 5, 4], filled([4, 3, 5, 4]));
  array('two-channels', [4, 2, 4, 4], filled([4, 2, 4, 4]));
  array('flat', [5], filled([5]));
  array('nan', STACK, some(100, NaN).with(60, NaN));
  array('infinite', STACK, some(60, -Infinity));
  array(
    'zeros',
    STACK,
    values.map(() => 0),
  );
  array(
    'constant',
    STACK,
    values.map(() => 3.5),
  );
  array('none', [0, 3, 4, 4], []);
  const whole = npy(STACK, values);
  files.file('cut.npy', whole.subarray(0, 400));
  files.file('empty.npy', '');
  files.file('text.npy', 'hello');
  const header = (text: string, data: Uint8Array = new Uint8Array(0)): Buffer =>
    Buffer.concat([
      Buffer.from(`\x93NUMPY\x01\0${String.fromCharCode(text.length)}\0${text}`, 'latin1'),
      data,
    ]);
  const fields = (descr: string, shape: string): string =>
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  files.file('endless-header.npy', Buffer.from('\x93NUMPY\x02\0\xff\xff\xff\xff  ', 'latin1'));
  files.file('huge.npy', header(fields('<f4', '1000000000, 3, 4, 4')));
  files.file('objects.npy', header(fields('|O', '4, 3, 4, 4')));
  files.file('code.npy', header("{'descr': __import__('os')}"));
  files.file(
    'bytes.npy',
    header(
      fields('|u1', '4, 3, 4, 4'),
      Uint8Array.from({ length: 192 }, (_, i) => i),
    ),
  );
  return [
    refused(
      'another height',
      'good.onnx high.npy',
      '[4, 3, 5, 4]',
      '[1, 3, 4, 4]',
      'axis 2 is 5, 4 is wanted',
    ),
    refused('two channels', 'good.onnx two-channels.npy', 'axis 1 is 2, 3 is wanted'),
    refused('another rank', 'good.onnx flat.npy', 'its shape is [5]', '[1, 3, 4, 4]'),
    refused('NaN in two samples', 'good.onnx nan.npy', '2 of 4 samples', 'nan.npy#1', 'nan.npy#2', '1 NaN'),
    refused('infinity', 'good.onnx infinite.npy', 'infinite.npy#1 (sample 2 of 4)', '1 infinite'),
    fine('NaN that is left out', 'good.onnx nan.npy --skip-unreadable'),
    refused(
      'zeros',
      'good.onnx zeros.npy',
      'is constant',
      'input x is 0 everywhere, samples: 4',
      'hint: --calib',
    ),
    refused('one value everywhere', 'good.onnx constant.npy', 'input x is 3.5 everywhere'),
    fine('constant data to measure on', 'good.onnx x.npy --eval zeros.npy'),
    refused('no samples', 'good.onnx none.npy', 'size 0'),
    refused('an array cut short', 'good.onnx cut.npy', 'cut.npy', '400 bytes'),
    refused('an empty array', 'good.onnx empty.npy', 'empty.npy: it is empty'),
    refused('text named .npy', 'good.onnx text.npy', 'it is not a .npy file'),
    refused('a header of 4 GB', 'good.onnx endless-header.npy', 'header has 4294967295 bytes; up to 65536'),
    refused('an array of a billion samples', 'good.onnx huge.npy', '[1000000000, 3, 4, 4]'),
    refused('Python objects', 'good.onnx objects.npy', 'it holds Python objects'),
    refused('Python code', 'good.onnx code.npy', 'header is malformed'),
    refused('codes without a preset', 'good.onnx bytes.npy', 'uint8 codes, not float32', 'hint: --preset'),
    fine('codes with a preset', 'good.onnx bytes.npy --preset unit'),
    fine('more samples asked for than there are', 'good.onnx x.npy --samples 1000000'),
  ];
}

function archives(files: Workspace): Row[] {
  const array = npy(INPUT, filled(INPUT));
  files.file('bomb.npz', zip('x.npy', Buffer.concat([array, Buffer.alloc(2 ** 26)])));
  files.file('up.npz', zip('../../x.npy', array));
  files.file('foreign.npz', zip('foo.npy', array).subarray(0));
  files.file('cut.npz', zip('x.npy', array).subarray(0, 150));
  files.file('text.npz', 'hello');
  return [
    fine('an array that expands to a thousand times what it should', 'good.onnx bomb.npz'),
    fine('an entry that names a path above', 'good.onnx up.npz'),
    fine('the only array, of another name', 'good.onnx foreign.npz'),
    refused('an archive cut short', 'good.onnx cut.npz', 'cut.npz', 'truncated'),
    refused('text named .npz', 'good.onnx text.npz', 'it is not a zip archive'),
  ];
}

/** An archive with one deflated entry. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function zip(name: string, content: Uint8Array): Buffer {
  const data = deflateRawSync(content);
  const common = Buffer.alloc(26); // version to the length of the extra field, the same in both headers
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\0', 'latin1'),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

function lists(files: Workspace): Row[] {
  const contents: Readonly<Record<string, string>> = {
    'list.txt': 'images/0.png\nimages/99.png\nimages/1.png\nnowhere/2.png\n',
    'blank.txt': '\n\n# nothing\n',
    'folder.txt': 'images\n',
    'both.txt': 'images/0.png\nx.npy\n',
    'itself.txt': 'itself.txt\n',
    'binary.txt': '\0\u0001\n\0',
    'long.txt': `${'n'.repeat(5000)}.png\n`,
  };
  for (const [name, content] of Object.entries(contents)) files.file(name, content);
  return [
    refused(
      'entries that are not there: all of them',
      'good.onnx list.txt',
      '2 of 4',
      'list.txt:2: ',
      'list.txt:4: ',
    ),
    fine('entries that are not there, left out', 'good.onnx list.txt --skip-unreadable'),
    refused('a list of nothing', 'good.onnx blank.txt', 'blank.txt lists no files'),
    refused('a list of a folder', 'good.onnx folder.txt', 'folder.txt:1: images: it is not a file'),
    refused('a list of different kinds', 'good.onnx both.txt', '.png .npy'),
    refused('a list of itself', 'good.onnx itself.txt', '.txt'),
    refused('a list that is not text', 'good.onnx binary.txt', 'binary.txt is not text'),
    refused('a name of five thousand letters', 'good.onnx long.txt', 'long.txt:1', 'the name is too long'),
  ];
}

function inputs(files: Workspace): Row[] {
  const dims = [1, 4];
  const two = convolution({
    node: [node('MatMul', ['a', 'w'], ['m']), node('Add', ['m', 'b'], ['y'])],
    input: [value('a', dims), value('b', dims)],
    initializer: [weight('w', [4, 4])],
  });
  const tokens = convolution({
    node: [node('Gather', ['e', 'ids'], ['g'], { name: 'look' }), node('MatMul', ['g', 'w'], ['y'])],
    input: [value('ids', [1, 6], INT64)],
    initializer: [floats('e', [10, 4], filled([10, 4])), weight('w', [4, 4])],
  });
  files.file('two.onnx', two);
  files.file('tokens.onnx', tokens);
  files.file('a.npy', npy([4, 4], filled([4, 4])));
  files.file('three.npy', npy([3, 4], filled([3, 4])));
  files.file(
    'ids.npy',
    longs([2, 6], (i) => i % 10),
  );
  files.file(
    'beyond.npy',
    longs([2, 6], (i) => 100 * i),
  );
  files.file('fractions.npy', npy([2, 6], filled([2, 6])));
  const pair = (...sources: string[]): string[] => ['two.onnx', ...sources.join(' --calib ').split(' ')];
  return [
    fine('two inputs', pair('a=a.npy', 'b=a.npy')),
    fine('two inputs, one of them random', pair('a=a.npy', 'b=random')),
    fine('two random inputs', 'two.onnx random'),
    refused('an input without data', pair('a=a.npy'), 'nothing is given for input b', 'hint: --calib b=PATH'),
    refused(
      'data without an input',
      pair('a.npy'),
      'a (float32 [1, 4])',
      'hint: --calib a=PATH --calib b=PATH',
    ),
    refused(
      'an input that is not there',
      pair('a=a.npy', 'c=a.npy'),
      'no input called c',
      'hint: --calib b=PATH',
    ),
    refused('an input given twice', pair('a=a.npy', 'a=a.npy', 'b=a.npy'), 'input a is given twice'),
    refused('different numbers of samples', pair('a=a.npy', 'b=three.npy'), 'a: 4', 'b: 3'),
    refused('two files that are not there', pair('a=p.npy', 'b=q.npy'), '2 of 2', 'p.npy', 'q.npy'),
    refused('images for two inputs', pair('images'), 'a (float32 [1, 4])'),
    fine('token ids', 'tokens.onnx ids.npy'),
    fine('random token ids', 'tokens.onnx random'),
    refused(
      'token ids beyond the table',
      'tokens.onnx beyond.npy',
      'Gather look',
      'out of data bounds',
      'sample beyond.npy#0',
    ),
    refused('fractions for token ids', 'tokens.onnx fractions.npy', 'float32', 'int64'),
    refused('images for token ids', 'tokens.onnx images', 'ids'),
  ];
}

/** Bytes of a .npy file of int64. */
function longs(dims: readonly number[], at: (i: number) => number): Uint8Array {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const head = Buffer.from(npy(dims, filled(dims)).subarray(0, -4 * count)).toString('latin1');
  const data = BigInt64Array.from({ length: count }, (_, i) => BigInt(at(i)));
  return Buffer.concat([Buffer.from(head.replace('<f4', '<i8'), 'latin1'), new Uint8Array(data.buffer)]);
}
