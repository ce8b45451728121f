/** Preprocessing recipes by name. Data only: what each field means stands in preprocessing.ts. */
import type { Orientation } from './decode.js';
import type { Interpolation } from './resample.js';

export const RESIZE_MODES = ['stretch', 'letterbox', 'short-side', 'none'] as const;
/**
 * `stretch` to the model's size; `letterbox` keeps the aspect and pads; `short-side` makes the shorter side a little
 * larger than the model's and cuts out the centre; `none` takes images that have the size already.
 */
export type ResizeMode = (typeof RESIZE_MODES)[number];

export const COLORS = ['rgb', 'bgr', 'gray'] as const;
/** Order of the channels as the model gets them; `gray` for a model with three channels repeats the grey value. */
export type Color = (typeof COLORS)[number];

/** value = (pixel / 255 - mean) / std in units `0..1`, (pixel - mean) / std in units `0..255`. */
export interface Normalization {
  readonly units: '0..1' | '0..255';
  /** One for all channels, or one per channel in the order in which the model gets them. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** value = (pixel - mean) * scale: what makes the code of a quantized input the pixel itself, or the pixel - 128. */
export interface PixelCodes {
  readonly mean: number;
  readonly scale: number;
}

export interface Crop {
  /** The crop's share of the shorter side. */
  readonly ratio: number;
  /** How size / ratio becomes whole pixels: half-even as torchvision's, down as timm's. */
  readonly rounding: 'round' | 'floor';
}

export interface Padding {
  /** Pixel value, 0 to 255. */
  readonly value: number;
  readonly position: 'center' | 'bottom-right';
}

export interface Preset {
  readonly normalization: Normalization;
  readonly resize: ResizeMode;
  readonly interpolation: Interpolation;
  readonly color: 'rgb' | 'bgr';
  readonly crop: Crop;
  readonly padding: Padding;
  readonly orientation: Orientation;
  /** Height and width for a model that leaves them open. */
  readonly size?: number;
}

const IDENTITY: Normalization = { units: '0..1', mean: [0], std: [1] };
const TORCHVISION_CROP: Crop = { ratio: 0.875, rounding: 'round' };

/** Also what holds when no preset is named. */
const UNIT: Preset = {
  normalization: IDENTITY,
  resize: 'stretch',
  interpolation: 'bilinear',
  color: 'rgb',
  crop: TORCHVISION_CROP,
  padding: { value: 114, position: 'center' },
  orientation: 'stored',
};

const IMAGENET: Preset = {
  ...UNIT,
  normalization: { units: '0..1', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  resize: 'short-side',
  size: 224,
};

/** Ultralytics reads with OpenCV: upright by EXIF, resized without antialiasing. */
const YOLO: Preset = {
  ...UNIT,
  resize: 'letterbox',
  interpolation: 'bilinear-no-antialias',
  orientation: 'exif',
};

export const PRESETS = {
  /** 0 to 1. */
  unit: UNIT,
  /** torchvision's classification models. */
  imagenet: IMAGENET,
  /** -1 to 1: Keras' mode "tf", MobileNet, the TensorFlow detection models. */
  tf: { ...UNIT, normalization: { units: '0..255', mean: [127.5], std: [127.5] } },
  /** 0 to 255: EfficientNet-Lite, models that normalize inside. */
  raw: { ...UNIT, normalization: { units: '0..255', mean: [0], std: [1] } },
  /** Caffe's mean subtraction. */
  caffe: {
    ...IMAGENET,
    normalization: { units: '0..255', mean: [103.94, 116.78, 123.68], std: [1] },
    color: 'bgr',
  },
  /** ImageNet's mean and standard deviation, times 255, in Caffe's channel order. */
  'caffe-std': {
    ...IMAGENET,
    normalization: { units: '0..255', mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] },
    color: 'bgr',
  },
  /** Face recognition (InsightFace and relatives). */
  face: { ...UNIT, normalization: { units: '0..255', mean: [127.5], std: [128] } },
  /** -0.5 to 0.5. */
  centered: { ...UNIT, normalization: { units: '0..1', mean: [0.5], std: [1] } },
  /** timm's models trained with Inception statistics. */
  timm: {
    ...IMAGENET,
    normalization: { units: '0..1', mean: [0.5], std: [0.5] },
    interpolation: 'bicubic',
    crop: { ratio: 0.875, rounding: 'floor' },
  },
  /** Ultralytics detection, segmentation and pose. */
  yolo: { ...YOLO, size: 640 },
  /** Ultralytics classification. */
  'yolo-cls': { ...UNIT, resize: 'short-side', crop: { ratio: 1, rounding: 'round' }, size: 224 },
  /** RTMDet in MMDetection. */
  rtmdet: {
    ...YOLO,
    normalization: { units: '0..255', mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] },
    color: 'bgr',
    padding: { value: 114, position: 'bottom-right' },
    size: 640,
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];

/** @returns undefined when there is no preset of that name. */
export function presetNamed(name: string): Preset | undefined {
  return Object.hasOwn(PRESETS, name) ? PRESETS[name as PresetName] : undefined;
}
