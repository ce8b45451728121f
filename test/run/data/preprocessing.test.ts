import { describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../../../src/errors.js';
import type { DType, Shape } from '../../../src/ir/graph.js';
import { PRESET_NAMES } from '../../../src/run/data/presets.js';
import { resolvePreprocessing } from '../../../src/run/data/preprocessing.js';
import type { PreprocessingFlags, Resolution } from '../../../src/run/data/preprocessing.js';
import { feedsOf, fixture, reference, matching } from './support.js';

function resolve(
  flags: PreprocessingFlags = {},
  { shape = ['N', 3, 224, 224], dtype = 'float32', metadata = {} }: Model = {},
): Resolution {
  const input = { name: 'x', dtype, shape };
  return resolvePreprocessing(input, flags, new Map(Object.entries(metadata)), '--calib');
}
interface Model {
  readonly shape?: Shape;
  readonly dtype?: DType;
  readonly metadata?: Record<string, string>;
}

/** `what: value (from)` of every assumption. */
function said({ assumed }: Resolution): string[] {
  return assumed.map(({ what, value, from }) => `${what}: ${value} (${from})`);
}

describe('resolvePreprocessing', () => {
  it('says of every setting where it came from', () => {
    expect(said(resolve({ preset: 'imagenet', interpolation: 'bicubic' }))).toEqual([
      'preset: imagenet (flag)',
      'resize: short-side (preset)',
      'interpolation: bicubic (flag)',
      'color: rgb (preset)',
      'layout: nchw (model)',
      'orientation: as stored, EXIF not applied (preset)',
      'size: 224x224 (height x width) (model)',
      'normalization: (pixel / 255 - mean) / std, mean 0.485,0.456,0.406, std 0.229,0.224,0.225 (preset)',
      'crop: none for images that have the size already (default)',
    ]);
  });

  it('assumes pixels of 0 to 1, stretched, when nothing is said, and says so', () => {
    expect(said(resolve())).toEqual(
      expect.arrayContaining([
        'preset: unit (default)',
        'resize: stretch (default)',
        'normalization: pixel / 255 (default)',
      ]),
    );
  });

  it.each(PRESET_NAMES)('knows the preset %s', (preset) => {
    expect(resolve({ preset }).preprocessing).toMatchObject({ preset, channels: 3, size: [224, 224] });
  });

  it('names the presets when one is unknown', () => {
    expect(() => resolve({ preset: 'imagnet' })).toThrow(/no preset "imagnet"; there are unit, imagenet, tf/);
    expect(() => resolve({ preset: 'constructor' })).toThrow(UsageError);
  });

  describe('layout', () => {
    it.each<[Shape, string]>([
      [['N', 3, 8, 8], 'nchw (model)'],
      [[1, 8, 8, 3], 'nhwc (model)'],
      [[1, 1, 28, 28], 'nchw (model)'],
      [[1, 28, 28, 1], 'nhwc (model)'],
      [[3, 8, 8], 'nchw (model)'],
      [[8, 8, 3], 'nhwc (model)'],
      [['N', 28, 28], 'nchw (model)'],
    ])('of %j is %s', (shape, layout) => {
      expect(said(resolve({}, { shape }))).toContain(`layout: ${layout}`);
    });

    it('is nchw by convention when the shape does not tell, and says so', () => {
      const shape = ['N', null, null, null];
      expect(said(resolve({ preset: 'imagenet' }, { shape }))).toContain('layout: nchw (default)');
      expect(said(resolve({ preset: 'imagenet', layout: 'nhwc' }, { shape }))).toContain(
        'layout: nhwc (flag)',
      );
    });

    it('that contradicts the model is refused with the one that does not', () => {
      expect(() => resolve({ layout: 'nhwc' })).toThrow(
        expect.objectContaining({ name: 'UsageError', hint: '--layout nchw' }),
      );
    });
  });

  describe('channels', () => {
    it('are grey for a model with one', () => {
      const resolution = resolve({}, { shape: ['N', 1, 28, 28] });
      expect(resolution.preprocessing).toMatchObject({ color: 'gray', channels: 1 });
      expect(said(resolution)).toContain('color: gray (model)');
      expect(() => resolve({ color: 'bgr' }, { shape: ['N', 1, 28, 28] })).toThrow(
        /--color bgr gives 3 channels/,
      );
    });

    it('of three-channel statistics are averaged for a model with one, which is said', () => {
      expect(said(resolve({ preset: 'imagenet' }, { shape: ['N', 1, 28, 28] }))).toContain(
        'normalization: (pixel / 255 - mean) / std, mean 0.449, std 0.226 (preset)',
      );
    });

    it('other than 1 or 3 are refused', () => {
      expect(() => resolve({}, { shape: [1, 5, 64, 2048] })).toThrow(DataError);
      expect(() => resolve({}, { shape: [1, 4, 64, 64] })).toThrow(/4 channels as nchw; images give 1 or 3/);
    });
  });

  it.each<[string, Shape, RegExp]>([
    ['rank 2', ['N', 784], /images need 3 or 4 dimensions/],
    ['rank 5', [1, 3, 8, 8, 8], /images need 3 or 4 dimensions/],
    ['a fixed batch', [8, 3, 32, 32], /a fixed batch of 8/],
  ])('refuses %s for images and points to arrays', (_, shape, reason) => {
    expect(() => resolve({}, { shape })).toThrow(reason);
    expect(() => resolve({}, { shape })).toThrow(expect.objectContaining({ hint: matching('--calib x=') }));
  });

  describe('size', () => {
    const shape = ['N', 3, null, null];

    it('comes from what Ultralytics writes into the model, with its recipe', () => {
      const metadata = { imgsz: '[384, 640]', stride: '32', task: 'detect' };
      const resolution = resolve({}, { shape, metadata });
      expect(resolution.preprocessing).toMatchObject({
        preset: 'yolo',
        resize: 'letterbox',
        size: [384, 640],
      });
      expect(said(resolution)).toEqual(
        expect.arrayContaining(['preset: yolo (metadata)', 'size: 384x640 (height x width) (metadata)']),
      );
      expect(resolve({}, { shape, metadata: { ...metadata, task: 'classify' } }).preprocessing.preset).toBe(
        'yolo-cls',
      );
    });

    it('comes from the preset when the model leaves it open', () => {
      expect(said(resolve({ preset: 'imagenet' }, { shape }))).toContain(
        'size: 224x224 (height x width) (preset)',
      );
    });

    it('is asked for when nobody knows it', () => {
      expect(() => resolve({}, { shape })).toThrow(
        expect.objectContaining({ name: 'UsageError', hint: '--shape x=1x3x224x224' }),
      );
      expect(() => resolve({ preset: 'imagenet' }, { shape: ['N', 3, 224, null] })).toThrow(UsageError);
    });

    it('is left to the pictures by --resize none', () => {
      expect(resolve({ resize: 'none' }, { shape }).preprocessing.size).toBeUndefined();
    });

    it('is not taken from hostile metadata', () => {
      const metadata = { imgsz: '[0, -5]', stride: '32', task: 'detect' };
      expect(resolve({}, { shape, metadata }).preprocessing.size).toEqual([640, 640]);
    });
  });

  describe('--mean and --std', () => {
    it.each<[string, number[] | undefined, number[] | undefined, object]>([
      ['small numbers', [0.5], [0.25], { units: '0..1', mean: [0.5], std: [0.25] }],
      ['large numbers', [127.5], [128], { units: '0..255', mean: [127.5], std: [128] }],
      ['large means alone', [103.94, 116.78, 123.68], undefined, { units: '0..255', std: [255] }],
      ['a large std alone', undefined, [255], { units: '0..255', mean: [0], std: [255] }],
      ['large means and a std of 1', [104, 117, 123], [1], { units: '0..255', std: [1] }],
      ['means of 0 and a large std', [0], [255], { units: '0..255', mean: [0], std: [255] }],
    ])('%s', (_, mean, std, wanted) => {
      expect(resolve({ mean, std }).preprocessing.normalization).toMatchObject(wanted);
    });

    it('say in which units they were read', () => {
      expect(said(resolve({ mean: [0.5], std: [0.5] }))).toContain(
        'units: 0..1 (no mean or std is beyond 1.5) (default)',
      );
      expect(said(resolve({ mean: [120], std: [60] }))).toContain(
        'units: 0..255 (a mean or std is beyond 1.5) (default)',
      );
    });

    it('replace those of the preset in its units', () => {
      expect(resolve({ preset: 'imagenet', std: [1] }).preprocessing.normalization).toEqual({
        units: '0..1',
        mean: [0.485, 0.456, 0.406],
        std: [1],
      });
    });

    it.each<[string, number[], number[], RegExp]>([
      ['of mixed units', [0.485, 0.456, 0.406], [58.4, 57.1, 57.4], /different units/],
      ['of mixed units the other way', [123.7, 116.3, 103.5], [0.229, 0.224, 0.225], /different units/],
      ['of two numbers', [0.5, 0.5], [0.5], /--mean 0.5,0.5 has 2 numbers; one or 3 are wanted/],
      ['with a std of 0', [0.5], [0], /standard deviation must be above 0/],
      ['that are not numbers', [NaN], [1], /not finite/],
    ])('%s are refused', (_, mean, std, reason) => {
      expect(() => resolve({ mean, std })).toThrow(reason);
    });
  });

  describe('integer inputs', () => {
    it('take pixels as they are', () => {
      expect(said(resolve({}, { dtype: 'uint8' }))).toContain('normalization: pixel (model)');
      expect(said(resolve({}, { dtype: 'int8' }))).toContain('normalization: pixel - 128 (model)');
    });

    it('refuse normalization', () => {
      expect(() => resolve({ preset: 'imagenet' }, { dtype: 'uint8' })).toThrow(/fed without normalization/);
      expect(() => resolve({ mean: [0.5] }, { dtype: 'int8' })).toThrow(UsageError);
    });

    it('of other kinds cannot be pictures', () => {
      expect(() => resolve({}, { dtype: 'int64' })).toThrow(/type int64/);
      expect(() => resolve({}, { dtype: 'string' })).toThrow(UsageError);
    });
  });
});

describe('a picture as a model input', () => {
  const feed = async (shape: Shape, preprocessing: PreprocessingFlags, dtype: DType = 'float32') => {
    const sources = [fixture('images/rgb.png')];
    const [only] = await feedsOf({ sources, inputs: [{ name: 'x', dtype, shape }], preprocessing });
    return only!;
  };

  it.each<[string, Shape, PreprocessingFlags, DType]>([
    ['imagenet/nchw', ['N', 3, 14, 14], { preset: 'imagenet' }, 'float32'],
    ['caffe-std/nchw', ['N', 3, 14, 14], { preset: 'caffe-std' }, 'float32'],
    ['unit/nchw', ['N', 3, 14, 14], {}, 'float32'],
    ['unit/nhwc', [1, 14, 14, 3], {}, 'float32'],
    ['unit/float16', ['N', 3, 14, 14], {}, 'float16'],
    ['grey/nchw', ['N', 1, 14, 14], {}, 'float32'],
    [
      'mean-123/nchw',
      ['N', 3, 14, 14],
      { mean: [103.94, 116.78, 123.68], std: [1], color: 'bgr' },
      'float32',
    ],
    ['pixels/nhwc', [1, 14, 14, 3], {}, 'uint8'],
  ])('is equal to Pillow and numpy: %s', async (name, shape, flags, dtype) => {
    const { data, dims } = await feed(shape, flags, dtype);
    const wanted = reference(`tensor/${name}`);
    expect(dims).toEqual([1, ...wanted.dims]);
    expect(data).toEqual(wanted.data);
  });

  it('has no batch dimension when the model has none', async () => {
    expect((await feed([3, 14, 14], {})).dims).toEqual([3, 14, 14]);
    expect((await feed(['N', 14, 14], {})).dims).toEqual([1, 14, 14]);
  });

  it('keeps its own size with --resize none and an open model', async () => {
    expect((await feed(['N', 3, null, null], { resize: 'none' })).dims).toEqual([1, 3, 23, 31]);
  });

  it('is shifted for int8 and exact for float64', async () => {
    const pixels = reference('tensor/pixels/nhwc').data as Uint8Array;
    expect((await feed([1, 14, 14, 3], {}, 'int8')).data).toEqual(
      Int8Array.from(pixels, (pixel) => pixel - 128),
    );
    expect((await feed([1, 14, 14, 3], {}, 'float64')).data).toEqual(
      Float64Array.from(pixels, (pixel) => pixel / 255),
    );
  });

  it('is grey three times for a model with three channels and --color gray', async () => {
    const { data } = await feed(['N', 3, 14, 14], { color: 'gray' });
    const grey = Array.from(reference('tensor/grey/nchw').data as Float32Array);
    expect(Array.from(data as Float32Array)).toEqual([...grey, ...grey, ...grey]);
  });
});
