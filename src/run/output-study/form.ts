/** How the elements of an output lie: rows along the classes, and which of them are looked at. */
import type { Edge } from '../../compile/edges.js';

/** Rows of an output: its elements along one axis. */
export interface OutputForm {
  /** Elements of a row; 1 where no axis is one of classes. */
  readonly classes: number;
  /** Distance between neighbours in a row, in elements. */
  readonly stride: number;
  /** Position of the first element of each row that is looked at. */
  readonly rows: readonly number[];
  /** Rows of the whole output. */
  readonly allRows: number;
}

/** Beyond this an axis is no list of classes. */
const MOST_CLASSES = 100_000;
/** Sums of float32 probabilities are 1 within this, whatever the number of classes. */
export const SUM_SLACK = 1e-3;

/**
 * The axis along which `values`, what the float network gives for one sample, sum to 1; else that of the channels, or the last.
 *
 * @param most elements to look at; of more, whole rows are taken, evenly spread
 */
export function formOf({ dims, channelAxis }: Edge, values: Float32Array, most: number): OutputForm {
  const usual = dims.length > 2 ? (channelAxis ?? dims.length - 1) : dims.length - 1;
  const axes = [usual, ...dims.map((_, axis) => axis)].filter((axis) => isList(dims[axis]));
  const axis =
    axes.find((each) => sumsToOne(dims, each, values)) ?? (isList(dims[usual]) ? usual : undefined);
  const classes = axis === undefined ? 1 : (dims[axis] as number);
  const stride = axis === undefined ? 1 : extent(dims.slice(axis + 1));
  const allRows = values.length / classes;
  const taken = Math.min(allRows, Math.max(1, Math.floor(most / classes)));
  return {
    classes,
    stride,
    rows: spread(allRows, taken).map((row) => firstOf(row, classes, stride)),
    allRows,
  };
}

function isList(classes: number | undefined): boolean {
  return classes !== undefined && classes > 1 && classes <= MOST_CLASSES;
}

function sumsToOne(dims: readonly number[], axis: number, values: Float32Array): boolean {
  const classes = dims[axis] as number;
  const stride = extent(dims.slice(axis + 1));
  for (let row = 0; row < values.length / classes; row++) {
    const first = firstOf(row, classes, stride);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const value = values[first + c * stride] as number;
      // What is less than 0 is no probability.
      sum += value < -SUM_SLACK ? NaN : value;
    }
    if (!(Math.abs(sum - 1) <= SUM_SLACK)) return false;
  }
  return true;
}

function firstOf(row: number, classes: number, stride: number): number {
  return Math.floor(row / stride) * classes * stride + (row % stride);
}

function extent(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Of the golden ratio: its multiples fall evenly between whole numbers, and in step with no period of a layout. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** `taken` of the positions 0 to `count` - 1, ascending, one in each of so many equal parts. */
export function spread(count: number, taken: number): number[] {
  if (taken >= count) return Array.from({ length: count }, (_, at) => at);
  return Array.from({ length: taken }, (_, part) =>
    Math.min(count - 1, Math.floor(((part + ((part * GOLDEN) % 1)) * count) / taken)),
  );
}
