/** Outputs of detectors as rows, one a box, whichever way round the file has them. */
import { DataError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { NetworkOutput } from './prediction.js';

/** Where value `column` of row `row` stands: row * rowStep + column * columnStep. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** Of `[rows, width]`. */
export function byRow(count: number, width: number): Rows {
  return { count, width, rowStep: width, columnStep: 1 };
}

/** Of `[width, rows]`. */
export function byColumn(width: number, count: number): Rows {
  return { count, width, rowStep: 1, columnStep: count };
}

/**
 * The output of this name, as it was when the decoder was chosen.
 *
 * @throws DataError when it is not there, or has other dims
 */
export function outputOf(
  outputs: readonly NetworkOutput[],
  { name, dims }: { name: string; dims: readonly number[] },
): NetworkOutput {
  const found = anyOutputOf(outputs, name);
  if (found.dims.length !== dims.length || found.dims.some((dim, axis) => dim !== dims[axis])) {
    throw new DataError(
      `output ${name} has dims ${formatDims(found.dims)}; in the run that the decoder was chosen by it had ${formatDims(dims)}`,
    );
  }
  return found;
}

/** @throws DataError when it is not there */
export function anyOutputOf(outputs: readonly NetworkOutput[], name: string): NetworkOutput {
  const found = outputs.find((output) => output.name === name);
  if (found === undefined) throw new DataError(`the network gave no output ${name}, which is to be decoded`);
  return found;
}

/** How far probabilities that were calibrated and quantized may lie beyond 0 and 1. */
const ROUNDING = 0.01;

/** Whether columns `from` to `to` hold values beyond 0..1, which probabilities cannot be. */
export function areLogits(data: NetworkOutput['data'], rows: Rows, from: number, to: number): boolean {
  for (let row = 0; row < rows.count; row++) {
    for (let column = from; column < to; column++) {
      const value = data[row * rows.rowStep + column * rows.columnStep]!;
      if ((value < -ROUNDING || value > 1 + ROUNDING) && Number.isFinite(value)) return true;
    }
  }
  return false;
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
