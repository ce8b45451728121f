import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { tensorOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import { writerOf } from '../../../ir/operators.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { PRESCRIBED, stepOf } from '../../quantizers.js';
import { rule } from '../../rule.js';

/** Fewer scales than this are powers of two by chance. */
const LEAST = 6;
/** Of log2(scale). */
const TOLERANCE = 1e-6;

export const pow2 = rule({
  id: 'q.pow2',
  title: 'All scales are powers of two',
  severity: 'note',
  needs: ['lane'],
  text: {
    what: 'Networks in which every scale that is not prescribed is a power of two, as ESP-DL, Vitis AI, IMX500 and other fixed-point targets want it. With data, how much wider the ranges are than the values.',
    why: 'The step is rounded up to the next power of two: up to one bit, half a bit on average, is lost in every tensor. Layers that are short of levels already feel it.',
    instead:
      'Where the target knows other scales, calibrate without the constraint. Where it does not: 16 bits for the layers that suffer, cross-layer equalization, or training with it (TQT).',
    see: ['https://arxiv.org/abs/1903.08066', 'act.wide-range', 'w.coarse-scale'],
  },
  formerly: ['hw.pow2'],
  check,
});

function check({ graph, lane, edges = [] }: LaneEvidence): Diagnosed[] {
  const scales = [...lane.tensors].filter(([tensor, params]) => isChosen(graph, tensor, params));
  const isPower = ([, { scale }]: (typeof scales)[number]): boolean =>
    scale.every((one) => one > 0 && Math.abs(Math.log2(one) - Math.round(Math.log2(one))) <= TOLERANCE);
  if (scales.length < LEAST || !scales.every(isPower)) return [];
  const loss = meanLossDb(lane, edges);
  const cost =
    loss === undefined
      ? 'up to one bit (6 dB) of each tensor'
      : `${loss.toFixed(1)} dB an activation on average, here where ranges could follow the values`;
  return [
    {
      rule: 'q.pow2',
      severity: 'note',
      subject: {},
      message: `all ${scales.length} scales are powers of two, as some fixed-point hardware needs them: that costs ${cost}`,
      args: { scales: scales.length, ...(loss === undefined ? {} : { meanLossDb: loss }) },
    },
  ];
}

/** Neither prescribed by an operator nor the product of two others. */
function isChosen(graph: Graph, tensor: TensorId, { source, dtype }: QuantParams): boolean {
  if (source === 'fixed' || source === 'derived' || dtype === 'int32' || dtype === 'int64') return false;
  if (graph.inner?.has(tensor) === true) return false;
  const writer = tensorOf(graph, tensor).data === undefined ? writerOf(graph, tensor) : undefined;
  return writer === undefined || !PRESCRIBED.has(writer.op);
}

/** 20 log10 of how many times the range is that of the values, over activations of which no value is cut off. */
function meanLossDb(lane: Lane, edges: readonly EdgeMeasurement[]): number | undefined {
  const losses = edges.flatMap(({ edge, quant, range: { min, max } }): number[] => {
    const step = stepOf(quant);
    const width = Math.max(max, 0) - Math.min(min, 0);
    if (quant === undefined || step === undefined || !lane.tensors.has(edge.tensor) || !(width > 0))
      return [];
    const isSymmetric = quant.qmin < 0 && quant.zeroPoint[0] === 0;
    const least = isSymmetric ? Math.max(max, -min) / quant.qmax : width / (quant.qmax - quant.qmin);
    return step >= least ? [20 * Math.log10(step / least)] : [];
  });
  return losses.length === 0 ? undefined : losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
