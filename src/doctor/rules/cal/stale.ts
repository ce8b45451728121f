import { tensorOf } from '../../../ir/graph.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { medianOf, rangeWidths, type RangeWidth } from '../../range-widths.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { percent, short } from '../../wording.js';
import { areOthers } from '../w/not-same-model.js';

/** Widths of ranges over those of the values between which a calibration may lie. */
const WIDE = 2;
const NARROW = 0.5;
/** Share of the activations that must be beyond. */
const MANY = 0.5;
const LEAST_MANY = 3;
/** One picture does not reach as far as a hundred: fewer samples cannot show that a range is too wide. */
const LEAST_SAMPLES = 8;
/** SQNR of an output, dB, that is lost. */
const LOST_DB = 10;
const MOST_SHOWN = 3;

/** Findings that are another reason for the same: other inputs, other weights. */
const OTHER_REASONS: ReadonlySet<string> = new Set([
  'io.preproc',
  'io.int-input',
  'io.layout',
  'act.default-range',
  'w.not-same-model',
  'base.graph-changed',
]);

export const stale = rule({
  id: 'cal.stale',
  title: 'The ranges of a file were made from another model or other data',
  severity: 'error',
  needs: ['lane', 'edges'],
  oneOf: ['data', 'calib'],
  text: {
    what: 'A file of which most activations have ranges twice as wide as the values that come, or half as wide, though its weights are those of the reference.',
    why: 'Calibration tables are cached. After retraining, after a change of the preprocessing or with other data they no longer fit: half the codes stay unused, or values are clipped in every layer.',
    instead:
      'Delete the cache and calibrate again, with the model and the data that are in use. Keep the hashes of both with the table; reports of qdbg have them.',
    see: [
      'https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/work-quantized-types.html',
      'cal.unrepresentative',
      'act.clipped',
      'act.wide-range',
    ],
  },
  limits: [
    {
      quantity: 'activations whose range is twice as wide as the values, or half as wide',
      unit: '% of all',
      warning: 100 * MANY,
      worse: 'higher',
    },
  ],
  check,
});

function check(evidence: With<'lane' | 'edges'>, told: readonly Finding[]): Diagnosed[] {
  const { graph, edges, scheme, compared, outputDb = Infinity } = evidence;
  const data = evidence.data ?? evidence.calib;
  if (scheme !== undefined || data === undefined || data.kind === 'random') return [];
  if (compared !== undefined && areOthers({ ...evidence, compared })) return [];
  if (told.some(({ rule: id, severity }) => OTHER_REASONS.has(id) && severity !== 'note')) return [];
  const widths = rangeWidths(graph, edges);
  const isOff = ({ times }: RangeWidth): boolean =>
    times < NARROW || (times > WIDE && data.samples >= LEAST_SAMPLES);
  const off = widths.filter(isOff);
  if (off.length < LEAST_MANY || off.length <= MANY * widths.length) return [];
  const narrow = off.filter(({ times }) => times < NARROW).length;
  const factor = medianOf(off.map(({ times }) => Math.max(times, 1 / times)));
  const far = [...off].sort((a, b) => Math.abs(Math.log(b.times)) - Math.abs(Math.log(a.times)));
  const examples = far
    .slice(0, MOST_SHOWN)
    .map(({ tensor, times }) => `${tensorOf(graph, tensor).name} ${short(times)} times`);
  return [
    {
      rule: 'cal.stale',
      severity: outputDb < LOST_DB ? 'error' : 'warning',
      subject: {},
      message:
        `the ranges of ${off.length} of ${widths.length} activations (${percent(off.length / widths.length)}) do not fit the data: ` +
        `${narrow} are less than half as wide as the values, ${off.length - narrow} more than twice, the middle one off by a factor of ` +
        `${short(factor)} (${examples.join(', ')}). They come from another calibration`,
      args: { activations: off.length, of: widths.length, narrow, factor },
      ...remedy(evidence, {
        title: 'calibrate again',
        onnx: 'quantize_static(model, out, reader) with the model and data in use, without a stored table',
        tflite: 'converter.representative_dataset = the data in use; convert the model in use again',
        change: { ranges: off.map(({ tensor }) => tensor) },
      }),
    },
  ];
}
