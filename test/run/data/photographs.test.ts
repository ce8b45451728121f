import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeImage, toGrey } from '../../../src/run/data/decode.js';
import type { Pixels } from '../../../src/run/data/decode.js';
import { fitImage } from '../../../src/run/data/geometry.js';
import { resolvePreprocessing } from '../../../src/run/data/preprocessing.js';
import { resample } from '../../../src/run/data/resample.js';
import { fixture, SHARED } from './support.js';

type Digests = Readonly<Record<'decoded' | 'grey' | 'bilinear' | 'bicubic' | 'shortSide', string>>;

const photographs = JSON.parse(readFileSync(fixture('shared_reference.json'), 'utf8')) as Record<
  string,
  Digests
>;
const digest = ({ data }: Pixels): string => createHash('sha256').update(data).digest('hex');
const input = { name: 'x', dtype: 'float32', shape: [1, 3, 112, 112] } as const;
const { preprocessing } = resolvePreprocessing(input, { resize: 'short-side' }, new Map(), '--data');

describe.skipIf(!existsSync(join(SHARED, 'data')))('photographs outside the project', () => {
  it.each(Object.keys(photographs))('%s becomes what Pillow makes of it', async (name) => {
    const pixels = await decodeImage(readFileSync(join(SHARED, name)), 'stored');
    expect({
      decoded: digest(pixels),
      grey: digest(toGrey(pixels)),
      bilinear: digest(resample(pixels, 112, 96, 'bilinear')),
      bicubic: digest(resample(pixels, 112, 96, 'bicubic')),
      shortSide: digest(fitImage(pixels, preprocessing)),
    }).toEqual(photographs[name]);
  });
});
