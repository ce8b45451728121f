/** How far apart numbers may be, and in which unit that is said. */
import { relativeError } from './compare.js';

/**
 * @typedef {'lsb' | 'relative' | 'exact'} Unit
 *
 * @typedef {object} Measured
 * @property {number} tensor
 * @property {Unit} unit
 * @property {import('./compare.js').Difference} difference
 * @property {import('./compare.js').Agreement} [argmax] of outputs made of codes
 * @property {Limits} limits
 *
 * @typedef {object} Limits
 * @property {number} lsb largest difference of codes
 * @property {number} relative largest difference of floats over the tensor's largest value
 * @property {number} equal smallest share of equal values among integers that are no codes: indices, sizes, truth values
 * @property {number} argmax smallest share of places whose largest value is at the same index
 */

/** A kernel on the interpreter's own inputs. */
export const OPERATOR_LIMITS = Object.freeze({ lsb: 1, relative: 1e-4, equal: 1, argmax: 0 });

/** Indices computed from numbers that differ a little: near ties turn over, in a picture of many some do. */
const NEAR_TIES = 0.99;

/** Behind codes that were computed here and may be a few steps off. Floats made from them, such as boxes, move along. */
export const INTEGER_LIMITS = Object.freeze({ lsb: 3, relative: 1e-2, equal: NEAR_TIES, argmax: NEAR_TIES });

/** A float network from end to end. */
export const FLOAT_LIMITS = Object.freeze({ lsb: 3, relative: 1e-4, equal: NEAR_TIES, argmax: 0 });

/**
 * Largest difference in the unit of the tensor; of integers that are no codes, as it is.
 *
 * @param {Measured} measured
 */
export function distance({ unit, difference }) {
  return unit === 'relative' ? relativeError(difference) : difference.largest;
}

/** @param {import('./compare.js').Difference} difference */
export function equalShare({ values, equal }) {
  return values === 0 ? 1 : equal / values;
}

/**
 * @param {Measured} measured
 * @returns {boolean}
 */
export function isWithin(measured) {
  const { unit, difference, argmax, limits } = measured;
  if (argmax !== undefined && argmax.agreeing < argmax.places * limits.argmax) return false;
  if (unit === 'exact') return equalShare(difference) >= limits.equal;
  return distance(measured) <= limits[unit];
}
