/** A box plot on one line of text. */
import type { FiveNumbers } from '../quant/quantile.js';

export interface PlotScale {
  readonly min: number;
  readonly max: number;
}

/** Column of a value: 0 to width - 1. */
function columnOf(value: number, { min, max }: PlotScale, width: number): number {
  return max > min ? Math.round(((value - min) / (max - min)) * (width - 1)) : 0;
}

/**
 * Whiskers from min to max, a box from the first to the third quartile, the median in it, and a mark where zero is:
 * `├────▒▒▒┃▒▒─────┤   ┊`. `width` characters; a summary that falls into one column is its median.
 *
 * @param scale holds all five numbers
 */
export function boxPlot(summary: FiveNumbers, scale: PlotScale, width: number): string {
  const at = (value: number): number => columnOf(value, scale, width);
  const cells = new Array<string>(width).fill(' ');
  if (scale.min <= 0 && scale.max >= 0) cells[at(0)] = '┊';
  cells.fill('─', at(summary.min), at(summary.max) + 1);
  cells[at(summary.min)] = '├';
  cells[at(summary.max)] = '┤';
  cells.fill('▒', at(summary.q1), at(summary.q3) + 1);
  cells[at(summary.median)] = '┃';
  return cells.join('');
}

/** A line of the width of the plots under it, with the ends of the scale and zero where it is, as far as they have room. */
export function plotAxis(scale: PlotScale, width: number, text: (value: number) => string): string {
  const left = text(scale.min);
  const right = text(scale.max);
  const line = left + ' '.repeat(Math.max(1, width - left.length - right.length)) + right;
  const zero = columnOf(0, scale, width);
  const isFree = scale.min < 0 && scale.max > 0 && line.slice(zero - 1, zero + 2) === '   ';
  return isFree ? `${line.slice(0, zero)}0${line.slice(zero + 1)}` : line;
}
