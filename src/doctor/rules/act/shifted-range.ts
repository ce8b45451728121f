import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import type { QuantParams } from '../../../ir/lane.js';
import { isSymmetric } from '../../../quant/placement/lane-plan.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const shiftedRange = rule({
  id: 'act.shifted-range',
  title: 'The range of an activation lies beside its values',
  severity: 'error',
  needs: ['lane', 'edges', 'reference'],
  text: {
    what: 'A zero point that leaves codes to values which never come, and may cut off others at the other end.',
    why: 'Every code that no value can have is resolution lost; what is cut off at the other end is gone.',
    instead: 'Calibrate again, with the preprocessing that the application uses; or mend the zero point.',
    see: ['act.clipped', 'act.skewed-symmetric'],
  },
  check,
});

/** Codes that no value can have, as a share of all, beyond which a zero point is off: 8 bits leave 13 of 256. */
const UNUSED_SHARE = 0.05;
/** Codes cut off at the one end, as a share of those unused at the other, from which a range was moved rather than made so. */
const MOVED_SHARE = 0.6;
/** Self SQNR, dB, below which a range that lies beside the values costs more than rounding. */
const COSTLY_DB = 25;

/**
 * A zero point that does not fit: the range begins below values that never go below zero (or ends above those that never go above),
 * though nothing that shares its parameters needs it. What is too much at one end is missing at the other.
 */
function check(evidence: With<'lane' | 'edges'>): Diagnosed[] {
  const { graph, lane, edges } = evidence;
  const sharing = sharedRanges(edges);
  return edges.flatMap((measurement): Diagnosed[] => {
    const { quant, edge, errors } = measurement;
    const self = errors.get('self');
    if (self === undefined || quant?.granularity.kind !== 'per-tensor' || quant.dtype === 'int16') return [];
    const values = sharing.get(keyOf(quant)) ?? measurement.range;
    const [scale = 0] = quant.scale;
    const [zeroPoint = 0] = quant.zeroPoint;
    const rmin = (quant.qmin - zeroPoint) * scale;
    const rmax = (quant.qmax - zeroPoint) * scale;
    const unused =
      values.min >= 0 ? -rmin / scale : values.max <= 0 ? rmax / scale : shiftOf(values, rmin, rmax, scale);
    const codes = Math.round(unused);
    if (!(codes > UNUSED_SHARE * (quant.qmax - quant.qmin)) || lane.tensors.get(edge.tensor) === undefined)
      return [];
    const cut = Math.max(values.max - rmax, rmin - values.min) / scale;
    const isCut = cut > 1;
    // Symmetric parameters leave half of the codes on purpose, but then their scale is as large as the values need.
    if (isSymmetric(quant.dtype, quant.zeroPoint) && cut < MOVED_SHARE * codes) return [];
    return [
      {
        rule: 'act.shifted-range',
        // Values that end at exactly zero were cut there by an activation function: a range made for them begins at it.
        // Of others the samples of the calibration may have been beside these by chance, unless it costs them something.
        severity:
          values.min === 0 || values.max === 0 || (isCut && (self.sqnrDb ?? Infinity) < COSTLY_DB)
            ? 'warning'
            : 'note',
        subject: subjectOf(graph, edge.tensor),
        message:
          `the zero point ${zeroPoint} leaves ${codes} codes to values that never come: the range is ${short(rmin)} to ${short(rmax)}, ` +
          `the values are ${short(values.min)} to ${short(values.max)}${isCut ? ', and are cut off at the other end' : ''}`,
        args: { zeroPoint, codes },
        ...remedy(evidence, {
          title: 'make the range again from the values that come',
          onnx: 'quantize_static(..., calibration_data_reader=READER), which reads data like these',
          tflite: 'converter.representative_dataset = DATASET, which yields data like these',
          change: { ranges: [edge.tensor] },
        }),
      },
    ];
  });
}

/** Of values on both sides of zero: codes by which a range as wide as theirs lies beside them; 0 where it does not. */
function shiftOf({ min, max }: EdgeMeasurement['range'], rmin: number, rmax: number, scale: number): number {
  const low = (min - rmin) / scale;
  const high = (rmax - max) / scale;
  // One end is left over, at the other as much is missing.
  const isShifted = low * high < 0 && Math.abs(low + high) < 0.4 * Math.max(Math.abs(low), Math.abs(high));
  return isShifted ? Math.max(low, high) : 0;
}

function keyOf({ dtype, scale, zeroPoint }: QuantParams): string {
  return `${dtype} ${scale[0]} ${zeroPoint[0]}`;
}

/** Values of all tensors that have the same parameters: a Concat and its inputs, and what codes are only moved through. */
function sharedRanges(edges: readonly EdgeMeasurement[]): ReadonlyMap<string, { min: number; max: number }> {
  const ranges = new Map<string, { min: number; max: number }>();
  for (const { quant, range } of edges) {
    if (quant === undefined) continue;
    const known = ranges.get(keyOf(quant));
    ranges.set(keyOf(quant), {
      min: Math.min(range.min, known?.min ?? Infinity),
      max: Math.max(range.max, known?.max ?? -Infinity),
    });
  }
  return ranges;
}
