import type { QuantParams } from '../../../ir/lane.js';
import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const wideRange = rule({
  id: 'act.wide-range',
  title: 'The range of an activation is much wider than its values',
  severity: 'error',
  needs: ['lane', 'edges', 'reference', 'suspects'],
  text: {
    what: 'A quantizer so much coarser than the values of the reference that rounding destroys them.',
    why: 'A range six times too wide costs 2.6 bits, one 100 times too wide leaves two or three codes.',
    instead: 'Calibrate with data like those that the application sees, or make the range again from them.',
    see: ['cal.stale', 'act.default-range', 'act.outlier-range'],
  },
  check,
});

/** Self SQNR, dB. */
const ERROR_DB = 10;
const WARNING_DB = 15;
/** A range so many times that of the values is worth a note though enough codes are left. */
const WIDE = 6;

/** A quantizer so much coarser than the values that rounding destroys them. */
function check(evidence: With<'edges' | 'suspects'>): Diagnosed[] {
  const { graph, suspects, edges } = evidence;
  const suspected = new Set(suspects.filter(({ kind }) => kind === 'quantizer').map(({ tensor }) => tensor));
  return edges.flatMap((measurement): Diagnosed[] => {
    const { tensor } = measurement.edge;
    const { quant } = measurement;
    const self = measurement.errors.get('self');
    if (self === undefined || quant?.granularity.kind !== 'per-tensor' || quant.read !== undefined) return [];
    const times = widthOf(quant) / Math.max(measurement.range.max - measurement.range.min, Number.MIN_VALUE);
    const db = suspected.has(tensor) ? (self.sqnrDb ?? -Infinity) : Infinity;
    const isCoarse = db < WARNING_DB && self.noise.round > self.noise.clip;
    if (!isCoarse && !(times >= WIDE && isFitted(quant, measurement))) return [];
    const severity = !isCoarse ? 'note' : db < ERROR_DB ? 'error' : 'warning';
    return [
      {
        rule: 'act.wide-range',
        severity,
        subject: subjectOf(graph, tensor),
        message: messageOf(measurement, quant, times),
        args: { codes: codesOf(measurement, quant), times, scale: quant.scale[0] ?? 0 },
        ...remedy(evidence, {
          title: 'make the range again from the values that come',
          onnx: 'quantize_static(..., calibration_data_reader=READER), which reads data like these',
          tflite: 'converter.representative_dataset = DATASET, which yields data like these',
          change: { ranges: [tensor] },
        }),
      },
    ];
  });
}

function widthOf({ scale: [scale = 0], qmin, qmax }: QuantParams): number {
  return scale * (qmax - qmin);
}

function codesOf({ range: { min, max } }: EdgeMeasurement, { scale: [scale = 1] }: QuantParams): number {
  return Math.max(1, Math.round((max - min) / scale) + 1);
}

/** Ranges that an operator prescribes, such as 0 to 1 behind Softmax, fit no data. */
function isFitted(
  { qmin, qmax, scale: [scale = 0], dtype }: QuantParams,
  { range: { max, min } }: EdgeMeasurement,
): boolean {
  const isPowerOfTwo = Number.isInteger(Math.log2(scale));
  return max > min && !isPowerOfTwo && qmax - qmin < 256 && dtype !== 'int16';
}

function messageOf(measurement: EdgeMeasurement, quant: QuantParams, times: number): string {
  const { min, max } = measurement.range;
  return (
    `the values, ${short(min)} to ${short(max)}, have ${codesOf(measurement, quant)} codes left of ` +
    `${quant.qmax - quant.qmin + 1} (scale ${short(quant.scale[0] ?? 0)}): the range is ${short(times)} times theirs`
  );
}
