import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reasonText } from '../../src/commands/accuracy/picture-reason.js';
import { Pictures, type PictureNaming } from '../../src/commands/accuracy/pictures.js';
import type { Picture, Sample } from '../../src/run/data/dataset.js';
import { openDataset } from '../../src/run/data/index.js';
import { IGNORED, type Truth } from '../../src/run/labels/truth.js';
import { FILLING, type Prediction } from '../../src/run/predictions/prediction.js';
import { scores, truthBoxes, boxes, values } from '../run/metrics/scored.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const NAMELESS: PictureNaming = { classNames: new Map(), labelOffset: 0 };
const PARTED = [scores(1, 0), scores(0, 1)];
const INPUT = { name: 'x', dtype: 'float32', shape: [1, 3, 8, 8] } as const;

const sampleOf = (id: string, index: number, picture?: Picture): Sample => ({
  id,
  index,
  feeds: new Map([
    [
      'x',
      {
        dtype: 'float32',
        dims: [1],
        data: new Float32Array(1),
        ...(picture === undefined ? {} : { picture }),
      },
    ],
  ]),
});

/** Of images that are written to a folder of their own. */
async function shownOf(
  folder: string,
  names: readonly string[],
  {
    predictions = PARTED,
    truth,
    naming = NAMELESS,
    preset = 'unit',
    change,
  }: {
    predictions?: readonly Prediction[];
    truth?: Truth;
    naming?: PictureNaming;
    preset?: 'unit' | 'yolo';
    change?: (path: (name: string) => string) => void;
  } = {},
): ReturnType<Pictures['result']> {
  for (const name of names)
    files.file(`${folder}/${name}`, readFileSync(projectPath(`fixtures/data/images/${name}`)));
  const dataset = await openDataset({
    sources: [`${files.folder}/${folder}`],
    inputs: [INPUT],
    preprocessing: { preset },
  });
  const pictures = new Pictures(8);
  for await (const sample of dataset.samples()) pictures.add(sample, predictions, FILLING, truth);
  change?.((name) => `${files.folder}/${folder}/${name}`);
  return pictures.result(dataset, naming);
}

describe('Pictures', () => {
  it('shows samples as they are fed: upright where the preprocessing turns them', async () => {
    const [stored] = (await shownOf('stored', ['exif_6.jpg']))!.samples;
    const [upright] = (await shownOf('upright', ['exif_6.jpg'], { preset: 'yolo' }))!.samples;
    expect([upright!.width, upright!.height]).toEqual([stored!.height, stored!.width]);
    expect(upright).toMatchObject({ sample: 'exif_6.jpg', distance: 1, reason: '0 -> 1' });
  });

  it('leaves out what cannot be read again, or is another picture by then', async () => {
    const names = ['rgb.png', 'rgb_16.png', 'wide.png'];
    const shown = await shownOf('gone', names, {
      change: (path) => {
        rmSync(path('rgb.png'));
        files.file('gone/wide.png', readFileSync(path('rgb_16.png')));
      },
    });
    expect(shown!.samples.map(({ sample }) => sample)).toEqual(['rgb_16.png']);
    expect(shown!.among).toBe(3);
    const none = await shownOf('damaged', ['rgb.png'], {
      change: () => void files.file('damaged/rgb.png', 'no image'),
    });
    expect(none).toBeUndefined();
  });

  it('shows classes of the labels as the accuracy numbers them, and names of those that are shown alone', async () => {
    const naming = {
      classNames: new Map([
        [1, 'cat'],
        [7, 'dog'],
        [9, 'cow'],
      ]),
      labelOffset: 1,
    };
    const shown = await shownOf('offset', ['rgb.png'], { truth: { kind: 'class', label: 6 }, naming });
    expect(shown!.samples[0]).toMatchObject({ truth: { kind: 'class', label: 7 }, reason: '0 -> cat' });
    expect(shown!.classNames).toEqual({ 1: 'cat', 7: 'dog' });
  });

  it('shows no label that counts as nothing', async () => {
    const ignored = await shownOf('ignored', ['rgb.png'], { truth: { kind: 'class', label: IGNORED } });
    expect(ignored!.samples[0]).not.toHaveProperty('truth');
    const crowd = await shownOf('crowd', ['rgb.png'], {
      predictions: [boxes([0, 0, 1, 1, 0, 0.9]), boxes()],
      truth: truthBoxes([0, 0, 1, 1, 0, 1], [0, 0, 0.123456, 1, 2, 0]),
    });
    expect(crowd!.samples[0]!.truth).toEqual({
      kind: 'boxes',
      boxes: [{ x0: 0, y0: 0, x1: 0.1235, y1: 1, label: 2 }],
    });
  });

  it('has none of data that are no images, of one network, and of outputs that are values', async () => {
    const dataset = await openDataset({
      sources: [projectPath('fixtures/data/images/rgb.png')],
      inputs: [INPUT],
    });
    const picture = { width: 8, height: 8 };
    const none = new Pictures(8);
    none.add(sampleOf('a.npy#0', 0), PARTED, FILLING, undefined);
    none.add(sampleOf('a.png', 0, picture), [scores(1, 0)], FILLING, undefined);
    none.add(sampleOf('a.png', 0, picture), [values(1), values(2)], FILLING, undefined);
    expect(await none.result(dataset, NAMELESS)).toBeUndefined();
  });

  it('says that nothing differs among so many', async () => {
    const shown = await shownOf('same', ['rgb.png', 'grey.png'], {
      predictions: [scores(1, 0), scores(1, 0)],
    });
    expect(shown).toEqual({ samples: [], among: 2 });
  });
});

describe('reasonText', () => {
  const names = new Map([
    [1, 'cat'],
    [2, 'x'.repeat(500)],
  ]);

  it.each([
    [{ kind: 'class', from: 1, to: 3 }, 'cat -> 3'],
    [{ kind: 'class', from: 1, to: undefined }, 'cat -> no answer'],
    [{ kind: 'class', from: 1, to: 1, shares: [0.91, 0.544] }, 'cat: 91.0 % -> 54.4 %'],
    [{ kind: 'boxes', shared: 2, reference: 5, candidate: 2 }, '2 of 5 boxes found'],
    [{ kind: 'boxes', shared: 2, reference: 5, candidate: 3 }, '2 of 5 boxes found, 1 new'],
    [{ kind: 'boxes', shared: 0, reference: 0, candidate: 3 }, '3 new'],
    [{ kind: 'mask', iou: 0.312 }, 'IoU with the reference 0.31'],
  ] as const)('puts %o as %s', (reason, text) => {
    expect(reasonText(reason, names)).toBe(text);
  });

  it('cuts names that nobody would read to the end', () => {
    expect(reasonText({ kind: 'class', from: 2, to: 1 }, names)).toBe(`${'x'.repeat(40)}… -> cat`);
  });
});
