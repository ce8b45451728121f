/** Studies the samples of a data set while a pass goes through them for another reason. */
import { createHash } from 'node:crypto';
import type { Samples } from '../samples.js';
import type { Dataset, Sample } from './dataset.js';
import type { Layout } from './image-input.js';
import { InputSketch, valuesOf, type SampleSpread } from './input-sketch.js';
import { isNoise } from './noise.js';
import { oneFolder } from './sample-folders.js';
import type { DataStudy, InputStudy } from './study.js';

/** Samples that are compared with each other; what is kept must not grow with their number. */
const MOST_COMPARED = 65536;
const MOST_NAMED = 3;
/** Of the range that an input has in the data set. */
const NEAR_CONSTANT_STD = 0.01;
const NEAR_CONSTANT_WIDTH = 0.1;

interface Compared {
  readonly id: string;
  readonly spreads: readonly SampleSpread[];
}

/** What a study is about, beside the samples themselves. */
export interface StudiedData {
  readonly flag: DataStudy['flag'];
  readonly kind: string;
  /** Where the channels of inputs are when their extents do not tell. */
  readonly layout: Layout;
}

/**
 * Accumulates a study. Costs a hash of what is fed and a walk over it, a fraction of a millisecond for a picture of 224x224: less than
 * decoding it. Memory does not depend on how many samples there are.
 */
export class StudyBuilder {
  readonly #about: StudiedData;
  readonly #inputs = new Map<string, InputSketch>();
  readonly #compared: Compared[] = [];
  readonly #seen = new Map<string, { readonly ids: string[] }>();
  readonly #groups: string[][] = [];
  #duplicates = 0;
  readonly #noise: string[] = [];
  #noisy = 0;
  #samples = 0;

  constructor(about: StudiedData) {
    this.#about = about;
  }

  add({ id, feeds }: Sample): void {
    this.#samples++;
    const hash = createHash('sha256');
    const spreads: SampleSpread[] = [];
    let isNoisy = false;
    for (const [name, feed] of feeds) {
      const { data, dims } = feed;
      hash.update(`${name} ${dims.join('x')} `);
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      const sketch = this.#inputs.get(name) ?? new InputSketch(name, this.#about.layout);
      this.#inputs.set(name, sketch);
      const values = valuesOf(feed);
      spreads.push(sketch.add(values, dims));
      isNoisy ||= isNoise(values, dims, this.#about.layout);
    }
    if (isNoisy && this.#noisy++ < MOST_NAMED) this.#noise.push(id);
    if (this.#compared.length >= MOST_COMPARED) return;
    this.#compared.push({ id, spreads });
    this.#compare(id, hash.digest('base64'));
  }

  #compare(id: string, digest: string): void {
    const twins = this.#seen.get(digest);
    if (twins === undefined) {
      this.#seen.set(digest, { ids: [id] });
      return;
    }
    this.#duplicates++;
    if (twins.ids.length === 1 && this.#groups.length < MOST_NAMED) this.#groups.push(twins.ids);
    if (twins.ids.length <= MOST_NAMED) twins.ids.push(id);
  }

  /** @param rest what is known of the data set but not of its samples */
  study(
    rest: Partial<Pick<Dataset, 'excluded' | 'assumed' | 'available'>> & Pick<DataStudy, 'folder'> = {},
  ): DataStudy {
    const { flag, kind } = this.#about;
    const { excluded = [], assumed, available, folder } = rest;
    const inputs = [...this.#inputs.values()].map((sketch) => sketch.study());
    const constant = this.#compared.filter(({ spreads }) => isNearConstant(spreads, inputs));
    return {
      flag,
      kind,
      samples: this.#samples,
      inputs: inputs.flatMap((input) => input ?? []),
      duplicates: { count: this.#duplicates, groups: this.#groups },
      nearConstant: { count: constant.length, first: constant.slice(0, MOST_NAMED).map(({ id }) => id) },
      noise: { count: this.#noisy, first: this.#noise },
      excluded: { count: excluded.length, first: excluded.slice(0, MOST_NAMED) },
      ...(available === undefined ? {} : { available }),
      ...(folder === undefined ? {} : { folder }),
      ...(assumed === undefined ? {} : { assumed }),
    };
  }
}

/** Inputs that are one value in all samples, such as a mask of ones, say nothing about any of them. */
function isNearConstant(
  spreads: readonly SampleSpread[],
  inputs: readonly (InputStudy | undefined)[],
): boolean {
  const judged = spreads.flatMap(({ std, width }, at) => {
    const range = inputs[at] === undefined ? 0 : inputs[at].max - inputs[at].min;
    return range > 0 && std < Infinity
      ? [std < NEAR_CONSTANT_STD * range && width < NEAR_CONSTANT_WIDTH * range]
      : [];
  });
  return judged.length > 0 && judged.every(Boolean);
}

/** Samples that are studied by whoever reads all of them first. */
export interface StudiedSamples extends Samples {
  /** What was found; undefined before a pass has reached the end. */
  study(): Promise<DataStudy | undefined>;
}

/**
 * The same samples. A pass that stops early is not counted, and nothing is done in passes after the first whole one.
 *
 * @param samples those of `dataset`, or what wraps them
 */
export function studied(
  samples: Samples,
  dataset: Pick<Dataset, 'kind' | 'path' | 'names' | 'available' | 'excluded' | 'assumed' | 'preprocessing'>,
  { flag, layout }: Pick<StudiedData, 'flag' | 'layout'>,
): StudiedSamples {
  const about = { flag, kind: dataset.kind, layout: dataset.preprocessing?.layout ?? layout };
  let whole: StudyBuilder | undefined;
  return {
    get count() {
      return samples.count;
    },
    async *samples() {
      if (whole !== undefined) {
        yield* samples.samples();
        return;
      }
      const builder = new StudyBuilder(about);
      for await (const sample of samples.samples()) {
        builder.add(sample);
        yield sample;
      }
      whole ??= builder;
    },
    async study() {
      if (whole === undefined) return undefined;
      const { available, excluded, assumed, names, path } = dataset;
      const folder = await oneFolder(names, path);
      return whole.study({ available, excluded, assumed, ...(folder === undefined ? {} : { folder }) });
    },
  };
}
