/** SQNR in words. */

/** Below this an output carries little of the float result; above the other it is close to it. dB, cumulative. */
export const BROKEN_DB = 10;
export const CLOSE_DB = 20;
