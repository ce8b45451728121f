/** uint8 arrays for float inputs: pixels that only lack the normalization an image would get. */
import { DataError, UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { Assumption, Elements, InputSpec } from './dataset.js';
import { pixelTable } from './normalization.js';
import { resolvePreprocessing } from './preprocessing.js';
import type { ResolvedPreprocessing } from './preprocessing.js';
import type { SourceContext } from './source.js';

export interface CodeConversion {
  readonly preprocessing: ResolvedPreprocessing;
  readonly assumed: readonly Assumption[];
  /** @param dims of `codes`, in the layout of the model. */
  convert(codes: Uint8Array, dims: readonly number[]): Elements;
}

/** Settings that say something about an array that has its final size. */
const CONCERNING_ARRAYS: ReadonlySet<string> = new Set([
  'preset',
  'color',
  'layout',
  'units',
  'normalization',
]);

/**
 * @throws UsageError when the flags do not fit the input.
 * @throws DataError when the input is not one for images.
 */
export function codeConversion(input: InputSpec, context: SourceContext): CodeConversion {
  const flags = { ...context.preprocessing, resize: 'none', layout: undefined } as const;
  const { preprocessing, assumed } = resolvePreprocessing(input, flags, context.metadata, context.flag);
  const { channels, color, layout } = preprocessing;
  if (channels === 3 && color === 'gray') {
    throw new UsageError(
      `--color gray makes grey of images, not of arrays; input ${input.name} takes 3 channels`,
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
    convert(codes, dims) {
      const found = dims.at(layout === 'nchw' ? -3 : -1);
      if (found !== channels) {
        throw new DataError(
          `its sample of shape ${formatDims(dims)} has ${found} channels, ${channels} are wanted`,
        );
      }
      const pixels = layout === 'nchw' ? dims.at(-2)! * dims.at(-1)! : 1;
      const out = new TableArray(codes.length);
      for (let i = 0; i < codes.length; i++) {
        const channel = Math.floor(i / pixels) % channels;
        const from = swapped ? i + (channels - 1 - 2 * channel) * pixels : i;
        out[i] = table[256 * channel + codes[from]!]!;
      }
      return out;
    },
  };
}
