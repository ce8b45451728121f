import { nodeOf, tensorOf } from '../../../ir/graph.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

const ERROR_DB = 10;
const WARNING_DB = 15;

/** A quantizer so much coarser than the values that rounding destroys them; behind or before a Concat, its shared scale. */
export function wideRange({ graph, suspects, edges, lane }: ComparisonEvidence): Finding[] {
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  return suspects.flatMap(({ tensor, kind, db }): Finding[] => {
    const measurement = byTensor.get(tensor);
    const self = measurement?.errors.get('self');
    const quant = measurement?.quant;
    if (kind !== 'quantizer' || measurement === undefined || self === undefined || quant === undefined)
      return [];
    if (db >= WARNING_DB || self.noise.clip >= self.noise.round || quant.granularity.kind !== 'per-tensor')
      return [];
    if (quant.read !== undefined) return [];
    const [scale = 0] = quant.scale;
    const { min, max } = measurement.range;
    const codes = Math.max(1, Math.round((max - min) / scale) + 1);
    const join = graph.nodes.find(
      ({ op, inputs, outputs }) =>
        op === 'Concat' &&
        inputs.includes(tensor) &&
        outputs.some((output) => output !== null && lane.tensors.get(output)?.scale[0] === scale),
    );
    const subject = subjectOf(graph, tensor);
    return [
      {
        rule: join === undefined ? 'act.wide-range' : 'act.concat-shared-scale',
        severity: db < ERROR_DB ? 'error' : 'warning',
        subject,
        message:
          `the values, ${short(min)} to ${short(max)}, have ${codes} codes left of ${quant.qmax - quant.qmin + 1} ` +
          `(scale ${short(scale)}): the range is ${short((scale * (quant.qmax - quant.qmin)) / Math.max(max - min, 1e-30))} times theirs` +
          (join === undefined
            ? ''
            : `, shared with the other inputs of Concat ${tensorOf(graph, join.outputs[0] as typeof tensor).name}`),
        args: {
          codes,
          scale,
          ...(Number.isFinite(db) ? { selfSqnrDb: db } : {}),
          ...(join === undefined ? {} : { concat: nodeOf(graph, join.id).origin.name }),
        },
      },
    ];
  });
}
