import { toFloat64 } from '../../../ir/elements.js';
import { nodeLabel, nodeOf, tensorOf, topologyOf } from '../../../ir/graph.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';

export const biasOverflow = rule({
  id: 'w.bias-overflow',
  title: 'A bias was cut off when it was quantized',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Biases whose int32 code is at the end of its range.',
    why: 'The scale of a bias is that of the input times that of the weight. Where the weights of a channel are next to zero, so is the scale, and the bias does not fit in 32 bits: the one thing that the channel computes is lost.',
    instead:
      'Raise the weight scale of the channel to |b| / (s_x * 2^31): ONNX Runtime does since 1.20.1 (QDQ); or zero the channel.',
    see: ['https://github.com/microsoft/onnxruntime/pull/22020'],
  },
  check,
});

/** A bias that was cut off when it was made: its code is the last that int32 has. */
function check({ graph, lane }: LaneEvidence): Finding[] {
  const { uses } = topologyOf(graph);
  return [...lane.tensors].flatMap(([tensor, { dtype }]): Finding[] => {
    const codes = dtype === 'int32' ? lane.codes?.get(tensor) : undefined;
    if (codes?.dtype !== 'int32') return [];
    const at = toFloat64(codes).findIndex((code) => Math.abs(code) >= 2 ** 31 - 1);
    if (at < 0) return [];
    const reader = uses[tensor]?.[0]?.node;
    return [
      {
        rule: 'w.bias-overflow',
        severity: 'error',
        subject: {
          ...(reader === undefined ? {} : { node: nodeLabel(nodeOf(graph, reader)) }),
          tensor: tensorOf(graph, tensor).name,
        },
        message: `the bias of channel ${at} is at the limit of int32: it was cut off, its weight scale is too small for it`,
        args: { channel: at },
      },
    ];
  });
}
