import { departs } from '../../../diff/other-departure.js';
import type { OtherRun, OtherTensor } from '../../../run/other-run.js';
import type { Evidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { percent, short } from '../../wording.js';
import { rule } from '../../rule.js';

export const mismatch = rule({
  id: 'rt.mismatch',
  title: 'The runtime or the device computes something else than the file says',
  severity: 'error',
  needs: [],
  oneOf: ['runtime', 'actual'],
  text: {
    what: 'The file run by ONNX Runtime (--runtime), or tensors dumped from a device (--actual), beside the simulation, operator by operator; the first that differs though its inputs agree is named.',
    why: 'Fused kernels round otherwise by one code or two, which is normal. More than that is a bug of a kernel, a delegate or an optimizer, and no calibration mends it.',
    instead:
      'Switch the named optimization or delegate off, take another version, report the operator; evaluate on the target.',
    see: [
      'https://onnxruntime.ai/docs/performance/model-optimizations/graph-optimizations.html',
      'rt.u8s8-saturation',
    ],
  },
  check,
});

/** The runtime or the device computes something else than the file says. Named is the first operator whose inputs still agree. */
function check({ runtime, actual }: Evidence): Finding[] {
  return [
    ...(runtime === undefined ? [] : departure(runtime.tensors, 'ONNX Runtime')),
    ...(actual === undefined ? [] : departure(actual.tensors.filter(isComputed), 'the device')),
  ];
}

/** What a device was fed is no work of its own: eval.pairing looks at that. */
function isComputed({ node }: OtherTensor): boolean {
  return node !== '';
}

function departure(tensors: OtherRun['tensors'], who: string): Finding[] {
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
