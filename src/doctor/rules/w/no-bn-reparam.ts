import { toFloat32 } from '../../../ir/elements.js';
import {
  intAttr,
  nodeLabel,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../../../ir/graph.js';
import { isOutput } from '../../../ir/operators.js';
import { weightsOf, type Weight } from '../../../ir/weights.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed, Severity } from '../../finding.js';
import { BROKEN_READER_DB, isHarmless } from '../../harm.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

/** Magnitude of the centre tap, input channel to the same output channel, over the rms of all other taps: the median channel's. */
const CENTRE_RATIO = 10;
/** Largest value of a layer's output over the median layer's. */
const WIDE_OUTPUT = 20;
const FEWEST_LAYERS = 5;

export const noBnReparam = rule({
  id: 'w.no-bn-reparam',
  title: 'BatchNormalization is missing, was not folded, or branches were merged into one kernel',
  severity: 'error',
  needs: ['lane'],
  limits: [
    {
      quantity: 'centre tap over the rms of the other taps',
      unit: 'times',
      warning: CENTRE_RATIO,
      worse: 'higher',
    },
    {
      quantity: 'largest output of a layer over the median layer',
      unit: 'times',
      warning: WIDE_OUTPUT,
      worse: 'higher',
    },
    {
      quantity: 'local SQNR of a layer of merged branches',
      unit: 'dB',
      error: BROKEN_READER_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'BatchNormalization behind a convolution whose weights are quantized; 3x3 kernels with a centre tap ten times all others, as merging a 1x1 and an identity branch leaves them (RepVGG, YOLOv6, MobileOne); layers whose output is 20 times that of the median layer.',
    why: 'Quantizing before normalizing rounds channels of very unlike range with one scale, and once more behind it. A merged kernel has its energy in one tap: the other eight share the codes around zero.',
    instead:
      'Fold BatchNormalization first, in inference mode (quant_pre_process, onnxsim, model.eval()). Of merged networks quantize with scales per channel, train with quantization before merging (QARepVGG, RepOpt), or keep the worst convolutions in float.',
    see: ['https://arxiv.org/abs/2212.01593', 'https://github.com/DingXiaoH/RepVGG', 'w.per-tensor-spread'],
  },
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  return [...unfolded(evidence), ...merged(evidence), ...wideOutputs(evidence)];
}

const FOLDABLE: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

/** Normalization that the integer network has as an operator of its own: told once, with the first. */
function unfolded(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane, edges } = evidence;
  const { producer, uses } = topologyOf(graph);
  const nodes = graph.nodes.filter(({ op, inputs: [input] }) => {
    if (op !== 'BatchNormalization' || input === null || input === undefined) return false;
    const writer = producer[input];
    const before = writer === undefined ? undefined : nodeOf(graph, writer);
    const weight = before === undefined || !FOLDABLE.has(before.op) ? undefined : before.inputs[1];
    // Of a convolution that others read as well nothing can be folded into its weights.
    const isAlone = (uses[input] ?? []).length === 1 && !graph.outputs.includes(input);
    return weight !== undefined && weight !== null && isAlone && lane.tensors.has(weight);
  });
  const [first] = nodes;
  if (first === undefined) return [];
  const [input] = first.inputs;
  return [
    {
      rule: 'w.no-bn-reparam',
      severity: isHarmless(edges) ? 'note' : 'warning',
      subject: {
        node: nodeLabel(first),
        ...(input === null || input === undefined ? {} : { tensor: tensorOf(graph, input).name }),
      },
      message:
        `${nodes.length === 1 ? 'a BatchNormalization was' : `${nodes.length} BatchNormalizations were`} not folded into the quantized ` +
        `weights before ${nodes.length === 1 ? 'it' : 'them'}: the layer is rounded before it is normalized, with the range of its widest channel`,
      args: { nodes: nodes.length },
      ...remedy(evidence, {
        title: 'fold BatchNormalization before quantizing',
        onnx: 'python -m onnxruntime.quantization.preprocess --input float.onnx --output folded.onnx, and quantize that',
        tflite: 'convert the model in inference mode (training=False), which folds it',
      }),
    },
  ];
}

/** Kernels with the signature of an identity branch that was merged into them: told once, with the worst. */
function merged(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane } = evidence;
  const found = weightsOf(graph).flatMap((weight) => {
    const ratio = lane.tensors.has(weight.tensor) ? centreRatio(weight) : undefined;
    return ratio === undefined || ratio < CENTRE_RATIO ? [] : [{ ...weight, ratio }];
  });
  const [first, ...others] = found.sort((a, b) => b.ratio - a.ratio);
  if (first === undefined) return [];
  const local = Math.min(...found.map(({ node }) => localOf(evidence, node)));
  const named = found.filter(({ node }) => localOf(evidence, node) < BROKEN_READER_DB);
  return [
    {
      rule: 'w.no-bn-reparam',
      severity: severityOf(evidence, local),
      subject: { node: nodeLabel(first.node), tensor: tensorOf(graph, first.tensor).name },
      message:
        `the centre tap of the kernel is ${short(first.ratio)} times the rms of the others, as merging an identity branch leaves it` +
        (others.length === 0
          ? ''
          : `; ${others.length} more ${others.length === 1 ? 'layer is' : 'layers are'} like that`) +
        (named.length === 0 ? '' : `; the worst keeps ${short(local)} dB (local)`),
      args: { ratio: first.ratio, layers: found.length },
      ...remedy(evidence, {
        title: 'give every output channel its own scale, and keep the worst of these layers in float',
        flags: '--per-axis',
        overrides: { granularity: 'per-axis' },
        onnx: 'quantize_static(..., per_channel=True)',
      }),
    },
  ];
}

/** How a kernel is built is no damage: what it does to its layer is. */
function severityOf({ edges }: LaneEvidence, local: number): Severity {
  if (edges === undefined || isHarmless(edges) || local >= BROKEN_READER_DB) return 'note';
  return 'error';
}

/** Local SQNR of what the node, or what is fused with it, writes; infinite where it was not measured. */
function localOf({ graph, edges = [] }: LaneEvidence, node: Node): number {
  const [output] = node.outputs;
  const written = new Set<TensorId | null | undefined>([output]);
  if (output !== null && output !== undefined) {
    for (const use of topologyOf(graph).uses[output] ?? []) {
      for (const id of nodeOf(graph, use.node).outputs) written.add(id);
    }
  }
  const measured = edges.find(({ edge }) => written.has(edge.tensor));
  return measured?.errors.get('local')?.sqnrDb ?? Infinity;
}

/** Of a 3x3 convolution with as many output channels as input channels. */
function centreRatio({ node, data }: Weight): number | undefined {
  const [channels = 0, inputs, ...kernel] = data.dims;
  const isSquare = node.op === 'Conv' && inputs === channels && kernel.join() === '3,3';
  if (!isSquare || channels < 2 || (intAttr(node, 'group') ?? 1) !== 1) return undefined;
  const values = toFloat32(data);
  const ratios: number[] = [];
  for (let c = 0; c < channels; c++) {
    const start = c * channels * 9;
    const centre = values[start + c * 9 + 4] ?? 0;
    let energy = -centre * centre;
    for (let i = start; i < start + channels * 9; i++) energy += values[i]! ** 2;
    const rms = Math.sqrt(Math.max(energy, 0) / (channels * 9 - 1));
    ratios.push(rms === 0 ? 0 : Math.abs(centre) / rms);
  }
  return ratios.sort((a, b) => a - b)[Math.floor(channels / 2)];
}

/** Layers whose values are far larger than those of the others, as networks without normalization have them. */
function wideOutputs({ graph, edges }: LaneEvidence): Diagnosed[] {
  if (edges === undefined || isHarmless(edges)) return [];
  const layers = edges.flatMap(({ edge, range, quant }) =>
    quant === undefined || isOutput(graph, edge.tensor) || !isOfWeights(graph, edge.tensor)
      ? []
      : [{ tensor: edge.tensor, absmax: Math.max(-range.min, range.max) }],
  );
  const median = layers.map(({ absmax }) => absmax).sort((a, b) => a - b)[Math.floor(layers.length / 2)] ?? 0;
  const wide = layers.filter(({ absmax }) => median > 0 && absmax > WIDE_OUTPUT * median);
  const [first] = [...wide].sort((a, b) => b.absmax - a.absmax);
  if (first === undefined || layers.length < FEWEST_LAYERS) return [];
  return [
    {
      rule: 'w.no-bn-reparam',
      severity: 'note',
      subject: subjectOf(graph, first.tensor),
      message:
        `the values reach ${short(first.absmax)}, ${short(first.absmax / median)} times those of the median layer` +
        `${wide.length === 1 ? '' : ` (${wide.length} layers are like that)`}: nothing normalizes them`,
      args: { absmax: first.absmax, median, layers: wide.length },
    },
  ];
}

function isOfWeights(graph: Graph, tensor: TensorId): boolean {
  const { producer } = topologyOf(graph);
  const writer = producer[tensor];
  if (writer === undefined) return false;
  const node = nodeOf(graph, writer);
  if (FOLDABLE.has(node.op)) return true;
  const [input] = node.inputs;
  const before = input === null || input === undefined ? undefined : producer[input];
  return (
    (node.op === 'Relu' || node.op === 'Clip') &&
    before !== undefined &&
    FOLDABLE.has(nodeOf(graph, before).op)
  );
}
