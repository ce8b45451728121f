/** The pixels of a mask beside the cells of a prediction's grid that lie over them. */
import { IGNORED, type MaskTruth } from '../labels/truth.js';
import type { MaskPrediction, Placement } from '../predictions/prediction.js';
import type { Transitions } from './metric.js';
import { addCounts, type ClassPairsState } from './scorer-state.js';
import { transitionsOf } from './transitions.js';

/** Pixels by class: of the labels, of the prediction, and where the two are equal. */
export interface PixelCounts {
  /** Length of what is used of the arrays: largest class met, plus 1. */
  classes: number;
  readonly truth: Uint32Array;
  readonly prediction: Uint32Array;
  readonly equal: Uint32Array;
}

export function emptyPixelCounts(): PixelCounts {
  const all = (): Uint32Array => new Uint32Array(IGNORED);
  return { classes: 0, truth: all(), prediction: all(), equal: all() };
}

export function clear(counts: PixelCounts): void {
  for (const array of [counts.truth, counts.prediction, counts.equal]) array.fill(0, 0, counts.classes);
  counts.classes = 0;
}

/** Cell of a grid of `cells` over each of `pixels` centres; -1 outside of the model's input. */
export function cellsOf(pixels: number, cells: number, scale: number, offset: number): Int32Array {
  return Int32Array.from({ length: pixels }, (_, i) => {
    const cell = Math.floor((((i + 0.5) / pixels) * scale + offset) * cells);
    return cell >= 0 && cell < cells ? cell : -1;
  });
}

/**
 * Counts every pixel of the labels that counts and that the model sees.
 *
 * @returns labelled pixels outside of the model's input
 */
export function countPixels(
  truth: MaskTruth,
  prediction: Pick<MaskPrediction, 'width' | 'height' | 'data'>,
  placement: Placement,
  counts: PixelCounts,
): number {
  const columns = cellsOf(truth.width, prediction.width, placement.scaleX, placement.offsetX);
  const rows = cellsOf(truth.height, prediction.height, placement.scaleY, placement.offsetY);
  let unseen = 0;
  let largest = counts.classes - 1;
  for (let y = 0, pixel = 0; y < truth.height; y++) {
    const row = rows[y]!;
    const start = row * prediction.width;
    for (let x = 0; x < truth.width; x++, pixel++) {
      const label = truth.data[pixel]!;
      if (label === IGNORED) continue;
      const column = columns[x]!;
      if (row < 0 || column < 0) {
        unseen++;
        continue;
      }
      const answer = prediction.data[start + column]!;
      counts.truth[label]!++;
      if (label > largest) largest = label;
      if (answer === label) counts.equal[label]!++;
      if (answer === IGNORED) continue;
      counts.prediction[answer]!++;
      if (answer > largest) largest = answer;
    }
  }
  counts.classes = largest + 1;
  return unseen;
}

/** Cells by pair of classes, of two grids of one size; of the pairs that differ. */
export class ClassPairs {
  readonly #cells = new Map<number, number>();
  readonly #from = new Float64Array(IGNORED + 1);

  add(reference: MaskPrediction, candidate: MaskPrediction): void {
    if (reference.width !== candidate.width || reference.height !== candidate.height) return;
    // Regions are wide: neighbours mostly hold the same pair, which is looked up once.
    let pair = -1;
    let run = 0;
    for (let i = 0; i < reference.data.length; i++) {
      const from = reference.data[i]!;
      const to = candidate.data[i]!;
      this.#from[from]!++;
      if (from === to) continue;
      const key = from * 0x10000 + to;
      if (key !== pair) {
        this.#count(pair, run);
        pair = key;
        run = 0;
      }
      run++;
    }
    this.#count(pair, run);
  }

  get state(): ClassPairsState {
    const from = [...this.#from.entries()].filter(([, count]) => count > 0);
    return { cells: [...this.#cells], from };
  }

  merge({ cells, from }: ClassPairsState): void {
    addCounts(this.#cells, cells);
    // Classes that there cannot be are stored nowhere by a typed array.
    for (const [label, count] of from) this.#from[label] = (this.#from[label] ?? 0) + count;
  }

  /** Most cells first. */
  most(count: number): { from: number; to: number; count: number; share: number }[] {
    return [...this.#cells]
      .sort(([a, many], [b, more]) => more - many || a - b)
      .slice(0, count)
      .map(([pair, cells]) => {
        const from = Math.floor(pair / 0x10000);
        return { from, to: pair % 0x10000, count: cells, share: cells / this.#from[from]! };
      });
  }

  /** Cells without a class on one side are not counted. */
  get transitions(): Transitions {
    const stayed = new Map<number, number>();
    for (let label = 0; label < IGNORED; label++)
      if (this.#from[label]! > 0) stayed.set(label, this.#from[label]!);
    const changed: { from: number; to: number; count: number }[] = [];
    for (const [pair, count] of this.#cells) {
      const from = Math.floor(pair / 0x10000);
      const to = pair % 0x10000;
      const left = (stayed.get(from) ?? 0) - count;
      if (left > 0) stayed.set(from, left);
      else stayed.delete(from);
      if (from !== IGNORED && to !== IGNORED) changed.push({ from, to, count });
    }
    return { ...transitionsOf(stayed, changed, 0), counted: 'pixels' };
  }

  #count(pair: number, cells: number): void {
    if (cells > 0) this.#cells.set(pair, (this.#cells.get(pair) ?? 0) + cells);
  }
}
