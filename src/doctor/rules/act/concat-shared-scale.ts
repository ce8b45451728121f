import { nodeLabel, tensorOf } from '../../../ir/graph.js';
import { sourceOf } from '../../../ir/operators.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const concatSharedScale = rule({
  id: 'act.concat-shared-scale',
  title: 'Joined tensors share a scale that is too coarse for one of them',
  severity: 'error',
  needs: ['lane', 'edges'],
  text: {
    what: 'Concat gives what it joins one scale. An input whose values have fewer than 16 codes left, where another has 16 times as many, is found.',
    why: 'A tensor of boxes in pixels (0 to 640) beside scores (0 to 1) gets steps of 2.5: every score is rounded to 0. It is the commonest true cause for detectors.',
    instead:
      'Divide the wide part by its range before joining (boxes by the size of the image), return the parts as outputs of their own, or keep the Concat and what is behind it in float.',
    see: ['https://github.com/ultralytics/ultralytics/issues/5416', 'act.decode-quantized'],
  },
  check,
});

/** Codes that the values of one input have left, and times as many that another one has. */
const FEW_CODES = 16;
const UNEVEN = 16;
/** Worst channel of the joined tensor, self SQNR in dB, below which the small input is lost. */
const LOST_DB = 15;

/** A Concat gives all its inputs one scale: that of the largest leaves the smallest too few codes. */
function check({ graph, lane, edges }: With<'lane' | 'edges'>): Finding[] {
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
