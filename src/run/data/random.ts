/** Made-up data for smoke tests: says that a model runs, nothing about its accuracy. */
import { createCipheriv, createHash } from 'node:crypto';
import { DataError } from '../../errors.js';
import { elementCount, formatDims } from '../../ir/elements.js';
import { asElements, convertElements, elementBytes } from './convert.js';
import type { FeedDType } from './convert.js';
import { QRANGE } from '../../ir/lane.js';
import type { Assumption, Elements, InputQuant, InputSpec } from './dataset.js';
import { formulaOfCodes, valuesOfCodes } from './input-codes.js';
import { feedType, fixedDims } from './input-spec.js';
import { isFloatInput } from './preprocessing.js';
import type { Source, SourceContext } from './source.js';

const DEFAULT_SAMPLES = 8;
const MAX_BYTES = 2 ** 31;

/**
 * Floats uniform in [0, 1); 8-bit integers over their whole range; wider integers and bool 0 or 1, which any vocabulary
 * or mask takes; for a quantized input, values of codes that are uniform over their whole range. The same seed gives the same sample whatever else is read.
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
    const { quant } = input;
    const recipe = (index: number): string => `random ${context.seed} ${input.name} ${index}`;
    const form = `${dtype} ${dims.join('x')}${quant === undefined ? '' : ` ${JSON.stringify(quant)}`}`;
    const made = (index: number): Elements =>
      quant === undefined
        ? randomElements(recipe(index), dtype, elementCount(dims))
        : convertElements(randomValues(recipe(index), quant, elementCount(dims)), 'float32', dtype);
    return {
      kind: 'random',
      input,
      count,
      assumed: [
        label,
        { what: 'seed', value: String(context.seed), from: context.seed === 0 ? 'default' : 'flag' },
        ...(quant === undefined ? [] : [uniformCodes(input.name, quant)]),
      ],
      excluded: [],
      id: (index) => `random#${index}`,
      origin: (index) => ({ kind: 'made', recipe: `${recipe(index)} ${form}` }),
      open: () => ({
        read: (index) => Promise.resolve({ dtype, dims, data: made(index) }),
        close: () => Promise.resolve(),
      }),
    };
  });
}

/** Such as `uniform over the codes -128 to 127 of int8, fed as (code + 128) * 0.003921569`. */
function uniformCodes(name: string, quant: InputQuant): Assumption {
  const [lowest, highest] = QRANGE[quant.dtype];
  const value = `uniform over the codes ${lowest} to ${highest} of ${quant.dtype}, fed as ${formulaOfCodes(quant)}`;
  return { what: `values of ${name}`, value, from: 'model' };
}

/** Node has no seeded generator of numbers, but a stream cipher is one. */
function randomBytes(recipe: string, count: number): Uint8Array {
  const key = createHash('sha256').update(recipe).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  return stream.update(new Uint8Array(count));
}

function randomWords(recipe: string, count: number): Uint32Array {
  return asElements(randomBytes(recipe, 4 * count), 'uint32') as Uint32Array;
}

/** Values of codes that are uniform over the range of their type, as far as 32 random bits reach. */
function randomValues(recipe: string, quant: InputQuant, count: number): Float32Array {
  const [lowest, highest] = QRANGE[quant.dtype];
  const codes = Float64Array.from(
    randomWords(recipe, count),
    (word) => lowest + Math.floor((word / 2 ** 32) * (highest - lowest + 1)),
  );
  return valuesOfCodes(codes, quant);
}

function randomElements(recipe: string, dtype: FeedDType, count: number): Elements {
  if (elementBytes(dtype) === 1 && dtype !== 'bool') {
    return asElements(randomBytes(recipe, count), dtype);
  }
  if (!isFloatInput(dtype)) {
    return convertElements(
      randomBytes(recipe, count).map((byte) => byte & 1),
      'uint8',
      dtype,
    );
  }
  // 24 bits, so that every value is a float32 below 1.
  return convertElements(
    Float32Array.from(randomWords(recipe, count), (word) => (word >>> 8) / 2 ** 24),
    'float32',
    dtype,
  );
}
