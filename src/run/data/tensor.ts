/** Pixels to the value of a model input: channel order, layout, normalization, type. */
import type { DType } from '../../ir/graph.js';
import type { Elements } from './dataset.js';
import { toGrey } from './decode.js';
import type { Pixels } from './decode.js';
import { fitImage } from './geometry.js';
import { pixelTable } from './pixel-table.js';
import type { PixelTable } from './pixel-table.js';
import type { ResolvedPreprocessing } from './preprocessing.js';

export interface ImageTensor {
  readonly data: Elements;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The whole recipe after decoding. Grey is made before resizing, as Pillow pipelines do. */
export function imageConverter(
  dtype: DType,
  preprocessing: ResolvedPreprocessing,
): (image: Pixels) => ImageTensor {
  const { channels, layout, color } = preprocessing;
  const table = pixelTable(dtype, preprocessing.normalization, channels);
  return (image) => {
    const fitted = fitImage(color === 'gray' ? toGrey(image) : image, preprocessing);
    const { width, height } = fitted;
    const sources = channelSources(fitted.channels, channels, color);
    const strides =
      layout === 'nchw' ? { channel: width * height, pixel: 1 } : { channel: 1, pixel: channels };
    const data = emptyLike(table, channels * width * height);
    sources.forEach((source, channel) => {
      let to = channel * strides.channel;
      for (let from = source; from < fitted.data.length; from += fitted.channels, to += strides.pixel) {
        data[to] = table[256 * channel + fitted.data[from]!]!;
      }
    });
    return { data, channels, height, width };
  };
}

/** For each channel of the model, the channel of the image. */
function channelSources(
  imageChannels: number,
  channels: number,
  color: ResolvedPreprocessing['color'],
): number[] {
  return Array.from({ length: channels }, (_, channel) => {
    if (imageChannels === 1) return 0;
    return color === 'bgr' ? channels - 1 - channel : channel;
  });
}

/** An array of the table's own type, all zero. */
function emptyLike(table: PixelTable, length: number): PixelTable {
  const TypedArray = table.constructor as new (length: number) => PixelTable;
  return new TypedArray(length);
}
