import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { namedClasses } from '../../../src/run/labels/index.js';
import { IGNORED } from '../../../src/run/labels/truth.js';
import { classesOf, filesOf, labelsOf, refusal, saidBy, SHARED, truthsOf } from './support.js';

const DATA = join(SHARED, 'data');

describe.skipIf(!existsSync(DATA))('labels of ../shared/data', () => {
  it('takes the class folders of cifar10 in the order of its own classes, with and without names of the model', async () => {
    const root = join(DATA, 'cifar10/eval');
    const samples = await filesOf(root, '.png');
    const names = await namedClasses('cifar10');
    const wanted = samples.map(({ file }) => names.indexOf(basename(dirname(file ?? ''))));
    expect(new Set(wanted).size).toBe(10);
    expect(await classesOf({ root, samples, model: { count: 10 } })).toEqual(wanted);
    const labels = await labelsOf({ root, samples, model: { count: 10, names } });
    expect(await classesOf({ root, samples, model: { count: 10, names } })).toEqual(wanted);
    expect(labels).toMatchObject({ kind: 'class', source: '10 class folders', labelCount: 10 });
    const reversed = [...names].reverse();
    expect(await classesOf({ root, samples, model: { count: 10, names: reversed } })).toEqual(
      wanted.map((label) => 9 - label),
    );
  });

  it('takes the numbers before the names of the folders of pcb, also with few samples', async () => {
    const root = join(DATA, 'pcb/eval');
    const samples = await filesOf(root, '.png');
    const wanted = samples.map(({ id }) => Number(id[0]));
    expect(new Set(wanted).size).toBe(7);
    expect(await classesOf({ root, samples, model: { count: 7 } })).toEqual(wanted);
    const few = samples.filter(({ id }) => /^[36]/.test(id));
    const labels = await labelsOf({ root, samples: few, model: { count: 7 } });
    expect(labels.labelCount).toBe(7);
    expect(labels.classNames.get(6)).toBe('6_pinhole');
    expect(await classesOf({ root, samples: few, model: { count: 7 } })).toEqual(
      few.map(({ id }) => Number(id[0])),
    );
  });

  it('reads the classes of kws off the names of the files, as off the list of MLPerf Tiny beside them', async () => {
    const root = join(DATA, 'kws');
    const samples = await filesOf(root, '.bin');
    const labels = String.raw`name:_(\d+)\.bin$`;
    const wanted = samples.map(({ id }) => Number(id.split('_').at(-1)?.split('.')[0]));
    expect(new Set(wanted).size).toBe(12);
    expect(await classesOf({ root, samples, labels, model: { count: 12 } })).toEqual(wanted);
    expect(await classesOf({ root, samples, model: { count: 12 } })).toEqual(wanted);
    const byName = String.raw`name:_([A-Z][a-z]+)_\d+\.bin$`;
    const words = [
      'Down',
      'Go',
      'Left',
      'No',
      'Off',
      'On',
      'Right',
      'Stop',
      'Up',
      'Yes',
      'Silence',
      'Unknown',
    ];
    expect(await classesOf({ root, samples, labels: byName, model: { count: 12, names: words } })).toEqual(
      wanted,
    );
  });

  it('finds the boxes of coco beside the images, equal to the lines of the files', async () => {
    const root = join(DATA, 'coco/eval');
    const samples = await filesOf(join(root, 'images'), '.jpg');
    const labels = await labelsOf({ root, samples, wanted: ['boxes'] });
    const names = await namedClasses('coco80');
    expect(labels.kind).toBe('boxes');
    expect([...labels.classNames.values()]).toEqual(names);
    let count = 0;
    for (const sample of samples) {
      const text = readFileSync(join(root, 'labels', sample.id.replace('.jpg', '.txt')), 'utf8');
      const lines = text.split('\n').filter((line) => line !== '');
      const truth = await labels.read(sample);
      if (truth.kind !== 'boxes') throw new Error(truth.kind);
      expect(truth.boxes.length).toBe(lines.length);
      for (const [i, line] of lines.entries()) {
        const [label, cx = 0, cy = 0, w = 0, h = 0] = line.split(' ').map(Number);
        const { x0, y0, x1, y1, ...rest } = truth.boxes[i]!;
        expect(rest).toEqual({ label, crowd: false });
        expect((x0 + x1) / 2).toBeCloseTo(cx, 12);
        expect((y0 + y1) / 2).toBeCloseTo(cy, 12);
        expect(x1 - x0).toBeCloseTo(w, 12);
        expect(y1 - y0).toBeCloseTo(h, 12);
      }
      count += lines.length;
    }
    expect(count).toBeGreaterThan(300);
  });

  it('drops the boxes of classes that a detector of two classes does not have, and counts them', async () => {
    const root = join(DATA, 'coco/eval');
    const samples = await filesOf(join(root, 'images'), '.jpg');
    const all = await truthsOf({ root, samples, wanted: ['boxes'] });
    const model = { names: ['dog', 'person'], count: 2 };
    const some = await truthsOf({ root, samples, wanted: ['boxes'], model });
    const boxesOf = (truths: typeof all): number[] =>
      truths.flatMap((truth) => (truth.kind === 'boxes' ? truth.boxes.map(({ label }) => label) : []));
    expect(boxesOf(some)).toEqual(
      boxesOf(all)
        .filter((label) => label === 0 || label === 16)
        .map((label) => (label === 0 ? 1 : 0)),
    );
    const dropped = boxesOf(all).length - boxesOf(some).length;
    const said = saidBy(await labelsOf({ root, samples, wanted: ['boxes'], model })).join('\n');
    expect(said).toContain(`matched by name, 2; ${dropped} boxes of `);
  });

  it('maps the panoptic masks of coco to classes of Pascal VOC by --class-map, and says that it is needed', async () => {
    const root = join(DATA, 'coco/eval');
    const samples = await filesOf(join(root, 'images'), '.jpg');
    const model = { count: 21, names: await namedClasses('voc21') };
    const asked = { root, samples, wanted: ['mask'] as const, model };
    expect(await refusal(asked)).toMatch(
      /label classes are no class of the model[^]*--class-map '[^]*person=15[^]*\*=0'/,
    );
    expect(await refusal({ ...asked, model: { count: 21 } })).toMatch(
      /the model does not have: 22 \(elephant\)[^]*--class-map 'person=1,\*=0'/,
    );
    const labels = await labelsOf({ ...asked, classMap: 'person=person,unlabeled=-,*=0' });
    expect(saidBy(labels)).toContain('names of label classes: 130 from segmentation.yaml');
    const seen = new Set<number>();
    for (const sample of samples.slice(0, 8)) {
      const truth = await labels.read(sample);
      if (truth.kind !== 'mask') throw new Error(truth.kind);
      expect(truth.data.length).toBe(truth.width * truth.height);
      for (const label of truth.data) seen.add(label);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 15, IGNORED]);
  });
});
