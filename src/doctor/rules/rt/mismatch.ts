import type { OtherRun, OtherTensor } from '../../../run/other-run.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { percent, short } from '../../wording.js';

/** Share of values more than two codes apart: rounding moves single codes, kernels that compute something else many. */
const ERROR_SHARE = 0.01;
/** Or as many values so far apart: a channel that is lost. */
const FAR_CODES = 16;
const FAR_VALUES = 8;
/** Of float tensors, SQNR beside the simulation, dB: float kernels add in another order, and keep 100 dB. */
const FLOAT_DB = 60;

/** The runtime or the device computes something else than the file says. Named is the first operator whose inputs still agree. */
export function mismatch({ runtime, actual }: ComparisonEvidence): Finding[] {
  return [
    ...(runtime === undefined ? [] : departure(runtime, 'ONNX Runtime')),
    ...(actual === undefined ? [] : departure(actual, 'the device')),
  ];
}

function departure({ tensors }: OtherRun, who: string): Finding[] {
  const first = tensors.find((tensor) => tensor.inputsDiffer !== true && departs(tensor));
  if (first === undefined) return [];
  const { tensor, node, values, differing, beyondTwoCodes = differing, maxCodes, read } = first;
  const by = maxCodes === undefined ? '' : `, by up to ${maxCodes} codes`;
  const meaning = read === undefined ? '' : ` (read as ${read})`;
  return [
    {
      rule: 'rt.mismatch',
      severity: 'error',
      subject: { ...(node === '' ? {} : { node }), tensor },
      message:
        `${who} computes something else than the file says: ${percent(beyondTwoCodes / values)} of the values differ${by}, ` +
        `though what this operator reads agrees${meaning}`,
      args: { differing, values, ...(maxCodes === undefined ? {} : { maxCodes }), ...sqnrArgument(first) },
    },
  ];
}

function departs({ values, beyondTwoCodes, maxCodes = 0, simulated }: OtherTensor): boolean {
  if (beyondTwoCodes !== undefined) {
    return beyondTwoCodes > ERROR_SHARE * values || (maxCodes >= FAR_CODES && beyondTwoCodes >= FAR_VALUES);
  }
  return simulated.exact !== true && (simulated.sqnrDb ?? -Infinity) < FLOAT_DB;
}

function sqnrArgument({ simulated: { sqnrDb } }: OtherTensor): { sqnrDb?: string } {
  return sqnrDb === undefined ? {} : { sqnrDb: short(sqnrDb) };
}
