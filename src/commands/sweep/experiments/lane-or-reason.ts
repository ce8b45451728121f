/** Lanes that may not be to be had, with the reason in one line. */
import { QdbgError } from '../../../errors.js';
import type { Lane } from '../../../ir/lane.js';

const NOT_FOLLOWED = 'calibration did not follow a tensor that would then need a range of its own';

/** One lane that cannot be built must not end a sweep. */
export function laneOrReason(build: () => Lane | undefined): Lane | string {
  try {
    return build() ?? NOT_FOLLOWED;
  } catch (error) {
    if (!(error instanceof QdbgError)) throw error;
    return [error.message, ...error.places].join('; ');
  }
}
