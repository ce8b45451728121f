import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { isOutput, sourceOf } from '../../../ir/operators.js';
import type { Evidence, With } from '../../evidence.js';
import type { Diagnosed, Severity } from '../../finding.js';
import { joinedMeasurement, movedFrom, sqnrInSteps } from '../../joined.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { labelsAround, subjectOf } from '../../subject.js';
import { listed, short } from '../../wording.js';

/** Codes that the values of one input have left, and times as many that another one has. */
const FEW_CODES = 16;
const UNEVEN = 16;
/** Of an input that was not measured: its own quantizer spans fewer codes of the joined tensor than this. */
const FEWEST_CODES = 4;
/** What the small input keeps of itself in steps of the joined tensor, dB, below which it is lost. */
const LOST_DB = 15;
/** Below which a part is worse off than any 8-bit tensor with a scale of its own. */
const POOR_DB = 25;

export const concatSharedScale = rule({
  id: 'act.concat-shared-scale',
  title: 'Joined tensors share a scale that is too coarse for one of them',
  severity: 'error',
  needs: ['lane'],
  limits: [
    {
      quantity: 'codes that the range of a joined input has, unmeasured',
      unit: 'codes',
      warning: FEWEST_CODES,
      worse: 'lower',
    },
    {
      quantity: 'SQNR of a joined input in steps of the result',
      unit: 'dB',
      warning: POOR_DB,
      error: LOST_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'Concat, Where and Pack give what they join one scale. An input whose values have fewer than 16 codes left, where another has 16 times as many, is found; so are channels of an output such as boxes and scores. Without data the ranges of the quantizers before them are compared.',
    why: 'A tensor of boxes in pixels (0 to 640) beside scores (0 to 1) gets steps of 2.5: every score is rounded to 0. It is the commonest true cause for detectors.',
    instead:
      'Divide the wide part by its range before joining (boxes by the size of the image), return the parts as outputs of their own, or keep the Concat and what is behind it in float.',
    see: ['https://github.com/ultralytics/ultralytics/issues/5416', 'act.decode-quantized'],
  },
  check,
});

/** Slots of the tensors that are joined. */
const JOINS: Readonly<Record<string, (node: Node) => readonly (TensorId | null)[]>> = {
  Concat: ({ inputs }) => inputs,
  Where: ({ inputs }) => inputs.slice(1, 3),
};

interface Part {
  readonly tensor: TensorId;
  /** Codes of the joined tensor between its smallest and its largest value. */
  readonly codes: number;
  /** SQNR of its values in those codes, dB; undefined where nothing was measured. */
  readonly db: number | undefined;
}

function check(evidence: With<'lane'>): Diagnosed[] {
  const { graph, edges } = evidence;
  const byTensor = new Map((edges ?? []).map((measurement) => [measurement.edge.tensor, measurement]));
  const joins = graph.nodes.flatMap((node) => ofJoin(evidence, node, byTensor));
  const scales = new Set(joins.map(({ args }) => args.scale));
  // A Concat in front of the output has been told of.
  const outputs = (edges ?? []).flatMap((measurement) => ofOutput(evidence, measurement));
  return [...joins, ...outputs.filter(({ args }) => !scales.has(args.scale))];
}

/** One scale for all inputs: that of the largest leaves the smallest too few codes. */
function ofJoin(
  evidence: With<'lane'>,
  node: Node,
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
): Diagnosed[] {
  const { graph, lane, edges } = evidence;
  const [output] = node.outputs;
  const joined = node.domain === '' && Object.hasOwn(JOINS, node.op) ? JOINS[node.op]?.(node) : undefined;
  if (joined === undefined || output === undefined || output === null) return [];
  const source = sourceOf(graph, output);
  const params =
    lane.tensors.get(output) ?? lane.tensors.get(source) ?? joinedMeasurement(graph, byTensor, output)?.quant;
  const [scale = 0] = params?.scale ?? [];
  if (params?.granularity.kind !== 'per-tensor' || !(scale > 0)) return [];
  const worst = byTensor.get(source)?.errors.get('self')?.worstChannel?.sqnrDb;
  const parts = joined.flatMap((id): Part[] =>
    id === null || tensorOf(graph, id).data !== undefined
      ? []
      : edges === undefined
        ? quantizedPart(evidence, id, scale)
        : measuredPart(graph, id, byTensor, scale, worst),
  );
  const [smallest] = [...parts].sort((a, b) => a.codes - b.codes);
  const most = Math.max(...parts.map(({ codes }) => codes));
  if (smallest === undefined || smallest.codes >= FEW_CODES || most < UNEVEN * smallest.codes) return [];
  const ranges = edges === undefined ? 'the range of its quantizer has' : 'the values of this one have';
  return [
    {
      rule: 'act.concat-shared-scale',
      severity: severityOf(smallest, edges !== undefined),
      subject: { node: nodeLabel(node), tensor: tensorOf(graph, smallest.tensor).name },
      message:
        `${node.origin.op} ${nodeLabel(node)} gives all its inputs the scale ${short(scale)}: ${ranges} ` +
        `${Math.max(1, Math.round(smallest.codes))} codes left, those of another ${Math.round(most)}`,
      args: {
        codes: smallest.codes,
        most,
        scale,
        ...(smallest.db === undefined ? {} : { partDb: smallest.db }),
      },
      ...keptInFloat(evidence, nodeLabel(node), source),
    },
  ];
}

function severityOf({ db, codes }: Part, isMeasured: boolean): Severity {
  if (!isMeasured) return codes < FEWEST_CODES ? 'warning' : 'note';
  return measuredSeverity(db ?? Infinity);
}

function measuredSeverity(db: number): Severity {
  return db < LOST_DB ? 'error' : db < POOR_DB ? 'warning' : 'note';
}

function measuredPart(
  graph: Graph,
  id: TensorId,
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
  scale: number,
  worst: number | undefined,
): Part[] {
  const tensor = movedFrom(graph, id, (candidate) => byTensor.has(candidate));
  const measurement = tensor === undefined ? undefined : byTensor.get(tensor);
  if (tensor === undefined || measurement === undefined) return [];
  const { min, max } = measurement.range;
  const own = measurement.errors.get('self')?.sqnrDb ?? Infinity;
  // Where the energy of the input is not known, the worst channel of the result stands for it.
  const db = Math.min(sqnrInSteps(measurement, scale) ?? worst ?? Infinity, own);
  return [{ tensor, codes: (max - min) / scale, db }];
}

/** Nothing was run: the quantizer of the input says how far its values go. */
function quantizedPart({ graph, lane }: With<'lane'>, id: TensorId, scale: number): Part[] {
  const tensor = movedFrom(graph, id, (candidate) => lane.tensors.has(candidate));
  const params = tensor === undefined ? undefined : lane.tensors.get(tensor);
  if (tensor === undefined || params?.granularity.kind !== 'per-tensor') return [];
  return [{ tensor, codes: widthOf(params) / scale, db: undefined }];
}

function widthOf({ scale: [scale = 0], qmin, qmax }: QuantParams): number {
  return scale * (qmax - qmin);
}

/** Boxes: the channels in front of scores, angles, masks. */
const BOX_CHANNELS = 4;

/** An output [1, 4 + classes, N] or [1, N, 4 + classes] whose boxes leave too few codes to everything else. */
function ofOutput(evidence: With<'lane'>, { edge, quant, channels }: EdgeMeasurement): Diagnosed[] {
  const { graph } = evidence;
  const [scale = 0] = quant?.scale ?? [];
  if (quant?.granularity.kind !== 'per-tensor' || !(scale > 0) || !isOutput(graph, edge.tensor)) return [];
  // A vector of logits has channels, too, but one value in each.
  if (channels.length <= BOX_CHANNELS || edge.count <= channels.length) return [];
  const codes = channels.map(({ min, max }) => (max - min) / scale);
  const isWide = codes.map((own) => own >= FEW_CODES);
  const [boxes, rest] = isWide.slice(0, BOX_CHANNELS).every(Boolean)
    ? [codes.slice(0, BOX_CHANNELS), [...codes.keys()].slice(BOX_CHANNELS)]
    : isWide.slice(-BOX_CHANNELS).every(Boolean)
      ? [codes.slice(-BOX_CHANNELS), [...codes.keys()].slice(0, -BOX_CHANNELS)]
      : [[], []];
  const most = Math.min(...boxes);
  const small = rest.filter((channel) => (codes[channel] ?? 0) * UNEVEN < most && isWide[channel] === false);
  // Classes that the samples do not show have small scores, too, but then others have large ones.
  if (small.length === 0 || small.length < rest.length / 2) return [];
  const left = Math.max(...small.map((channel) => codes[channel] ?? 0));
  const measured = small.flatMap((channel) => channels[channel]?.sqnrDb.get('self') ?? []);
  const best = measured.length === 0 ? Infinity : Math.max(...measured);
  return [
    {
      rule: 'act.concat-shared-scale',
      severity: measuredSeverity(best),
      subject: subjectOf(graph, edge.tensor),
      message:
        `one scale of ${short(scale)} serves all ${channels.length} channels of this output: ` +
        `${listed('channel', small)} ${small.length === 1 ? 'has' : 'have'} ${Math.max(1, Math.round(left))} codes left at most, ` +
        `${BOX_CHANNELS} others at least ${Math.round(most)}`,
      args: { codes: left, most, scale, channels: small.length },
      ...keptInFloat(evidence, subjectOf(graph, edge.tensor).node, edge.tensor),
    },
  ];
}

function keptInFloat(
  evidence: Evidence,
  node: string | undefined,
  tensor: TensorId,
): Pick<Diagnosed, 'fix' | 'change'> {
  if (node === undefined) return {};
  return remedy(evidence, {
    title: 'return the parts as outputs of their own, or join them in float',
    flags: `--skip '${node}'`,
    skip: [node],
    onnx: `quantize_static(..., nodes_to_exclude=${JSON.stringify(labelsAround(evidence.graph, [tensor]))})`,
    tflite: 'return the parts as outputs of their own: join them behind the network',
    change: { float: [tensor] },
  });
}
