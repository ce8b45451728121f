/** Seeded random numbers, so that every machine measures the same files. */

/**
 * mulberry32: 32 bits of state, good enough for weights and images.
 * @param {number} seed
 * @returns {() => number} uniform in [0, 1)
 */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Normal deviates by Box-Muller.
 * @param {() => number} random uniform in [0, 1)
 * @returns {() => number} mean 0, standard deviation 1
 */
export function normal(random) {
  let spare;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
