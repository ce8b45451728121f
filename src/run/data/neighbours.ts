/**
 * How far neighbours in memory are apart, which tells how a picture lies there whatever its extents say: in planes, the next element is
 * the next pixel; in pixels, the next pixel is as many elements away as there are channels. Pictures are smooth, so the way that is right
 * has the smaller steps.
 */
import type { ChannelView } from './input-sketch.js';

/** Mean absolute differences between elements of one sample, over all samples. */
export interface NeighbourSteps {
  /** How the elements were read: channel behind channel, or pixel behind pixel. */
  readonly read: 'planes' | 'pixels';
  readonly channels: number;
  /** Of an element and the next, where both are of one pixel if the elements are pixels. */
  readonly within: number;
  /** Of an element and the next, where the next begins a pixel. */
  readonly across: number;
  /** Of elements as far apart as there are channels. */
  readonly apart: number;
}

const MOST_CHANNELS = 16;
/** Elements of one sample that are looked at, from its beginning: rows of a picture, or of some of its planes. */
const MOST_ELEMENTS = 1 << 18;

/** Accumulates over samples. */
export class Neighbours {
  #view: Pick<NeighbourSteps, 'read' | 'channels'> | undefined;
  #isMixed = false;
  readonly #within = new Mean();
  readonly #across = new Mean();
  readonly #apart = new Mean();

  /**
   * @param dims of the feed; all but those of rank 4 with more than one row and column are passed over
   * @param view of the same
   */
  add(values: ArrayLike<number>, dims: readonly number[], { channels, inner }: ChannelView): void {
    const isPicture = dims.length === 4 && dims.slice(1).every((dim) => dim > 1);
    if (!isPicture || channels < 2 || channels > MOST_CHANNELS) return;
    const read = inner > 1 ? 'planes' : 'pixels';
    this.#view ??= { read, channels };
    this.#isMixed ||= this.#view.read !== read || this.#view.channels !== channels;
    const count = Math.min(values.length, MOST_ELEMENTS);
    for (let i = 0; i + channels < count; i++) {
      const value = values[i] as number;
      const step = Math.abs((values[i + 1] as number) - value);
      if (i % channels === channels - 1) this.#across.add(step);
      else this.#within.add(step);
      this.#apart.add(Math.abs((values[i + channels] as number) - value));
    }
  }

  /** Undefined when no sample was a picture, or they lie in several ways. */
  steps(): NeighbourSteps | undefined {
    if (this.#view === undefined || this.#isMixed) return undefined;
    return {
      ...this.#view,
      within: this.#within.value,
      across: this.#across.value,
      apart: this.#apart.value,
    };
  }
}

class Mean {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count++;
  }

  get value(): number {
    return this.#sum / Math.max(1, this.#count);
  }
}
