/** Which errors tell of the network that is compared, rather than of the archive or of a bug. */
import { RunError, UnsupportedError } from '../dist/errors.js';

/**
 * Why something could not be computed.
 *
 * @param {unknown} error
 * @returns {string}
 * @throws the error itself when it is of another kind
 */
export function reasonOf(error) {
  // RangeError: what the compiler throws for a graph that does not hold together, and typed arrays of another length.
  if (error instanceof RunError || error instanceof UnsupportedError || error instanceof RangeError) {
    return error.message;
  }
  throw error;
}
