/** Images for the inputs that TFLite models have: channels last, quantized or not, described by metadata or not. */
import { describe, expect, it } from 'vitest';
import type { Assumption, InputSpec, Sample } from '../../../src/run/data/dataset.js';
import { guessedNormalization } from '../../../src/run/data/dataset.js';
import { openDataset } from '../../../src/run/data/index.js';
import type { DatasetRequest } from '../../../src/run/data/index.js';
import type { PreprocessingFlags } from '../../../src/run/data/preprocessing.js';
import { fixture, folderOf, matching, numbers, pictures, reference, rejection } from './support.js';

const FLOAT: InputSpec = { name: 'x', dtype: 'float32', shape: [1, 14, 14, 3], layout: 'nhwc' };
const UINT8: InputSpec = { ...FLOAT, quant: { dtype: 'uint8', scale: 0.0078125, zeroPoint: 128 } };
const INT8: InputSpec = { ...FLOAT, quant: { dtype: 'int8', scale: 0.003921568859368563, zeroPoint: -128 } };

/** images/rgb.png as 14 x 14 pixels, channels last, by Pillow. */
const PIXELS = Array.from(reference('tensor/pixels/nhwc').data as Uint8Array);
/** The same in grey. */
const GREY = Array.from(reference('tensor/grey/nchw').data as Float32Array);

interface Read {
  readonly dims: readonly number[];
  readonly data: number[];
  readonly assumed: readonly Assumption[];
}

async function read(
  input: InputSpec,
  preprocessing: PreprocessingFlags = {},
  more: Partial<DatasetRequest> = {},
): Promise<Read> {
  const dataset = await openDataset({
    sources: [fixture('images/rgb.png')],
    inputs: [input],
    preprocessing,
    ...more,
  });
  const samples: Sample[] = [];
  for await (const sample of dataset.samples()) samples.push(sample);
  const { dims, data } = samples[0]!.feeds.get(input.name)!;
  expect(data).toBeInstanceOf(Float32Array);
  return { dims, data: numbers(data), assumed: dataset.assumed };
}

function said(assumed: readonly Assumption[], what: string): string[] {
  return assumed.filter((entry) => entry.what === what).map(({ value, from }) => `${value} (${from})`);
}

/** The codes that a model's own quantizer makes of values: round(value / scale) + zero point, within the type. */
function codes(values: readonly number[], { quant }: InputSpec): number[] {
  const { dtype, scale, zeroPoint } = quant!;
  const [lowest, highest] = dtype === 'int8' ? [-128, 127] : [0, 255];
  return values.map((value) => Math.min(highest, Math.max(lowest, Math.round(value / scale) + zeroPoint)));
}

function fields(entries: Readonly<Record<string, string>>, position = 0): { metadata: Map<string, string> } {
  const named = Object.entries(entries).map(
    ([key, value]) => [`tflite.input.${position}.${key}`, value] as const,
  );
  return { metadata: new Map(named) };
}

describe('an image for a quantized input', () => {
  it('of uint8 is its own code, which is said', async () => {
    const { dims, data, assumed } = await read(UINT8);
    expect(dims).toEqual([1, 14, 14, 3]);
    expect(data).toEqual(PIXELS.map((pixel) => (pixel - 128) / 128));
    expect(codes(data, UINT8)).toEqual(PIXELS);
    expect(said(assumed, 'normalization')).toEqual([
      '(pixel - 128) * 0.0078125, so that the code is the pixel (model)',
    ]);
    expect(said(assumed, 'preset')).toEqual(['raw (model)']);
    expect(said(assumed, 'resize')).toEqual(['stretch (default)']);
  });

  it('of int8 has the pixel - 128 as its code', async () => {
    const { data, assumed } = await read(INT8);
    // (pixel - 128 - -128) * scale in float32, scale being float32(1 / 255)
    expect(data).toEqual(PIXELS.map((pixel) => Math.fround(pixel * 0.003921568859368563)));
    expect(codes(data, INT8)).toEqual(PIXELS.map((pixel) => pixel - 128));
    expect(said(assumed, 'normalization')).toEqual([
      'pixel * 0.003921569, so that the code is pixel - 128 (model)',
    ]);
  });

  it.each([
    [1, -128, 'pixel, so that the code is pixel - 128 (model)', 0],
    [0.5, 0, '(pixel - 128) * 0.5, so that the code is pixel - 128 (model)', 128],
    [0.5, -200, '(pixel + 72) * 0.5, so that the code is pixel - 128 (model)', -72],
  ])('of int8 with scale %d and zero point %d is %s', async (scale, zeroPoint, text, offset) => {
    const { data, assumed } = await read({ ...INT8, quant: { dtype: 'int8', scale, zeroPoint } });
    expect(data).toEqual(PIXELS.map((pixel) => (pixel - offset) * scale));
    expect(said(assumed, 'normalization')).toEqual([text]);
  });

  it('with one channel is grey', async () => {
    const { dims, data, assumed } = await read({ ...UINT8, shape: [1, 14, 14, 1] });
    expect(dims).toEqual([1, 14, 14, 1]);
    expect(data).toEqual(GREY.map((grey) => (Math.round(grey * 255) - 128) / 128));
    expect(said(assumed, 'color')).toEqual(['gray (model)']);
  });

  it.each<[string, PreprocessingFlags, (pixel: number) => number, string]>([
    ['--preset unit', { preset: 'unit' }, (pixel) => Math.fround(pixel / 255), 'pixel / 255 (preset)'],
    [
      '--mean and --std',
      { mean: [127.5], std: [127.5] },
      (pixel) => Math.fround((pixel - 127.5) / 127.5),
      '(pixel - mean) / std, mean 127.5, std 127.5 (flag)',
    ],
    [
      '--std alone',
      { std: [0.5] },
      (pixel) => Math.fround(Math.fround(pixel / 255) / 0.5),
      '(pixel / 255 - mean) / std, mean 0, std 0.5 (flag)',
    ],
  ])('is normalized by %s, into values that may be beyond its codes', async (_, flags, value, text) => {
    const { data, assumed } = await read(UINT8, flags);
    expect(data).toEqual(PIXELS.map(value));
    expect(said(assumed, 'normalization')).toEqual([text]);
  });

  it('keeps its meaning with --resize, --color and --layout, which say nothing about values', async () => {
    const { data } = await read(UINT8, { resize: 'stretch', color: 'bgr', layout: 'nhwc' });
    const bgr = PIXELS.map((_, i) => PIXELS[i - (i % 3) + 2 - (i % 3)]!);
    expect(codes(data, UINT8)).toEqual(bgr);
  });

  it.each(['int16', 'int4', 'uint16'] as const)(
    'of %s, for which there is no custom, is normalized by default, which is a guess',
    async (dtype) => {
      const { data, assumed } = await read({ ...FLOAT, quant: { dtype, scale: 0.125, zeroPoint: 0 } });
      expect(data).toEqual(PIXELS.map((pixel) => Math.fround(pixel / 255)));
      expect(guessedNormalization(assumed)).toMatchObject({ value: 'pixel / 255', from: 'default' });
    },
  );

  it('is made by the recipe of its exporter when that is known', async () => {
    const metadata = new Map([
      ['imgsz', '[14, 14]'],
      ['stride', '32'],
      ['task', 'classify'],
    ]);
    const { data, assumed } = await read(INT8, { resize: 'stretch' }, { metadata });
    expect(data).toEqual(PIXELS.map((pixel) => Math.fround(pixel / 255)));
    expect(said(assumed, 'normalization')).toEqual(['pixel / 255 (metadata)']);
  });
});

describe('metadata of a TFLite file', () => {
  it.each([
    ['float', FLOAT],
    ['uint8', UINT8],
    ['int8', INT8],
  ])('normalizes images for a %s input', async (_, input) => {
    const { data, assumed } = await read(input, {}, fields({ mean: '127.0', std: '128.0' }));
    expect(data).toEqual(PIXELS.map((pixel) => (pixel - 127) / 128));
    expect(said(assumed, 'normalization')).toEqual(['(pixel - mean) / std, mean 127, std 128 (metadata)']);
    expect(guessedNormalization(assumed)).toBeUndefined();
  });

  it('normalizes each channel by its own numbers', async () => {
    const { data } = await read(FLOAT, {}, fields({ mean: '128,64,0', std: '2,4,8' }));
    expect(data).toEqual(PIXELS.map((pixel, i) => (pixel - [128, 64, 0][i % 3]!) / [2, 4, 8][i % 3]!));
  });

  it('with mean 0 and std 1 leaves quantized inputs their pixels, and feeds them as they are to float ones', async () => {
    const nothing = fields({ mean: '0.0', std: '1.0' });
    expect(codes((await read(UINT8, {}, nothing)).data, UINT8)).toEqual(PIXELS);
    const { data, assumed } = await read(FLOAT, {}, nothing);
    expect(data).toEqual(PIXELS);
    expect(said(assumed, 'normalization')).toEqual(['pixel (metadata)']);
  });

  it('gives way to flags, number by number', async () => {
    const given = fields({ mean: '100', std: '50', color: 'gray' });
    const preset = await read(FLOAT, { preset: 'unit' }, given);
    expect(preset.data).toEqual(PIXELS.map((pixel) => Math.fround(pixel / 255)));
    expect(said(preset.assumed, 'color')).toEqual(['rgb (preset)']);
    const mean = await read(FLOAT, { mean: [20], color: 'rgb' }, given);
    expect(mean.data).toEqual(PIXELS.map((pixel) => Math.fround((pixel - 20) / 50)));
  });

  it('says the colour of an image', async () => {
    const gray = await read(FLOAT, {}, fields({ color: 'gray' }));
    expect(gray.data).toEqual(GREY.flatMap((grey) => [grey, grey, grey]));
    expect(said(gray.assumed, 'color')).toEqual(['gray (metadata)']);
    const rgb = await read({ ...FLOAT, shape: [1, 14, 14, 1] }, {}, fields({ color: 'rgb' }));
    expect(rgb.data).toEqual(GREY);
    expect(said(rgb.assumed, 'color')).toEqual(['gray (model)']);
    const open = { ...FLOAT, shape: [1, 14, 14, null] };
    expect((await read(open, {}, fields({ color: 'gray' }))).dims).toEqual([1, 14, 14, 1]);
  });

  it('that makes no sense is not used, which is said', async () => {
    const { data, assumed } = await read(FLOAT, {}, fields({ mean: '127', std: '0' }));
    expect(data).toEqual(PIXELS.map((pixel) => Math.fround(pixel / 255)));
    expect(said(assumed, 'metadata')).toEqual([matching(/^not used: mean 127, std 0: .* \(metadata\)$/)]);
    expect(guessedNormalization(assumed)).toBeDefined();
  });

  it('speaks of an input by its place in the model', async () => {
    const folder = folderOf(pictures('a.png'));
    const dataset = await openDataset({
      sources: [`right=${folder}`, `left=${folder}`],
      inputs: [
        { ...FLOAT, name: 'left' },
        { ...FLOAT, name: 'right' },
      ],
      ...fields({ mean: '10', std: '2' }, 1),
    });
    for await (const { feeds } of dataset.samples()) {
      expect(numbers(feeds.get('left')!.data)).toEqual(PIXELS.map((pixel) => Math.fround(pixel / 255)));
      expect(numbers(feeds.get('right')!.data)).toEqual(PIXELS.map((pixel) => (pixel - 10) / 2));
    }
    expect(guessedNormalization(dataset.assumed)).toMatchObject({ value: 'pixel / 255' });
  });
});

describe('an image for a float input with channels last', () => {
  it('is equal to Pillow, with and without batch', async () => {
    const wanted = numbers(reference('tensor/unit/nhwc').data);
    expect(await read(FLOAT)).toMatchObject({ dims: [1, 14, 14, 3], data: wanted });
    expect(await read({ ...FLOAT, shape: [14, 14, 3] })).toMatchObject({ dims: [14, 14, 3], data: wanted });
    expect(await read({ ...FLOAT, shape: ['N', 14, 14, 3] })).toMatchObject({ dims: [1, 14, 14, 3] });
  });

  it('is grey for one channel, with and without batch', async () => {
    for (const shape of [
      [1, 14, 14, 1],
      [14, 14, 1],
    ]) {
      expect(await read({ ...FLOAT, shape })).toMatchObject({ dims: shape, data: GREY });
    }
  });

  it.each(['bilinear', 'nearest', 'bicubic', 'area'] as const)(
    'may be higher than wide, %s',
    async (interpolation) => {
      const wanted = reference(`resized/${interpolation}/12x40`);
      expect(wanted.dims).toEqual([40, 12, 3]);
      const { dims, data } = await read(
        { ...FLOAT, shape: [1, 40, 12, 3] },
        { preset: 'raw', interpolation },
      );
      expect(dims).toEqual([1, 40, 12, 3]);
      expect(data).toEqual(numbers(wanted.data));
    },
  );

  it.each(['rgb', 'wide', 'tall'])('is letterboxed: %s', async (name) => {
    const wanted = reference(`letterbox/${name}/20x21`);
    const { dims, data } = await read(
      { ...FLOAT, shape: [1, 21, 20, 3] },
      { preset: 'raw', resize: 'letterbox' },
      { sources: [fixture(`images/${name}.png`)] },
    );
    expect(dims).toEqual([1, ...wanted.dims]);
    expect(data).toEqual(numbers(wanted.data));
  });

  it('fills a letterbox with the code of its colour for a quantized input', async () => {
    const wanted = reference('letterbox/wide/20x21');
    const input: InputSpec = { ...INT8, shape: [1, 21, 20, 3] };
    const { data } = await read(input, { resize: 'letterbox' }, { sources: [fixture('images/wide.png')] });
    expect(codes(data, input)).toEqual(numbers(wanted.data).map((pixel) => pixel - 128));
    expect(codes(data, input)[0]).toBe(114 - 128);
  });

  it('keeps its own size when the model leaves it open', async () => {
    const { dims, data } = await read(
      { ...FLOAT, shape: [1, null, null, 3] },
      { preset: 'raw', resize: 'none' },
    );
    expect(dims).toEqual([1, 23, 31, 3]);
    expect(data).toEqual(numbers(reference('decoded/rgb.png').data));
  });

  it.each([
    ['that is ambiguous', [1, 1, 14, 3]],
    ['that is open', [1, null, null, null]],
  ])('is taken so for a shape %s, by the convention of the format', async (_, shape) => {
    const flags = { preset: 'raw', resize: 'none' } as const;
    const input = { ...FLOAT, shape };
    const dataset = await openDataset({
      sources: [fixture('images/rgb.png')],
      inputs: [input],
      preprocessing: flags,
    });
    expect(said(dataset.assumed, 'layout')).toEqual(['nhwc (model)']);
    expect(dataset.preprocessing).toMatchObject({ layout: 'nhwc', channels: 3 });
  });

  it('is channels first where the shape says so, as PyTorch exporters have it, or --layout does', async () => {
    const nchw = numbers(reference('tensor/unit/nchw').data);
    expect(await read({ ...FLOAT, shape: [1, 3, 14, 14] })).toMatchObject({
      dims: [1, 3, 14, 14],
      data: nchw,
    });
    const open = { ...FLOAT, shape: [1, null, 14, 14] };
    expect(await read(open, { layout: 'nchw' })).toMatchObject({ dims: [1, 3, 14, 14], data: nchw });
    const error = await rejection(read(FLOAT, { layout: 'nchw' }));
    expect(error).toMatchObject({ name: 'UsageError', hint: '--layout nhwc' });
  });
});

describe('guessedNormalization', () => {
  const guess = async (...given: Parameters<typeof read>): Promise<Assumption | undefined> =>
    guessedNormalization((await read(...given)).assumed);

  it('is what the default preset says when nobody says anything', async () => {
    expect(await guess(FLOAT)).toEqual({ what: 'normalization', value: 'pixel / 255', from: 'default' });
    expect(await guess(FLOAT, { resize: 'letterbox', color: 'bgr' })).toMatchObject({ value: 'pixel / 255' });
  });

  it.each<[string, Parameters<typeof read>]>([
    ['--preset', [FLOAT, { preset: 'unit' }]],
    ['--mean', [FLOAT, { mean: [0.5] }]],
    ['--std', [FLOAT, { std: [127.5] }]],
    ['metadata', [FLOAT, {}, fields({ mean: '0', std: '255' })]],
    ['a quantized input', [INT8]],
    ['random data', [FLOAT, {}, { sources: ['random'] }]],
  ])('is none with %s', async (_, given) => {
    expect(await guess(...given)).toBeUndefined();
  });

  it('is found though metadata describes another input', async () => {
    const folder = folderOf(pictures('a.png'));
    const { assumed } = await openDataset({
      sources: [`a=${folder}`, `b=${folder}`],
      inputs: [
        { ...FLOAT, name: 'a' },
        { ...FLOAT, name: 'b' },
      ],
      ...fields({ mean: '0', std: '1' }, 1),
    });
    expect(said(assumed, 'normalization')).toEqual(['pixel / 255 (default)', 'pixel (metadata)']);
    expect(guessedNormalization(assumed)).toMatchObject({ value: 'pixel / 255' });
  });
});
