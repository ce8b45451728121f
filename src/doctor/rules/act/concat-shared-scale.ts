import { nodeLabel, tensorOf } from '../../../ir/graph.js';
import { sourceOf } from '../../../ir/operators.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { short } from '../../wording.js';

/** Codes that the values of one input have left, and times as many that another one has. */
const FEW_CODES = 16;
const UNEVEN = 16;
/** Worst channel of the joined tensor, self SQNR in dB, below which the small input is lost. */
const LOST_DB = 15;

/** A Concat gives all its inputs one scale: that of the largest leaves the smallest too few codes. */
export function concatSharedScale({
  graph,
  lane,
  edges,
}: Pick<ComparisonEvidence, 'graph' | 'lane' | 'edges'>): Finding[] {
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  return graph.nodes.flatMap((node): Finding[] => {
    const [output] = node.outputs;
    if (node.op !== 'Concat' || output === undefined || output === null) return [];
    const joined = sourceOf(graph, output);
    const params = lane.tensors.get(output) ?? lane.tensors.get(joined);
    const [scale = 0] = params?.scale ?? [];
    if (params?.granularity.kind !== 'per-tensor' || !(scale > 0)) return [];
    const inputs = node.inputs.flatMap((id) => {
      const tensor = id === null ? undefined : sourceOf(graph, id);
      const range = tensor === undefined ? undefined : byTensor.get(tensor)?.range;
      return tensor === undefined || range === undefined
        ? []
        : [{ tensor, codes: (range.max - range.min) / scale }];
    });
    const [smallest] = [...inputs].sort((a, b) => a.codes - b.codes);
    const most = Math.max(...inputs.map(({ codes }) => codes));
    if (smallest === undefined || smallest.codes >= FEW_CODES || most < UNEVEN * smallest.codes) return [];
    const measured = byTensor.get(output) ?? byTensor.get(joined);
    const worst =
      measured?.errors.get('self')?.worstChannel?.sqnrDb ??
      byTensor.get(smallest.tensor)?.errors.get('self')?.sqnrDb ??
      Infinity;
    return [
      {
        rule: 'act.concat-shared-scale',
        severity: worst < LOST_DB ? 'error' : 'note',
        subject: { node: nodeLabel(node), tensor: tensorOf(graph, smallest.tensor).name },
        message:
          `Concat ${nodeLabel(node)} gives all its inputs the scale ${short(scale)}: the values of this one have ` +
          `${Math.max(1, Math.round(smallest.codes))} codes left, those of another ${Math.round(most)}`,
        args: { codes: smallest.codes, most, scale },
      },
    ];
  });
}
