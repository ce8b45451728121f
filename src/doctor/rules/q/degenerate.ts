import { measuredInputs } from '../../../diff/measured-inputs.js';
import type { QuantParams } from '../../../ir/lane.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { rule } from '../../rule.js';
import { short } from '../../wording.js';

export const degenerate = rule({
  id: 'q.degenerate',
  title: 'Quantization parameters that no quantizer can work with',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Scales that are zero, negative, NaN, infinite or denormal, zero points that are no code, and quantized activations that are one value in all samples.',
    why: 'Nothing can be divided by such a scale; without a code for 0, padding and Relu are wrong. A range that was made of one value holds no other: a mask that is never used in calibration, a branch that is dead.',
    instead:
      'Look at what calibrated the tensor: constant or NaN data make such scales. Scale 1 and zero point 0 serve a tensor of zeros. Where the value should vary, calibrate with data in which it does.',
    see: ['https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html', 'act.non-finite'],
  },
  check,
});

/** Smallest normal float32: hardware that flushes smaller numbers to zero divides by zero. */
const SMALLEST_NORMAL = 2 ** -126;

function check(evidence: LaneEvidence): Finding[] {
  return [...impossible(evidence), ...constant(evidence)];
}

/** Parameters that no quantizer can work with: a scale that is no positive number, a zero point that is no code. */
function impossible({ graph, lane }: LaneEvidence): Finding[] {
  return [...lane.tensors].flatMap(([id, params]): Finding[] => {
    if (graph.inner?.has(id) === true) return [];
    const fault = faultOf(params);
    return fault === undefined ? [] : [{ rule: 'q.degenerate', subject: subjectOf(graph, id), ...fault }];
  });
}

/** Quantized activations of one value: the first of each dead branch, as what follows is as dead. */
function constant({ graph, edges = [], calib, data }: LaneEvidence): Finding[] {
  const study = data ?? calib;
  if (study === undefined || study.samples < 2 || study.kind === 'random') return [];
  const dead = new Set(
    edges.filter(({ range: { min, max } }) => min === max).map(({ edge: { tensor } }) => tensor),
  );
  return edges.flatMap(({ edge: { tensor, producer, count }, quant, range }): Finding[] => {
    if (!dead.has(tensor) || quant === undefined || count < 2) return [];
    if (producer !== undefined && measuredInputs(graph, producer, dead).length > 0) return [];
    return [
      {
        rule: 'q.degenerate',
        severity: 'note',
        subject: subjectOf(graph, tensor),
        message: `the activation is ${short(range.min)} everywhere in all ${study.samples} samples: its range is made of one value and knows no other`,
        args: { value: range.min, samples: study.samples },
      },
    ];
  });
}

function faultOf({
  scale,
  zeroPoint,
  qmin,
  qmax,
  dtype,
}: QuantParams): Pick<Finding, 'severity' | 'message' | 'args'> | undefined {
  const place = (i: number): string => (scale.length > 1 ? ` of channel ${i}` : '');
  const bad = scale.findIndex((value) => !(value > 0 && Number.isFinite(value)));
  if (bad >= 0) {
    const value = scale[bad] ?? NaN;
    const others = scale.filter((one) => !(one > 0 && Number.isFinite(one))).length - 1;
    return {
      severity: 'error',
      message: `the scale${place(bad)} is ${value}; a positive number is wanted${others > 0 ? ` (and ${others} more like it)` : ''}`,
      args: { scale: String(value), channel: bad },
    };
  }
  const outside = zeroPoint.findIndex((point) => point < qmin || point > qmax);
  if (outside >= 0) {
    const value = zeroPoint[outside] ?? 0;
    return {
      severity: 'error',
      message: `the zero point${place(outside)} is ${value}; ${dtype} has codes from ${qmin} to ${qmax}, so 0 has none`,
      args: { zeroPoint: value, channel: outside },
    };
  }
  const tiny = scale.findIndex((value) => value < SMALLEST_NORMAL);
  if (tiny < 0) return undefined;
  return {
    severity: 'warning',
    message: `the scale${place(tiny)} is ${scale[tiny]}: hardware without denormal numbers reads 0`,
    args: { scale: String(scale[tiny]), channel: tiny },
  };
}
