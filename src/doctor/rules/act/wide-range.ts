import { tensorOf, type Node, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

/** Self SQNR, dB. */
const ERROR_DB = 10;
const WARNING_DB = 15;
/** A range so many times that of the values is worth a note though enough codes are left. */
const WIDE = 6;

/** A quantizer so much coarser than the values that rounding destroys them; before a Concat, the scale that its inputs share. */
export function wideRange({ graph, suspects, edges, lane }: ComparisonEvidence): Finding[] {
  const suspected = new Map(
    suspects.filter(({ kind }) => kind === 'quantizer').map(({ tensor, db }) => [tensor, db]),
  );
  return edges.flatMap((measurement): Finding[] => {
    const { tensor } = measurement.edge;
    const { quant } = measurement;
    const self = measurement.errors.get('self');
    if (self === undefined || quant?.granularity.kind !== 'per-tensor' || quant.read !== undefined) return [];
    const times = widthOf(quant) / Math.max(measurement.range.max - measurement.range.min, Number.MIN_VALUE);
    const db = suspected.get(tensor) ?? Infinity;
    const isCoarse = db < WARNING_DB && self.noise.round > self.noise.clip;
    if (!isCoarse && !(times >= WIDE && isFitted(quant, measurement))) return [];
    const severity = !isCoarse ? 'note' : db < ERROR_DB ? 'error' : 'warning';
    const join = graph.nodes.find(
      ({ op, inputs, outputs: [output] }) =>
        op === 'Concat' &&
        inputs.includes(tensor) &&
        output !== null &&
        output !== undefined &&
        lane.tensors.get(output)?.scale[0] === quant.scale[0],
    );
    return [
      {
        rule: join === undefined ? 'act.wide-range' : 'act.concat-shared-scale',
        severity,
        subject: subjectOf(graph, tensor),
        message:
          messageOf(measurement, quant, times) + (join === undefined ? '' : sharedText(graph.tensors, join)),
        args: { codes: codesOf(measurement, quant), times, scale: quant.scale[0] ?? 0 },
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

function sharedText(tensors: ComparisonEvidence['graph']['tensors'], { outputs }: Node): string {
  return `, shared with the other inputs of Concat ${tensorOf({ tensors } as ComparisonEvidence['graph'], outputs[0] as TensorId).name}`;
}
