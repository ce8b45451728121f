/** Images made small, to be shown. */
import type { Picture } from './dataset.js';
import { decodeImage, type Orientation } from './decode.js';
import { imageContent } from './images.js';

/** In pixels. */
const LONGEST_SIDE = 256;
const JPEG_QUALITY = 80;
/** Bytes that a picture may have without loss: 64 x 64 pixels, whatever is in them. */
const MOST_LOSSLESS = 12 * 1024;

export interface SmallPicture extends Picture {
  readonly type: 'image/jpeg' | 'image/png';
  readonly bytes: Uint8Array;
}

/** Of the same aspect, within LONGEST_SIDE; small pictures stay as they are. */
export function smallSize({ width, height }: Picture): Picture {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/**
 * An image file as networks are fed it, in colour: tiny ones and drawings without loss, photographs as JPEG. Nothing of the file's
 * metadata is in it.
 *
 * @throws DataError when it cannot be read; the message is the reason alone
 */
export async function smallPicture(path: string, orientation: Orientation): Promise<SmallPicture> {
  const { data, channels, ...extents } = await decodeImage(await imageContent(path), orientation);
  const { default: sharp } = await import('sharp');
  const size = smallSize(extents);
  const small = sharp(data, { raw: { ...extents, channels } }).resize({ ...size, fit: 'fill' });
  const [png, jpeg] = await Promise.all([
    small.clone().png({ compressionLevel: 9, palette: false }).toBuffer(),
    small.clone().jpeg({ quality: JPEG_QUALITY }).toBuffer(),
  ]);
  const isLossless = png.length <= Math.max(MOST_LOSSLESS, jpeg.length);
  return { ...size, type: isLossless ? 'image/png' : 'image/jpeg', bytes: isLossless ? png : jpeg };
}
