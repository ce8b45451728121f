import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { isOutput } from '../../../ir/operators.js';
import { bitsOf } from '../../../quant/affine.js';
import type { Histogram } from '../../../quant/histogram.js';
import type { LostValues } from '../../../quant/lost-values.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Severity } from '../../finding.js';
import { isHarmless } from '../../harm.js';
import { remedy } from '../../remedy.js';
import { percent, short } from '../../wording.js';
import { rule } from '../../rule.js';
import { outlierChannels } from './outlier-channel.js';

const ERROR_LEVELS = 8;
const WARNING_LEVELS = 32;
/** Share of values off by more than a quarter of themselves: healthy 8-bit activations have a few per cent. */
const ERROR_LOST = 0.8;
const WARNING_LOST = 0.5;
/** Values crowded on a few levels are well represented all the same while hardly any is off, as behind a Sigmoid around 0.5. */
const CROWDED_LOST = 0.05;
/** Largest value over the root mean square, from which it is worth a word: 8 bits leave such values 27 dB. */
const HIGH_CREST = 20;

export const outlierRange = rule({
  id: 'act.outlier-range',
  title: 'Rare large values take the range of an activation from the bulk',
  severity: 'error',
  needs: ['lane', 'edges'],
  limits: [
    {
      quantity: 'values other than 0 that are off by more than a quarter of themselves',
      unit: 'share',
      warning: WARNING_LOST,
      error: ERROR_LOST,
      worse: 'higher',
    },
    {
      quantity: 'levels that 98 % of the values share, in a network that is not close to float',
      unit: 'levels',
      warning: WARNING_LEVELS,
      error: ERROR_LEVELS,
      worse: 'lower',
    },
  ],
  text: {
    what: 'Activations of which most values are off by more than a quarter of themselves, or of which 98 % share a few codes.',
    why: 'Min-max keeps the largest value ever seen. The bulk, which carries the information, is left with a handful of levels; SQNR, which is about energy, does not show it.',
    instead:
      'Cut the rare values (percentile, mse, entropy), or give the tensor 16 bits; for transformers move the scale into the weights (SmoothQuant).',
    see: ['https://arxiv.org/abs/2211.10438', 'act.outlier-channel', 'cal.method'],
  },
  check,
});

/** Rare large values set the range of an activation; the bulk of the values gets a few levels, and SQNR does not show it. */
function check(evidence: With<'lane' | 'edges'>): Diagnosed[] {
  const { graph, lane, edges, reference, statistics } = evidence;
  // Beside a reference the range itself can be judged: act.wide-range does.
  if (reference !== undefined) return [];
  const harmless = isHarmless(edges);
  // Codes that are only moved are crowded again wherever they come.
  const told = new Set<string>();
  return edges.flatMap((measurement): Diagnosed[] => {
    const { edge, quant, range, levels, lost, errors } = measurement;
    // A whole channel that is large is what act.outlier-channel is about.
    if (outlierChannels(measurement, statistics?.get(edge.tensor)) !== undefined) return [];
    const self = errors.get('self');
    const sqnrDb = self?.sqnrDb;
    // What clipping takes away is not what outliers do: act.clipped.
    if (self === undefined || self.noise.clip > self.noise.round) return [];
    if (quant === undefined || levels === undefined || lost === undefined || sqnrDb === undefined) return [];
    const lostShare = lost.lost / lost.values;
    const isCrowded = levels < WARNING_LEVELS && lostShare >= CROWDED_LOST;
    // A type of few bits has few levels by itself.
    if (bitsOf(quant.dtype) < 8 || (!isCrowded && lostShare < WARNING_LOST)) return [];
    const writer = edge.producer === undefined ? undefined : nodeOf(graph, edge.producer);
    // Probabilities have one scale by specification, and the small ones decide nothing.
    const isPrescribed = quant.source === 'fixed' || lane.arithmetic === 'tflite';
    if (writer?.op === 'Softmax' || (writer?.op === 'Sigmoid' && isPrescribed)) return [];
    const key = [quant.scale[0], quant.zeroPoint[0], lost.lost, lost.values].join();
    // An output is what the network is judged by: it is told of wherever its codes come from.
    if (told.has(key) && !isOutput(graph, edge.tensor)) return [];
    told.add(key);
    const crest = crestOf(statistics?.get(edge.tensor)?.histogram);
    const node = writer === undefined ? undefined : nodeLabel(writer);
    const share = isCrowded
      ? `, and 98 % of the values share ${levels.toFixed(levels < 10 ? 1 : 0)} of ${2 ** bitsOf(quant.dtype)} levels`
      : '';
    return [
      {
        rule: 'act.outlier-range',
        severity: severityOf(isCrowded ? levels : Infinity, lostShare, harmless),
        subject: { ...(node === undefined ? {} : { node }), tensor: tensorOf(graph, edge.tensor).name },
        message:
          `${sqnrDb.toFixed(1)} dB self SQNR hides ${counted(lost)} that are off by more than a quarter of themselves: ` +
          `the quantized range ${rangeOf(quant)} has steps of ${short(quant.scale[0] ?? 0)}${share}` +
          (crest === undefined || crest < HIGH_CREST
            ? ''
            : `; the largest value is ${short(crest)} times their rms`),
        args: {
          ...(crest === undefined ? {} : { crest }),
          lost: lost.lost,
          values: lost.values,
          lostShare,
          levels,
          min: range.min,
          max: range.max,
        },
        ...remedy(
          evidence,
          isCrowded
            ? {
                title: 'cut the rare values, or give the tensor 16 bits',
                flags: '--observer mse',
                overrides: { observer: 'mse' },
                onnx: 'quantize_static(..., calibrate_method=CalibrationMethod.Percentile)',
              }
            : {
                title: 'give the tensor 16 bits',
                flags: '--activations int16',
                overrides: { activations: 'int16' },
                onnx: 'quantize_static(..., activation_type=QuantType.QInt16)',
                tflite:
                  'converter.target_spec.supported_ops = [EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]',
              },
        ),
      },
    ];
  });
}

/** Few levels are no harm while the whole network stays close to float; a bulk that is gone does not show there. */
function severityOf(levels: number, lostShare: number, harmless: boolean): Severity {
  if (lostShare >= ERROR_LOST) return 'error';
  if (levels < ERROR_LEVELS) return harmless ? 'warning' : 'error';
  return harmless && lostShare < WARNING_LOST ? 'note' : 'warning';
}

/** Largest magnitude over the root mean square: 8 bits leave 20 log10(440 / crest) dB. */
function crestOf(histogram: Histogram | undefined): number | undefined {
  if (histogram === undefined || histogram.total === 0) return undefined;
  let energy = 0;
  let absmax = 0;
  histogram.counts.forEach((count, bin) => {
    if (count === 0) return;
    const value = histogram.centre(bin);
    energy += count * value ** 2;
    absmax = Math.max(absmax, Math.abs(value));
  });
  return energy === 0 ? undefined : absmax / Math.sqrt(energy / histogram.total);
}

function counted({ lost, values }: LostValues): string {
  return `${lost} of ${values} values other than 0 (${percent(lost / values)})`;
}

function rangeOf({ scale: [scale = 0], zeroPoint: [zeroPoint = 0], qmin, qmax }: QuantParams): string {
  return `${short(scale * (qmin - zeroPoint))} to ${short(scale * (qmax - zeroPoint))}`;
}
