/** Flags and configuration files that make no sense. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Workspace } from '../../support/workspace.js';
import { fine, refused, type Row } from './row.js';

export function flagRows(files: Workspace): Row[] {
  return [...values(files), ...patterns(), ...reports(files), ...configurations(files)];
}

const RUN = 'good.onnx x.npy';

function values(files: Workspace): Row[] {
  files.file('broken-scheme.json', '{oops');
  files.file('empty-scheme.json', '{}');
  files.file(
    'odd-scheme.json',
    '{ "name": "x", "extends": "ort", "weights": { "dtype": "int3" }, "foo": 1 }',
  );
  const types = ['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16', 'float'];
  return [
    { name: 'no model', args: ['analyze', '--calib', 'x.npy'], says: ['MODEL', 'hint: qdbg analyze --help'] },
    { name: 'no data', args: ['analyze', 'good.onnx'], says: ['needs calibration data', 'hint: --calib'] },
    { name: 'an unknown command', args: ['analyse'], says: ["unknown command 'analyse'", 'hint: analyze'] },
    { name: 'a command that steers the terminal', args: ['\u001b[31mx'], says: ['\\u001b[31mx'] },
    refused('an unknown flag', `${RUN} --foo`, "unknown option '--foo'", 'hint: qdbg analyze --help'),
    refused('a mistyped flag', `${RUN} --sampels 3`, "'--sampels'", 'hint: --samples'),
    refused('two models', `${RUN} other.onnx`, 'too many arguments'),
    refused('no samples', `${RUN} --samples 0`, "'0'", 'whole number of 1 or more'),
    refused('a negative number of samples', `${RUN} --samples -1`, "'-1'"),
    refused('half a seed', `${RUN} --seed 1.5`, "'1.5'"),
    refused('a percentile of 30', `${RUN} --percentile 30`, "'30'", 'from 50 to 100'),
    refused('a percentile of another observer', `${RUN} --percentile 99 --observer mse`, 'not to mse'),
    refused('a momentum of 2', `${RUN} --momentum 2`, "'2'"),
    refused('no threads', `${RUN} --threads 0`, "'0'", 'from 1 to 1024'),
    refused('a million threads', `${RUN} --threads 1000000`, 'from 1 to 1024'),
    refused('no rows', `${RUN} --top 0`, "'0'"),
    refused('an unknown preset', `${RUN} --preset foo`, "'foo'", 'imagenet', 'yolo'),
    refused('means that are no numbers', `${RUN} --mean a,b`, "'a,b'"),
    refused(
      'an unknown scheme',
      `${RUN} --scheme nonsense`,
      "neither a scheme's name nor a file",
      'hint: --scheme ort',
    ),
    refused('a scheme of Object’s own', `${RUN} --scheme __proto__`, "neither a scheme's name nor a file"),
    refused('a folder as scheme', `${RUN} --scheme empty`, "neither a scheme's name nor a file"),
    refused(
      'a scheme that is not JSON',
      `${RUN} --scheme broken-scheme.json`,
      'broken-scheme.json is not JSON',
    ),
    refused('a scheme without anything', `${RUN} --scheme empty-scheme.json`, 'name', 'extends'),
    refused('a scheme with faults: all of them', `${RUN} --scheme odd-scheme.json`, 'weights.dtype', '"foo"'),
    refused('an unknown type', `${RUN} --weights int3`, "'int3'", 'int4'),
    ...types.map((type) => fine(`weights of ${type}`, `${RUN} --weights ${type}`)),
    ...types.slice(2).map((type) => fine(`activations of ${type}`, `${RUN} --activations ${type}`)),
    refused('activations of int4', `${RUN} --activations int4`, 'ort has no int4 activations; it has int8'),
    refused(
      'floats alone',
      `${RUN} --weights float --activations float`,
      'nothing to quantize',
      'hint: --weights',
    ),
    refused('flags that exclude each other', `${RUN} --per-axis --per-tensor`, '--per-axis', '--per-tensor'),
    refused('symmetric and not', `${RUN} --symmetric --asymmetric`, '--symmetric', '--asymmetric'),
    refused('axes of float weights', `${RUN} --weights float --per-axis`, '--per-axis is about weights'),
    refused('evaluation data that is not there', `${RUN} --eval missing.npy`, 'missing.npy', 'hint: --eval'),
    refused('evaluation data of another shape', `${RUN} --eval high.npy`, '[4, 3, 5, 4]'),
  ];
}

function patterns(): Row[] {
  return [
    refused('--only that matches nothing', `${RUN} --only zzz*`, "--only 'zzz*'", 'hint: qdbg inspect MODEL'),
    refused(
      '--skip that matches nothing: all of them',
      `${RUN} --skip op:Gemm --skip convv`,
      "'op:Gemm'",
      "'convv'",
      'close: conv',
    ),
    refused('--channels that match nothing', `${RUN} --channels nope`, '--channels', 'nope'),
    refused('an empty pattern', ['good.onnx', 'x.npy', '--only', ''], "--only ''"),
    refused('a pattern that takes exponential time elsewhere', `${RUN} --only ${'*a'.repeat(50)}b`, '--only'),
    refused('--skip that matches everything', `${RUN} --skip *`, 'nothing to quantize', 'conv: ', 'relu: '),
  ];
}

function reports(files: Workspace): Row[] {
  mkdirSync(join(files.folder, 'report-folder'));
  return [
    refused('an unknown format', `${RUN} --report foo=bar`, 'no reporter "foo"', 'hint: --report'),
    refused('a format of Object’s own', `${RUN} --report constructor=x`, 'no reporter "constructor"'),
    refused('no file', `${RUN} --report json=`, 'the file name is missing'),
    refused('a folder', `${RUN} --report json=report-folder`, 'report-folder is a folder'),
    refused('a folder that is not there', `${RUN} --report json=nowhere/r.json`, 'its folder does not exist'),
    refused('a path under a file', `${RUN} --report json=x.npy/r.json`, 'its folder does not exist'),
    refused('a place where no files are made', `${RUN} --report json=/proc/r.json`, '/proc/r.json'),
    refused(
      'one file twice',
      `${RUN} --report json=r.json --report terminal=./r.json`,
      'two reports would go there',
    ),
    refused('the model itself', `${RUN} --report json=good.onnx`, 'good.onnx: this run reads it'),
    refused('the data itself', `${RUN} --report json=./x.npy`, 'x.npy: this run reads it'),
    refused('two reports on standard output', `${RUN} --report json --report terminal`, '2 reports'),
  ];
}

function configurations(files: Workspace): Row[] {
  const contents: Readonly<Record<string, string>> = {
    'broken.json': '{oops',
    'list.json': '[1]',
    'unknown.json': '{ "weigths": "int8", "constructor": 1, "__proto__": 2 }',
    'values.json': '{ "weights": "int3", "samples": 0, "perTensor": "yes", "mean": "a,b" }',
    'opposites.json': '{ "perTensor": true, "perAxis": true }',
    'fine.json': '{ "weights": "int8", "perTensor": true }',
    'throws.mjs': 'throw new Error("boom \\u001b[31m")',
    'other.yaml': 'weights: int8',
  };
  for (const [name, content] of Object.entries(contents)) files.file(`config/${name}`, content);
  const using = (name: string): string => `${RUN} --config config/${name}`;
  return [
    refused(
      'a configuration that is not there',
      using('none.json'),
      'none.json',
      'does not exist',
      'hint: --config',
    ),
    refused('a folder as configuration', `${RUN} --config config`, 'it is not a file'),
    refused('a configuration that is not JSON', using('broken.json'), 'broken.json'),
    refused('a configuration of another kind', using('other.yaml'), 'other.yaml'),
    refused('a configuration that is a list', using('list.json'), 'must be an object'),
    refused('unknown settings: all of them', using('unknown.json'), 'weigths', 'constructor', '__proto__'),
    refused(
      'values that do not fit: all of them',
      using('values.json'),
      'int3',
      'samples',
      'perTensor',
      'mean',
    ),
    refused('settings that exclude each other', using('opposites.json'), 'perAxis and perTensor'),
    refused('a configuration that throws', using('throws.mjs'), 'boom \\u001b[31m'),
    fine('a configuration', using('fine.json')),
    fine('a flag against the configuration', `${using('fine.json')} --per-axis`),
  ];
}
