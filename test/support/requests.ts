/** What requests hold that a test does not speak of. */
import type { Settings } from '../../src/cli/requests.js';
import type { AccuracyRequest } from '../../src/commands/accuracy/request.js';
import type { GateRequest } from '../../src/commands/gate-request.js';

/** Nothing is asked of the accuracy, and nothing has to hold. */
export const UNJUDGED: { readonly accuracy: AccuracyRequest; readonly gate: GateRequest } = {
  accuracy: { metrics: [], skipUnlabelled: false, pictures: 0, isRequired: false, tellsAgreement: false },
  gate: { thresholds: { minSqnr: [] }, suppressions: [], today: '2026-01-31' },
};

/** Flags of a command line without a configuration file. */
export const TYPED: Settings = {
  sourceOf: () => 'command line',
  suppressions: [],
  today: UNJUDGED.gate.today,
};
