import { tensorOf } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { axisLayout } from '../../../quant/affine.js';
import { trainingTraces, weightScales } from '../../../quant/training-traces.js';
import type { AlignedConstant } from '../../../diff/alignment/alignment.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { isHarmless } from '../../harm.js';
import { medianOf, rangeWidths } from '../../range-widths.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { percent, short } from '../../wording.js';
import { areOthers } from '../w/not-same-model.js';

/** Scale times the last code over the largest weight: above, codes stay unused; below, weights are clipped. */
const WIDE = 1.1;
const CLIPPING = 0.98;
/** The same of activations, whose extremes vary with the samples. */
const WIDE_ACTIVATION = 2;
const CLIPPING_ACTIVATION = 0.8;
/** How much a range may change between training and export. */
const EXPORTED = 1.1;
/** Share of the tensors that must be off. */
const MANY = 0.2;
const LEAST_MANY = 3;
const LEAST_SAMPLES = 8;

export const qatGap = rule({
  id: 'cal.qat-gap',
  title: 'Ranges of quantization-aware training that have not settled, or that the export does not have',
  severity: 'warning',
  needs: ['lane'],
  formerly: ['qat.gap'],
  text: {
    what: 'In files: traces of fake quantization, FAKE_QUANT operators left over, and scales of weights and activations that are not those of the values they scale. Beside a reference that has quantizers of its own: ranges that are other ones after the export.',
    why: 'Moving averages of ranges need about as many steps as one over one minus their decay. Stopped early, or with weights that moved on, they describe an earlier network; an exporter that calibrates again throws them away.',
    instead:
      'Fine-tune from the float checkpoint, freeze batch normalization and observers in the last epochs, with a decay of 0.99 for short runs; the last value for weights. Export with the ranges that were trained.',
    see: [
      'https://arxiv.org/abs/1712.05877',
      'https://arxiv.org/abs/2004.09602',
      'https://github.com/tensorflow/model-optimization/issues/368',
      'cal.stale',
      'w.not-same-model',
    ],
  },
  limits: [
    {
      quantity: 'scale times last code over the largest weight',
      unit: 'times',
      warning: WIDE,
      worse: 'higher',
    },
    {
      quantity: 'scale times last code over the largest weight',
      unit: 'times',
      warning: CLIPPING,
      worse: 'lower',
    },
    {
      quantity: 'width of a range over that of the values',
      unit: 'times',
      warning: WIDE_ACTIVATION,
      worse: 'higher',
    },
    {
      quantity: 'width of a range over that of the values',
      unit: 'times',
      warning: CLIPPING_ACTIVATION,
      worse: 'lower',
    },
  ],
  check,
});

type Said = Pick<Finding, 'severity' | 'message' | 'args'>;

/** A simulation makes its own ranges: there is nothing that training could have left. */
function check(evidence: LaneEvidence, told: readonly Finding[]): Diagnosed[] {
  if (evidence.scheme !== undefined) return [];
  const said = [
    ...unfinished(evidence),
    ...weights(evidence),
    ...activations(evidence, told),
    ...exported(evidence),
  ];
  return said.map((one): Diagnosed => ({
    rule: 'cal.qat-gap',
    subject: {},
    ...one,
    ...remedy(evidence, {
      title: 'let the ranges settle, and export those',
      onnx: 'torch.ao.quantization.disable_observer and freeze_bn_stats in the last epochs, then export with the fake quantizers',
      tflite:
        'tfmot LastValueQuantizer for weights, MovingAverageQuantizer(ema_decay=0.99) for activations; train longer',
    }),
  }));
}

function unfinished({ graph }: LaneEvidence): Said[] {
  const { operators } = trainingTraces(graph);
  if (operators === 0) return [];
  return [
    {
      severity: 'warning',
      message:
        operators === 1
          ? '1 FAKE_QUANT operator is left in the graph: training rounded there, this file computes in float'
          : `${operators} FAKE_QUANT operators are left in the graph: training rounded there, this file computes in float`,
      args: { operators },
    },
  ];
}

/** Scales that are not the extremes of the weights. Where nothing is lost by it, it is no more than worth knowing. */
function weights(evidence: LaneEvidence): Said[] {
  const { graph, lane, edges } = evidence;
  const scales = weightScales(graph, lane);
  const severity = edges === undefined || isHarmless(edges) ? 'note' : 'warning';
  const clipped = clippedWeights(evidence);
  const { named } = trainingTraces(graph);
  const trained = named > 0 ? `; ${named} tensors are named after fake quantization` : '';
  return [
    ...(scales !== undefined && isMany(scales.narrower, scales.total)
      ? [
          {
            severity,
            message:
              `the scales of ${scales.narrower} of ${scales.total} weights are more than 1.1 times as wide as the weights need: averages ` +
              `that lag behind, or ranges widened for a bias${trained}`,
            args: { wide: scales.narrower, weights: scales.total },
          } as const,
        ]
      : []),
    ...(isMany(clipped.length, clipped.of)
      ? [
          {
            severity,
            message:
              `the scales of ${clipped.length} of ${clipped.of} weights end below the largest weights of the reference ` +
              `(${short(medianOf(clipped.times))} times them in the middle): these are clipped${trained}`,
            args: { clipped: clipped.length, weights: clipped.of },
          } as const,
        ]
      : []),
  ];
}

function isMany(some: number, all: number): boolean {
  return some >= LEAST_MANY && some > MANY * all;
}

/** Weights whose scale ends below the reference's; none where the reference has others. */
function clippedWeights(evidence: LaneEvidence): { times: number[]; length: number; of: number } {
  const { graph, lane, alignment, compared } = evidence;
  const times: number[] = [];
  let of = 0;
  if (alignment === undefined || compared === undefined || areOthers({ ...evidence, compared }))
    return { times, length: 0, of };
  for (const constant of alignment.operators.flatMap(({ constants }) => constants)) {
    const params = lane.tensors.get(constant.candidate);
    if (constant.role !== 'weight' || params === undefined) continue;
    const found = timesOf(constant, params, tensorOf(graph, constant.candidate).data?.dims ?? []);
    if (found === undefined) continue;
    of++;
    if (found < CLIPPING) times.push(found);
  }
  return { times, length: times.length, of };
}

/** Median over the channels of the end of the range over the largest weight; undefined for other types than int8 around 0. */
function timesOf(
  constant: AlignedConstant,
  { dtype, granularity, scale, zeroPoint, qmax }: QuantParams,
  dims: readonly number[],
): number | undefined {
  const isCentred = dtype === 'int8' && zeroPoint.every((point) => point === 0);
  if (!isCentred || granularity.kind === 'per-block') return undefined;
  const values = constant.values();
  if (values === undefined || values.length === 0) return undefined;
  const axis = granularity.kind === 'per-axis' ? granularity.axis : undefined;
  const { outer, channels, inner } = axisLayout(values.length, dims, axis);
  const times: number[] = [];
  for (let c = 0; c < channels; c++) {
    let largest = 0;
    for (let o = 0; o < outer; o++) {
      const start = (o * channels + c) * inner;
      for (let i = start; i < start + inner; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
    }
    // A channel of zeros has any scale.
    if (largest > 0) times.push(((scale[c] ?? 0) * qmax) / largest);
  }
  return times.length === 0 ? undefined : medianOf(times);
}

/** Ranges of activations beside the values, of a file that training left traces in; of any other it is a matter of calibration. */
function activations(evidence: LaneEvidence, told: readonly Finding[]): Said[] {
  const { graph, lane, edges, data = evidence.calib } = evidence;
  if (edges === undefined || data === undefined || data.kind === 'random' || data.samples < LEAST_SAMPLES)
    return [];
  if (told.some(({ rule: id }) => id === 'cal.stale')) return [];
  const { named, operators } = trainingTraces(graph);
  const isToco =
    /^TOCO/.test(graph.producer) && [...lane.tensors.values()].some(({ dtype }) => dtype === 'uint8');
  if (named + operators === 0 && !isToco) return [];
  const widths = rangeWidths(graph, edges);
  const wide = widths.filter(({ times }) => times > WIDE_ACTIVATION).length;
  const narrow = widths.filter(({ times }) => times < CLIPPING_ACTIVATION).length;
  if (!isMany(wide + narrow, widths.length)) return [];
  return [
    {
      severity: isHarmless(edges) ? 'note' : 'warning',
      message:
        `the trained ranges of ${wide + narrow} of ${widths.length} activations (${percent((wide + narrow) / widths.length)}) do not fit ` +
        `the values: ${wide} are more than twice as wide, ${narrow} end before them`,
      args: { wide, narrow, activations: widths.length },
    },
  ];
}

/** A reference with quantizers of its own, as training exports it: the candidate should have the same. */
function exported({ lane, reference, alignment }: LaneEvidence): Said[] {
  if (reference === undefined || alignment === undefined) return [];
  const pairs = alignment.edges.flatMap((edge): number[] => {
    const before = widthOf(reference.lane.tensors.get(edge.reference));
    const after = widthOf(lane.tensors.get(edge.candidate));
    return before === undefined || after === undefined ? [] : [after / before];
  });
  const other = pairs.filter((times) => Math.max(times, 1 / times) > EXPORTED);
  if (!isMany(other.length, pairs.length)) return [];
  return [
    {
      severity: 'warning',
      message:
        `both models have quantizers, but ${other.length} of ${pairs.length} activations (${percent(other.length / pairs.length)}) have ` +
        `another range (${short(medianOf(other))} times as wide in the middle): the export does not have the ranges of the reference`,
      args: { other: other.length, activations: pairs.length },
    },
  ];
}

function widthOf(params: QuantParams | undefined): number | undefined {
  const [scale = 0] = params?.scale ?? [];
  return params?.granularity.kind === 'per-tensor' && scale > 0 && Number.isFinite(scale)
    ? scale * (params.qmax - params.qmin)
    : undefined;
}
