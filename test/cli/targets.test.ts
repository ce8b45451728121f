import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkTargets, parseTargets, writeWhole } from '../../src/cli/targets.js';
import { shapesOf } from '../../src/cli/requests.js';
import { UsageError } from '../../src/errors.js';
import { workspace } from '../support/workspace.js';

const files = workspace();

describe('--report', () => {
  it('takes a format, and a file behind the first equals sign; - is standard output', () => {
    expect(parseTargets(['json=a=b.json', 'terminal', 'json=c.json'])).toEqual([
      { reporter: 'json', file: 'a=b.json' },
      { reporter: 'terminal', file: undefined },
      { reporter: 'json', file: 'c.json' },
    ]);
    expect(parseTargets(['json=-'])).toEqual([{ reporter: 'json', file: undefined }]);
    expect(parseTargets([])).toEqual([]);
  });

  it.each(['', '=x', 'toString', '__proto__=x', 'JSON=x', 'json='])('refuses %j', (value) => {
    expect(() => parseTargets([value])).toThrow(UsageError);
  });
});

describe('the check before a long run', () => {
  it('leaves nothing behind and touches no report that is there', () => {
    const old = files.file('checked/old.json', 'old');
    checkTargets(
      [
        { reporter: 'json', file: old },
        { reporter: 'json', file: join(files.folder, 'checked/new.json') },
        { reporter: 'terminal', file: undefined },
      ],
      [],
    );
    expect(readdirSync(join(files.folder, 'checked'))).toEqual(['old.json']);
    expect(readFileSync(old, 'utf8')).toBe('old');
  });

  it('names every target that cannot be written', () => {
    mkdirSync(join(files.folder, 'folder'));
    const targets = ['folder', 'none/x.json'].map(
      (name) => ({ reporter: 'json', file: join(files.folder, name) }) as const,
    );
    const check = (): void => checkTargets(targets, []);
    expect(check).toThrow('cannot write the report');
    let places: readonly string[] = [];
    try {
      check();
    } catch (error) {
      places = (error as UsageError).places;
    }
    expect(places.map((place) => place.replace(files.folder, ''))).toEqual([
      '/folder is a folder',
      '/none/x.json: its folder does not exist',
    ]);
  });
});

describe('a target', () => {
  it('is neither a file that the run reads nor that of another report', () => {
    const model = files.file('model.onnx', 'a model');
    const to = (...names: string[]) => names.map((file) => ({ reporter: 'json', file }) as const);
    expect(() => checkTargets(to(model), [model])).toThrow(UsageError);
    expect(() => checkTargets(to(join(files.folder, '.', 'model.onnx')), [model])).toThrow(UsageError);
    const twice = join(files.folder, 'twice.json');
    expect(() => checkTargets(to(twice, twice), [])).toThrow(UsageError);
    expect(() => checkTargets(to(twice), [model])).not.toThrow();
  });
});

describe('a report file', () => {
  it('is replaced as a whole', () => {
    const path = files.file('whole/report.json', 'the old and longer content');
    writeWhole(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(join(files.folder, 'whole'))).toEqual(['report.json']);
  });

  it('stays as it was, and nothing is left over, when the new one cannot be written', () => {
    const folder = join(files.folder, 'blocked');
    mkdirSync(join(folder, 'report.json'), { recursive: true });
    expect(() => writeWhole(join(folder, 'report.json'), 'new')).toThrow(UsageError);
    expect(readdirSync(folder)).toEqual(['report.json']);
    expect(() => writeWhole(join(folder, 'none/report.json'), 'new')).toThrow(/its folder does not exist/);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('--shape', () => {
  it('takes extents by input name, which may hold an equals sign itself', () => {
    expect([...shapesOf(['image=1x3x224x224', 'a=b=2', 's=5'])]).toEqual([
      ['image', [1, 3, 224, 224]],
      ['a=b', [2]],
      ['s', [5]],
    ]);
  });

  it.each(['image', '=1x3', 'image=', 'image=1x', 'image=-1x3', 'image=1.5', 'image=1X3', 'image=axb'])(
    'refuses %j',
    (value) => {
      expect(() => shapesOf([value])).toThrow(/is not NAME=DIMS/);
    },
  );
});
