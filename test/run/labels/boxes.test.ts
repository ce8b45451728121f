import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLabels } from '../../../src/run/labels/index.js';
import { folderOf } from '../data/support.js';
import {
  labelFixture,
  labelsOf,
  REFERENCE,
  refusal,
  requestOf,
  saidBy,
  samplesIn,
  truthsOf,
} from './support.js';

const wanted = ['boxes'] as const;

describe('boxes of YOLO', () => {
  it('are lines of a class, a centre and extents, or polygons, which they surround', async () => {
    const root = folderOf({
      'labels/a.txt': '1 0.5 0.5 0.2 0.4\r\n\r\n0 0.1 0.2 0.5 0.1 0.3 0.6\n',
      'labels/none.txt': '',
      'labels/classes.txt': 'dog\ncat\n',
    });
    const samples = samplesIn(root, 'images/a.jpg', 'images/none.jpg', 'images/missing.jpg');
    const [first, ...others] = await truthsOf({ root, samples, wanted });
    const boxes = first?.kind === 'boxes' ? first.boxes : [];
    expect(boxes.map(({ label }) => label)).toEqual([1, 0]);
    expect([boxes[0]!.x0, boxes[0]!.y0, boxes[0]!.x1, boxes[0]!.y1]).toEqual([0.4, 0.3, 0.6, 0.7]);
    expect([boxes[1]!.x0, boxes[1]!.y0, boxes[1]!.x1, boxes[1]!.y1]).toEqual([0.1, 0.1, 0.5, 0.6]);
    expect(others).toEqual([
      { kind: 'boxes', boxes: [] },
      { kind: 'boxes', boxes: [] },
    ]);
    const labels = await labelsOf({ root, samples, wanted });
    expect(saidBy(labels)).toEqual([
      `labels: 2 boxes of YOLO text files in ${root.split('/').at(-1)!}/labels`,
      'names of label classes: 2 from classes.txt',
      'images without objects: 1 have no .txt file',
      'polygons: 1, taken as the boxes around them',
    ]);
    expect([...labels.classNames.values()]).toEqual(['dog', 'cat']);
    expect(await truthsOf({ root, samples, wanted, labels: join(root, 'labels') })).toEqual([
      first,
      ...others,
    ]);
  });

  it('that are malformed are all named with their lines', async () => {
    const root = folderOf({
      'labels/a.txt':
        '0 0.5 0.5 0.2 0.2\n0 0.5 nan 0.2 0.2\n0 0.5 0.5 0.2\nx 0.5 0.5 0.2 0.2\n0.5 0.5 0.5 0.2 0.2',
      'labels/b.txt': '0 0.95 0.5 0.2 0.2\n0 320 240 50 60\n0 0.5 0.5 -0.1 0.2\n-1 0.5 0.5 0.1 0.1\n',
      'labels/c.txt': new Uint8Array([0xff, 0xfe, 0, 1]),
    });
    const samples = samplesIn(root, 'images/a.jpg', 'images/b.jpg', 'images/c.jpg');
    const lines = (await refusal({ root, samples, wanted })).split('\n');
    expect(lines[0]).toBe('9 lines are no boxes of YOLO, in 3 of 3 label files');
    expect(lines.slice(1, 10).map((line) => line.replace(/^.*\/labels\//, ''))).toEqual([
      'a.txt:2: nan is not a number',
      'a.txt:3: it has 4 numbers; 5 are a box, 7 and more in pairs a polygon',
      'a.txt:4: x is not a number',
      'a.txt:5: the class is 0.5, not an integer',
      "b.txt:1: it reaches 0.0500 of the image's extent outside; shares from 0 to 1 are wanted",
      "b.txt:2: it reaches 344 of the image's extent outside; shares from 0 to 1 are wanted",
      'b.txt:3: its width or height is negative',
      'b.txt:4: the class is -1, not an integer',
      'c.txt is not UTF-8 text',
    ]);
  });

  it('of a class that the model does not have are refused, unless names tell that they are of no interest', async () => {
    const root = folderOf({ 'labels/a.txt': '7 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n' });
    const samples = samplesIn(root, 'images/a.jpg');
    expect(await refusal({ root, samples, wanted, model: { count: 2 } })).toMatch(
      /does not have: 7; it has classes 0 to 1/,
    );
    const mapped = await truthsOf({ root, samples, wanted, model: { count: 2 }, classMap: '7=0,*=-' });
    expect(mapped.map((truth) => truth.kind === 'boxes' && truth.boxes.map(({ label }) => label))).toEqual([
      [0],
    ]);
  });

  it('are none when no file is named like an image', async () => {
    const root = folderOf({ 'labels/q.txt': '0 0.5 0.5 0.2 0.2', 'm/classes.txt': 'dog' });
    const samples = samplesIn(root, 'images/a.jpg');
    expect(await refusal({ root, samples, wanted })).toMatch(
      /none of the 1 .txt files in .*labels is named like a sample/,
    );
    expect(await refusal({ root, samples, wanted, labels: join(root, 'm') })).toMatch(
      /the folder holds no .txt files of boxes/,
    );
    const bare = folderOf({ 'images/a.jpg': 'x' });
    expect(
      await openLabels(requestOf({ root: bare, samples: samplesIn(bare, 'images/a.jpg'), wanted })),
    ).toBeUndefined();
  });
});

describe('boxes of COCO', () => {
  const file = labelFixture('coco.json');
  const samples = samplesIn('/set', 'a.jpg', 'b.jpg', 'empty.jpg');
  const asked = { root: '/set', samples, labels: file, wanted };

  it('are those that pycocotools reads, with classes in the order of ids', async () => {
    const truths = await truthsOf(asked);
    const order = [1, 13, 90];
    for (const [i, { id }] of samples.entries()) {
      const truth = truths[i]!;
      const found = truth.kind === 'boxes' ? truth.boxes : [];
      expect(
        found.map(({ label, crowd, x0, y0, x1, y1 }) => ({
          category: order[label],
          crowd,
          edges: [x0, y0, x1, y1],
        })),
      ).toEqual(REFERENCE.coco[id]);
    }
    const labels = await labelsOf(asked);
    expect([...labels.classNames]).toEqual([
      [0, 'person'],
      [1, 'stop sign'],
      [2, 'toothbrush'],
    ]);
    expect(saidBy(labels)).toContain('label classes: place of the category in the order of ids');
  });

  it.each([
    ['as many classes as categories', { count: 3 }, [0, 2]],
    ['as many as the highest id', { count: 90 }, [0, 89]],
    ['one more, for the background', { count: 91 }, [1, 90]],
    ['names', { count: 2, names: ['Toothbrush', 'person'] }, [1, 0]],
  ])('are of the classes of a model with %s', async (_, model, labels) => {
    const [first] = await truthsOf({ ...asked, model });
    expect(first?.kind === 'boxes' && first.boxes.map(({ label }) => label)).toEqual(labels);
  });

  it('are found where COCO and Roboflow have them', async () => {
    const content = readFileSync(file, 'utf8');
    for (const [place, folder] of [
      ['annotations/instances_val2017.json', 'val2017'],
      ['annotations/instances_val2017.json', 'images/val2017'],
      ['train/_annotations.coco.json', 'train'],
    ] as const) {
      const root = join(folderOf({ [place]: content, [`${folder}/a.jpg`]: 'x' }), folder);
      const found = samplesIn(root, 'a.jpg', 'b.jpg', 'empty.jpg');
      expect(await truthsOf({ root, samples: found, wanted })).toEqual(await truthsOf(asked));
    }
  });

  it('miss the samples that the file does not list', async () => {
    const more = [...samples, ...samplesIn('/set', '../../etc/passwd')];
    expect(await refusal({ ...asked, samples: more })).toMatch(/1 of 4 samples have no label/);
    expect(await refusal({ ...asked, samples: samplesIn('/set', 'q.jpg') })).toMatch(
      /none of the 3 images in coco.json is a sample/,
    );
    expect(await refusal({ ...asked, wanted: ['class'] })).toMatch(
      /--labels holds boxes of COCO; wanted are class/,
    );
  });

  it('that are malformed are all named', async () => {
    const image = { id: 1, file_name: 'a.jpg', width: 100, height: 50 };
    const box = (bbox: unknown, category = 1): object => ({ image_id: 1, category_id: category, bbox });
    const said = async (content: object): Promise<string> => {
      const root = folderOf({ 'l.json': JSON.stringify(content) });
      return refusal({ ...asked, samples: samplesIn('/set', 'a.jpg'), labels: join(root, 'l.json') });
    };
    const categories = [{ id: 1, name: 'dog' }];
    const annotations = [
      box([0, 0, 5]),
      box([0, 0, null, 1]),
      box([0, 0, 5, 5], 7),
      box([0, 0, 101, 5]),
      box([5, 5, -1, 5]),
      3,
    ];
    expect((await said({ images: [image], categories, annotations })).split('\n').slice(0, 7)).toEqual([
      '6 entries of l.json cannot be used',
      'l.json, annotations[0]: bbox is [0, 0, 5]; [x, y, width, height] in pixels is wanted',
      'l.json, annotations[1]: bbox is [0, 0, null, 1]; [x, y, width, height] in pixels is wanted',
      'l.json, annotations[2]: category_id 7 is none of the categories',
      'l.json, annotations[3]: bbox [0, 0, 101, 5] reaches outside of the image, 100x50',
      'l.json, annotations[4]: bbox has a negative extent: -1x5',
      'l.json, annotations[5]: it is no object',
    ]);
    expect(await said({ images: [{ ...image, width: 0 }, 7], categories, annotations: [] })).toMatch(
      /images\[0\] \(a.jpg\): it has no width and height[^]*images\[1\]: id and file_name are wanted/,
    );
    expect(await said({ images: [image, { ...image, id: 2 }], categories, annotations: [] })).toMatch(
      /several labels that differ/,
    );
    expect(await said({ images: [image], annotations: [] })).toMatch(/it has no categories/);
  });
});
