import { toFloat32 } from '../../../ir/elements.js';
import { intAttr, nodeLabel, tensorOf, type Node } from '../../../ir/graph.js';
import { useKey, type Lane } from '../../../ir/lane.js';
import { weightsOf, type Weight } from '../../../ir/weights.js';
import { weightSpread } from '../../../quant/weight-spread.js';
import { channelRanges } from '../../../quant/weights.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';

export const dynamicConv = rule({
  id: 'rt.dynamic-conv',
  title: 'Convolutions are quantized dynamically',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Convolutions whose activations get their range while the network runs (ConvInteger, hybrid kernels). An error where one scale serves a grouped convolution so badly that a tenth of its channels keep fewer than 8 levels.',
    why: 'Dynamic quantization is made for matrix products. ONNX Runtime gives the weight of a ConvInteger one scale in all, which depthwise convolutions do not survive, looks for the range of every activation again and again, and has no fast kernel for it: such networks are mostly slower than in float.',
    instead:
      "Static quantization with calibration data (quantize_static, per_channel=True). Where it must be dynamic, matrix products only: quantize_dynamic(..., op_types_to_quantize=['MatMul']).",
    see: [
      'https://github.com/microsoft/onnxruntime/issues/15888',
      'https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html#method-selection',
      'q.partial',
      'w.per-tensor-spread',
    ],
  },
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane } = evidence;
  const convolutions = graph.nodes.filter(({ op }) => op === 'Conv' || op === 'ConvTranspose');
  const dynamic = convolutions.filter(
    ({ id, origin }) => origin.op === 'ConvInteger' || lane.dynamic?.has(useKey(id, 0)) === true,
  );
  const hybrid = convolutions.filter(({ id }) => lane.hybrid?.has(id) === true);
  return [...ofOnnx(evidence, dynamic), ...ofTflite(evidence, hybrid)];
}

/** Kernels of TFLite have one scale per channel; what is left is the search for ranges. */
function ofTflite(evidence: LaneEvidence, nodes: readonly Node[]): Diagnosed[] {
  const [first] = nodes;
  if (first === undefined) return [];
  return [
    {
      rule: 'rt.dynamic-conv',
      severity: 'note',
      subject: {},
      message: `${counted(nodes.length)} quantized dynamically: each looks for the range of its activation whenever it runs`,
      args: { convolutions: nodes.length },
      ...remedy(evidence, {
        title: 'calibrate: static quantization',
        tflite: 'converter.representative_dataset = ...',
      }),
    },
  ];
}

function ofOnnx(evidence: LaneEvidence, nodes: readonly Node[]): Diagnosed[] {
  const { graph, lane } = evidence;
  if (nodes.length === 0) return [];
  const grouped = nodes.filter((node) => (intAttr(node, 'group') ?? 1) > 1);
  const weights = new Map(weightsOf(graph).map((weight) => [weight.tensor, weight]));
  const lost = grouped.filter(({ inputs: [, id] }) => {
    const found = id === undefined || id === null ? undefined : weights.get(id);
    return found !== undefined && isLost(found, lane);
  });
  const [worst] = lost.length > 0 ? lost : grouped;
  const group = grouped.length === 0 ? '' : `, ${grouped.length} of them grouped`;
  const loss =
    lost.length === 0
      ? ''
      : `, which leaves more than a tenth of the channels of ${lost.length === 1 ? 'one' : String(lost.length)} fewer than 8 levels`;
  const weight = worst?.inputs[1];
  return [
    {
      rule: 'rt.dynamic-conv',
      severity: lost.length > 0 ? 'error' : 'warning',
      subject:
        worst === undefined || weight === undefined || weight === null
          ? {}
          : { node: nodeLabel(worst), tensor: tensorOf(graph, weight).name },
      message:
        `${counted(nodes.length)} quantized dynamically (ConvInteger)${group}: one scale serves each weight${loss}, and each looks for the ` +
        'range of its activation whenever it runs',
      args: { convolutions: nodes.length, grouped: grouped.length, lost: lost.length },
      ...remedy(evidence, {
        title: 'quantize statically, or matrix products only',
        onnx: "quantize_static(..., per_channel=True), or quantize_dynamic(..., op_types_to_quantize=['MatMul'])",
      }),
    },
  ];
}

function counted(count: number): string {
  return count === 1 ? '1 convolution is' : `${count} convolutions are`;
}

/** Nobody trained a network to live with a scale that was found after training. */
function isLost({ tensor, data, axis }: Weight, lane: Lane): boolean {
  if (lane.tensors.get(tensor)?.granularity.kind !== 'per-tensor') return false;
  const { min, max } = channelRanges(toFloat32(data), data.dims, axis);
  return weightSpread(Array.from(max, (high, c) => Math.max(high, -(min[c] ?? 0)))).isLost;
}
