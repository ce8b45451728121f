/** Sweeps that cannot be made: one clear message each before anything is tried, and nothing is written. */
import { readFileSync, readdirSync, mkdirSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { graph } from '../support/graph-builder.js';
import { expectRefused, qdbg } from '../support/program.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);
const path = (name: string): string => join(files.folder, name);

copyFileSync(fixture('digits/digits.onnx'), path('m.onnx'));
mkdirSync(path('empty'));
const HERE = ['--calib', fixture('digits/calib'), '--preset', 'unit', '--samples', '2', '--processes', '1'];
const config = (name: string, value: unknown): string[] => {
  files.file(name, JSON.stringify(value));
  return ['--config', name];
};
files.model(
  'nan.onnx',
  graph()
    .input('x', 'float32', [1, 4])
    .constant(
      'weight',
      'float32',
      [4, 4],
      Array.from({ length: 16 }, () => NaN),
    )
    .node('MatMul', { name: 'dense', inputs: ['x', 'weight'], outputs: ['y'] })
    .output('y')
    .build(),
);
files.file('notes.txt', 'not a journal\n');
for (const name of ['external.onnx', 'external.bin']) copyFileSync(fixture(`loader/${name}`), path(name));

const flags = (...more: readonly string[]): readonly string[] => ['m.onnx', ...HERE, ...more];

const CASES: readonly (readonly [name: string, args: readonly string[], ...says: RegExp[]])[] = [
  ['a model that is quantized', [fixture('tflite/digits_int8.tflite'), ...HERE], /is quantized already/],
  ['a model without data', ['m.onnx'], /sweep needs calibration data/, /hint: --calib/],
  ['a folder without samples', ['m.onnx', '--calib', 'empty'], /empty holds no data/],
  [
    'weights that are no numbers',
    ['nan.onnx', '--calib', 'random', '--samples', '2', '--run', 'alone'],
    /nan|not a number|not finite|no finite/i,
  ],
  ['a part that does not exist', flags('--run', 'alone,nonsense'), /"nonsense" is none of alone, restored/],
  ['a search without a target', flags('--run', 'search'), /how much may be lost/, /hint: --target-drop 1pt/],
  ['a target without a search', flags('--run', 'alone', '--target-drop', '1pt'), /--run alone,search/],
  ['a precision without a search', flags('--to', 'int16'), /--to int16 is of the search/],
  ['a target without a unit', flags('--target-drop', '1'), /--target-drop 1 has no unit/],
  ['a target above all there is', flags('--target-drop', '200pt'), /200pt is more than there is to lose/],
  ['a target below nothing', flags('--target-drop', '-1pt'), /-1pt is negative/],
  [
    'a precision that the target does not have',
    flags('--target-drop', '1pt', '--to', 'int16', '--scheme', 'tensorrt'),
    /tensorrt has nothing wider/,
    /hint: --to float/,
  ],
  ['a group without patterns', flags('--group', 'head'), /--group head: a name and patterns are wanted/],
  [
    'groups that match nothing',
    flags('--group', 'a=zz/*', '--group', 'b=op:Nonsense'),
    /group a: 'zz\/\*'/,
    /group b: 'op:Nonsense'/,
  ],
  ['a selection that matches nothing', flags('--only', 'zz'), /a pattern matches no node and no tensor/],
  ['no process at all', flags('--processes', '0'), /whole number from 1 to 256/],
  ['an export that does not exist', flags('--export', 'keras=x'), /"keras" is none of qdq, ort/],
  ['an export without a file', flags('--export', 'qdq='), /The file is missing: qdq=FILE/i],
  ['an export into no folder', flags('--export', 'qdq=none/x.onnx'), /none\/x\.onnx: its folder does not/],
  ['an export over the model', flags('--export', 'qdq=m.onnx'), /m\.onnx: this run reads it/],
  ['two exports in one file', flags('--export', 'qdq=x', '--export', 'ort=x'), /x: two reports would go/],
  ['an export in the report', flags('--export', 'qdq=x', '--report', 'json=x'), /x: two reports would go/],
  ['an export of another format', flags('--export', 'tflite=x'), /tflite is for float \.tflite models/],
  ['a report of checks', flags('--report', 'junit=x.xml'), /--report junit: .*qdbg sweep judges nothing/],
  ['a report of faults', flags('--report', 'sarif=x.sarif'), /--report sarif: it lists faults/],
  ['a journal in the report', flags('--resume', 'j', '--report', 'json=j'), /j: this run reads it/],
  ['a journal in an export', flags('--resume', 'j', '--export', 'qdq=j'), /j: this run reads it/],
  ['a journal in the model', flags('--resume', 'm.onnx'), /m\.onnx is not the journal of a sweep/],
  ['a journal in other text', flags('--resume', 'notes.txt'), /notes\.txt is not the journal of a sweep/],
  ['a journal in no folder', flags('--resume', 'none/j'), /--resume none\/j: the file cannot be opened/],
  [
    'groups of a configuration that are none',
    flags(...config('groups.json', { groups: { a: 3, b: [], c: ['', 'x'] } })),
    /groups\.a: patterns are text/,
    /groups\.b: a name and patterns/,
    /groups\.c: a name and patterns/,
  ],
  [
    'experiments of a configuration that are none',
    flags(...config('experiments.json', { experiments: { a: { weights: 'int99' }, b: { bits: 1 }, c: 7 } })),
    /experiments\.a/,
    /experiments\.b/,
    /experiments\.c/,
  ],
  [
    'experiments that do not fit the network',
    flags(...config('unfit.json', { experiments: { a: { only: 'zz' }, b: { skip: ['op:Nonsense'] } } })),
    /experiments\.a: --only 'zz'/,
    /experiments\.b: --skip 'op:Nonsense'/,
  ],
];

describe.concurrent('a sweep is refused with', () => {
  const before = (): string[] => readdirSync(files.folder).sort();
  const there = before();
  const model = readFileSync(path('m.onnx'));
  const notes = readFileSync(path('notes.txt'));

  const cases = CASES.map(([name, args, ...says]) => ({ name, args, says }));
  it.each(cases)('$name', async ({ args, says }) => {
    expectRefused(await qdbg(['sweep', ...args], files.folder), ...says);
  });

  it.each([
    ['sweep', '--export', 'qdq=external.bin'],
    ['analyze', '--report', 'json=external.bin'],
    ['inspect', '--report', 'json=external.bin'],
  ])('a file of weights beside the model as target: %s %s %s', async (command, ...asked) => {
    const weights = readFileSync(path('external.bin'));
    const data = command === 'inspect' ? [] : ['--calib', 'random'];
    const run = await qdbg([command, 'external.onnx', ...data, ...asked], files.folder);
    expectRefused(run, /external\.bin: this run reads it/);
    expect(readFileSync(path('external.bin')).equals(weights)).toBe(true);
  });

  it('a target that cannot be, before anything is run or kept', async () => {
    const run = await qdbg(
      ['sweep', ...flags('--target-drop', '1', '--resume', 'late.jsonl', '--verbose')],
      files.folder,
    );
    expectRefused(run, /has no unit/);
    expect(run.err).not.toMatch(/calibrating|layers/);
  });

  afterAll(() => {
    expect(before()).toEqual(there);
    expect(readFileSync(path('m.onnx')).equals(model)).toBe(true);
    expect(readFileSync(path('notes.txt')).equals(notes)).toBe(true);
  });
});
