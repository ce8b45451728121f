import { describe, expect, it } from 'vitest';
import { chooseDecoder } from '../../../src/run/predictions/index.js';
import { HEAD_CASES, boxesOf, contextOf, output, requestOf } from './support.js';
import type { HeadCase } from './support.js';

function head(name: string): HeadCase {
  const found = HEAD_CASES.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no head ${name}`);
  return found;
}

describe('decoders of raw heads', () => {
  it.each(HEAD_CASES.map((entry) => [entry.name, entry] as const))(
    'finds in %s what the post-processing of its project finds',
    async (name, { outputs, context, detections }) => {
      const request = requestOf(outputs, { decode: name.split(' ')[0]!, context });
      const decoder = await chooseDecoder(request);
      const { boxes, nonFinite } = boxesOf(await decoder.decode(outputs, context));
      expect(nonFinite).toBe(0);
      expect(boxes.length).toBe(detections.length);
      for (const [at, { x0, y0, x1, y1, score, label }] of boxes.entries()) {
        const wanted = detections[at]!;
        expect(label).toBe(wanted[5]);
        [x0, y0, x1, y1, score].forEach((value, i) =>
          expect(Math.abs(value - wanted[i]!)).toBeLessThan(3e-6),
        );
      }
    },
  );

  it.each([
    ['yolov5', 'yolov5', undefined],
    ['yolov8', 'yolov8', undefined],
    ['yolov8 transposed', 'yolov8', 5],
    ['yolox', 'yolox', 6],
    ['yolox decoded', 'yolox', 6],
    ['nanodet plus', 'nanodet', 7],
    ['nanodet', 'nanodet', 7],
    ['picodet', 'picodet', undefined],
    ['picodet feature maps', 'picodet', undefined],
    ['ssd sigmoid', 'ssd', undefined],
  ] as const)('tells %s by its shapes and the number of classes', async (name, decoder, classes) => {
    const { outputs, context } = head(name);
    const request = requestOf(outputs, {
      context,
      wanted: ['boxes'],
      ...(classes === undefined ? {} : { classes }),
    });
    expect((await chooseDecoder(request)).name).toBe(decoder);
  });

  it('takes the number of classes from the metadata that Ultralytics writes', async () => {
    const { outputs, context } = head('yolov8 transposed');
    const names = "{0: 'a', 1: 'b: c', 2: 'd', 3: 'e', 4: 'f'}";
    const request = requestOf(outputs, { context, wanted: ['boxes'], metadata: new Map([['names', names]]) });
    expect(await chooseDecoder(request)).toMatchObject({ name: 'yolov8', classes: 5 });
  });

  it('lists the decoders when shapes leave several', async () => {
    const { outputs, context } = head('yolox');
    await expect(chooseDecoder(requestOf(outputs, { context, wanted: ['boxes'] }))).rejects.toMatchObject({
      name: 'UsageError',
      message: 'the outputs are output [1, 126, 11]: several decoders could read them',
      hint: '--decode yolov8, yolox, ./decode.js',
    });
  });

  it('counts rows with values that are not finite and leaves them out', async () => {
    const { outputs, context, detections } = head('yolov5');
    const [first] = outputs;
    const data = Float32Array.from(first!.data);
    const width = first!.dims[2]!;
    data[4] = NaN;
    data[width + 5] = -Infinity;
    data[2 * width] = Infinity;
    data[2 * width + 4] = 1;
    data[2 * width + 5] = 1;
    const decoder = await chooseDecoder(requestOf(outputs, { decode: 'yolov5', context }));
    const found = boxesOf(await decoder.decode([{ ...first!, data }], context));
    expect(found.nonFinite).toBe(3);
    expect(found.boxes.length).toBeGreaterThan(detections.length - 6);
    expect(found.boxes.every(({ x0, score }) => Number.isFinite(x0) && Number.isFinite(score))).toBe(true);
  });

  it('says what is missing when the file has no anchors', async () => {
    const { outputs } = head('ssd sigmoid');
    const decoder = await chooseDecoder(requestOf(outputs, { decode: 'ssd' }));
    expect(() => decoder.decode(outputs, contextOf())).toThrow('a constant [120, 4] of the model file');
  });

  it('takes no anchors that differ', async () => {
    const { outputs } = head('ssd sigmoid');
    const anchors = (value: number): Float32Array => new Float32Array(480).fill(value);
    const context = contextOf(undefined, { '120x4': [anchors(0.5), anchors(0.25)] });
    const decoder = await chooseDecoder(requestOf(outputs, { decode: 'ssd', context }));
    expect(() => decoder.decode(outputs, context)).toThrow('2 different constants [120, 4]');
  });

  it('has no background class where scores are as many as classes', async () => {
    const { outputs, context } = head('ssd sigmoid');
    const decoder = await chooseDecoder(requestOf(outputs, { decode: 'ssd', context, classes: 6 }));
    expect(decoder.classes).toBe(6);
  });

  it('refuses outputs of other dims than it was chosen by', async () => {
    const { outputs, context } = head('yolov8');
    const decoder = await chooseDecoder(requestOf(outputs, { decode: 'yolov8', context }));
    expect(() => decoder.decode([output('output0', [1, 9, 20])], context)).toThrow('has dims [1, 9, 20]');
  });

  it('decodes 25,200 boxes of 80 classes within seconds though every score passes the threshold', async () => {
    const [count, width] = [25_200, 85];
    const data = new Float32Array(count * width);
    for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 997) / 997;
    for (let row = 0; row < count; row++) {
      data.set([(row % 160) * 4, Math.floor(row / 160) * 4, 30, 30], row * width);
    }
    const context = contextOf({ width: 640, height: 640 });
    const outputs = [output('output', [1, count, width], data)];
    const decoder = await chooseDecoder(requestOf(outputs, { context, wanted: ['boxes'] }));
    const before = performance.now();
    const { boxes } = boxesOf(await decoder.decode(outputs, context));
    expect(decoder.name).toBe('yolov5');
    expect(boxes.length).toBe(300);
    expect(performance.now() - before).toBeLessThan(5000);
  });
});
