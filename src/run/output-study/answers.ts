/** Which class has the largest score, row by row. */
import type { OutputForm } from './form.js';
import type { Answers } from './studied-output.js';

/** LSB between the largest and the smallest score of a row: with less the row is background, whatever class leads. */
const CONTRAST_STEPS = 4;

export class AnswerCounts {
  readonly #classes: number;
  readonly #float = new Map<number, number>();
  readonly #quantized = new Map<number, number>();
  #count = 0;
  #changed = 0;
  #tiesFloat = 0;
  #tiesQuantized = 0;

  constructor(classes: number) {
    this.#classes = classes;
  }

  /** A row that begins at `at`: scores in float and in the lane. */
  add(float: Float32Array, quantized: Float32Array, at: number, step: number | undefined): void {
    const x = leaderOf(float, at, this.#classes);
    const y = leaderOf(quantized, at, this.#classes);
    // False for NaN, too.
    if (!(x.largest - x.smallest >= CONTRAST_STEPS * (step ?? 0)) || !(x.largest > x.smallest)) return;
    if (Number.isNaN(y.largest)) return;
    this.#count++;
    this.#float.set(x.leader, (this.#float.get(x.leader) ?? 0) + 1);
    this.#quantized.set(y.leader, (this.#quantized.get(y.leader) ?? 0) + 1);
    if (x.leader !== y.leader) this.#changed++;
    if (x.leaders > 1) this.#tiesFloat++;
    if (y.leaders > 1) this.#tiesQuantized++;
  }

  result({ rows, classes }: OutputForm): Answers | undefined {
    if (this.#count === 0) return undefined;
    return {
      count: this.#count,
      rowsPerSample: rows.length,
      classes,
      entropy: {
        float: entropyOf(this.#float, this.#count),
        quantized: entropyOf(this.#quantized, this.#count),
      },
      different: { float: this.#float.size, quantized: this.#quantized.size },
      changed: this.#changed,
      ties: { float: this.#tiesFloat, quantized: this.#tiesQuantized },
    };
  }
}

interface Leader {
  readonly leader: number;
  /** Classes that share the largest score. */
  readonly leaders: number;
  readonly largest: number;
  readonly smallest: number;
}

/** Of equal scores the first leads. */
function leaderOf(values: Float32Array, at: number, classes: number): Leader {
  let leader = 0;
  let leaders = 0;
  let largest = -Infinity;
  let smallest = Infinity;
  for (let c = 0; c < classes; c++) {
    const value = values[at + c] as number;
    if (Number.isNaN(value)) return { leader, leaders, largest: NaN, smallest: NaN };
    if (value > largest) {
      largest = value;
      leader = c;
      leaders = 1;
    } else if (value === largest) leaders++;
    if (value < smallest) smallest = value;
  }
  return { leader, leaders, largest, smallest };
}

function entropyOf(counts: ReadonlyMap<number, number>, total: number): number {
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  // Of a single class it would be -0.
  return Math.max(0, bits);
}
