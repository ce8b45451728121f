/** Outputs as vectors: what embeddings are compared by. */
import type { Cosine } from './studied-output.js';

/** Beyond this an output is no embedding, and its samples are not kept. */
const MOST_ELEMENTS = 4096;
const FEWEST_ELEMENTS = 2;
/** Samples with fewer give too few pairs to rank. */
const FEWEST_SAMPLES = 4;
const UNIT_SLACK = 1e-3;

export class SampleVectors {
  readonly #float: Float32Array[] = [];
  readonly #quantized: Float32Array[] = [];
  readonly #cosines: number[] = [];
  readonly #isKept: boolean;
  #isUnit = true;

  constructor(elements: number) {
    this.#isKept = elements >= FEWEST_ELEMENTS && elements <= MOST_ELEMENTS;
  }

  add(float: Float32Array, quantized: Float32Array): void {
    if (!this.#isKept) return;
    const cosine = cosineOf(float, quantized);
    if (cosine !== undefined) this.#cosines.push(cosine);
    if (Math.abs(Math.sqrt(dot(float, float)) - 1) > UNIT_SLACK) this.#isUnit = false;
    this.#float.push(float.slice());
    this.#quantized.push(quantized.slice());
  }

  result(): Cosine | undefined {
    const cosines = this.#cosines;
    if (cosines.length === 0) return undefined;
    const ranks =
      this.#float.length < FEWEST_SAMPLES
        ? undefined
        : rankCorrelation(pairs(this.#float), pairs(this.#quantized));
    return {
      mean: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
      min: Math.min(...cosines),
      isUnit: this.#isUnit,
      ...(ranks === undefined ? {} : { ranks }),
    };
  }
}

/** Undefined where one of them is zero or not finite; a zero beside what is not is 0. */
function cosineOf(a: Float32Array, b: Float32Array): number | undefined {
  const [aa, bb] = [dot(a, a), dot(b, b)];
  if (!(aa > 0) || !Number.isFinite(aa) || !Number.isFinite(bb)) return undefined;
  return bb === 0 ? 0 : dot(a, b) / Math.sqrt(aa * bb);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function pairs(vectors: readonly Float32Array[]): number[] {
  return vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => cosineOf(a, b) ?? 0));
}

/** Spearman's, ties at their mean rank; undefined where one of the two does not vary. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number | undefined {
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const middle = (a.length - 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  x.forEach((rank, i) => {
    const other = (y[i] as number) - middle;
    xx += (rank - middle) ** 2;
    yy += other ** 2;
    xy += (rank - middle) * other;
  });
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : undefined;
}

function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => (values[i] as number) - (values[j] as number));
  const ranks = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length;) {
    const value = values[order[from] as number];
    let to = from;
    while (to < order.length && values[order[to] as number] === value) to++;
    for (let k = from; k < to; k++) ranks[order[k] as number] = (from + to - 1) / 2;
    from = to;
  }
  return ranks;
}
