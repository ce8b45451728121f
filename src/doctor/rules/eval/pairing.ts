import type { OtherTensor } from '../../../run/other-run.js';
import { tensorOf } from '../../../ir/graph.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { percent, short } from '../../wording.js';

/** dB: what rounding and another resampling of the same picture keep. */
const SAME_DB = 30;
/** dB: less is another sample. */
const OTHER_DB = 10;

export const pairing = rule({
  id: 'eval.pairing',
  title: 'The device was not fed what qdbg feeds',
  severity: 'error',
  needs: ['actual'],
  text: {
    what: 'Inputs among the tensors that were dumped from a device (--actual), beside the inputs that qdbg feeds for the same sample. Both networks of a comparison are fed the same bytes by design: they cannot fall apart.',
    why: 'Where the samples are shuffled between two passes, or preprocessed by other code, every tensor behind the input differs, and the difference says nothing about quantization.',
    instead:
      'Freeze the list of samples and its order, dump the input with the other tensors, and give qdbg the same preprocessing, or the dumped inputs themselves as --data.',
    see: ['io.preproc', 'rt.mismatch'],
  },
  limits: [{ quantity: 'SQNR of a dumped input', unit: 'dB', error: SAME_DB, worse: 'lower' }],
  check,
});

function check({ graph, actual }: With<'actual'>): Finding[] {
  const inputs = new Set(graph.inputs.map((id) => tensorOf(graph, id).name));
  return actual.tensors
    .filter(({ tensor, node }) => node === '' && inputs.has(tensor))
    .flatMap((input): Finding[] => {
      if (isSame(input)) return [];
      const { sqnrDb } = input.simulated;
      return [
        {
          rule: 'eval.pairing',
          severity: 'error',
          subject: { tensor: input.tensor },
          message: messageOf(input),
          args: {
            ...(sqnrDb === undefined ? {} : { sqnrDb }),
            differing: input.differing,
            values: input.values,
          },
          fix: { title: 'run on what the device was fed', edit: '--data DIR with the dumped inputs' },
        },
      ];
    });
}

/** Beside samples of zeros, or of nothing but NaN, there is no SQNR. */
function isSame({ differing, nonFinite = 0, simulated: { sqnrDb, exact } }: OtherTensor): boolean {
  if (nonFinite > 0) return false;
  return exact === true || differing === 0 || (sqnrDb ?? -Infinity) >= SAME_DB;
}

function messageOf({ differing, values, nonFinite = 0, simulated: { sqnrDb } }: OtherTensor): string {
  const db = sqnrDb === undefined ? '' : ` (${short(sqnrDb)} dB)`;
  return (
    `the dumped input differs from what is fed here in ${percent(differing / values)} of its values` +
    `${db}: ${causeOf(nonFinite, sqnrDb)}; nothing behind it can be compared`
  );
}

function causeOf(nonFinite: number, sqnrDb = -Infinity): string {
  if (nonFinite > 0) return `${nonFinite} of them are NaN or infinite on one side only`;
  return sqnrDb < OTHER_DB
    ? 'other samples, or the same in another order'
    : 'the same samples preprocessed otherwise';
}
