import { isFloat, tensorOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { mostOnOneWay } from '../../../ir/ways.js';
import { activationsRead, sourceOf, writerOf } from '../../../ir/operators.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { movedReaders, refutedBounds, type Refutation } from '../../implied-bounds.js';
import { PRESCRIBED, stepOf } from '../../quantizers.js';
import { fitOf } from '../../range-fit.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { percent, short } from '../../wording.js';

/** Activations with one of the ranges that tools put in where they know none. */
const LEAST_DEFAULT = 3;
/** Independent activations with the same scale and zero point, and their share of all. */
const LEAST_SHARED = 5;
/** Of them, one behind the other: branches of equal weights from one input may well agree, layers in a row do not. */
const LEAST_CHAINED = 3;
const SHARED = 0.3;
const BROKEN_DB = 15;
const NAMED = 3;

export const defaultRange = rule({
  id: 'act.default-range',
  title: 'Activations have made-up ranges',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Three activations or more with one and the same range of 0..6, -6..6, 0..1, -1..1, 0..255 or -128..127 though no operator bounds them so, or five and 30 % of all with one scale and zero point that no operator makes them share. With data, only where the values do not fit.',
    why: 'Converters fill in a default where they find no range (--default_ranges_min and _max of TOCO, default_ranges_stats): meant for measuring latency. Values beyond are cut off, and small ones lose their levels.',
    instead:
      'Calibrate with a representative dataset, or train with fake quantization on every activation; never ship default ranges.',
    see: ['https://github.com/tensorflow/tensorflow/issues/14642', 'act.clipped', 'act.wide-range'],
  },
  limits: [
    {
      quantity: 'activations with one default range',
      unit: 'tensors',
      warning: LEAST_DEFAULT,
      worse: 'higher',
    },
    {
      quantity: 'activations that share scale and zero point by chance',
      unit: 'share',
      warning: SHARED,
      worse: 'higher',
    },
  ],
  check,
});

interface Quantized {
  readonly tensor: TensorId;
  readonly params: QuantParams;
  readonly low: number;
  readonly high: number;
}

interface Suspicion {
  readonly group: readonly Quantized[];
  readonly all: number;
  readonly kind: 'default' | 'shared';
  readonly refuted: ReadonlyMap<TensorId, Refutation>;
}

function check(evidence: LaneEvidence): Diagnosed[] {
  // Ranges of a simulation are observed here.
  if (evidence.scheme !== undefined) return [];
  const own = quantizedActivations(evidence);
  const groups = new Map<string, Quantized[]>();
  for (const one of own) groups.set(keyOf(one.params), [...(groups.get(keyOf(one.params)) ?? []), one]);
  const places = [...groups.values()].map((group) => ({ group, count: independentOf(evidence, group) }));
  const all = places.reduce((sum, { count }) => sum + count, 0);
  return places.flatMap(({ group, count }): Diagnosed[] => {
    const refuted = refutedBounds(
      evidence,
      group.map(({ tensor }) => tensor),
    );
    const unbounded = group.filter((one) => refuted.has(one.tensor) || !isBounded(evidence.graph, one));
    if (
      mostOnOneWay(
        evidence.graph,
        unbounded.map(({ tensor }) => tensor),
      ) < LEAST_CHAINED
    )
      return [];
    const suspicion = { group: unbounded, all: own.length, refuted };
    if (isDefault(group[0]) && unbounded.length >= LEAST_DEFAULT)
      return judged(evidence, { ...suspicion, kind: 'default' });
    if (unbounded.length < LEAST_SHARED || count < LEAST_SHARED || count < SHARED * all) return [];
    if (isPowerOfTwo(group[0])) return [];
    return judged(evidence, { ...suspicion, kind: 'shared' });
  });
}

function keyOf({ dtype, scale, zeroPoint }: QuantParams): string {
  return `${dtype} ${scale[0]} ${zeroPoint[0]}`;
}

/** Without inputs of the network, whose range is that of pictures, and what operators only move or have prescribed. */
function quantizedActivations({ graph, lane }: LaneEvidence): Quantized[] {
  return [...lane.tensors].flatMap(([tensor, params]): Quantized[] => {
    const { data, dtype } = tensorOf(graph, tensor);
    const step = stepOf(params);
    const writer = writerOf(graph, tensor);
    if (step === undefined || data !== undefined || !isFloat(dtype) || writer === undefined) return [];
    if (graph.inner?.has(tensor) === true || params.dtype === 'int32' || params.dtype === 'int64') return [];
    if (MOVING.has(writer.op) || PRESCRIBED.has(writer.op) || isConversionOfInput(graph, writer)) return [];
    const [point = 0] = params.zeroPoint;
    return [{ tensor, params, low: step * (params.qmin - point), high: step * (params.qmax - point) }];
  });
}

/** What comes out has the values that went in, or some of them. */
const MOVING: ReadonlySet<string> = new Set([
  ...[
    'Identity',
    'Reshape',
    'Flatten',
    'Squeeze',
    'Unsqueeze',
    'Transpose',
    'Slice',
    'Split',
    'Gather',
    'Pad',
    'Concat',
  ],
  ...[
    'MaxPool',
    'AveragePool',
    'GlobalAveragePool',
    'GlobalMaxPool',
    'Resize',
    'Upsample',
    'DepthToSpace',
    'SpaceToDepth',
  ],
  ...[
    'Expand',
    'Tile',
    'Max',
    'Min',
    'Cast',
    'QuantizeLinear',
    'DequantizeLinear',
    'Dropout',
    'ReduceMax',
    'ReduceMin',
  ],
]);

function isConversionOfInput(graph: Graph, { origin, inputs }: Node): boolean {
  return (
    origin.op === 'QUANTIZE' && inputs.some((id) => id !== null && graph.inputs.includes(sourceOf(graph, id)))
  );
}

const DEFAULTS: readonly (readonly [low: number, high: number])[] = [
  [0, 6],
  [-6, 6],
  [0, 1],
  [-1, 1],
  [0, 255],
  [-128, 127],
];
/** Of the width: ranges are nudged so that zero is a code. */
const NUDGED = 0.006;

function isDefault(one: Quantized | undefined): boolean {
  if (one === undefined) return false;
  const { low, high } = one;
  return DEFAULTS.some(
    ([from, to]) =>
      Math.abs(low - from) <= NUDGED * (to - from) && Math.abs(high - to) <= NUDGED * (to - from),
  );
}

function isPowerOfTwo(one: Quantized | undefined): boolean {
  return Number.isInteger(Math.log2(one?.params.scale[0] ?? 0));
}

/** Operators whose results have a range of their own. */
function isBounded(graph: Graph, { tensor, low, high }: Quantized): boolean {
  const writer = writerOf(graph, tensor);
  if (writer === undefined) return false;
  if (writer.op === 'Clip' || writer.op === 'HardSwish') return true;
  // Products with what lies between 0 and 1, sines and normalized vectors stay between -1 and 1.
  return low >= -1.01 && high <= 1.01 && !WEIGHTED.has(writer.op);
}

const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Add', 'Relu']);

/** Groups that no sum, and nothing that only moves values, holds together: some toolkits give operands and result one scale. */
function independentOf({ graph, lane }: LaneEvidence, group: readonly Quantized[]): number {
  const [first] = group;
  const key = first === undefined ? '' : keyOf(first.params);
  const parent = new Map<TensorId, TensorId>();
  const rootOf = (id: TensorId): TensorId => {
    let root = id;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    return root;
  };
  for (const node of graph.nodes) {
    if (!MOVING.has(node.op) && !JOINING.has(node.op)) continue;
    const outputs = node.outputs.filter((id) => id !== null);
    const joined = [...activationsRead(graph, node), ...outputs].filter((id) => {
      const params = lane.tensors.get(id);
      return params === undefined || keyOf(params) === key;
    });
    const [leader] = joined;
    for (const id of joined) {
      if (leader !== undefined && rootOf(id) !== rootOf(leader)) parent.set(rootOf(id), rootOf(leader));
    }
  }
  return new Set(group.map(({ tensor }) => rootOf(tensor))).size;
}

const JOINING: ReadonlySet<string> = new Set(['Add', 'Sub', 'Sum', 'Relu', 'Clip', 'LeakyRelu', 'PRelu']);

function judged(evidence: LaneEvidence, suspicion: Suspicion): Diagnosed[] {
  const { group, all } = suspicion;
  const [first] = group;
  if (first === undefined) return [];
  const reasons = group.flatMap(({ tensor }) => suspicion.refuted.get(tensor) ?? []);
  const isRefuted = reasons.some((reason) => reason !== 'answer');
  // Of the network itself, measured is what the functions that are in question left of the values.
  const measured =
    isRefuted && evidence.reference === undefined
      ? []
      : group.flatMap((one) => {
          const fit = fitOf(evidence, one);
          return fit === undefined ? [] : [{ one, ...fit }];
        });
  const wrong = measured.filter(({ fits }) => !fits);
  if (measured.length > 0 && wrong.length < measured.length / 2) return [];
  const [worst] = [...wrong].sort((a, b) => a.db - b.db);
  const names = group.slice(0, NAMED).map(({ tensor }) => tensorOf(evidence.graph, tensor).name);
  const others = group.length > NAMED ? ` and ${group.length - NAMED} more` : '';
  const range = `${short(first.low)} to ${short(first.high)}`;
  const met =
    worst === undefined
      ? ''
      : `; ${tensorOf(evidence.graph, worst.one.tensor).name} really goes from ${short(worst.measurement.range.min)} to ${short(worst.measurement.range.max)}`;
  const isProved =
    worst === undefined
      ? reasons.includes('sign') || reasons.filter((each) => each === 'reference').length >= LEAST_CHAINED
      : worst.db < BROKEN_DB;
  return [
    {
      rule: 'act.default-range',
      severity: isProved ? 'error' : 'warning',
      subject: subjectOf(evidence.graph, (worst?.one ?? first).tensor),
      message:
        `${group.length} of ${all} activations (${percent(group.length / Math.max(1, all))}) have the same range ${range}, ${howText(suspicion, reasons)}: ` +
        `${names.join(', ')}${others}${met}`,
      args: {
        tensors: group.length,
        activations: all,
        scale: first.params.scale[0] ?? 0,
        zeroPoint: first.params.zeroPoint[0] ?? 0,
        low: first.low,
        high: first.high,
      },
      ...remedy(evidence, {
        title: 'make the ranges from data',
        onnx: 'quantize_static(model, output, calibration_data_reader)',
        tflite: 'converter.representative_dataset = ...; no --default_ranges_min, --default_ranges_max',
        // Another range does not take away the function that was put in for this one.
        ...(isRefuted ? {} : { change: { ranges: group.map(({ tensor }) => tensor) } }),
      }),
      ...(worst === undefined && !isProved ? {} : { explains: explainedBy(evidence, suspicion) }),
      // Scores of a half are what such logits give.
      ...(reasons.includes('sign') ? { overshadows: ['out.prob-invariant'] } : {}),
    },
  ];
}

function howText({ kind }: Suspicion, reasons: readonly Refutation[]): string {
  if (kind === 'shared') return 'which nothing makes them share';
  if (reasons.includes('reference')) return 'a default: the reference bounds nothing there';
  if (reasons.includes('stated')) return 'a default: of layers with that range only others have a RELU6';
  return reasons.includes('sign')
    ? 'a default, since scores before a Sigmoid and encoded boxes are of either sign'
    : 'a default that no operator has';
}

/** Everything that has these parameters, what moves values included, and what is computed of it by a function with a range of its own. */
function explainedBy({ graph, lane }: LaneEvidence, { group: [first], refuted }: Suspicion): string[] {
  const key = first === undefined ? '' : keyOf(first.params);
  const scores = [...refuted.keys()].flatMap((tensor) =>
    movedReaders(graph, tensor).flatMap(({ op, outputs }) => (PRESCRIBED.has(op) ? outputs : [])),
  );
  return [
    ...[...lane.tensors].flatMap(([tensor, own]) => (keyOf(own) === key ? [tensor] : [])),
    ...scores.filter((id) => id !== null),
  ].map((tensor) => tensorOf(graph, tensor).name);
}
