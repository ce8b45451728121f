import { tensorOf } from '../../../ir/graph.js';
import type { DataStudy } from '../../../run/data/study.js';
import type { Evidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { inputSubject } from '../../seen-input.js';
import { percent } from '../../wording.js';

export const fileFormat = rule({
  id: 'io.file-format',
  title: 'Data files were left out, or read as another type',
  severity: 'error',
  needs: [],
  oneOf: ['calib', 'data'],
  text: {
    what: 'Samples that were left out because they cannot be read, and values of a size that no sensor or picture has: the bytes of integers or of float64 that are read as float32.',
    why: 'Files without a header (.raw, .bin) do not say what is in them, and tools pass over what they cannot read. Ranges then come from noise, or from fewer samples than one thinks.',
    instead:
      'Write .npy or .npz: they say type and shape themselves. Mend or remove the files that are named.',
    see: ['https://github.com/kendryte/nncase/issues/84', 'cal.unrepresentative'],
  },
  limits: [{ quantity: 'largest magnitude in the data', unit: '', error: 1e12, worse: 'higher' }],
  check,
});

/** Magnitudes beyond these are no measurements. The bytes of other types, read as float32, soon have some. */
const LARGEST = 1e12;
const SMALLEST = 1e-12;
/** Masks are two values or three, one of them may be the most negative number. */
const MASK_VALUES = 3;

function check(evidence: Evidence): Finding[] {
  const studies = [evidence.calib, evidence.data].flatMap((study) => study ?? []);
  return studies.flatMap((study) => [...leftOut(study), ...oddValues(evidence, study)]);
}

function leftOut({ flag, samples, excluded: { count, first } }: DataStudy): Finding[] {
  const [example] = first;
  if (count === 0 || example === undefined) return [];
  const all = samples + count;
  return [
    {
      rule: 'io.file-format',
      severity: 'warning',
      subject: {},
      message: `${count} of ${all} samples of ${flag} (${percent(count / all)}) were left out, the first, ${example.id}: ${example.reason}`,
      args: { excluded: count, samples: all, sample: example.id },
      fix: { title: 'mend or remove what cannot be read', edit: `${flag} PATH without --skip-unreadable` },
    },
  ];
}

function oddValues({ graph }: Evidence, { inputs }: DataStudy): Finding[] {
  return inputs.flatMap(({ tensor, min, max, distinct }): Finding[] => {
    const largest = Math.max(Math.abs(min), Math.abs(max));
    if (distinct <= MASK_VALUES || (largest <= LARGEST && largest >= SMALLEST)) return [];
    const input = graph.inputs.find((id) => tensorOf(graph, id).name === tensor);
    return [
      {
        rule: 'io.file-format',
        severity: 'error',
        subject: input === undefined ? { tensor } : inputSubject(graph, input),
        message: `the data are ${min.toPrecision(2)} to ${max.toPrecision(2)}: such numbers come of reading the bytes of another type`,
        args: { min, max },
        fix: {
          title: 'store type and shape with the data',
          edit: `np.save('data.npy', np.fromfile('data.raw', dtype).reshape(shape).astype(np.float32))`,
        },
      },
    ];
  });
}
