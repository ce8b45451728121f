import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { toFloat32 } from '../../../ir/elements.js';
import { isFloat, tensorOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { isOutput, readersOf } from '../../../ir/operators.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { quantizerOf, stepOf } from '../../quantizers.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

/** Times the step behind a Relu: one bit is lost. */
const COARSER = 2;
/** dB that the first of the two roundings costs what comes out. */
const FELT_DB = 3;
const BROKEN_DB = 10;

export const preActivationQdq = rule({
  id: 'act.pre-activation-qdq',
  title: 'A quantizer stands between a layer and its activation function',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'ONNX files with QuantizeLinear and DequantizeLinear both in front of and behind an activation function that runtimes fuse into the layer before it. A warning where the step in front of a Relu is twice the one behind it, or where data show a loss of 3 dB. One that cuts off at zero in front of a Relu harms nothing.',
    why: 'The range in front of the function is larger, half of its codes stand for what a Relu takes away, and values are rounded twice. The pair also keeps runtimes from fusing the function, so it runs as an operator of its own.',
    instead:
      'Quantize behind the function only: fuse layer and activation before quantizing (fuse_modules, quant_pre_process), annotate the layer with no quantizer of its own.',
    see: [
      'https://github.com/NVIDIA/TensorRT/issues/2134',
      'https://github.com/openvinotoolkit/nncf/issues/117',
      'act.wide-range',
    ],
  },
  limits: [
    {
      quantity: 'step in front of a Relu over the one behind it',
      unit: 'times',
      warning: COARSER,
      worse: 'higher',
    },
    { quantity: 'loss by the quantizer in front', unit: 'dB', warning: FELT_DB, worse: 'higher' },
  ],
  check,
});

/** Layers that runtimes fuse an activation function into. */
const LAYERS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Add',
  'BatchNormalization',
]);
const FUNCTIONS: ReadonlySet<string> = new Set([
  'Relu',
  'Clip',
  'LeakyRelu',
  'PRelu',
  'HardSwish',
  'ThresholdedRelu',
]);

interface Pair {
  readonly before: TensorId;
  readonly after: TensorId;
  /** Step in front over step behind; of functions that keep positive values as they are. */
  readonly times: number | undefined;
  /** What the quantizer in front costs what comes out, and what is left, dB. */
  readonly measured: { readonly loss: number; readonly left: number } | undefined;
}

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph, scheme, edges = [] } = evidence;
  // Simulations fuse as their target does; kernels of TFLite have the function in the layer.
  if (scheme !== undefined || graph.format !== 'onnx') return [];
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  const pairs = graph.nodes.flatMap((node) => pairAt(evidence, node, byTensor));
  const [worst] = [...pairs].sort(
    (a, b) => (b.measured?.loss ?? 0) - (a.measured?.loss ?? 0) || (b.times ?? 0) - (a.times ?? 0),
  );
  if (worst === undefined) return [];
  const { times, measured, before, after } = worst;
  const isFelt = measured === undefined ? (times ?? 0) >= COARSER : measured.loss >= FELT_DB;
  const isBroken = isFelt && measured !== undefined && measured.left < BROKEN_DB;
  const cost =
    measured === undefined
      ? times === undefined || times < COARSER
        ? ''
        : `; here the step in front is ${short(times)} times the one behind`
      : `; here that costs ${measured.loss.toFixed(1)} dB`;
  const count = pairs.length === 1 ? '1 layer has' : `${pairs.length} layers have`;
  return [
    {
      rule: 'act.pre-activation-qdq',
      severity: isBroken ? 'error' : isFelt ? 'warning' : 'note',
      subject: isFelt ? subjectOf(graph, before) : {},
      message: `${count} a quantizer in front of the activation function and one behind it${cost}`,
      args: {
        layers: pairs.length,
        first: tensorOf(graph, before).name,
        second: tensorOf(graph, after).name,
        ...(times === undefined ? {} : { times }),
        ...(measured === undefined ? {} : { lossDb: measured.loss }),
      },
      ...remedy(evidence, {
        title: 'quantize behind the activation function only',
        onnx: 'fuse layer and activation before quantizing (quant_pre_process, torch.ao.quantization.fuse_modules)',
        change: { float: pairs.map((pair) => pair.before) },
      }),
    },
  ];
}

function pairAt(
  { graph, lane }: LaneEvidence,
  node: Node,
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
): Pair[] {
  const [before] = node.outputs;
  // Operators of integers write codes, whatever follows.
  if (before === undefined || before === null || !LAYERS.has(node.op) || !isFloatOperator(node)) return [];
  const params = quantizerOf(graph, lane, before);
  const readers = readersOf(graph, before);
  const [reader] = readers;
  if (params === undefined || reader === undefined || readers.length > 1 || isOutput(graph, before))
    return [];
  const [after] = reader.outputs;
  if (after === undefined || after === null || !FUNCTIONS.has(reader.op) || reader.origin.implied === true)
    return [];
  const behind = quantizerOf(graph, lane, after);
  if (behind === undefined || !isFloat(tensorOf(graph, before).dtype)) return [];
  const cutsAtZero = isRectifier(graph, reader);
  if (cutsAtZero && params.zeroPoint.every((point) => point === params.qmin)) return [];
  return [
    {
      before,
      after,
      times: cutsAtZero ? ratio(params, behind) : undefined,
      measured: lossOf(byTensor.get(after)),
    },
  ];
}

function isFloatOperator({ origin }: Node): boolean {
  return !origin.op.startsWith('QLinear') && !origin.op.startsWith('QGemm') && !origin.op.endsWith('Integer');
}

/** Relu, and Clip from 0 up. */
function isRectifier(graph: Graph, { op, inputs, attrs }: Node): boolean {
  if (op === 'Relu') return true;
  if (op !== 'Clip') return false;
  const [, low] = inputs;
  const data = low === undefined || low === null ? undefined : tensorOf(graph, low).data;
  const attr = attrs.get('min');
  const least =
    data === undefined
      ? attr?.type === 'float'
        ? attr.value
        : -Infinity
      : (toFloat32(data)[0] ?? -Infinity);
  return least >= 0;
}

function ratio(before: QuantParams, behind: QuantParams): number | undefined {
  const [a, b] = [stepOf(before), stepOf(behind)];
  return a === undefined || b === undefined ? undefined : a / b;
}

/** `self` rounds once, behind the function; `local` reads what was rounded in front of it, too. */
function lossOf(measurement: EdgeMeasurement | undefined): Pair['measured'] {
  const [self, local] = [measurement?.errors.get('self')?.sqnrDb, measurement?.errors.get('local')?.sqnrDb];
  return self === undefined || local === undefined ? undefined : { loss: self - local, left: local };
}
