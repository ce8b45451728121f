import type { LaneEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { nodeOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import { useOf } from '../../../quant/placement/lane-plan.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const requantizeClip = rule({
  id: 'act.requantize-clip',
  title: 'Codes are written with other parameters than they are read with',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'A tensor whose codes one quantizer makes and another reads: DequantizeLinear with other numbers than the QuantizeLinear before it.',
    why: 'What is read is scaled and shifted, whatever was computed.',
    instead: 'Give both the same scale and zero point: export again, or mend the two initializers.',
    see: ['https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html', 'q.degenerate'],
  },
  check,
});

/** A file whose reader of codes has other parameters than the writer: what is read is scaled and shifted, whatever was computed. */
function check({ graph, lane }: LaneEvidence): Finding[] {
  const told = new Set<TensorId>();
  return [...lane.tensors, ...usesOf(graph, lane)].flatMap(([tensor, params]): Finding[] => {
    const { read } = params;
    if (read === undefined || told.has(tensor)) return [];
    told.add(tensor);
    const at = firstDifference(params, read);
    const [scale = 0, readScale = 0] = [params.scale[at], read.scale[at]];
    const [point = 0, readPoint = 0] = [params.zeroPoint[at], read.zeroPoint[at]];
    const channel = params.scale.length > 1 ? ` in channel ${at}` : '';
    return [
      {
        rule: 'act.requantize-clip',
        severity: 'warning',
        subject: subjectOf(graph, tensor),
        message:
          `codes are written with scale ${short(scale)}, zero point ${point} and read with ${short(readScale)}, ${readPoint}${channel}: ` +
          `what is read is ${short(readScale / scale)} times what was computed${point === readPoint ? '' : `, shifted by ${short((point - readPoint) * readScale)}`}`,
        args: {
          scale: String(scale),
          zeroPoint: point,
          readScale: String(readScale),
          readZeroPoint: readPoint,
        },
      },
    ];
  });
}

/** Tensors that single readers read in a way of their own. */
function usesOf(graph: Graph, { uses }: Lane): [TensorId, QuantParams][] {
  return [...uses].flatMap(([key, params]) => {
    const { node, slot } = useOf(key);
    const tensor = nodeOf(graph, node).inputs[slot];
    return tensor === null || tensor === undefined ? [] : [[tensor, params]];
  });
}

function firstDifference({ scale, zeroPoint }: QuantParams, read: NonNullable<QuantParams['read']>): number {
  const at = scale.findIndex((value, i) => value !== read.scale[i] || zeroPoint[i] !== read.zeroPoint[i]);
  return Math.max(0, at);
}
