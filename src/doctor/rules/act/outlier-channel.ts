import { LOST_DB } from '../../../diff/suspects.js';
import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { bitsOf } from '../../../quant/affine.js';
import type { EdgeStatistics } from '../../../run/calibrate.js';
import { nodeLabel, nodeOf } from '../../../ir/graph.js';
import type { With } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { BROKEN_READER_DB, isHarmless, worstReaders, type Reader } from '../../harm.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { untoldSuspects } from '../../untold.js';
import { listed, short } from '../../wording.js';
import { areOthers } from '../w/not-same-model.js';

/** Magnitude of the largest channel as a multiple of the median one's: from which it is told, and from which the others have few codes. */
const NOTE_RATIO = 8;
const WARNING_RATIO = 32;
/** Share of the channels that may be so large. */
const MOST_WIDE = 0.2;
/** Largest value of a channel over its rms, beyond which it is a rare value and not the channel. */
const RARE_CREST = 20;

export const outlierChannel = rule({
  id: 'act.outlier-channel',
  title: 'One channel takes the range of an activation from all others',
  severity: 'error',
  needs: ['lane', 'edges'],
  limits: [
    {
      quantity: 'largest channel magnitude over the median, where readers suffer',
      unit: 'times',
      warning: WARNING_RATIO,
      worse: 'higher',
    },
    {
      quantity: 'local SQNR of the operator that reads the channels',
      unit: 'dB',
      error: BROKEN_READER_DB,
      worse: 'lower',
    },
  ],
  text: {
    what: 'An activation that keeps its energy as a whole, but whose largest channel leaves the others few codes, which the operator behind it may need.',
    why: 'Activations have one scale. A channel with values a hundred times those of the others leaves them two or three codes; SQNR over the whole tensor does not show it, the worst channel does.',
    instead:
      'Move the scale into the weights around the tensor (cross-layer equalization, SmoothQuant), give the tensor 16 bits, or keep the operator behind it in float.',
    see: [
      'https://arxiv.org/abs/1906.04721',
      'https://arxiv.org/abs/2211.10438',
      'act.outlier-range',
      'io.hetero-channels',
    ],
  },
  check,
});

type Channels = With<'lane' | 'edges'>;

function check(evidence: Channels, told: readonly Finding[]): Diagnosed[] {
  const { suspects, compared } = evidence;
  if (suspects === undefined) return spreadChannels(evidence);
  const found = lostChannels({ ...evidence, suspects }, told);
  // Beside weights that were trained further every channel differs, and not by its scale.
  if (compared === undefined || !areOthers({ ...evidence, compared })) return found;
  return found.map((finding) => ({ ...finding, severity: 'note' }));
}

/** Beside a reference: of a broken operator of which nothing else says why, what it reads has lost channels. */
function lostChannels(evidence: With<'lane' | 'edges' | 'suspects'>, told: readonly Finding[]): Diagnosed[] {
  const { graph, edges } = evidence;
  return untoldSuspects(evidence, told).flatMap(({ tensor: reader, lostIn }): Diagnosed[] => {
    if (lostIn === undefined) return [];
    const { tensor, db } = lostIn;
    const measurement = edges.find(({ edge }) => edge.tensor === tensor);
    const channels = measurement?.channels ?? [];
    const lost = channels.filter(
      ({ sqnrDb }) => Math.min(sqnrDb.get('self') ?? Infinity, sqnrDb.get('local') ?? Infinity) < LOST_DB,
    ).length;
    const whole = measurement?.errors.get('self')?.sqnrDb;
    const { node = '' } = subjectOf(graph, reader);
    return [
      {
        rule: 'act.outlier-channel',
        severity: 'error',
        subject: subjectOf(graph, tensor),
        message:
          `${lost} of ${channels.length} channels are lost under one scale, the worst keeps ${short(db)} dB` +
          (whole === undefined ? '' : `, though the tensor as a whole keeps ${short(whole)} dB (self)`) +
          `; ${node}, which reads them, is broken`,
        args: { lost, channels: channels.length, worstChannelDb: db },
      },
    ];
  });
}

/** From the ranges of the channels: how unlike they are, and whether what reads them suffers. What nobody suffers from is told once. */
function spreadChannels(evidence: Channels): Diagnosed[] {
  const { graph, edges, statistics } = evidence;
  const readers = worstReaders(graph, edges);
  const harmless = isHarmless(edges);
  // Codes that are only moved keep their channels: the first tensor that has them is named.
  const told = new Set<string>();
  const spreads = edges.flatMap((measurement) => {
    const { quant, edge } = measurement;
    if (quant === undefined) return [];
    const spread = spreadOf(measurement, statistics?.get(edge.tensor));
    if (spread === undefined || spread.ratio < NOTE_RATIO) return [];
    const key = `${quant.scale[0]} ${quant.zeroPoint[0]} ${spread.widest.join()}`;
    if (told.has(key)) return [];
    told.add(key);
    const reader = readers.get(edge.tensor);
    return [{ measurement, spread, reader, severity: severityOf(spread, reader, harmless) }];
  });
  const worst = spreads
    .filter(({ severity }) => severity === 'note')
    .sort((a, b) => b.spread.ratio - a.spread.ratio)[0];
  return spreads
    .filter((one) => one.severity !== 'note' || one === worst)
    .map(({ measurement: { edge, quant, channels }, spread, reader, severity }) => {
      const { widest, ratio, medianCodes, gainDb } = spread;
      return {
        rule: 'act.outlier-channel',
        severity,
        subject: subjectOf(graph, edge.tensor),
        message:
          `${listed('channel', widest)} of ${channels.length} reach${widest.length === 1 ? 'es' : ''} ${short(ratio)} times as far as the median: ` +
          `half of the channels have ${short(medianCodes)} of ${(quant?.qmax ?? 0) - (quant?.qmin ?? 0) + 1} codes or fewer; ` +
          `one scale per channel would give ${gainDb.toFixed(1)} dB${readBy(evidence, reader, severity)}`,
        args: { ratio, medianCodes, gainDb, channels: channels.length, widest: widest.join(' ') },
        ...(evidence.scheme?.placement === 'tensorrt' ? {} : wider(evidence)),
      };
    });
}

function wider(evidence: Channels): Pick<Diagnosed, 'fix' | 'change'> {
  return remedy(evidence, {
    title: 'give activations 16 bits',
    flags: '--activations int16',
    overrides: { activations: 'int16' },
    onnx: "quantize_static(..., extra_options={'SmoothQuant': True}), or activation_type=QuantType.QInt16",
    tflite:
      'converter.target_spec.supported_ops = [EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]',
  });
}

export interface Spread {
  /** Magnitude of the largest channel over the median one's, channels of zeros left out. */
  readonly ratio: number;
  /** Codes across the values of the median channel. */
  readonly medianCodes: number;
  /** What scales of their own for all channels would give the tensor, dB of rounding noise. */
  readonly gainDb: number;
  /** Channels that reach NOTE_RATIO times as far as the median. */
  readonly widest: readonly number[];
}

/** Of channels so far apart that the smaller ones are lost; undefined where it is not a channel as a whole that is large. */
export function outlierChannels(
  measurement: EdgeMeasurement,
  statistics: EdgeStatistics | undefined,
): Spread | undefined {
  const spread = spreadOf(measurement, statistics);
  return spread === undefined || spread.ratio < WARNING_RATIO ? undefined : spread;
}

function spreadOf(
  { edge, channels, quant }: EdgeMeasurement,
  statistics: EdgeStatistics | undefined,
): Spread | undefined {
  // io.hetero-channels is about those of an input; a vector has no channels, but values.
  if (edge.producer === undefined || edge.count <= channels.length) return undefined;
  const [scale = 0] = quant?.scale ?? [];
  if (quant?.granularity.kind !== 'per-tensor' || !(scale > 0) || bitsOf(quant.dtype) > 8) return undefined;
  const widths = channels.map(({ min, max }) => Math.max(max, 0) - Math.min(min, 0));
  const used = widths.filter((width) => width > 0).sort((a, b) => a - b);
  const median = used[Math.floor((used.length - 1) / 2)];
  const largest = used.at(-1);
  if (used.length < 2 || median === undefined || largest === undefined) return undefined;
  const share = widths.reduce((sum, width) => sum + (width / largest) ** 2, 0) / widths.length;
  const widest = widths.flatMap((width, channel) => (width >= NOTE_RATIO * median ? [channel] : []));
  const largestChannel = widths.indexOf(largest);
  // One value that is far out is what act.outlier-range is about.
  if (crestOf(channels[largestChannel], statistics, largestChannel) > RARE_CREST) return undefined;
  // Where many channels are large, none of them is an outlier.
  if (widest.length > Math.max(1, MOST_WIDE * widths.length)) return undefined;
  return {
    ratio: largest / median,
    medianCodes: median / scale,
    gainDb: -10 * Math.log10(share),
    widest,
  };
}

/** Largest magnitude of a channel over its root mean square; 0 where that is not known. */
function crestOf(
  channel: EdgeMeasurement['channels'][number] | undefined,
  statistics: EdgeStatistics | undefined,
  at: number,
): number {
  if (channel === undefined || statistics === undefined) return 0;
  const { sumXX } = statistics.channels;
  const power = (sumXX[at] ?? 0) / (statistics.count / sumXX.length);
  return power > 0 ? Math.max(-channel.min, channel.max) / Math.sqrt(power) : 0;
}

/** An error where a reader is broken. */
function severityOf({ ratio }: Spread, reader: Reader | undefined, harmless: boolean): Finding['severity'] {
  if (harmless || ratio < WARNING_RATIO) return 'note';
  return (reader?.db ?? Infinity) < BROKEN_READER_DB ? 'error' : 'warning';
}

function readBy({ graph }: Channels, reader: Reader | undefined, severity: Finding['severity']): string {
  const producer = reader?.measurement.edge.producer;
  if (severity !== 'error' || reader === undefined || producer === undefined) return '';
  return `; ${nodeLabel(nodeOf(graph, producer))}, which reads them, keeps ${short(reader.db)} dB (local)`;
}
