/** What the user wants to hold, and what is accepted. */
import type { Suppression } from '../diff/gate/suppressions.js';
import type { Thresholds } from '../diff/gate/thresholds.js';

export { parseSuppressions, type Suppression } from '../diff/gate/suppressions.js';
export { parseThresholds } from '../diff/gate/thresholds.js';

export interface GateRequest {
  readonly thresholds: Thresholds;
  readonly baseline?: {
    readonly file: string;
    /** Write this run into it rather than hold the run against it. */
    readonly update: boolean;
  };
  readonly suppressions: readonly Suppression[];
  /** YYYY-MM-DD: suppressions expire. */
  readonly today: string;
}
