import { describe, expect, it } from 'vitest';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf } from '../data/support.js';
import {
  classesOf,
  labelFixture,
  labelsOf,
  REFERENCE,
  refusal,
  requestOf,
  saidBy,
  samplesIn,
  truthsOf,
} from './support.js';
import { openLabels } from '../../../src/run/labels/index.js';

/** A folder with a label file, and three samples of which two are called alike. */
function asked(
  name: string,
  content: string | Uint8Array,
): { root: string; samples: ReturnType<typeof samplesIn>; labels: string } {
  const root = folderOf({ [name]: content });
  return { root, samples: samplesIn(root, 'a/x.png', 'b/x.png', 'c.jpg'), labels: join(root, name) };
}

describe('labels in text tables', () => {
  it.each([
    ['a header', 'l.csv', 'file,label\na/x.png,2\nb/x.png,0\nc.jpg,1\n'],
    [
      'columns in another order, and others',
      'l.csv',
      'width,label,image\n9,2,a/x.png\n9,0,b/x.png\n9,1,c.jpg\n',
    ],
    ['no header', 'l.csv', 'a/x.png,2\nb/x.png,0\nc.jpg,1\n'],
    ['names without extensions', 'l.csv', 'a/x,2\nb/x,0\nc,1\n'],
    ['longer paths, of Windows', 'l.csv', 'file;label\nD:\\set\\a\\x.png;2\nD:\\set\\b\\x.png;0\nc.jpg;1'],
    ['tabs', 'l.tsv', 'name\tclass\na/x.png\t2\nb/x.png\t0\nc.jpg\t1'],
    ['spaces, as val.txt', 'val.txt', '# by hand\na/x.png 2\nb/x.png   0\n\nc.jpg 1\n'],
    ['one column in the order of the samples', 'l.txt', '2\n0\n1\n'],
    ['one column with a header', 'l.csv', 'label\n2\n0\n1\n'],
    [
      'pandas with its index, and integers as floats',
      'l.csv',
      ',file,label\n0,a/x.png,2.0\n1,b/x.png,0.0\n2,c.jpg,1.0\n',
    ],
    [
      'a byte order mark, quotes and CRLF',
      'l.csv',
      '\uFEFF"file","label"\r\n"a/x.png","2"\r\n"b/x.png","0"\r\n"c.jpg","1"\r\n',
    ],
    ['the form of MLPerf Tiny', 'l.csv', 'a/x.png,3,2\nb/x.png,3,0\nc.jpg,3,1\n'],
    ['a row twice that says the same', 'l.csv', 'a/x.png,2\na/x.png,2\nb/x.png,0\nc.jpg,1\n'],
  ])('reads %s', async (_, name, content) => {
    expect(await classesOf(asked(name, content))).toEqual([2, 0, 1]);
  });

  it('numbers names of classes as the model does, however they are spelt', async () => {
    const request = asked('l.csv', 'file,label\na/x.png,Hot_Dog\nb/x.png,cat\nc.jpg,hot dog\n');
    expect(await classesOf({ ...request, model: { names: ['cat', 'cow', 'hot dog'], count: 3 } })).toEqual([
      2, 0, 2,
    ]);
  });

  it('numbers names in sorted order when the model has none, and says so', async () => {
    const request = asked('l.csv', 'file,label\na/x.png,dog\nb/x.png,cat\nc.jpg,dog\nz.jpg,bee\n');
    expect(await classesOf(request)).toEqual([2, 1, 2]);
    const labels = await labelsOf(request);
    expect(labels.labelCount).toBe(3);
    expect([...labels.classNames]).toEqual([
      [0, 'bee'],
      [1, 'cat'],
      [2, 'dog'],
    ]);
    expect(saidBy(labels)).toEqual([
      'labels: l.csv, column label',
      'class names: 3, numbered in sorted order unless the model names its classes',
      'labels of no sample in use: 1',
    ]);
  });

  it('refuses names that the model does not have and names the nearest, with a map that leaves them out', async () => {
    const request = asked('l.csv', 'file,label\na/x.png,dogs\nb/x.png,cat\nc.jpg,cow\n');
    expect(await refusal({ ...request, model: { names: ['cat', 'dog', 'cow'] } })).toBe(
      "1 of 3 label classes are no class of the model\ndogs; close: dog\nhint: --class-map 'dogs=-'",
    );
    expect(await refusal({ ...request, model: { names: ['ship', 'plane'] } })).toMatch(
      /3 of 3 label classes are no class/,
    );
  });

  it('reads several numbers as values, and a column each as its header says', async () => {
    const rows = 'a/x.png,0.5,-1\nb/x.png,1e-3,2\nc.jpg,3,4\n';
    const wanted = [
      [0.5, -1],
      [0.001, 2],
      [3, 4],
    ];
    for (const content of [rows, `file,y0,y1\n${rows}`, `file,lat,lon\n${rows}`]) {
      const truths = await truthsOf(asked('l.csv', content));
      expect(truths.map((truth) => truth.kind === 'values' && [...truth.data])).toEqual(wanted);
    }
  });

  it('reads a single integer as a class or as a value, as it is wanted', async () => {
    const request = asked('l.csv', 'a/x.png,2\nb/x.png,0\nc.jpg,1\n');
    const truths = await truthsOf({ ...request, wanted: ['values'] });
    expect(truths.map((truth) => truth.kind === 'values' && truth.data[0])).toEqual([2, 0, 1]);
    expect(await refusal({ ...request, wanted: ['mask'] })).toMatch(
      /l.csv holds one class for each sample; wanted are mask/,
    );
  });

  it('adds --label-offset and ignores --ignore-label', async () => {
    const request = asked('l.csv', 'a/x.png,1\nb/x.png,3\nc.jpg,0\n');
    expect(await classesOf({ ...request, labelOffset: -1, ignoreLabel: 0, model: { count: 3 } })).toEqual([
      0, 2, 0xffff,
    ]);
    expect(await refusal({ ...request, model: { count: 3 } })).toBe(
      'the labels hold 1 class that the model does not have: 3; it has classes 0 to 2\nl.csv:2\nhint: --label-offset -1, if the labels count from 1',
    );
    expect(await refusal({ ...request, labelOffset: 0.5 })).toMatch(/--label-offset 0.5: an integer/);
  });

  it('lists all samples without a label, or leaves them out if that is allowed', async () => {
    const request = asked('l.csv', 'file,label\na/x.png,2\nb/x.png,\n');
    expect(await refusal(request)).toBe(
      '2 of 3 samples have no label in l.csv, column label\nb/x.png\nc.jpg\nhint: --skip-unlabelled leaves them out',
    );
    const labels = await labelsOf({ ...request, skipUnlabelled: true });
    expect([...labels.unlabelled]).toEqual(['b/x.png', 'c.jpg']);
    expect(saidBy(labels)).toContain('samples without a label: 2, left out');
  });

  it('refuses a name that several samples share, and labels of one sample that differ', async () => {
    expect(await refusal(asked('l.csv', 'x.png,2\nc.jpg,1\n'))).toMatch(
      /1 of 3 samples have a label that several samples share\nx.png \(l.csv:1\): a\/x.png and b\/x.png/,
    );
    expect(await refusal(asked('l.csv', 'a/x.png,2\na/x.png,1\nb/x.png,1\nc.jpg,1\n'))).toMatch(
      /several labels that differ\na\/x.png: a\/x.png \(l.csv:1\) and a\/x.png \(l.csv:2\) differ/,
    );
  });

  it('refuses labels of other samples alone, and matches by the last part of the name only when nothing else fits', async () => {
    expect(await refusal(asked('l.csv', 'file,label\nq.png,2\n'))).toMatch(
      /none of the 1 names in l.csv, column label is that of a sample/,
    );
    const root = folderOf({ 'l.csv': 'train/p.png,1\ntrain/q.png,0\n' });
    const request = { root, samples: samplesIn(root, 'val/p.png', 'val/q.png'), labels: join(root, 'l.csv') };
    expect(await classesOf(request)).toEqual([1, 0]);
    expect(saidBy(await labelsOf(request))).toContain('matching: by the file name alone, the folders differ');
  });

  it('wants as many labels in order as there are samples, used or not', async () => {
    const request = asked('l.txt', '2\n0\n1\n1\n');
    expect(await refusal({ ...request, available: 5 })).toMatch(
      /l.txt has 4 labels in order; there are 5 samples/,
    );
    const some = [
      { id: 'a/x.png', index: 1 },
      { id: 'c.jpg', index: 3 },
    ];
    expect(await classesOf({ ...request, samples: some, available: 4 })).toEqual([0, 1]);
    expect(await refusal({ ...request, samples: [{ id: 'q', index: 4 }] })).toMatch(/at least 5 samples/);
  });

  it.each([
    ['an empty file', 'l.csv', '', /l.csv is empty/],
    ['a header alone', 'l.csv', 'file,label\n', /a header and no labels/],
    [
      'rows of other widths, all of them',
      'l.csv',
      'a/x.png,2\nb/x.png\nc.jpg,1,1\n',
      /2 of 3 rows[^]*l.csv:2: 1\nl.csv:3: 3/,
    ],
    ['bytes that are no text', 'l.csv', new Uint8Array([0x89, 0x50, 0xff, 0xfe, 0]), /not UTF-8 text/],
    ['zero bytes', 'l.csv', 'a\0b', /zero bytes/],
    ['a quote that is not closed', 'l.csv', '"a/x.png,2\n', /l.csv: Quote/],
    [
      'columns that are not told apart',
      'l.csv',
      'foo,bar,baz,label\nu,v,w,1\n',
      /which column[^]*foo, bar, baz, label/,
    ],
    [
      'several columns of text without a header',
      'l.csv',
      'a/x.png,u,v\nb/x.png,u,v\n',
      /3 columns and no line that names them/,
    ],
    [
      'numbers and names mixed',
      'l.csv',
      'a/x.png,2\nb/x.png,cat\nc.jpg,1\n',
      /partly numbers \(2\), partly names \(1\)\nl.csv:2: cat/,
    ],
    [
      'fractions among classes',
      'l.csv',
      'a/x.png,2\nb/x.png,0.5\nc.jpg,cat\n',
      /1 of 3 labels in l.csv are no classes\nl.csv:2: 0.5/,
    ],
    ['a file of another kind', 'l.xml', '<a/>', /of a kind that holds no labels/],
  ])('refuses %s', async (_, name, content, form) => {
    expect(await refusal(asked(name, content))).toMatch(form);
  });

  it('refuses a file beyond 512 MiB before it is read', async () => {
    const request = asked('l.csv', 'a/x.png,1\n');
    truncateSync(request.labels, 2 ** 29 + 1); // sparse: takes no space
    expect(await refusal(request)).toMatch(/l.csv has 536870913 bytes; text of up to 536870888 is read/);
  });

  it('refuses values that are not finite, all of them', async () => {
    const request = asked('l.csv', 'file,y0,y1\na/x.png,nan,1\nb/x.png,1,2\nc.jpg,inf,3\n');
    expect(await refusal({ ...request, wanted: ['values'] })).toBe(
      '2 of 3 labels in l.csv, column y0, y1 are not 2 finite numbers\nl.csv:2: nan is not a finite number\nl.csv:4: inf is not a finite number\n' +
        'hint: --labels FILE that is whole, or --labels none, which does without',
    );
  });
});

describe('labels in JSON', () => {
  it.each([
    ['an object by name', { 'a/x.png': 2, 'b/x.png': 0, 'c.jpg': 1 }],
    [
      'objects',
      [
        { file: 'a/x.png', label: 2 },
        { file: 'b/x.png', label: 0 },
        { file: 'c.jpg', label: 1 },
      ],
    ],
    ['a list in order', [2, 0, 1]],
    ['a list under labels', { labels: [2, 0, 1] }],
    [
      'names of Object.prototype among the samples',
      { 'a/x.png': 2, 'b/x.png': 0, 'c.jpg': 1, ['constructor']: 1, toString: 0 },
    ],
  ])('reads %s', async (_, content) => {
    expect(await classesOf(asked('l.json', JSON.stringify(content)))).toEqual([2, 0, 1]);
  });

  it('reads lists of numbers as values', async () => {
    const truths = await truthsOf(
      asked(
        'l.json',
        JSON.stringify([
          [0.5, 1],
          [2, 3],
          [4, 5],
        ]),
      ),
    );
    expect(truths.map((truth) => truth.kind === 'values' && [...truth.data])).toEqual([
      [0.5, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  it.each([
    ['a truncated file', '{"a/x.png": 2, "b/x', /l.json is not JSON: it ends too early/],
    ['a file that is no JSON', '{"a": 1,, }', /l.json is not JSON: /],
    ['text', '"labels"', /l.json holds "labels", not labels/],
    ['nothing', '{}', /l.json holds no labels/],
    [
      'objects without labels, all of them',
      '[{"file": "a"}, {"label": 1}, {"a": {"b": 1}}]',
      /3 entries of l.json are no labels/,
    ],
    ['labels that are objects', '{"a/x.png": {"b": 1}}', /a\/x.png: an object of b is no label/],
    ['deep nesting', '['.repeat(100_000) + ']'.repeat(100_000), /l.json\[0\]: a list of 1 is no label/],
    [
      'an entry of the prototype',
      '{"__proto__": {"label": 1}, "a/x.png": 1}',
      /__proto__: an object of label is no label/,
    ],
  ])('refuses %s', async (_, content, form) => {
    expect(await refusal(asked('l.json', content))).toMatch(form);
    expect(({} as Record<string, unknown>)['label']).toBeUndefined();
  });
});

describe('labels in .npy', () => {
  const samples = samplesIn('/data', 'd', 'c', 'b', 'a');

  it.each(['classes', 'big-endian'])('reads integers as classes, as numpy has them: %s', async (name) => {
    const labels = labelFixture(`${name}.npy`);
    expect(await classesOf({ root: '/data', samples, labels })).toEqual(REFERENCE.npy[name]!.flat());
  });

  it.each(['values', 'half', 'classes'])('reads numbers as values, as numpy has them: %s', async (name) => {
    const truths = await truthsOf({
      root: '/data',
      samples,
      labels: labelFixture(`${name}.npy`),
      wanted: ['values'],
    });
    expect(truths.map((truth) => truth.kind === 'values' && [...truth.data])).toEqual(REFERENCE.npy[name]);
  });

  it('reads [N, height, width] as masks, as numpy has them', async () => {
    const truths = await truthsOf({
      root: '/data',
      samples,
      labels: labelFixture('masks.npy'),
      wanted: ['mask'],
    });
    for (const [i, truth] of truths.entries()) {
      expect(truth).toMatchObject({ kind: 'mask', width: 6, height: 3 });
      expect(truth.kind === 'mask' && [...truth.data]).toEqual(REFERENCE.npy['masks']![i]);
    }
  });

  it('refuses another number of labels than samples, floats as classes, and what is no array', async () => {
    const root = folderOf({ 'cut.npy': new Uint8Array([0x93, 78, 85]) });
    const labels = labelFixture('classes.npy');
    expect(await refusal({ root, samples: samples.slice(0, 2), available: 2, labels })).toMatch(
      /has 4 labels in order; there are 2 samples/,
    );
    expect(await refusal({ root, samples, wanted: ['class'], labels: labelFixture('values.npy') })).toMatch(
      /values.npy holds float32 4x3; wanted are class|values.npy holds float32 \[4, 3\]; wanted are class/,
    );
    expect(await refusal({ root, samples, labels: join(root, 'cut.npy') })).toMatch(
      /cut.npy: it is not a .npy file|cut.npy: it ends/,
    );
  });
});

describe('labels in the names of files', () => {
  const root = '/nowhere';
  const samples = samplesIn(root, 'tst_1_No_3.bin', 'tst_2_Go_1.bin', 'tst_3_No_3.bin');

  it('takes the group of the pattern, by its number or its name', async () => {
    expect(await classesOf({ root, samples, labels: String.raw`name:_(\d+)\.bin$` })).toEqual([3, 1, 3]);
    expect(await classesOf({ root, samples, labels: String.raw`name:_(\d)_(?<class>[A-Za-z]+)_` })).toEqual([
      1, 0, 1,
    ]);
  });

  it('numbers names of classes by all files that are there, not by the samples in use', async () => {
    const folder = folderOf({ 'x_ant.bin': 'x', 'x_bee.bin': 'x', 'x_cow.bin': 'x' });
    const some = samplesIn(folder, 'x_bee.bin', 'x_cow.bin');
    expect(await classesOf({ root: folder, samples: some, labels: String.raw`name:_([a-z]+)\.` })).toEqual([
      1, 2,
    ]);
  });

  it('refuses a pattern without a group, with several, that matches nothing, or is none', async () => {
    const said = (labels: string): Promise<string> => refusal({ root, samples, labels });
    expect(await said('name:No')).toMatch(/has no group; one is the class/);
    expect(await said('name:(a)(b)')).toMatch(/has 2 groups/);
    expect(await said('name:(q)')).toMatch(/matches none of 3 names/);
    expect(await said('name:(')).toMatch(/Unterminated group/);
    expect(await said(String.raw`name:No_(\d)`)).toMatch(
      /1 of 3 samples have no label in names of the files[^]*tst_2_Go_1.bin/,
    );
  });

  it('stops a pattern that backtracks without end', async () => {
    const long = samplesIn(root, `${'a'.repeat(200)}!`);
    expect(await refusal({ root, samples: long, labels: 'name:^(a+)+$' })).toMatch(
      /is not done with 1 names after 3 s/,
    );
  }, 60_000);
});

describe('labels that nobody named', () => {
  it('are those of labels.csv in the folder of the data, unless none are wanted', async () => {
    const root = folderOf({ 'labels.csv': 'a.bin,1\nb.bin,0\n' });
    const samples = samplesIn(root, 'a.bin', 'b.bin');
    expect(await classesOf({ root, samples })).toEqual([1, 0]);
    expect(await openLabels(requestOf({ root, samples, labels: 'none' }))).toBeUndefined();
    expect(await openLabels(requestOf({ root, samples, wanted: [] }))).toBeUndefined();
    expect(await openLabels(requestOf({ root, samples, wanted: ['boxes', 'mask'] }))).toBeUndefined();
  });

  it('are not there when a path does not exist', async () => {
    const root = folderOf({ a: 'x' });
    writeFileSync(join(root, 'b'), '');
    expect(await refusal({ root, samples: samplesIn(root, 'a'), labels: join(root, 'q.csv') })).toMatch(
      /--labels .*q.csv: it does not exist/,
    );
  });
});
