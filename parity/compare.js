/** How far two arrays of numbers are apart, as sums that do not depend on the order in which arrays are added. */

/**
 * @typedef {ArrayLike<number> | ArrayLike<bigint>} Numbers
 *
 * @typedef {object} Difference
 * @property {number} values
 * @property {number} equal values that are the same number; two NaN are
 * @property {number} largest absolute difference; Infinity where only one of the two is finite or a number
 * @property {number} absmax largest finite |x| of the reference
 *
 * @typedef {object} Agreement
 * @property {number} places rows of the last axis
 * @property {number} agreeing
 */

/** @returns {Difference} */
export function noDifference() {
  return { values: 0, equal: 0, largest: 0, absmax: 0 };
}

/**
 * @param {Difference} sums changed in place
 * @param {Numbers} values
 * @param {Numbers} reference of the same length
 */
export function addDifference(sums, values, reference) {
  if (values.length !== reference.length) {
    throw new RangeError(`${values.length} values stand beside ${reference.length}`);
  }
  sums.values += values.length;
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    const wanted = Number(reference[i]);
    const size = Math.abs(wanted);
    if (size > sums.absmax && size < Infinity) sums.absmax = size;
    if (value === wanted || (Number.isNaN(value) && Number.isNaN(wanted))) {
      sums.equal++;
      continue;
    }
    const apart = Math.abs(value - wanted);
    sums.largest = Math.max(sums.largest, Number.isNaN(apart) ? Infinity : apart);
  }
}

/**
 * @param {Difference} sums changed in place
 * @param {Difference} more
 */
export function mergeDifference(sums, more) {
  sums.values += more.values;
  sums.equal += more.equal;
  sums.largest = Math.max(sums.largest, more.largest);
  sums.absmax = Math.max(sums.absmax, more.absmax);
}

/**
 * Largest difference over the largest reference value; of a reference that is 0 everywhere, the difference itself.
 *
 * @param {Difference} difference
 */
export function relativeError({ largest, absmax }) {
  return largest / (absmax === 0 ? 1 : absmax);
}

/**
 * Where two arrays have their largest value along the last axis. Two places of one maximum are as good as each other: they agree
 * too where either's choice is among the largest of the other.
 *
 * @param {Numbers} values
 * @param {Numbers} reference of the same length
 * @param {number} classes extent of the last axis
 * @returns {Agreement}
 */
export function argmaxAgreement(values, reference, classes) {
  const places = classes === 0 ? 0 : reference.length / classes;
  let agreeing = 0;
  for (let place = 0; place < places; place++) {
    const start = place * classes;
    const mine = argmax(values, start, classes);
    const wanted = argmax(reference, start, classes);
    if (reference[mine] === reference[wanted] || values[mine] === values[wanted]) agreeing++;
  }
  return { places, agreeing };
}

/**
 * @param {Numbers} values
 * @param {number} start
 * @param {number} length
 */
function argmax(values, start, length) {
  let best = start;
  for (let i = start + 1; i < start + length; i++) if (Number(values[i]) > Number(values[best])) best = i;
  return best;
}
