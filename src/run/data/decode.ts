/**
 * Image files to 8-bit pixels, equal to Pillow's `Image.open(file).convert('RGB')` to the bit.
 *
 * What that means for images that are not plain RGB: alpha is dropped (not blended), palettes are looked up, grey is
 * repeated, CMYK is converted by Pillow's formula, embedded colour profiles are ignored, and of an animation or a
 * multi-page file the first picture counts. One deliberate difference: 16-bit grey is scaled to 8 bits, which Pillow clips.
 */
import type { Sharp } from 'sharp';
import { DataError } from '../../errors.js';

/** Rows of interleaved 8-bit channels: RGB, or grey. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** `stored` takes the pixels as they lie in the file, `exif` turns them upright as the camera recorded. */
export type Orientation = 'stored' | 'exif';

/** Largest image taken, in pixels: the limit beyond which Pillow reports a decompression bomb. */
export const MAX_PIXELS = 178_956_970;

/** First bytes of the formats that are read; by these and not by its name a file is judged. */
const SIGNATURES: Readonly<Record<string, readonly RegExp[]>> = {
  jpeg: [/^\xff\xd8\xff/],
  png: [/^\x89PNG\r\n\x1a\n/],
  gif: [/^GIF8[79]a/],
  webp: [/^RIFF[^]{4}WEBP/],
  tiff: [/^II\*\0/, /^MM\0\*/],
};

/**
 * @throws DataError when the bytes are not an image, a damaged or truncated one, or one of a kind that is not read; the
 * message is the reason alone.
 */
export async function decodeImage(bytes: Uint8Array, orientation: Orientation): Promise<Pixels> {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  if (!Object.values(SIGNATURES).some((forms) => forms.some((form) => form.test(start)))) {
    throw new DataError(`it is not a ${Object.keys(SIGNATURES).join(', ')} image`);
  }
  try {
    return await decode(await openImage(bytes), orientation);
  } catch (cause) {
    if (cause instanceof DataError || !(cause instanceof Error)) throw cause;
    throw new DataError(`it is damaged or truncated (${firstLine(cause.message)})`, { cause });
  }
}

async function openImage(bytes: Uint8Array): Promise<Sharp> {
  // Loading the library takes a third of a second, which commands without images should not pay.
  const { default: sharp } = await import('sharp');
  sharp.cache(false); // it would keep decoded images
  return sharp(bytes, {
    failOn: 'error',
    sequentialRead: true,
    ignoreIcc: true,
    limitInputPixels: false, // checked below, with the size that was met
  });
}

async function decode(image: Sharp, orientation: Orientation): Promise<Pixels> {
  const { width, height, space, depth } = await image.metadata();
  if (width * height > MAX_PIXELS) {
    throw new DataError(`it has ${width}x${height} pixels; up to ${MAX_PIXELS} in all are read`);
  }
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new DataError(`its samples are of type ${depth}; images of 8 or 16 bits a channel are read`, {
      hint: 'save such data as .npy',
    });
  }
  const upright = orientation === 'exif' ? image.autoOrient() : image;
  const cmyk = space === 'cmyk';
  const converted = cmyk
    ? upright.pipelineColourspace('cmyk').toColourspace('cmyk')
    : upright.toColourspace('srgb').removeAlpha();
  const { data, info } = await converted.raw().toBuffer({ resolveWithObject: true });
  const size = { width: info.width, height: info.height };
  if (info.channels === 3) return { ...size, channels: 3, data };
  if (info.channels === 4 && cmyk) return { ...size, channels: 3, data: cmykToRgb(data) };
  if (info.channels === 1) return { ...size, channels: 3, data: repeatGrey(data) };
  throw new DataError(
    `it has ${info.channels} channels of colour space ${space}; RGB, grey and CMYK are read`,
  );
}

/** Pillow's conversion (src/libImaging/Convert.c, cmyk2rgb): 255 - k - c * (255 - k) / 255, rounded. */
function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - cmyk[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = cmyk[from + channel]! * light + 128;
      rgb[to + channel] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}

function repeatGrey(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i]!, 3 * i, 3 * i + 3);
  return rgb;
}

/** Grey by the ITU-R 601-2 luma transform in Pillow's integers (src/libImaging/Convert.c, L24). */
export function toGrey({ data, width, height, channels }: Pixels): Pixels {
  if (channels === 1) return { data, width, height, channels };
  const grey = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    grey[i] = (data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16;
  }
  return { data: grey, width, height, channels: 1 };
}

/** libvips reports one problem several times over several lines. */
function firstLine(message: string): string {
  return message.split('\n')[0]!.trim().replace(/:$/, '');
}
