/** PNG files whose pixels are class numbers: palette indices and grey of 1 to 16 bits, exactly as they are stored. */
import { inflateSync } from 'node:zlib';
import { DataError } from '../../errors.js';
import { MAX_PIXELS } from '../data/decode.js';
import type { StoredMask } from './source.js';

/** Bytes by which the header of a PNG is known whole: signature, and IHDR with its length, type and checksum. */
export const HEADER_BYTES = 33;

const SIGNATURE = '\x89PNG\r\n\x1a\n';
const PALETTE = 3;
const COLOUR_TYPES: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'RGB',
  3: 'palette',
  4: 'grey with alpha',
  6: 'RGB with alpha',
};

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly isInterlaced: boolean;
}

/**
 * @param bytes the first HEADER_BYTES or more.
 * @throws DataError when this is no PNG that class numbers can be read from; the message is the reason alone
 */
export function maskHeader(bytes: Uint8Array): PngHeader {
  const start = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  if (start.toString('latin1', 0, 8) !== SIGNATURE) throw new DataError('it is not a PNG file');
  if (start.length < HEADER_BYTES || start.toString('latin1', 12, 16) !== 'IHDR') {
    throw new DataError('it ends inside the PNG header');
  }
  const [width, height] = [start.readUInt32BE(16), start.readUInt32BE(20)];
  const [depth = 0, colour = -1, , , interlace = 0] = start.subarray(24, 29);
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw new DataError(`it has ${width}x${height} pixels; 1 to ${MAX_PIXELS} in all are read`);
  }
  if (colour !== 0 && colour !== PALETTE) {
    const met = COLOUR_TYPES[colour] ?? `colour type ${colour}`;
    throw new DataError(`its pixels are ${met}, not class numbers; palette or grey PNG is read`, {
      hint: 'save masks with one number a pixel: in Python, PIL.Image.fromarray(ids.astype("uint8")).save("mask.png")',
    });
  }
  if (![1, 2, 4, 8, 16].includes(depth)) throw new DataError(`it has ${depth} bits a pixel`);
  if (interlace > 0 && depth < 8) {
    throw new DataError(
      `it is interlaced with ${depth} bits a pixel; interlaced masks of 8 or 16 bits are read`,
    );
  }
  return { width, height, depth, isInterlaced: interlace > 0 };
}

/** @throws DataError when it is damaged or not a mask; the message is the reason alone */
export async function decodeMask(bytes: Uint8Array): Promise<StoredMask> {
  const header = maskHeader(bytes);
  const { width, height, depth } = header;
  const { decode } = await import('fast-png');
  let data: ArrayLike<number>;
  try {
    ({ data } = decode(necessaryChunks(bytes, header), { checkCrc: true }));
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`it is damaged or truncated (${(cause as Error).message.slice(0, 100)})`, { cause });
  }
  if (depth < 8) return { kind: 'mask', width, height, data: unpack(data, header) };
  if (data.length !== width * height) throw new DataError('it is damaged: rows are missing');
  return { kind: 'mask', width, height, data: depth === 16 ? new Uint16Array(data) : new Uint8Array(data) };
}

/**
 * The file without chunks that do not matter to class numbers. They and pixels that expand to more than the image holds could be
 * made to fill the memory.
 */
function necessaryChunks(bytes: Uint8Array, { width, height, depth, isInterlaced }: PngHeader): Uint8Array {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Buffer[] = [file.subarray(0, 8)];
  const pixels: Buffer[] = [];
  for (let at = 8; at < file.length;) {
    if (at + 12 > file.length) throw new DataError('it is truncated');
    const end = at + 12 + file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (end > file.length) throw new DataError('it is truncated');
    if (type === 'acTL') throw new DataError('it is an animation of several frames; a mask is one picture');
    if (type === 'IDAT') pixels.push(file.subarray(at + 8, end - 4));
    if (['IHDR', 'PLTE', 'IDAT', 'IEND'].includes(type)) kept.push(file.subarray(at, end));
    at = end;
    if (type === 'IEND') break;
  }
  // Seven passes of an interlaced image have more rows, each with its filter byte, than the image.
  const rows = Math.ceil((width * depth) / 8 + 1) * height;
  const wanted = isInterlaced ? 2 * rows + 64 : rows;
  const { length } = inflateSync(Buffer.concat(pixels), { maxOutputLength: wanted });
  if (!isInterlaced && length !== wanted) throw new DataError('it is damaged: rows are missing');
  return Buffer.concat(kept);
}

/** Rows of packed pixels, the leftmost in the highest bits, each beginning a byte. */
function unpack(packed: ArrayLike<number>, { width, height, depth }: PngHeader): Uint8Array {
  const out = new Uint8Array(width * height);
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  const low = 2 ** depth - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = packed[y * rowBytes + Math.floor(x / perByte)]!;
      out[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & low;
    }
  }
  return out;
}
