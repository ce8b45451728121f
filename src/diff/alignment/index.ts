/** Which tensor and operator of a candidate network is which of the reference. */
export { align, type Side } from './align.js';
export type { Activations } from './behaviour.js';
export { questions } from './questions.js';
export type { Alignment } from './alignment.js';
