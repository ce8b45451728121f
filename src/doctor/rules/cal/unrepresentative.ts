import { tensorOf, type TensorId } from '../../../ir/graph.js';
import type { DataStudy, InputStudy } from '../../../run/data/study.js';
import type { EdgeStatistics } from '../../../run/calibrate.js';
import type { Evidence, With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { rule } from '../../rule.js';
import { percent, short } from '../../wording.js';

/** Fewer samples than these. */
const FEW = 32;
const TOO_FEW = 8;
/** Share of the samples that are worthless from which on it is worth a word, and from which on there is little left. */
const SOME = 0.1;
const HALF = 0.5;
/** A range grows by that much from half of the samples to all of them. */
const GROWS = 1.1;
/** Share of the tensors that do; a fifth of the ranges of sound networks do on 64 pictures, and lose nothing by it. */
const MANY = 0.25;
const LEAST_MANY = 3;
/** Share of the tensors that lose values at the ends of their ranges on other data, and the share of the values. */
const CLIPPING = 0.2;
const CLIPPED = 0.01;
/** How much further than the calibration data other data reach, in widths of the calibration data; and how much narrower they are. */
const BEYOND = 0.1;
const NARROW = 0.25;
const MOST_SHOWN = 3;
/** Cumulative SQNR of an output, dB, below which the network is lost. */
const LOST_DB = 20;

export const unrepresentative = rule({
  id: 'cal.unrepresentative',
  title: 'The calibration data are too few, too alike, or not like the data that come',
  severity: 'error',
  needs: ['calib', 'scheme'],
  text: {
    what: 'Calibration samples that are few, the same again, of one colour, noise, or all from one class; ranges that are still growing with every sample; and data measured that go beyond what calibration saw.',
    why: 'Every range is an estimate from these samples. What they do not show is clipped later; what they show by accident makes steps coarse for everything else.',
    instead:
      '100 to 500 real samples of all classes and scenes, prepared as the application does it. Keep the list: the hash in the report tells whether it is the same again.',
    see: ['https://arxiv.org/abs/2004.09602', 'act.clipped', 'cal.stale', 'io.preproc'],
  },
  limits: [
    { quantity: 'calibration samples', unit: '', warning: TOO_FEW, worse: 'lower' },
    { quantity: 'samples that are there before', unit: '% of all', warning: 100 * HALF, worse: 'higher' },
    { quantity: 'samples of nearly one value', unit: '% of all', warning: 100 * HALF, worse: 'higher' },
    { quantity: 'samples of white noise', unit: '% of all', warning: 100 * HALF, worse: 'higher' },
    {
      quantity: 'activations whose range is 10 % wider than half of the samples make it',
      unit: '% of all, of fewer than 32 samples',
      warning: 100 * HALF,
      worse: 'higher',
    },
    {
      quantity: 'activations that clip 1 % of the values of other data',
      unit: '% of all',
      warning: 100 * CLIPPING,
      worse: 'higher',
    },
    {
      quantity: 'cumulative SQNR of an output where activations clip 1 % of the values of other data',
      unit: 'dB',
      error: LOST_DB,
      worse: 'lower',
    },
  ],
  check,
});

type Said = Pick<Diagnosed, 'severity' | 'message' | 'args'> & Partial<Pick<Diagnosed, 'subject'>>;

function check(evidence: With<'calib' | 'scheme'>): Diagnosed[] {
  const { calib } = evidence;
  // What a smoke test shows is no statement about data; that is said where the data are named.
  if (calib.kind === 'random') return [];
  const said = [
    ...few(evidence),
    ...repeated(calib),
    ...plain(calib),
    ...noisy(calib),
    ...oneSided(calib),
    ...otherDomain(evidence),
  ];
  const more =
    (calib.available ?? 0) > calib.samples ? ` --samples ${Math.min(256, calib.available ?? 0)}` : '';
  const isDamage = doesDamage(evidence);
  return said.map((one): Diagnosed => ({
    rule: 'cal.unrepresentative',
    subject: {},
    ...one,
    severity: isDamage && one.severity === 'warning' ? 'error' : one.severity,
    fix: { title: 'calibrate on 100 real samples and more', edit: `--calib PATH${more}` },
  }));
}

/** Whether values of other data are seen to be cut off, and the network is lost on them. */
function doesDamage({ graph, data, edges = [] }: With<'calib'>): boolean {
  if (data === undefined || data.kind === 'random') return false;
  const isClipping = edges.some(({ errors }) => (errors.get('self')?.clippedShare ?? 0) > CLIPPED);
  const isLost = edges.some(
    ({ edge, errors }) =>
      graph.outputs.includes(edge.tensor) && (errors.get('cumulative')?.sqnrDb ?? Infinity) < LOST_DB,
  );
  return isClipping && isLost;
}

/** Few samples are enough where the ranges hardly grow with them. */
function few(evidence: With<'calib'>): Said[] {
  const { samples } = evidence.calib;
  const growing = growth(evidence);
  const isFew = samples < FEW;
  const isGrowing = growing !== undefined && growing.names.length >= LEAST_MANY && growing.share > MANY;
  if (!isFew && !isGrowing) return [];
  const count = `${samples} calibration ${samples === 1 ? 'sample' : 'samples'}`;
  const grown =
    growing === undefined || !isGrowing
      ? undefined
      : `${growing.names.length} of ${growing.of} ranges (${percent(growing.share)}) are at least 10 % wider than half of them make it, ` +
        `most of all ${growing.names.slice(0, MOST_SHOWN).join(', ')}`;
  const isWarning = samples < TOO_FEW || (isFew && growing !== undefined && growing.share > HALF);
  return [
    {
      severity: isWarning ? 'warning' : 'note',
      message:
        grown === undefined
          ? `${count}: what they do not show is clipped; 100 and more are usual`
          : `${count} are not enough for the ranges to settle: ${grown}`,
      args: {
        samples,
        ...(growing === undefined ? {} : { growing: growing.names.length, ranges: growing.of }),
      },
    },
  ];
}

interface Growth {
  /** Tensors whose range still grows, with the factor, fastest first. */
  readonly names: readonly string[];
  readonly of: number;
  readonly share: number;
}

/** Undefined where ranges are not the extremes of the values, or other samples than those of the calibration were looked at. */
function growth({ graph, scheme, statistics, lane, data }: Evidence): Growth | undefined {
  const observer = scheme?.activations === 'float' ? undefined : scheme?.activations.observer.kind;
  if (statistics === undefined || data !== undefined || observer !== 'minmax') return undefined;
  const observed = [...statistics].filter(
    ([tensor, { half, min, max }]) =>
      half !== undefined && max > min && lane?.tensors.get(tensor)?.source === 'observer',
  );
  if (observed.length === 0) return undefined;
  const grown = observed
    .map(([tensor, stats]): [TensorId, number] => [tensor, timesOf(stats)])
    .filter(([, times]) => times > GROWS)
    .sort(([, a], [, b]) => b - a);
  return {
    names: grown.map(([tensor, times]) =>
      times === Infinity
        ? `${tensorOf(graph, tensor).name} (nothing in half of them)`
        : `${tensorOf(graph, tensor).name} (${times.toFixed(1)} times)`,
    ),
    of: observed.length,
    share: grown.length / observed.length,
  };
}

/** Ranges of quantizers hold 0. */
function timesOf({ min, max, half }: EdgeStatistics): number {
  if (half === undefined) return 1;
  const width = Math.max(max, 0) - Math.min(min, 0);
  return width / (Math.max(half.max, 0) - Math.min(half.min, 0));
}

function repeated({ samples, duplicates: { count, groups } }: DataStudy): Said[] {
  if (count < SOME * samples) return [];
  const example = groups[0]?.slice(0, MOST_SHOWN).join(' = ');
  return [
    {
      severity: count >= HALF * samples ? 'warning' : 'note',
      message:
        `${count} of ${samples} calibration samples are, byte by byte, there before` +
        (example === undefined ? '' : ` (${example})`) +
        `: ${samples - count} different ones set the ranges`,
      args: { duplicates: count, samples },
    },
  ];
}

function plain({ samples, nearConstant: { count, first } }: DataStudy): Said[] {
  if (count < SOME * samples) return [];
  return [
    {
      severity: count >= HALF * samples ? 'warning' : 'note',
      message: `${count} of ${samples} calibration samples are nearly one value everywhere, such as ${first.join(', ')}`,
      args: { nearConstant: count, samples },
    },
  ];
}

function noisy({ samples, noise: { count, first } }: DataStudy): Said[] {
  if (count < SOME * samples) return [];
  return [
    {
      severity: count >= HALF * samples ? 'warning' : 'note',
      message:
        `${count} of ${samples} calibration samples are white noise by their pixels, such as ${first.join(', ')}: neighbours have nothing to ` +
        'do with each other, which no picture shows, and activations behind them are other ones',
      args: { noise: count, samples },
    },
  ];
}

function oneSided({ samples, folder }: DataStudy): Said[] {
  if (folder === undefined) return [];
  const { name, share, others, isInside } = folder;
  const where = isInside ? 'the data set has' : 'beside it lie';
  return [
    {
      severity: isInside && samples >= TOO_FEW ? 'warning' : 'note',
      message:
        `${share === 1 ? 'all' : percent(share)} of ${samples} calibration samples are from folder ${name}; ${where} ${others.join(', ')}: ` +
        'ranges of one class may be too narrow for the others',
      args: { samples, folder: name, share },
    },
  ];
}

/** Data that reach beyond what calibration saw, or fill a corner of it. */
function otherDomain({ calib, data, edges = [] }: With<'calib'>): Said[] {
  if (data === undefined || data.kind === 'random') return [];
  const inputs = calib.inputs.flatMap((seen): Said[] => {
    const other = data.inputs.find(({ tensor }) => tensor === seen.tensor);
    return other === undefined ? [] : differing(seen, other, data.flag);
  });
  const quantized = edges.filter(({ quant, errors }) => quant !== undefined && errors.has('self'));
  const clipping = quantized.filter(({ errors }) => (errors.get('self')?.clippedShare ?? 0) > CLIPPED);
  if (clipping.length < LEAST_MANY || clipping.length <= CLIPPING * quantized.length) return inputs;
  return [
    ...inputs,
    {
      severity: 'warning',
      message:
        `on the data of ${data.flag}, ${clipping.length} of ${quantized.length} activations ` +
        `(${percent(clipping.length / quantized.length)}) lose more than 1 % of their values at the ends of the ranges that the calibration data set`,
      args: { clipping: clipping.length, activations: quantized.length },
    },
  ];
}

function differing(seen: InputStudy, other: InputStudy, flag: DataStudy['flag']): Said[] {
  const width = seen.max - seen.min;
  const beyond = Math.max(seen.min - other.p001, other.p999 - seen.max) / width;
  const share = (other.p999 - other.p001) / (seen.p999 - seen.p001);
  if (!(width > 0) || (beyond <= BEYOND && share >= NARROW)) return [];
  const ranges = `${short(other.p001)} to ${short(other.p999)}; calibration saw ${short(seen.min)} to ${short(seen.max)}`;
  return [
    {
      severity: 'warning',
      subject: { tensor: seen.tensor },
      message:
        beyond > BEYOND
          ? `the data of ${flag} go beyond those of the calibration: ${ranges}`
          : `the data of ${flag} are ${percent(share)} as wide as those of the calibration: ${ranges}`,
      args: { beyond, share },
    },
  ];
}
