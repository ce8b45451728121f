import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { nodeOf, tensorOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import type { Histogram } from '../../../quant/histogram.js';
import { useOf } from '../../../quant/placement/lane-plan.js';
import type { Evidence, LaneEvidence } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { isMove, movedFrom } from '../../joined.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { percent, short } from '../../wording.js';

/** Share of the values that fit in front of a second quantizer and not behind it. */
const WARNING_SHARE = 0.001;
const ERROR_SHARE = 0.01;
/** Self SQNR behind the second quantizer, dB, below which it breaks the tensor, and above which it does no harm. */
const BROKEN_DB = 15;
const HARMLESS_DB = 30;
/** Scales that differ by less than this share are meant to be one. */
const SAME_SCALE = 0.05;
/** Of two ranges of which nothing was measured: what the second has of the first. */
const NARROW = 0.5;

export const requantizeClip = rule({
  id: 'act.requantize-clip',
  title: 'Codes are read, or written again, with other parameters than they were made with',
  severity: 'error',
  needs: ['lane'],
  limits: [
    {
      quantity: 'values inside the first range and outside the second',
      unit: 'share',
      warning: WARNING_SHARE,
      error: ERROR_SHARE,
      worse: 'higher',
    },
    {
      quantity: 'self SQNR behind the second quantizer, where it clips',
      unit: 'dB',
      error: BROKEN_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'A tensor whose codes one quantizer makes and another reads: DequantizeLinear with other numbers than the QuantizeLinear before it. And a tensor that is quantized twice, with nothing computed in between: the second range may be narrower than the first, or nearly the same.',
    why: 'What is read with other numbers is scaled and shifted, whatever was computed. What is quantized again loses what lies outside the second range, and is rounded a second time, for nothing where the two scales differ by a few per cent.',
    instead:
      'Give both the same scale and zero point: export again, calibrate both ends of the edge on the same data, or mend the two initializers.',
    see: ['https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html', 'q.degenerate', 'act.clipped'],
  },
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  return [...misread(evidence), ...requantized(evidence)];
}

/** A file whose reader of codes has other parameters than the writer: what is read is scaled and shifted, whatever was computed. */
function misread({ graph, lane }: LaneEvidence): Finding[] {
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

interface Requantized {
  readonly from: TensorId;
  readonly tensor: TensorId;
  readonly first: QuantParams;
  readonly second: QuantParams;
}

/** Tensors with the values of another one, quantized in another way. */
function requantized(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane } = evidence;
  const chains = graph.nodes.flatMap(({ op, domain, inputs: [input], outputs: [output] }): Requantized[] => {
    if (domain !== '' || !isMove(op) || input === null || input === undefined) return [];
    const second = output === null || output === undefined ? undefined : lane.tensors.get(output);
    const from = movedFrom(graph, input, (tensor) => lane.tensors.has(tensor));
    const first = from === undefined ? undefined : lane.tensors.get(from);
    if (from === undefined || first === undefined || second === undefined || output === null) return [];
    if (output === undefined || !isComparable(first, second)) return [];
    return [{ from, tensor: output, first, second }];
  });
  return chains.flatMap((chain) => {
    const found = ofRange(evidence, chain) ?? ofScale(evidence, chain);
    return found === undefined ? [] : [found];
  });
}

/** Types of as many codes: what goes from 16 bits to 8 is meant to lose something. */
function isComparable(first: QuantParams, second: QuantParams): boolean {
  const isWhole = first.granularity.kind === 'per-tensor' && second.granularity.kind === 'per-tensor';
  const isSame = first.scale[0] === second.scale[0] && limitsOf(first).low === limitsOf(second).low;
  return (
    isWhole && !isSame && first.qmax - first.qmin === second.qmax - second.qmin && (second.scale[0] ?? 0) > 0
  );
}

interface Limits {
  readonly low: number;
  readonly high: number;
}

function limitsOf({ scale: [scale = 0], zeroPoint: [point = 0], qmin, qmax }: QuantParams): Limits {
  return { low: scale * (qmin - point), high: scale * (qmax - point) };
}

function ofRange(evidence: LaneEvidence, chain: Requantized): Diagnosed | undefined {
  const { graph, edges, statistics } = evidence;
  const [first, second] = [limitsOf(chain.first), limitsOf(chain.second)];
  const step = chain.second.scale[0] ?? 0;
  const [low, high] = [
    Math.max(first.low, second.low - step / 2),
    Math.min(first.high, second.high + step / 2),
  ];
  if (low <= first.low && high >= first.high) return undefined;
  const measurement = edges?.find(({ edge }) => edge.tensor === chain.tensor);
  const histogram = statistics?.get(chain.tensor)?.histogram ?? statistics?.get(chain.from)?.histogram;
  const share =
    histogram === undefined
      ? measurement?.errors.get('self')?.clippedShare
      : shareBetween(histogram, first, { low, high });
  const severity =
    share === undefined
      ? (high - low) / (first.high - first.low) < NARROW
        ? 'note'
        : undefined
      : severityOf(share, measurement);
  if (severity === undefined) return undefined;
  const lost =
    share === undefined
      ? `the second holds ${percent((high - low) / (first.high - first.low))} of the first`
      : `${percent(share)} of the values are inside the first and outside the second`;
  return {
    rule: 'act.requantize-clip',
    severity,
    subject: subjectOf(graph, chain.tensor),
    message: `the values are quantized twice, over ${rangeOf(first)} and then over ${rangeOf(second)}: ${lost}`,
    args: {
      low: second.low,
      high: second.high,
      firstLow: first.low,
      firstHigh: first.high,
      ...(share === undefined ? {} : { clippedShare: share }),
    },
    // What the second range cuts off, act.clipped would say again.
    explains: [tensorOf(graph, chain.tensor).name],
    ...unified(evidence, chain, true),
  };
}

function severityOf(
  share: number,
  measurement: EdgeMeasurement | undefined,
): Finding['severity'] | undefined {
  if (share < WARNING_SHARE) return undefined;
  const db = measurement?.errors.get('self')?.sqnrDb ?? Infinity;
  if (db >= HARMLESS_DB) return 'note';
  return share >= ERROR_SHARE && db < BROKEN_DB ? 'error' : 'warning';
}

function shareBetween(histogram: Histogram, outer: Limits, inner: Limits): number {
  let lost = 0;
  histogram.counts.forEach((count, bin) => {
    const value = histogram.centre(bin);
    const isOuter = value >= outer.low && value <= outer.high;
    if (isOuter && (value < inner.low || value > inner.high)) lost += count;
  });
  return histogram.total === 0 ? 0 : lost / histogram.total;
}

function rangeOf({ low, high }: Limits): string {
  return `${short(low)} to ${short(high)}`;
}

/** The same scale but for a few per cent: a second rounding that gains nothing. */
function ofScale(evidence: LaneEvidence, chain: Requantized): Diagnosed | undefined {
  const { graph } = evidence;
  const [first = 0, second = 0] = [chain.first.scale[0], chain.second.scale[0]];
  const change = second / first - 1;
  if (!(Math.abs(change) < SAME_SCALE)) return undefined;
  return {
    rule: 'act.requantize-clip',
    severity: 'note',
    subject: subjectOf(graph, chain.tensor),
    message:
      `the values are quantized twice, with scale ${short(first)} and then ${short(second)}, ` +
      `which is ${percent(Math.abs(change))} ${change < 0 ? 'less' : 'more'}: the second rounding gains nothing`,
    args: { scale: second, firstScale: first },
    ...unified(evidence, chain, false),
  };
}

function unified(
  evidence: Evidence,
  { tensor }: Requantized,
  isMeasurable: boolean,
): Pick<Diagnosed, 'fix' | 'change'> {
  const { graph } = evidence;
  const { node } = subjectOf(graph, tensor);
  return remedy(evidence, {
    title: 'give both ends of the edge one scale and zero point',
    onnx: `take out the QuantizeLinear and DequantizeLinear behind ${node ?? 'the tensor'}, or give them the parameters of the pair before`,
    tflite: 'take out the QUANTIZE, or convert the whole network at once',
    ...(isMeasurable ? { change: { ranges: [tensor] } } : {}),
  });
}
