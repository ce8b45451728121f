/** One input of a network over all samples of a data set. */
import { toFloat32 } from '../../ir/elements.js';
import type { Feed } from './dataset.js';
import { layoutOf, type Layout } from './image-input.js';
import { Neighbours } from './neighbours.js';
import type { ChannelStudy, InputStudy } from './study.js';
import { ValueSketch } from './value-sketch.js';

const MOST_CHANNELS = 64;
/** Values of one sample that more than the extremes are known of. */
const MOST_VALUES = 8192;
const MOST_DISTINCT = 257;
/** Fewer values than that have no spread of their own. */
const LEAST_VALUES = 16;

/** How far the values of one sample are apart. */
export interface SampleSpread {
  readonly width: number;
  /** The largest within a channel; Infinity for a sample with too few values to have one. */
  readonly std: number;
}

/** The numbers that are fed. */
export function valuesOf({
  dtype,
  dims,
  data,
}: Feed): Float32Array | Float64Array | Exclude<Feed['data'], BigInt64Array | BigUint64Array> {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float64Array.from(data as Iterable<bigint>, Number);
  }
  if (dtype !== 'float16') return data;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return toFloat32({ dtype, dims, byteLength: bytes.length, bytes: () => bytes });
}

/** Row-major elements as outer x channels x inner. */
export interface ChannelView {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  /** Whether there is a dimension of channels, be it of one. */
  readonly isFound: boolean;
}

/**
 * Where the channels of an input are: those of a picture by its extents or `layout`; of anything else the dimension behind the batch,
 * or the last for `nhwc`. One channel where there is no such dimension, or it has too many.
 */
export function channelView(dims: readonly number[], layout: Layout): ChannelView {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const image = dims.length === 4 ? dims.slice(1) : dims.length === 3 && dims[0] !== 1 ? dims : undefined;
  const first = dims.length - (image?.length ?? dims.length - 1);
  const order = image === undefined ? layout : (layoutOf(image) ?? layout);
  const axis = order === 'nhwc' ? dims.length - 1 : first;
  const channels = dims.length < 2 ? 1 : (dims[axis] ?? 1);
  const isFound = dims.length > 1 && channels > 0 && channels <= MOST_CHANNELS;
  if (!isFound || channels === 1) return { outer: 1, channels: 1, inner: size, isFound };
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  return { outer: size / channels / inner, channels, inner, isFound };
}

export class InputSketch {
  readonly #tensor: string;
  readonly #layout: Layout;
  #channels: ValueSketch[] = [];
  #hasChannels = false;
  readonly #neighbours = new Neighbours();

  constructor(tensor: string, layout: Layout) {
    this.#tensor = tensor;
    this.#layout = layout;
  }

  add(values: ArrayLike<number>, dims: readonly number[]): SampleSpread {
    const view = channelView(dims, this.#layout);
    this.#neighbours.add(values, dims, view);
    // Extents may differ from sample to sample; channels that do have no meaning.
    if (this.#channels.length === 0) {
      this.#channels = Array.from({ length: view.channels }, () => new ValueSketch());
      this.#hasChannels = view.isFound;
    }
    const { channels, outer, inner } =
      view.channels === this.#channels.length ? view : { outer: 1, channels: 1, inner: values.length };
    const each = outer * inner;
    const step = stepOf(each, Math.max(1, Math.floor(MOST_VALUES / channels)));
    const all = { low: Infinity, high: -Infinity, n: 0, sum: 0, squares: 0 };
    let std = 0;
    for (let c = 0; c < channels && each > 0; c++) {
      const sketch = this.#channels[c] as ValueSketch;
      const { low, high } = extremesOf(values, { outer, channels, inner }, c);
      const picked = new Float64Array(Math.ceil(each / step));
      for (let at = 0, k = 0; k < each; at++, k += step) {
        const row = inner === 1 ? k : Math.floor(k / inner);
        picked[at] = values[(row * channels + c) * inner + (k - row * inner)] as number;
      }
      sketch.widen(low, high);
      sketch.add(picked);
      all.low = Math.min(all.low, low);
      all.high = Math.max(all.high, high);
      const moments = momentsOf(picked);
      all.n += picked.length;
      all.sum += picked.length * moments.mean;
      all.squares += picked.length * (moments.variance + moments.mean * moments.mean);
      std = Math.max(std, Math.sqrt(moments.variance));
    }
    const mean = all.sum / Math.max(1, all.n);
    const total = Math.sqrt(Math.max(0, all.squares / Math.max(1, all.n) - mean * mean));
    return {
      width: Math.max(0, all.high - all.low),
      std: each >= LEAST_VALUES ? std : all.n >= LEAST_VALUES ? total : Infinity,
    };
  }

  /** Undefined when no value was seen. */
  study(): InputStudy | undefined {
    const whole = new ValueSketch();
    const distinct = new Set<number>();
    for (const sketch of this.#channels) {
      whole.merge(sketch);
      for (const value of sketch.values) if (distinct.size < MOST_DISTINCT) distinct.add(value);
    }
    const study = whole.study();
    if (study === undefined) return undefined;
    const neighbours = this.#neighbours.steps();
    return {
      tensor: this.#tensor,
      ...study,
      isWhole: whole.isWhole,
      distinct: distinct.size,
      channels: this.#hasChannels
        ? this.#channels.flatMap((sketch): ChannelStudy[] => {
            const channel = sketch.channelStudy();
            return channel === undefined ? [] : [channel];
          })
        : [],
      ...(neighbours === undefined ? {} : { neighbours }),
    };
  }
}

/** Such that no more than `most` of `count` are taken, in step with none of the extents that make up `count`. */
function stepOf(count: number, most: number): number {
  let step = Math.ceil(count / most);
  if (step <= 1) return 1;
  while (commonDivisor(step, count) > 1) step++;
  return step;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

function momentsOf(values: Float64Array): { mean: number; variance: number } {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) * (value - mean);
  return { mean, variance: squares / values.length };
}

function extremesOf(
  values: ArrayLike<number>,
  { outer, channels, inner }: Omit<ChannelView, 'isFound'>,
  channel: number,
): { low: number; high: number } {
  let [low, high] = [Infinity, -Infinity];
  // Channels behind each other: one row, in steps.
  const [rows, apart] = inner === 1 ? [1, channels] : [outer, 1];
  for (let o = 0; o < rows; o++) {
    const start = (o * channels + channel) * inner;
    const end = inner === 1 ? outer * channels : start + inner;
    for (let i = start; i < end; i += apart) {
      const value = values[i] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return { low, high };
}
