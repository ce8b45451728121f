/** Made-up data for smoke tests: says that a model runs, nothing about its accuracy. */
import { createCipheriv, createHash } from 'node:crypto';
import { DataError } from '../../errors.js';
import { elementCount, formatDims } from '../../ir/elements.js';
import { asElements, convertElements, elementBytes } from './convert.js';
import type { FeedDType } from './convert.js';
import type { Assumption, Elements, InputSpec } from './dataset.js';
import { feedType, fixedDims } from './input-spec.js';
import { isFloatInput } from './preprocessing.js';
import type { Source, SourceContext } from './source.js';

const DEFAULT_SAMPLES = 8;
const MAX_BYTES = 2 ** 31;

/**
 * Floats uniform in [0, 1); 8-bit integers over their whole range; wider integers and bool 0 or 1, which any vocabulary
 * or mask takes. The same seed gives the same sample whatever else is read.
 *
 * @throws UsageError when an input leaves dimensions other than the first open.
 */
export function openRandom(inputs: readonly InputSpec[], context: SourceContext): Source[] {
  const count = context.samples ?? DEFAULT_SAMPLES;
  const label: Assumption = {
    what: 'data',
    value: 'random numbers: a smoke test, no statement about accuracy',
    from: 'flag',
  };
  return inputs.map((input): Source => {
    const dtype = feedType(input);
    const dims = fixedDims(input, 'random data');
    if (elementCount(dims) * elementBytes(dtype) > MAX_BYTES) {
      throw new DataError(
        `input ${input.name} of shape ${formatDims(input.shape)} takes more than ${MAX_BYTES} bytes`,
      );
    }
    const recipe = (index: number): string => `random ${context.seed} ${input.name} ${index}`;
    return {
      kind: 'random',
      input,
      count,
      assumed: [
        label,
        { what: 'seed', value: String(context.seed), from: context.seed === 0 ? 'default' : 'flag' },
      ],
      excluded: [],
      id: (index) => `random#${index}`,
      origin: (index) => ({ kind: 'made', recipe: `${recipe(index)} ${dtype} ${dims.join('x')}` }),
      open: () => ({
        read: (index) =>
          Promise.resolve({ dtype, dims, data: randomElements(recipe(index), dtype, elementCount(dims)) }),
        close: () => Promise.resolve(),
      }),
    };
  });
}

/** Node has no seeded generator of numbers, but a stream cipher is one. */
function randomElements(recipe: string, dtype: FeedDType, count: number): Elements {
  const key = createHash('sha256').update(recipe).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  if (elementBytes(dtype) === 1 && dtype !== 'bool') {
    return asElements(stream.update(new Uint8Array(count)), dtype);
  }
  if (!isFloatInput(dtype)) {
    return convertElements(
      stream.update(new Uint8Array(count)).map((byte) => byte & 1),
      'uint8',
      dtype,
    );
  }
  const words = asElements(stream.update(new Uint8Array(4 * count)), 'uint32') as Uint32Array;
  // 24 bits, so that every value is a float32 below 1.
  return convertElements(
    Float32Array.from(words, (word) => (word >>> 8) / 2 ** 24),
    'float32',
    dtype,
  );
}
