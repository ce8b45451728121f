/** Whether what a runtime or a device computes is off by more than rounding. */
import type { OtherTensor } from '../run/other-run.js';

/** Share of values more than two codes apart: rounding moves single codes, kernels that compute something else many. */
const FAR_SHARE = 0.01;
/** Or as many values, one of them so far apart: a channel that is lost. */
const LOST_CODES = 16;
const LOST_VALUES = 8;
/** Of float tensors, SQNR beside the simulation, dB: float kernels add in another order, and keep 100 dB. */
const FLOAT_DB = 60;

/** Values that are NaN or infinite on one side only are never rounding. */
export function departs({
  values,
  beyondTwoCodes,
  maxCodes = 0,
  nonFinite = 0,
  simulated,
}: OtherTensor): boolean {
  if (nonFinite > 0) return true;
  if (beyondTwoCodes !== undefined) {
    return beyondTwoCodes > FAR_SHARE * values || (maxCodes >= LOST_CODES && beyondTwoCodes >= LOST_VALUES);
  }
  return simulated.exact !== true && (simulated.sqnrDb ?? -Infinity) < FLOAT_DB;
}
