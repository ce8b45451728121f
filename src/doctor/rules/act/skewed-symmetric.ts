import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { tensorOf } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { bitsOf, fakeQuantize } from '../../../quant/affine.js';
import type { Histogram } from '../../../quant/histogram.js';
import { isSymmetric } from '../../../quant/placement/lane-plan.js';
import type { Evidence, With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { isHarmless } from '../../harm.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { percent, short } from '../../wording.js';

/** Values reach less than this share as far to the one side of zero as to the other. */
const SHORT_SIDE = 0.1;
/** Self SQNR, dB, below which what asymmetric codes would add is wanted. */
const WANTED_DB = 25;
/** Levels of a tail with fewer than these are hardly any. */
const TAIL_LEVELS = 4;
const TAIL_DB = 10;
/** Share of the values that makes a tail worth a word. */
const TAIL_SHARE = 0.05;

export const skewedSymmetric = rule({
  id: 'act.skewed-symmetric',
  title: 'One-sided values leave half of the codes unused, or a short tail hardly any',
  severity: 'warning',
  needs: ['lane', 'edges'],
  limits: [
    {
      quantity:
        'self SQNR of one-sided values under symmetric codes, in a network that is not close to float',
      unit: 'dB',
      warning: WANTED_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'Activations of 8 bits whose codes lie around zero although the values lie on one side of it, as behind Relu; and short tails, as behind LeakyRelu, SiLU and HardSwish, with fewer than 4 levels.',
    why: 'Half of the codes are for values that never come: one bit, 6 dB. A negative tail to -0.28 beside values to 20 has three levels, whatever the zero point.',
    instead:
      'Asymmetric activations with a zero point, where the target has them; 16 bits for the tensor; for tails an activation function without one (Relu), before training.',
    see: ['https://arxiv.org/abs/2106.08295', 'act.shifted-range', 'act.outlier-range'],
  },
  check,
});

interface Skew {
  readonly measurement: EdgeMeasurement;
  readonly quant: QuantParams;
  readonly selfDb: number;
  /** Codes for values that never come, and what they cost: dB. Absent where the codes lie where the values are. */
  readonly unused?: { readonly codes: number; readonly costDb: number };
  readonly tail?: Tail;
}

interface Tail {
  readonly levels: number;
  readonly share: number;
  /** Of the values of the tail alone; at least 0. */
  readonly db: number;
}

/** What is wanting is told of each tensor; what only could be better is told once. */
function check(evidence: With<'edges'>): Diagnosed[] {
  const { edges, statistics, scheme } = evidence;
  const skewed = edges.flatMap((measurement): Skew[] => skewOf(measurement, statistics));
  // TensorRT's kernels have no zero points: nothing can be wanting there.
  const harmless = isHarmless(edges) || scheme?.placement === 'tensorrt';
  const wanting = skewed.filter(
    ({ selfDb, unused }) => unused !== undefined && selfDb < WANTED_DB && !harmless,
  );
  const others = skewed.filter((skew) => !wanting.includes(skew));
  const half = others.filter(({ unused }) => unused !== undefined).sort((a, b) => a.selfDb - b.selfDb);
  const tails = others.filter(({ unused }) => unused === undefined).sort((a, b) => levelsOf(a) - levelsOf(b));
  return [
    ...wanting.map((skew) => finding(evidence, skew, 'warning')),
    ...[half, tails].flatMap(([worst, ...rest]) =>
      worst === undefined ? [] : [finding(evidence, worst, 'note', rest.length)],
    ),
  ];
}

function levelsOf({ tail }: Skew): number {
  return tail?.levels ?? Infinity;
}

function skewOf(measurement: EdgeMeasurement, statistics: Evidence['statistics']): Skew[] {
  const { quant, range, errors, edge } = measurement;
  const self = errors.get('self');
  const selfDb = self?.sqnrDb;
  if (quant?.granularity.kind !== 'per-tensor' || selfDb === undefined || bitsOf(quant.dtype) !== 8)
    return [];
  // Values that are cut off have other troubles.
  if (self !== undefined && self.noise.clip > self.noise.round) return [];
  // What the target prescribes, such as 1/128 behind Tanh, is not to be changed.
  if (quant.source === 'fixed') return [];
  const [short, long] = [Math.min(-range.min, range.max), Math.max(-range.min, range.max)];
  if (!(long > 0) || short > SHORT_SIDE * long) return [];
  const unused = isSymmetric(quant.dtype, quant.zeroPoint) ? unusedOf(quant, range) : undefined;
  const histogram = statistics?.get(edge.tensor)?.histogram;
  const tail = histogram === undefined || short <= 0 ? undefined : tailOf(histogram, quant, range);
  if (unused === undefined && tail === undefined) return [];
  return [
    {
      measurement,
      quant,
      selfDb,
      ...(unused === undefined ? {} : { unused }),
      ...(tail === undefined ? {} : { tail }),
    },
  ];
}

function unusedOf(
  { scale: [scale = 0], qmin, qmax, zeroPoint: [zeroPoint = 0] }: QuantParams,
  { min, max }: EdgeMeasurement['range'],
): Skew['unused'] {
  const steps = qmax - qmin;
  const below = Math.min(min, 0) / scale - (qmin - zeroPoint);
  const above = qmax - zeroPoint - Math.max(max, 0) / scale;
  const codes = Math.floor(-min < max ? below : above);
  // A range much wider than the values is not about its zero point.
  const isAtEnd = (-min < max ? above : below) < steps / 4;
  if (!isAtEnd || codes <= steps / 4 || codes >= steps) return undefined;
  return { codes, costDb: 20 * Math.log10(steps / (steps - codes)) };
}

/** The values on the short side of zero, with the levels they have, if those are few and the values many. */
function tailOf(
  histogram: Histogram,
  quant: QuantParams,
  { min, max }: EdgeMeasurement['range'],
): Tail | undefined {
  const sign = -min < max ? -1 : 1;
  const [step = 0] = quant.scale;
  const levels = (sign < 0 ? -min : max) / step;
  if (!(levels < TAIL_LEVELS)) return undefined;
  const { counts, grid } = histogram;
  const [from, to] = sign < 0 ? [0, grid.zeroPoint] : [grid.zeroPoint + 1, counts.length];
  const values = Float32Array.from(counts.subarray(from, to), (_, bin) => histogram.centre(from + bin));
  const quantized = fakeQuantize(values, [values.length], quant);
  let [count, signal, noise] = [0, 0, 0];
  values.forEach((value, bin) => {
    const n = counts[from + bin]!;
    count += n;
    signal += n * value ** 2;
    noise += n * (quantized[bin]! - value) ** 2;
  });
  const share = count / histogram.total;
  const db = noise === 0 ? Infinity : Math.max(0, 10 * Math.log10(signal / noise));
  return share >= TAIL_SHARE && db < TAIL_DB ? { levels, share, db } : undefined;
}

function finding(
  evidence: With<'edges'>,
  { measurement, quant, selfDb, unused, tail }: Skew,
  severity: 'warning' | 'note',
  others = 0,
): Diagnosed {
  const { graph } = evidence;
  const { range, edge } = measurement;
  const side = -range.min < range.max ? 'negative' : 'positive';
  const [step = 0] = quant.scale;
  const what = [
    ...(unused === undefined
      ? []
      : [
          `the codes lie around zero, the values are ${short(range.min)} to ${short(range.max)}: ` +
            `${unused.codes} of ${quant.qmax - quant.qmin + 1} codes are never used, which costs ${unused.costDb.toFixed(1)} dB`,
        ]),
    ...(tail === undefined
      ? []
      : [
          `the ${side} values, ${percent(tail.share)} of all, have ${tail.levels.toFixed(1)} levels ` +
            `in steps of ${short(step)} and keep ${tail.db.toFixed(1)} dB`,
        ]),
  ].join('; ');
  return {
    rule: 'act.skewed-symmetric',
    severity,
    subject: subjectOf(graph, edge.tensor),
    message:
      others === 0
        ? what
        : `${what}; ${others} more ${others === 1 ? 'tensor has' : 'tensors have'} the same`,
    args: {
      selfSqnrDb: selfDb,
      others,
      ...(unused === undefined ? {} : { unusedCodes: unused.codes, costDb: unused.costDb }),
      ...(tail === undefined ? {} : { tailLevels: tail.levels, tailShare: tail.share, tailDb: tail.db }),
    },
    ...(unused === undefined ? ofTail(evidence, tensorOf(graph, edge.tensor).name) : ofCodes(evidence)),
  };
}

function ofCodes(evidence: Evidence): Pick<Diagnosed, 'fix' | 'change'> {
  // Its kernels have no zero points.
  if (evidence.scheme?.placement === 'tensorrt') return {};
  return remedy(evidence, {
    title: 'give activations a zero point',
    flags: '--asymmetric',
    overrides: { symmetric: false },
    onnx: "quantize_static(..., extra_options={'ActivationSymmetric': False})",
    tflite: 'a converter that writes asymmetric int8 activations, as TFLiteConverter does',
  });
}

function ofTail(evidence: Evidence, tensor: string): Pick<Diagnosed, 'fix' | 'change'> {
  if (evidence.scheme?.placement === 'tensorrt') return {};
  return remedy(evidence, {
    title: 'give the tensor 16 bits',
    flags: '--activations int16',
    overrides: { activations: 'int16' },
    onnx: `quantize_static(..., extra_options={'TensorQuantOverrides': {${JSON.stringify(tensor)}: [{'quant_type': QuantType.QUInt16}]}})`,
  });
}
