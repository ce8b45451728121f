import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import { isOnlyRectified } from '../../../ir/operators.js';
import type { QuantParams } from '../../../ir/lane.js';
import type { Scheme } from '../../../quant/scheme.js';
import type { ErrorMeasurement } from '../../../diff/measurement.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { remedy, type Remedy } from '../../remedy.js';
import { percent, short } from '../../wording.js';
import { rule } from '../../rule.js';

const ERROR_SHARE = 0.01;
/** Self SQNR, dB, below which clipping breaks a tensor, and above which it costs no more than rounding to 5 bits. */
const BROKEN_DB = 15;
const HARMLESS_DB = 30;
const WARNING_SHARE = 0.001;

export const clipped = rule({
  id: 'act.clipped',
  title: 'The range of an activation cuts off values that really come',
  severity: 'error',
  needs: ['lane', 'edges'],
  limits: [
    {
      quantity: 'values outside the quantized range',
      unit: 'share',
      warning: WARNING_SHARE,
      error: ERROR_SHARE,
      worse: 'higher',
    },
    {
      quantity: 'self SQNR of a clipped tensor',
      unit: 'dB',
      warning: HARMLESS_DB,
      error: BROKEN_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'Activations whose quantizer ends below (or begins above) values that the float network computes on the samples measured, where clipping is most of the noise.',
    why: 'What lies outside is moved to the end of the range. Unlike rounding, that error is large and has one sign: it shifts sums and survives averaging.',
    instead:
      'Take the range from data that reach as far (min-max, a higher percentile), for the named tensors at least; or add the samples that were missing to the calibration set.',
    see: ['https://arxiv.org/abs/2106.08295', 'cal.method', 'cal.unrepresentative'],
  },
  check,
});

/** The quantized range cuts off values that the float network really produces, and that is most of the noise. */
function check(evidence: With<'edges'>): Diagnosed[] {
  const { graph, edges } = evidence;
  return edges.flatMap(({ edge, errors, quant, range }): Diagnosed[] => {
    const self = errors.get('self');
    if (self === undefined || self.clippedShare < WARNING_SHARE || self.noise.clip < self.noise.round)
      return [];
    if (quant !== undefined && isWithinOneStep(quant, range)) return [];
    if (quant !== undefined && isCutBelow(quant, range) && isOnlyRectified(graph, edge.tensor)) return [];
    const node = edge.producer === undefined ? undefined : nodeLabel(nodeOf(graph, edge.producer));
    return [
      {
        rule: 'act.clipped',
        severity: severityOf(self),
        subject: { ...(node === undefined ? {} : { node }), tensor: tensorOf(graph, edge.tensor).name },
        message:
          `${percent(self.clippedShare)} of the values are outside the quantized range${quant === undefined ? '' : rangesOf(quant, range)}; ` +
          `clipping them is ${percent(self.noise.clip)} of the noise here`,
        args: { clippedShare: self.clippedShare, clipNoise: self.noise.clip },
        ...remedy(evidence, {
          title: 'widen the range',
          ...flagsOf(evidence.scheme),
          onnx: 'quantize_static(..., calibrate_method=CalibrationMethod.MinMax)',
          tflite: 'a representative_dataset that reaches as far',
          change: { ranges: [edge.tensor] },
        }),
        ...(isOfExtremes(evidence.scheme) ? { yieldsTo: ['cal.unrepresentative'] } : {}),
      },
    ];
  });
}

function flagsOf(scheme: Scheme | undefined): Pick<Remedy, 'flags' | 'overrides'> {
  return isOfExtremes(scheme)
    ? { flags: 'calibrate on more data that reach as far' }
    : { flags: '--observer minmax', overrides: { observer: 'minmax' } };
}

/** Extremes cut off only what the calibration samples lack. */
function isOfExtremes(scheme: Scheme | undefined): boolean {
  return (
    scheme !== undefined && scheme.activations !== 'float' && scheme.activations.observer.kind === 'minmax'
  );
}

/** Whether values are cut off at the lower end alone. */
function isCutBelow({ scale, zeroPoint, qmax }: QuantParams, { max }: { readonly max: number }): boolean {
  return scale.every((step, i) => max <= (qmax + 1 - (zeroPoint[i] ?? 0)) * step);
}

/** " -1 to 1 (they are -8 to 3)"; nothing of several ranges. */
function rangesOf(
  { granularity, scale: [scale = 0], zeroPoint: [zeroPoint = 0], qmin, qmax }: QuantParams,
  { min, max }: { readonly min: number; readonly max: number },
): string {
  if (granularity.kind !== 'per-tensor') return '';
  return ` ${short(scale * (qmin - zeroPoint))} to ${short(scale * (qmax - zeroPoint))} (they are ${short(min)} to ${short(max)})`;
}

function severityOf({ clippedShare, sqnrDb = -Infinity }: ErrorMeasurement): Finding['severity'] {
  if (sqnrDb >= HARMLESS_DB) return 'note';
  return clippedShare >= ERROR_SHARE && sqnrDb < BROKEN_DB ? 'error' : 'warning';
}

/** Prescribed scales leave out the end of the range: 1 behind a Softmax of 256 steps of 1/256. */
function isWithinOneStep(
  { scale, zeroPoint, qmin, qmax }: QuantParams,
  { min, max }: { readonly min: number; readonly max: number },
): boolean {
  return scale.every((step, i) => {
    const point = zeroPoint[i] ?? 0;
    return min >= (qmin - 1 - point) * step && max <= (qmax + 1 - point) * step;
  });
}
