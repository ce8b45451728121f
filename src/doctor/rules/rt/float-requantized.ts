import { toFloat32 } from '../../../ir/elements.js';
import { nodeLabel, tensorOf, type Node } from '../../../ir/graph.js';
import { weightsOf, type Weight } from '../../../ir/weights.js';
import { guardedNodes } from '../../../quant/requantized.js';
import { weightSpread } from '../../../quant/weight-spread.js';
import { channelRanges } from '../../../quant/weights.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';

export const floatRequantized = rule({
  id: 'rt.float-requantized',
  title: 'The runtime quantizes what was kept in float',
  severity: 'warning',
  needs: ['lane'],
  text: {
    what: 'Convolutions and matrix products with float weights whose input and output are quantized. A warning where one int8 scale would leave more than a tenth of the channels of such a weight fewer than 8 levels.',
    why: "ONNX Runtime's default optimizations (WeightBiasQuantization) give a Conv, ConvTranspose or Gemm between a DequantizeLinear and a QuantizeLinear int8 weights with one scale for the tensor, and an int32 bias. A layer that was left out on purpose, by nodes_to_exclude say, is integers again, and worse ones than it would have had with a scale per channel. With optimizations off, and here, it is float.",
    instead:
      "InferenceSession(FILE, disabled_optimizers=['WeightBiasQuantization']), or a file of `qdbg sweep --export qdq=FILE`, which keeps such layers apart from the quantizer in front of them.",
    see: [
      'https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/optimizer/qdq_transformer/weight_bias_quantization.cc',
      'rt.mismatch',
      'w.per-tensor-spread',
    ],
  },
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane, scheme } = evidence;
  if (graph.format !== 'onnx' || (scheme !== undefined && scheme.placement !== 'ort')) return [];
  const nodes = guardedNodes(graph, lane).filter(
    ({ inputs: [, weight] }) => weight !== undefined && weight !== null && !lane.tensors.has(weight),
  );
  if (nodes.length === 0) return [];
  const weights = new Map(weightsOf(graph).map((weight) => [weight.tensor, weight]));
  const lost = nodes.filter((node) => isLost(weights, node));
  const [worst] = lost.length > 0 ? lost : nodes;
  const weight = worst?.inputs[1];
  const loss =
    lost.length === 0
      ? ''
      : `, which leaves more than a tenth of the channels of ${lost.length === 1 ? 'one' : String(lost.length)} fewer than 8 levels`;
  return [
    {
      rule: 'rt.float-requantized',
      severity: lost.length > 0 ? 'warning' : 'note',
      subject:
        worst === undefined || weight === undefined || weight === null
          ? {}
          : { node: nodeLabel(worst), tensor: tensorOf(graph, weight).name },
      message:
        `${nodes.length === 1 ? '1 layer has' : `${nodes.length} layers have`} float weights between quantized tensors: ` +
        `ONNX Runtime's default optimizations give each int8 with one scale${loss}`,
      args: { layers: nodes.length, lost: lost.length },
      ...remedy(evidence, {
        title: 'switch that optimization off, or take a file that keeps the layers apart',
        flags: 'qdbg sweep --export qdq=FILE',
        onnx: "InferenceSession(FILE, disabled_optimizers=['WeightBiasQuantization'])",
      }),
    },
  ];
}

function isLost(weights: ReadonlyMap<number, Weight>, { inputs: [, id] }: Node): boolean {
  const weight = id === undefined || id === null ? undefined : weights.get(id);
  if (weight === undefined) return false;
  const { min, max } = channelRanges(toFloat32(weight.data), weight.data.dims, weight.axis);
  return weightSpread(Array.from(max, (high, c) => Math.max(high, -(min[c] ?? 0)))).isLost;
}
