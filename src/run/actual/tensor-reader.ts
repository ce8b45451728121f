/** The dumped values of one tensor, in the network's order of axes and as codes where they are such. */
import { DataError } from '../../errors.js';
import { tensorOf, type Graph } from '../../ir/graph.js';
import { viewed } from '../../ir/view.js';
import type { Values } from '../other/sums.js';
import type { Target } from '../other/targets.js';
import { ArrayValues } from './array-values.js';
import { layoutOf, type Layout } from './layout.js';
import type { ActualArray } from './match.js';
import { describeMeaning, meaningOf, read, type Meaning } from './meaning.js';

/** How the arrays of one type and shape are read. */
interface Reading {
  readonly layout: Layout;
  readonly meaning: Meaning;
}

export class TensorReader {
  readonly #target: Target;
  readonly #fileAxes: readonly number[] | undefined;
  readonly #bySample = new Map<number, ActualArray>();
  readonly #readings = new Map<string, Reading>();
  readonly #texts = new Set<string>();
  /** An archive's entry can only be read forward: arrays of several samples stay open. */
  readonly #open = new Map<ActualArray, ArrayValues>();

  constructor(graph: Graph, target: Target) {
    this.#target = target;
    this.#fileAxes = tensorOf(graph, target.tensor).fileAxes;
  }

  add(array: ActualArray): void {
    for (let i = 0; i < array.samples; i++) {
      if (!this.#bySample.has(array.sample + i)) this.#bySample.set(array.sample + i, array);
    }
  }

  /** How the values were taken, of all that was read so far. */
  get description(): string {
    return [...this.#texts].join('; ');
  }

  /**
   * @param sample its position among the samples
   * @param simulated by which type and order of axes are recognised, on the first array of its type and shape
   * @returns undefined where the sample was not dumped
   * @throws DataError when the array cannot be read; its other samples are then given up
   */
  async read(sample: number, simulated: Values): Promise<Int32Array | Values | undefined> {
    const match = this.#bySample.get(sample);
    if (match === undefined) return undefined;
    const values = this.#open.get(match) ?? new ArrayValues(match);
    try {
      const actual = this.#understood(
        match,
        values.dims,
        await values.read(sample - match.sample),
        simulated,
      );
      if (match.samples > 1) this.#open.set(match, values);
      else await values.close();
      return actual;
    } catch (error) {
      await values.close();
      this.#open.delete(match);
      for (let i = 0; i < match.samples; i++) this.#bySample.delete(match.sample + i);
      if (!(error instanceof DataError)) throw error;
      throw new DataError(`${match.array.label}: ${error.message}`, { cause: error });
    }
  }

  #understood(
    { array, form, note }: ActualArray,
    dims: readonly number[],
    numbers: Values,
    simulated: Values,
  ): Int32Array | Values {
    const { dtype } = array.header;
    const target = this.#target;
    const kind = `${form} ${dtype} ${dims.join()}`;
    const known = this.#readings.get(kind);
    const layout = known?.layout ?? layoutOf(numbers, dims, simulated, target.dims, this.#fileAxes);
    const arranged = layout.view === undefined ? numbers : viewed(numbers, layout.view);
    // What looked like codes in one sample may have numbers in the next that are none.
    const actual = known === undefined ? undefined : read(arranged, known.meaning, target);
    if (actual !== undefined) return actual;
    const meaning = meaningOf(arranged, dtype, form, target, simulated);
    this.#readings.set(kind, { layout, meaning });
    const axes = layout.axes === undefined ? [] : [`axes of the file in the order ${layout.axes.join(', ')}`];
    const text = [describeMeaning(meaning, dtype, target), ...axes, ...(note === undefined ? [] : [note])];
    this.#texts.add(text.join(', '));
    return read(arranged, meaning, target) ?? arranged;
  }

  async close(): Promise<void> {
    for (const values of this.#open.values()) await values.close();
    this.#open.clear();
  }
}
