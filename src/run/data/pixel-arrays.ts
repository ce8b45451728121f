/** uint8 arrays for float inputs: pixels that only lack the normalization an image would get. */
import { DataError, UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { Assumption, Elements, InputSpec } from './dataset.js';
import { pixelTable } from './pixel-table.js';
import { resolvePreprocessing } from './preprocessing.js';
import type { Resolution, ResolvedPreprocessing } from './preprocessing.js';
import type { SourceContext } from './source.js';

export interface PixelConversion {
  readonly preprocessing: ResolvedPreprocessing;
  readonly assumed: readonly Assumption[];
  /** @param dims of `pixels`, in the layout of the model. */
  convert(pixels: Uint8Array, dims: readonly number[]): Elements;
}

/** Settings that say something about an array that has its final size. */
const CONCERNING_ARRAYS: ReadonlySet<string> = new Set([
  'preset',
  'color',
  'layout',
  'units',
  'normalization',
  'metadata',
]);

/**
 * @throws UsageError when the flags do not fit the input.
 * @throws DataError when the input is not one for images.
 */
export function pixelConversion(input: InputSpec, context: SourceContext): PixelConversion {
  const { preprocessing, assumed } = recipeOf(input, context);
  const { channels, color, layout } = preprocessing;
  if (channels === 3 && color === 'gray') {
    throw new UsageError(
      `color gray makes grey of images, not of arrays; input ${input.name} takes 3 channels`,
      {
        hint: '--color rgb',
      },
    );
  }
  const table = pixelTable(input.dtype, preprocessing.normalization, channels);
  const TableArray = table.constructor as new (length: number) => typeof table;
  const swapped = color === 'bgr';
  return {
    preprocessing,
    assumed: [
      ...assumed.filter(({ what }) => CONCERNING_ARRAYS.has(what)),
      ...(swapped
        ? [{ what: 'color of arrays', value: 'rgb, swapped to bgr', from: 'default' } as const]
        : []),
    ],
    convert(pixels, dims) {
      const found = dims.at(layout === 'nchw' ? -3 : -1);
      if (found !== channels) {
        throw new DataError(
          `its sample of shape ${formatDims(dims)} has ${found} channels, ${channels} are wanted`,
        );
      }
      const run = layout === 'nchw' ? dims.at(-2)! * dims.at(-1)! : 1;
      const out = new TableArray(pixels.length);
      for (let i = 0; i < pixels.length; i++) {
        const channel = Math.floor(i / run) % channels;
        const from = swapped ? i + (channels - 1 - 2 * channel) * run : i;
        out[i] = table[256 * channel + pixels[from]!]!;
      }
      return out;
    },
  };
}

/** The recipe that an image would get, for one that has its final size; arrays may hold several in a sample. */
function recipeOf(input: InputSpec, { preprocessing, metadata, flag }: SourceContext): Resolution {
  const flags = { ...preprocessing, resize: 'none', layout: undefined } as const;
  const { name, shape } = input;
  const single = shape.length === 4 ? { ...input, shape: [1, ...shape.slice(1)] } : input;
  try {
    return resolvePreprocessing(single, flags, metadata, flag);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const type = input.quant === undefined ? '' : `${input.quant.dtype} codes or `;
    throw new DataError(`arrays of uint8 are taken for images: ${error.message}`, {
      hint: `${flag} ${name}=FILE.npy of ${type}float32 is taken as it is`,
      cause: error,
    });
  }
}
