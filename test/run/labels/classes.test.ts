import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLabels, namedClasses } from '../../../src/run/labels/index.js';
import { folderOf, rejection } from '../data/support.js';
import { classesOf, labelsOf, refusal, requestOf, saidBy, samplesIn, truthsOf } from './support.js';

describe('class folders', () => {
  const tree = (...files: string[]): string => folderOf(Object.fromEntries(files.map((name) => [name, 'x'])));

  it('are numbered by the order of their names, whatever samples are in use, empty ones too', async () => {
    const root = tree('bee/1.png', 'Cow/1.png', 'ant/1.png', 'ant/notes.md');
    mkdirSync(join(root, 'zebu'));
    const asked = { root, samples: samplesIn(root, 'bee/1.png'), model: { count: 5 } };
    expect(await classesOf(asked)).toEqual([2]);
    const labels = await labelsOf(asked);
    expect(labels.labelCount).toBe(4);
    expect([...labels.classNames.values()]).toEqual(['Cow', 'ant', 'bee', 'zebu']);
    expect(saidBy(labels)).toEqual([
      'labels: 4 class folders',
      'class folders: in the order of their names, as sorted() of Python gives it',
      'class folders: 4; the model tells 5 classes apart',
      'empty class folders: zebu',
    ]);
  });

  it('that have nothing but their order are refused where the model has other classes beside them', async () => {
    const root = tree('cat/1.png', 'dog/1.png');
    const asked = { root, samples: samplesIn(root, 'cat/1.png', 'dog/1.png'), model: { count: 10 } };
    expect(await refusal(asked)).toMatch(
      /the labels name 2 classes, the model tells 10 apart: nothing says which of them these are\ncat\ndog/,
    );
    expect(await classesOf({ ...asked, classMap: 'cat=3,dog=5' })).toEqual([3, 5]);
  });

  it('are the class numbers where they are called so', async () => {
    const root = tree('10/a.png', '2/a.png', '1/a.png');
    const samples = samplesIn(root, '1/a.png', '2/a.png', '10/a.png');
    expect(await classesOf({ root, samples })).toEqual([1, 2, 10]);
    expect(await classesOf({ root, samples, labelOffset: -1, model: { count: 10 } })).toEqual([0, 1, 9]);
    const prefixed = tree('1_ant/a.png', '0_zebu/a.png');
    expect(
      await classesOf({ root: prefixed, samples: samplesIn(prefixed, '0_zebu/a.png', '1_ant/a.png') }),
    ).toEqual([0, 1]);
  });

  it('are matched with the names of the model, with or without the number before them', async () => {
    const root = tree('0_hot_dog/a.png', '1_ant/a.png');
    const asked = { root, samples: samplesIn(root, '0_hot_dog/a.png', '1_ant/a.png') };
    expect(await classesOf({ ...asked, model: { count: 3, names: ['ant', 'bee', 'Hot Dog'] } })).toEqual([
      2, 0,
    ]);
    expect(await refusal({ ...asked, model: { count: 3, names: ['ants', 'bee', 'Hot Dog'] } })).toMatch(
      /1 of 2 label classes are no class of the model\n1_ant; close: ants/,
    );
    expect(await classesOf({ ...asked, model: { count: 2, names: ['tench', 'goldfish'] } })).toEqual([0, 1]);
  });

  it('that are more than the classes of the model are refused, unless a map brings them together', async () => {
    const root = tree('a/1.png', 'b/1.png', 'c/1.png');
    const asked = { root, samples: samplesIn(root, 'a/1.png', 'c/1.png'), model: { count: 2 } };
    expect(await refusal(asked)).toMatch(/has 3 class folders; the model tells 2 classes apart\na\nb\nc/);
    expect(await classesOf({ ...asked, classMap: 'a=1,*=0' })).toEqual([1, 0]);
  });

  it('are the innermost ones below train and val', async () => {
    const root = tree('train/ant/1.png', 'train/bee/1.png', 'val/ant/1.png', 'val/cow/1.png');
    expect(
      await classesOf({
        root,
        samples: samplesIn(root, 'val/ant/1.png', 'train/bee/1.png', 'val/cow/1.png'),
      }),
    ).toEqual([0, 1, 2]);
  });

  it('are those beside the listed ones when the data is a list of paths, or the data itself is named as labels', async () => {
    const root = tree('set/ant/1.png', 'set/bee/1.png', 'set/cow/1.png', 'set/notes/a.md', 'list.txt');
    const samples = samplesIn(root, 'set/bee/1.png', 'set/cow/1.png');
    expect(await classesOf({ root: join(root, 'list.txt'), samples })).toEqual([1, 2]);
    expect(await classesOf({ root, samples, labels: root })).toEqual([1, 2]);
    expect(await refusal({ root, samples, labels: join(root, 'set') })).toMatch(
      /the folder holds no class folders that are those of the data/,
    );
  });

  it('are none when there is one only, or names that say what files are for', async () => {
    for (const files of [
      ['ant/1.png', 'ant/2.png'],
      ['train/1.png', 'val/1.png'],
      ['1.png', '2.png'],
    ]) {
      const root = tree(...files);
      expect(await openLabels(requestOf({ root, samples: samplesIn(root, ...files) }))).toBeUndefined();
    }
  });

  it('say that samples of one class say little, and miss the samples beside them', async () => {
    const root = tree('ant/1.png', 'ant/2.png', 'bee/1.png', 'stray.png');
    const samples = samplesIn(root, 'ant/1.png', 'ant/2.png');
    expect(saidBy(await labelsOf({ root, samples }))).toContain(
      'one class only: accuracy on samples of a single class says little',
    );
    expect(await refusal({ root, samples: [...samples, ...samplesIn(root, 'stray.png')] })).toMatch(
      /1 of 3 samples have no label[^]*stray.png/,
    );
  });
});

describe('--class-map', () => {
  const asked = (): Parameters<typeof refusal>[0] & { root: string } => {
    const root = folderOf({ 'l.csv': 'file,label\na,cat\nb,dog\nc,fox\n' });
    return { root, samples: samplesIn(root, 'a', 'b', 'c'), labels: join(root, 'l.csv') };
  };
  const model = { count: 3, names: ['pet', 'wild', 'hot dog'] };

  it('takes names and numbers on both sides, many labels to one class, and - to ignore', async () => {
    expect(await classesOf({ ...asked(), model, classMap: 'cat=pet, 1 = 0 ,FOX=-' })).toEqual([0, 0, 0xffff]);
    expect(await classesOf({ ...asked(), model, classMap: '*=hot_dog,fox=wild' })).toEqual([2, 2, 1]);
  });

  it('leaves labels that it does not name to their names', async () => {
    expect(
      await classesOf({ ...asked(), model: { names: ['dog', 'cat', 'pet'] }, classMap: 'fox=pet' }),
    ).toEqual([1, 0, 2]);
  });

  it('is refused with all that is wrong in it', async () => {
    const said = await refusal({
      ...asked(),
      model,
      classMap: 'cta=pet,dog=wilds,fox=7,fox,9=1,cat=0,cat=1,',
    });
    expect(said.split('\n').slice(0, 8)).toEqual([
      '--class-map: 7 pairs cannot be followed',
      'cta=pet: the labels have no class cta',
      'dog=wilds: the model has no class wilds; close: wild',
      'fox=7: the model has 3 classes, 0 to 2',
      'fox: LABEL=CLASS is wanted',
      '9=1: the labels have no class 9',
      'cat=1: cat is given twice',
      'an empty pair: LABEL=CLASS is wanted',
    ]);
    expect(await refusal({ ...asked(), classMap: 'cat=pet' })).toMatch(
      /the model has no names of classes; --classes FILE/,
    );
  });
});

describe('names of classes', () => {
  it('are known by keyword', async () => {
    const coco80 = await namedClasses('coco80');
    const coco91 = await namedClasses('COCO91');
    expect([coco80.length, coco80[0], coco80[79]]).toEqual([80, 'person', 'toothbrush']);
    expect([coco91.length, coco91[0], coco91[11], coco91[12], coco91[89]]).toEqual([
      90,
      'person',
      '',
      'stop sign',
      'toothbrush',
    ]);
    expect(coco91.filter((name) => name !== '')).toEqual(coco80);
    const voc = await namedClasses('voc21');
    expect([voc.length, voc[0], voc[15], voc[20]]).toEqual([21, 'background', 'person', 'tvmonitor']);
    expect(await namedClasses('cifar10')).toHaveLength(10);
  });

  it.each([
    ['names.txt', 'ant\nbee\n\n'],
    ['names.json', '["ant", "bee"]'],
    ['names.json', '{"1": "bee", "0": "ant"}'],
    ['names.json', '{"ant": 0, "bee": 1}'],
    ['data.yaml', 'names: [ant, bee]'],
    ['data.yaml', 'nc: 2\nnames:\n  0: ant\n  1: bee\n'],
    ['data.yaml', 'classes:\n  0: ant\n  1: bee\n'],
  ])('are read from a file %s', async (name, content) => {
    expect(await namedClasses(join(folderOf({ [name]: content }), name))).toEqual(['ant', 'bee']);
  });

  it('are refused where there are none', async () => {
    const said = async (name: string, content: string | Uint8Array): Promise<string> =>
      String(await rejection(namedClasses(join(folderOf({ [name]: content }), name))));
    expect(String(await rejection(namedClasses('coco82')))).toMatch(
      /neither a known list \(coco80, coco91, voc21, cifar10\) nor a file/,
    );
    expect(await said('n.txt', '\n')).toMatch(/n.txt holds no names/);
    expect(await said('n.json', '{"a": {"b": 1}}')).toMatch(/1 of its 1 entries are not names/);
    expect(await said('n.json', '{"99999999": "far"}')).toMatch(/not names of classes/);
    expect(await said('n.yaml', 'a: &a [x, x]\nnames: [*a, *a')).toMatch(/is not YAML/);
    const bomb = [
      'a: &a [x]',
      ...'bcdefghij'
        .split('')
        .map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[i]!}`).join(',')}]`),
    ];
    expect(await said('n.yaml', `${bomb.join('\n')}\nnames: *j\n`)).toMatch(
      /is not YAML: Excessive alias count/,
    );
  });

  it('beside labels are passed over where they are broken or contradict each other', async () => {
    const root = folderOf({
      'data.yaml': 'names: [ant, bee]',
      'other.yaml': 'names: [cow]',
      'broken.yaml': 'names: [',
      'labels/a.txt': '1 0.5 0.5 0.2 0.2\n',
    });
    const samples = samplesIn(root, 'images/a.jpg');
    const labels = await labelsOf({ root, samples, wanted: ['boxes'] });
    expect(saidBy(labels)).toContain(
      `names of label classes: not read: data.yaml and other.yaml in ${root.split('/').at(-1)!}/ differ`,
    );
    expect([...labels.classNames]).toEqual([]);
    expect(await truthsOf({ root, samples, wanted: ['boxes'] })).toHaveLength(1);
    expect(readFileSync(join(root, 'data.yaml'), 'utf8')).toContain('ant');
  });
});
