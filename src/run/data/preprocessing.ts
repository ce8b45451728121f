/**
 * From flags, preset, model metadata and model shape to one complete recipe: image -> model input.
 *
 * Nothing is left implicit: every setting of the result is also listed with where it came from.
 */
import { UsageError } from '../../errors.js';
import type { DType } from '../../ir/graph.js';
import { formatDims } from '../../ir/elements.js';
import type { Assumption, InputSpec } from './dataset.js';
import { imageMetadata } from './image-metadata.js';
import type { Orientation } from './decode.js';
import { imageInput } from './image-input.js';
import type { ImageInput, Layout } from './image-input.js';
import { chooseNormalization, codesOfPixels } from './normalization.js';
import type { Choice, CodesOfPixels } from './normalization.js';
import { PRESET_NAMES, PRESETS, presetNamed } from './presets.js';
import type { Color, Crop, Normalization, Padding, PixelCodes, Preset, ResizeMode } from './presets.js';
import type { Interpolation } from './resample.js';

/** The user's choices; undefined = not said. */
export interface PreprocessingFlags {
  readonly preset?: string | undefined;
  readonly resize?: ResizeMode | undefined;
  readonly interpolation?: Interpolation | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly color?: Color | undefined;
  readonly layout?: Layout | undefined;
}

/** How an image becomes the value of one input. */
export interface ResolvedPreprocessing {
  /** Name of the preset that the settings started from. */
  readonly preset: string;
  readonly resize: ResizeMode;
  readonly interpolation: Interpolation;
  /** [height, width] in pixels; undefined when every image keeps its own size. */
  readonly size: readonly [height: number, width: number] | undefined;
  /** What `short-side` cuts. */
  readonly crop: Crop;
  /** Whether `short-side` leaves images of exactly the model's size alone. */
  readonly keepExactSize: boolean;
  /** What `letterbox` adds. */
  readonly padding: Padding;
  readonly color: Color;
  readonly channels: 1 | 3;
  readonly layout: Layout;
  readonly orientation: Orientation;
  /** Undefined for integer inputs, which take the pixels as they are. */
  readonly normalization: Normalization | PixelCodes | undefined;
}

export interface Resolution {
  readonly preprocessing: ResolvedPreprocessing;
  readonly image: ImageInput;
  readonly assumed: readonly Assumption[];
}

/** Types that an image can become. */
const PIXEL_DTYPES: ReadonlySet<DType> = new Set<DType>([
  ...(['float32', 'float16', 'float64'] as const),
  ...(['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32'] as const),
]);

export function isFloatInput(dtype: DType): boolean {
  return dtype.startsWith('float');
}

/** Whether the user said how pixels become numbers. */
function normalizes({ preset, mean, std }: PreprocessingFlags): boolean {
  return preset !== undefined || mean !== undefined || std !== undefined;
}

/** Whether the user or the metadata of the model said it, which uint8 arrays need to hear. */
export function saysNormalization(
  { position }: InputSpec,
  flags: PreprocessingFlags,
  metadata: ReadonlyMap<string, string>,
): boolean {
  return normalizes(flags) || imageMetadata(metadata, position).normalization !== undefined;
}

/**
 * @param metadata key/value pairs of the model file.
 * @param flag the flag that data is given with, for hints.
 * @throws UsageError when the choices contradict each other or the model.
 * @throws DataError when the input cannot take one image.
 */
export function resolvePreprocessing(
  input: InputSpec,
  flags: PreprocessingFlags,
  metadata: ReadonlyMap<string, string>,
  flag: string,
): Resolution {
  if (!PIXEL_DTYPES.has(input.dtype)) {
    throw new UsageError(`input ${input.name} has type ${input.dtype}; images become floats or integers`, {
      hint: `${flag} ${input.name}=FILE.npy`,
    });
  }
  const image = imageInput(input, flags.layout, flag);
  const assumed: Assumption[] = [];
  const described = flags.preset === undefined ? imageMetadata(metadata, input.position) : {};
  const unsaid = !normalizes(flags) && !isUltralytics(metadata);
  const codes = unsaid ? codesOfPixels(input.quant, described.normalization) : undefined;
  const { name, preset, from } = choosePreset(flags, metadata, input, codes);
  // A default says nothing where the metadata do.
  if (from !== 'default' || described.normalization === undefined)
    assumed.push({ what: 'preset', value: name, from });
  const settingsFrom = from === 'flag' ? 'preset' : from === 'model' ? 'default' : from;

  const say = <T extends string>(what: string, chosen: T | undefined, ofPreset: T): T => {
    assumed.push({ what, value: chosen ?? ofPreset, from: chosen === undefined ? settingsFrom : 'flag' });
    return chosen ?? ofPreset;
  };
  const resize = say('resize', flags.resize, preset.resize);
  const interpolation = say('interpolation', flags.interpolation, preset.interpolation);
  const orMetadata = <T>(value: T | undefined, ofPreset: T): Choice<T> =>
    value === undefined ? { value: ofPreset, from: settingsFrom } : { value, from: 'metadata' };
  const unsaidColor = orMetadata(described.color, preset.color);
  const { color, channels } = chooseColor(input, image, flags.color, unsaidColor, assumed);
  assumed.push({ what: 'layout', value: image.layout, from: image.layoutFrom });
  const orientation = preset.orientation === 'exif' ? 'upright by EXIF' : 'as stored, EXIF not applied';
  assumed.push({ what: 'orientation', value: orientation, from: settingsFrom });
  const size = chooseSize(input, image, resize, preset, metadata, assumed, settingsFrom);
  if (described.unusable !== undefined) {
    assumed.push({ what: 'metadata', value: `not used: ${described.unusable}`, from: 'metadata' });
  }
  let normalization: ResolvedPreprocessing['normalization'];
  if (!isFloatInput(input.dtype)) assumed.push(rawPixels(input, flags));
  else if (codes !== undefined) {
    normalization = codes.values;
    assumed.push({ what: 'normalization', value: codes.text, from: 'model' });
  } else {
    const given = orMetadata(described.normalization, preset.normalization);
    normalization = chooseNormalization(flags, given, channels, assumed);
  }
  const keepExactSize = flags.resize === undefined;
  if (keepExactSize && resize === 'short-side') {
    assumed.push({ what: 'crop', value: 'none for images that have the size already', from: 'default' });
  }
  return {
    image,
    assumed,
    preprocessing: {
      preset: name,
      resize,
      interpolation,
      size,
      crop: preset.crop,
      keepExactSize,
      padding: preset.padding,
      color,
      channels,
      layout: image.layout,
      orientation: preset.orientation,
      normalization,
    },
  };
}

/** What Ultralytics' exporter leaves in every model. */
function isUltralytics(metadata: ReadonlyMap<string, string>): boolean {
  return metadata.has('imgsz') && metadata.has('stride') && metadata.has('task');
}

interface PresetChoice {
  readonly name: string;
  readonly preset: Preset;
  readonly from: 'flag' | 'metadata' | 'model' | 'default';
}

function choosePreset(
  flags: PreprocessingFlags,
  metadata: ReadonlyMap<string, string>,
  input: InputSpec,
  codes: CodesOfPixels | undefined,
): PresetChoice {
  if (flags.preset !== undefined) {
    const preset = presetNamed(flags.preset);
    if (preset === undefined) {
      throw new UsageError(
        `there is no preset ${JSON.stringify(flags.preset)}; there are ${PRESET_NAMES.join(', ')}`,
        { hint: '--preset unit' },
      );
    }
    return { name: flags.preset, preset, from: 'flag' };
  }
  const takesPixels = !isFloatInput(input.dtype) || codes !== undefined;
  if (takesPixels) return { name: 'raw', preset: PRESETS.raw, from: 'model' };
  if (isUltralytics(metadata)) {
    const name = metadata.get('task') === 'classify' ? 'yolo-cls' : 'yolo';
    return { name, preset: PRESETS[name], from: 'metadata' };
  }
  return { name: 'unit', preset: PRESETS.unit, from: 'default' };
}

function chooseColor(
  input: InputSpec,
  image: ImageInput,
  wanted: Color | undefined,
  unsaid: Choice<Color>,
  assumed: Assumption[],
): { color: Color; channels: 1 | 3 } {
  const channels = image.channels ?? ((wanted ?? unsaid.value) === 'gray' ? 1 : 3);
  if (channels === 1 && wanted !== undefined && wanted !== 'gray') {
    throw new UsageError(
      `--color ${wanted} gives 3 channels; input ${input.name} has shape ${formatDims(input.shape)}, one channel`,
      { hint: '--color gray' },
    );
  }
  const { value: color, from }: Choice<Color> =
    wanted !== undefined
      ? { value: wanted, from: 'flag' }
      : channels === 1
        ? { value: 'gray', from: 'model' }
        : unsaid;
  assumed.push({ what: 'color', value: color, from });
  return { color, channels };
}

function chooseSize(
  input: InputSpec,
  { height, width }: ImageInput,
  resize: ResizeMode,
  preset: Preset,
  metadata: ReadonlyMap<string, string>,
  assumed: Assumption[],
  settingsFrom: Assumption['from'],
): readonly [number, number] | undefined {
  const say = (size: readonly [number, number], from: Assumption['from']): readonly [number, number] => {
    assumed.push({ what: 'size', value: `${size[0]}x${size[1]} (height x width)`, from });
    return size;
  };
  if (height !== undefined && width !== undefined) return say([height, width], 'model');
  if (height === undefined && width === undefined) {
    if (resize === 'none') return undefined;
    const exported = exportedSize(metadata.get('imgsz'));
    if (exported !== undefined) return say(exported, 'metadata');
    if (preset.size !== undefined) return say([preset.size, preset.size], settingsFrom);
  }
  const dims = input.shape.map((dim, i) => (typeof dim === 'number' ? dim : i === 0 ? 1 : 224));
  throw new UsageError(
    `input ${input.name} has shape ${formatDims(input.shape)}: to what size are images to be brought?`,
    { hint: `--shape ${input.name}=${dims.join('x')}` },
  );
}

/** Ultralytics writes `[640, 640]`, height first, or one number. */
function exportedSize(imgsz: string | undefined): readonly [number, number] | undefined {
  const numbers = /^\s*\[?\s*(\d{1,5})\s*(?:,\s*(\d{1,5})\s*)?\]?\s*$/.exec(imgsz ?? '');
  if (numbers === null) return undefined;
  const height = Number(numbers[1]);
  const width = Number(numbers[2] ?? height);
  return height > 0 && width > 0 ? [height, width] : undefined;
}

/** Integer inputs take pixels; the affine maps that quantization adds are not preprocessing. */
function rawPixels(input: InputSpec, flags: PreprocessingFlags): Assumption {
  const named = flags.preset !== undefined && flags.preset !== 'raw';
  if (named || flags.mean !== undefined || flags.std !== undefined) {
    throw new UsageError(
      `input ${input.name} has type ${input.dtype}: pixels are fed without normalization`,
      {
        hint: '--preset raw, without --mean and --std',
      },
    );
  }
  const value = input.dtype === 'int8' ? 'pixel - 128' : 'pixel';
  return { what: 'normalization', value, from: 'model' };
}
