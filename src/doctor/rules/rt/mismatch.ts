import { departs } from '../../../diff/other-departure.js';
import type { OtherRun, OtherTensor } from '../../../run/other-run.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { percent, short } from '../../wording.js';

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
  const {
    tensor,
    node,
    values,
    differing,
    beyondTwoCodes = differing,
    maxCodes,
    nonFinite = 0,
    read,
  } = first;
  const finite = maxCodes === undefined || maxCodes === 0 ? '' : `, by up to ${maxCodes} codes`;
  const by = nonFinite === 0 ? finite : `${finite}, ${nonFinite} of them by being NaN or infinite`;
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

function sqnrArgument({ simulated: { sqnrDb } }: OtherTensor): { sqnrDb?: string } {
  return sqnrDb === undefined ? {} : { sqnrDb: short(sqnrDb) };
}
