import { toFloat64 } from '../../../ir/elements.js';
import { nodeLabel, nodeOf, tensorOf, topologyOf } from '../../../ir/graph.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';

/** A bias that was cut off when it was made: its code is the last that int32 has. */
export function biasOverflow({ graph, lane }: LaneEvidence): Finding[] {
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
