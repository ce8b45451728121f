/**
 * What the specifications of integer kernels demand of parameters, and the file does not keep.
 * https://ai.google.dev/edge/litert/models/quantization_spec
 */
import { nodeLabel, tensorOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { Lane, QDType, QuantParams } from '../../../ir/lane.js';
import { operatorsOf, sourceOf, type Operator } from '../../../ir/operators.js';
import type { LaneEvidence } from '../../evidence.js';
import { inputScale } from './input-scale.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const spec = rule({
  id: 'w.spec',
  title: 'Parameters break the specification of the integer kernels',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Parameters that the integer kernels prescribe (TFLite: the output of Softmax has scale 1/256, a bias has the scale of input times weight) and the file does not keep.',
    why: 'Kernels do not look at such parameters: they compute what the specification says, and who reads the output with the numbers of the file gets other values.',
    instead: 'Export again; what was expected and what was found is in the message.',
    see: ['https://ai.google.dev/edge/litert/models/quantization_spec'],
  },
  check,
});

/** Parameters of the output that the kernel writes, whatever the file says. */
const FIXED_OUTPUTS: Readonly<
  Record<string, Partial<Record<QDType, readonly [scale: number, zeroPoint: number]>>>
> = {
  LOGISTIC: { int8: [1 / 256, -128], uint8: [1 / 256, 0], int16: [1 / 32768, 0] },
  SOFTMAX: { int8: [1 / 256, -128], uint8: [1 / 256, 0], int16: [1 / 32768, 0] },
  LOG_SOFTMAX: { int8: [16 / 256, 127], uint8: [16 / 256, 255] },
  TANH: { int8: [1 / 128, 0], uint8: [1 / 128, 128], int16: [1 / 32768, 0] },
  L2_NORMALIZATION: { int8: [1 / 128, 0], uint8: [1 / 128, 128], int16: [1 / 32768, 0] },
};

/** Move codes without looking at scales: input and output must have the same parameters. */
const SAME_SCALE: ReadonlySet<string> = new Set([
  ...['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR', 'PAD', 'PADV2'],
  ...[
    'RESHAPE',
    'SQUEEZE',
    'EXPAND_DIMS',
    'TRANSPOSE',
    'SLICE',
    'STRIDED_SLICE',
    'SPLIT',
    'SPLIT_V',
    'UNPACK',
  ],
  ...['GATHER', 'GATHER_ND', 'TILE', 'BROADCAST_TO', 'MIRROR_PAD', 'REVERSE_V2', 'DEPTH_TO_SPACE'],
  ...[
    'SPACE_TO_DEPTH',
    'SPACE_TO_BATCH_ND',
    'BATCH_TO_SPACE_ND',
    'REDUCE_MAX',
    'REDUCE_MIN',
    'MAXIMUM',
    'MINIMUM',
  ],
]);

/** Their nodes read the input, the weights and the bias, in this order. */
const WEIGHTED: ReadonlySet<string> = new Set([
  'CONV_2D',
  'DEPTHWISE_CONV_2D',
  'FULLY_CONNECTED',
  'TRANSPOSE_CONV',
]);

const TOLERANCE = 1e-3;

function check(evidence: LaneEvidence): Diagnosed[] {
  const { edges, compared, suspects } = evidence;
  const misread =
    edges === undefined || compared === undefined || suspects === undefined
      ? []
      : inputScale({ ...evidence, edges, compared, suspects });
  return [...misread, ...ofKernels(evidence)];
}

function ofKernels({ graph, lane }: LaneEvidence): Finding[] {
  if (lane.arithmetic !== 'tflite') return [];
  return [
    ...inputFaults(graph, lane),
    ...operatorsOf(graph).flatMap((operator) => [
      ...outputFaults(graph, lane, operator),
      ...weightFaults(graph, lane, operator),
    ]),
  ];
}

type Fault = Pick<Finding, 'severity' | 'message' | 'args'>;

function finding(graph: Graph, { main }: Operator, tensor: TensorId, fault: Fault): Finding {
  const subject = { node: nodeLabel(main), tensor: tensorOf(graph, tensor).name };
  return { rule: 'w.spec', subject, ...fault };
}

function inputFaults(graph: Graph, lane: Lane): Finding[] {
  return graph.inputs.flatMap((input): Finding[] => {
    const params = lane.tensors.get(input);
    const fault = params === undefined ? undefined : activationFault(params);
    return fault === undefined ? [] : [{ rule: 'w.spec', subject: subjectOf(graph, input), ...fault }];
  });
}

function outputFaults(graph: Graph, lane: Lane, operator: Operator): Finding[] {
  const { op } = operator.main.origin;
  const outputs = operator.nodes.flatMap((node) => node.outputs);
  return outputs.flatMap((output): Finding[] => {
    const params =
      output === null || graph.inner?.has(output) === true ? undefined : lane.tensors.get(output);
    if (output === null || params === undefined) return [];
    if (op === 'SOFTMAX' && isWidened(graph, lane, operator, params)) return [];
    const faults = [activationFault(params), fixedFault(op, params)];
    const moved = keepsScale(op, params.dtype) ? sameScaleFault(graph, lane, operator, params) : undefined;
    return [
      ...faults.flatMap((fault) => (fault === undefined ? [] : [finding(graph, operator, output, fault)])),
      ...(moved === undefined ? [] : [{ ...finding(graph, operator, output, moved.fault), ...moved.at }]),
    ];
  });
}

/** 16-bit results of 8-bit values have codes of their own: scale 1/65536, zero point -32768. */
function isWidened(graph: Graph, lane: Lane, operator: Operator, { dtype }: QuantParams): boolean {
  return dtype === 'int16' && readsOf(graph, operator).some((id) => lane.tensors.get(id)?.dtype !== 'int16');
}

/** Kernels of uint8 concatenation bring every part to the scale of the result; those of int8 only move codes. */
function keepsScale(op: string, dtype: QDType): boolean {
  return SAME_SCALE.has(op) || (op === 'CONCATENATION' && dtype === 'int8');
}

/** What the operator reads of the rest of the network, each as the file has it. */
function readsOf(graph: Graph, { nodes }: Operator): TensorId[] {
  const own = new Set(nodes.flatMap((node) => node.outputs));
  const inputs = nodes.flatMap((node) => node.inputs.filter((id) => id !== null && !own.has(id)));
  return inputs.flatMap((id) =>
    id === null || tensorOf(graph, id).data !== undefined ? [] : [sourceOf(graph, id)],
  );
}

function activationFault({ granularity, dtype, zeroPoint }: QuantParams): Fault | undefined {
  if (granularity.kind !== 'per-tensor') {
    return {
      severity: 'error',
      message: `an activation has ${zeroPoint.length} scales; kernels know one for each activation`,
      args: { scales: zeroPoint.length },
    };
  }
  const [point = 0] = zeroPoint;
  if (dtype !== 'int16' || point === 0) return undefined;
  return {
    severity: 'error',
    message: `an int16 activation has zero point ${point}; kernels of 16-bit activations want 0`,
    args: { zeroPoint: point },
  };
}

function fixedFault(op: string, { dtype, scale, zeroPoint }: QuantParams): Fault | undefined {
  const [wantedScale, wantedPoint] = FIXED_OUTPUTS[op]?.[dtype] ?? [];
  const [found = 0] = scale;
  const [point = 0] = zeroPoint;
  if (wantedScale === undefined || wantedPoint === undefined) return undefined;
  if (Math.abs(found / wantedScale - 1) <= TOLERANCE && point === wantedPoint) return undefined;
  return {
    severity: 'warning',
    message:
      `${op} writes ${dtype} with scale ${wantedScale} and zero point ${wantedPoint}; ` +
      `the file says ${short(found)} and ${point}, and what reads it will be off`,
    args: { wantedScale, wantedPoint, scale: argument(found), zeroPoint: point },
  };
}

/** `at`: of several inputs, the one that is unlike the others and the output is at fault. */
function sameScaleFault(
  graph: Graph,
  lane: Lane,
  operator: Operator,
  output: QuantParams,
): { readonly fault: Fault; readonly at?: Pick<Finding, 'subject'> } | undefined {
  const reads = readsOf(graph, operator).flatMap((id) => {
    const params = lane.tensors.get(id);
    return params === undefined || params.dtype !== output.dtype ? [] : [{ id, params }];
  });
  const others = reads.filter(({ params }) => !isSame(params, output));
  const [odd] = others;
  if (odd === undefined) return undefined;
  const { params, id } = odd;
  const [a = 0] = params.scale;
  const [b = 0] = output.scale;
  return {
    fault: {
      severity: 'warning',
      message:
        `${operator.main.origin.op} moves codes and must have the same parameters before and after it; it reads scale ` +
        `${short(a)}, zero point ${params.zeroPoint[0]} and writes ${short(b)}, ${output.zeroPoint[0]}: what comes out counts ` +
        `${short(b / a)} times what went in`,
      args: { inputScale: argument(a), outputScale: argument(b) },
    },
    ...(others.length < reads.length ? { at: { subject: subjectOf(graph, id) } } : {}),
  };
}

function isSame(a: QuantParams, b: QuantParams): boolean {
  return (
    Math.abs((a.scale[0] ?? 0) / (b.scale[0] ?? 0) - 1) <= TOLERANCE && a.zeroPoint[0] === b.zeroPoint[0]
  );
}

/** `isHybrid`: the kernel reads them beside a float activation, and its bytes are signed whatever their type. */
function weightFault({ dtype, zeroPoint }: QuantParams, isHybrid: boolean): Fault | undefined {
  const point = zeroPoint.find((value) => value !== 0);
  if (point === undefined || !(dtype === 'int8' || isHybrid)) return undefined;
  return {
    severity: 'error',
    message:
      dtype === 'int8'
        ? `int8 weights have zero point ${point}; the specification wants 0, and kernels take it for 0 or refuse the file`
        : `${dtype} weights have zero point ${point}; beside float activations kernels take their bytes for signed codes around 0`,
    args: { zeroPoint: point },
  };
}

function weightFaults(graph: Graph, lane: Lane, operator: Operator): Finding[] {
  const { main } = operator;
  const [, weight, bias] = main.inputs;
  if (!WEIGHTED.has(main.origin.op) || weight === undefined || weight === null) return [];
  const params = lane.tensors.get(weight);
  if (params === undefined || tensorOf(graph, weight).data === undefined) return [];
  const [read] = readsOf(graph, operator);
  const reads = read === undefined ? undefined : lane.tensors.get(read);
  const isHybrid = lane.hybrid?.has(main.id) === true;
  const found: Finding[] = [];
  // A DEQUANTIZE makes weights float with their zero point.
  const shifted = reads === undefined && !isHybrid ? undefined : weightFault(params, isHybrid);
  if (shifted !== undefined) found.push(finding(graph, operator, weight, shifted));
  if (bias === undefined || bias === null) return found;
  const fault = reads === undefined ? undefined : biasFault(reads, params, lane.tensors.get(bias));
  if (fault !== undefined) found.push(finding(graph, operator, bias, fault));
  return found;
}

function biasFault(
  input: QuantParams,
  weight: QuantParams,
  bias: QuantParams | undefined,
): Fault | undefined {
  if (bias?.source !== 'file' || weight.granularity.kind === 'per-block') return undefined;
  const point = bias.zeroPoint.find((value) => value !== 0);
  if (point !== undefined) {
    return {
      severity: 'error',
      message: `the bias has zero point ${point}; the specification wants 0, and kernels take it for 0 or refuse the file`,
      args: { zeroPoint: point },
    };
  }
  const wanted = weight.scale.map((scale) => scale * (input.scale[0] ?? 0));
  const off = wanted.findIndex((value, i) => {
    const found = bias.scale[bias.scale.length === 1 ? 0 : i] ?? 0;
    return !(Math.abs(found / value - 1) <= TOLERANCE);
  });
  if (off < 0) return undefined;
  const found = bias.scale[bias.scale.length === 1 ? 0 : off] ?? 0;
  return {
    severity: 'warning',
    message:
      `the bias has scale ${short(found)}${wanted.length > 1 ? ` in channel ${off}` : ''}; ` +
      `the accumulator it is added to has ${short(wanted[off] ?? 0)} (input times weight)`,
    args: { scale: argument(found), wanted: argument(wanted[off] ?? 0), channel: off },
  };
}

/** What is no number is told as text. */
function argument(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
