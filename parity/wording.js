/** Differences and limits in words. */
import { plural } from '../dist/report/format.js';
import { distance, equalShare } from './limits.js';

/**
 * @typedef {import('./limits.js').Limits} Limits
 * @typedef {import('./limits.js').Measured} Measured
 */

/** @param {Measured} measured */
export function measuredNumbers(measured) {
  const { unit, difference } = measured;
  const value = distance(measured);
  return unit === 'relative'
    ? numbers(undefined, undefined, value)
    : numbers(difference, unit === 'lsb' ? value : undefined, undefined);
}

/**
 * Cells: share of equal integers, largest difference in LSB, largest relative error.
 *
 * @param {import('./compare.js').Difference | undefined} integers
 * @param {number | undefined} lsb
 * @param {number | undefined} relative
 */
export function numbers(integers, lsb, relative) {
  return [
    integers === undefined ? '-' : share(equalShare(integers)),
    lsb === undefined ? '-' : String(lsb),
    relative === undefined ? '-' : relative === 0 ? '0' : relative.toExponential(1),
  ];
}

/** @param {import('./compare.js').Difference} difference */
export function equalText(difference) {
  return `${share(equalShare(difference))} of ${plural(difference.values, 'value')} equal`;
}

/**
 * Never 100 % while a value differs.
 *
 * @param {number} part of 1
 */
function share(part) {
  return `${(Math.floor(part * 1e4) / 100).toFixed(2)} %`;
}

/**
 * What one tensor is held to.
 *
 * @param {Measured} measured
 */
export function limitText({ unit, limits, argmax }) {
  if (unit === 'exact') return limits.equal === 1 ? 'equal' : `${100 * limits.equal} % equal`;
  if (unit === 'relative') return `${limits.relative.toExponential()} of the largest value`;
  return `${limits.lsb} LSB${argmax === undefined || limits.argmax === 0 ? '' : ' and the same argmax'}`;
}

/**
 * What all tensors are held to.
 *
 * @param {Limits} limits
 */
export function limitsText({ lsb, relative, equal }) {
  const others = equal === 1 ? 'other integers equal' : `${100 * equal} % of other integers equal`;
  return `${lsb} LSB, floats to ${relative.toExponential()} of their largest value, ${others}`;
}
