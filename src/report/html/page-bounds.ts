/** Parts of reports that can be without end, as a page has them. All keep their form. */
import type { Accuracy, ReportedClass } from '../../diff/accuracy/accuracy.js';
import type { ReportedHistogram, ReportedQuant, ReportedTensor } from '../report.js';
import type { PageQuant, PageTensor } from './page-document.js';
import { spreadWith } from './spread-picks.js';

/** How many of a thing each tensor may have. */
export interface Shares {
  readonly scales: number;
  readonly bins: number;
  readonly channels: number;
}

/** Of all tensors together. */
const MOST_SCALES = 24_000;
const MOST_BINS = 160_000;
const MOST_CHANNELS = 30_000;
/** Of one, however many there are. */
const FEWEST = 8;
const FEWEST_BINS = 32;
/** As many as a plot of the usual width can draw. */
const BINS = 256;
const MOST_CLASSES = 1000;

type Channels = NonNullable<ReportedTensor['channels']>;
type Fields = Readonly<Record<string, unknown>>;

export function isQuant(value: Fields): value is Fields & ReportedQuant {
  return Array.isArray(value['scale']) && Array.isArray(value['zeroPoint']);
}

export function isHistogram(value: Fields): value is Fields & ReportedHistogram {
  return typeof value['lo'] === 'number' && typeof value['hi'] === 'number' && Array.isArray(value['counts']);
}

export function isChannels(value: Fields): value is Fields & Channels {
  return typeof value['axis'] === 'number' && Array.isArray(value['values']);
}

export function isAccuracy(value: Fields): value is Fields & Accuracy {
  return typeof value['metric'] === 'string' && Array.isArray(value['networks']);
}

export function sharesOf(report: object): Shares {
  const many = { scales: 0, bins: 0, channels: 0 };
  const count = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      if (typeof value[0] === 'object') for (const item of value) count(item);
      return;
    }
    const fields = value as Fields;
    if (isQuant(fields) && fields.scale.length > FEWEST) many.scales++;
    if (isHistogram(fields)) many.bins++;
    if (isChannels(fields)) many.channels++;
    for (const item of Object.values(fields)) count(item);
  };
  count(report);
  const share = (most: number, of: number, fewest: number): number =>
    Math.max(fewest, Math.floor(most / Math.max(1, of)));
  return {
    scales: share(MOST_SCALES, many.scales, FEWEST),
    bins: Math.min(BINS, share(MOST_BINS, many.bins, FEWEST_BINS)),
    channels: share(MOST_CHANNELS, many.channels, FEWEST),
  };
}

/** The smallest and the largest scale are always there. */
export function thinnedQuant(quant: ReportedQuant, share: number): PageQuant {
  const { scale, zeroPoint } = quant;
  if (scale.length <= share && zeroPoint.length <= share) return quant;
  const extremes = scale.reduce<[low: number, high: number]>(
    ([low, high], step, at) => [
      step < (scale[low] ?? NaN) ? at : low,
      step > (scale[high] ?? NaN) ? at : high,
    ],
    [0, 0],
  );
  const kept = spreadWith(scale.length, share, extremes);
  return {
    ...quant,
    scale: kept.flatMap((at) => scale[at] ?? []),
    zeroPoint:
      zeroPoint.length === scale.length ? kept.flatMap((at) => zeroPoint[at] ?? []) : zeroPoint.slice(0, 1),
    scaleCount: scale.length,
  };
}

/** Neighbouring bins become one. Those at the end may reach beyond the last: bins are of one width. */
export function coarserHistogram(
  { lo, hi, counts, ...rest }: ReportedHistogram,
  most: number,
): ReportedHistogram {
  if (counts.length <= most) return { ...rest, lo, hi, counts };
  const together = Math.ceil(counts.length / most);
  const bins = Math.ceil(counts.length / together);
  const merged = new Array<number>(bins).fill(0);
  for (const [at, count] of counts.entries()) {
    const bin = Math.floor(at / together);
    merged[bin] = (merged[bin] ?? 0) + count;
  }
  const width = (hi - lo) / counts.length;
  return { ...rest, lo, hi: lo + width * together * bins, counts: merged };
}

/** The worst channel of each kind of error is always there. */
export function thinnedChannels(channels: Channels, share: number): NonNullable<PageTensor['channels']> {
  const { values } = channels;
  if (values.length <= share) return channels;
  const worst = (['selfSqnrDb', 'localSqnrDb', 'cumulativeSqnrDb'] as const).flatMap((kind) => {
    const rated = values.flatMap((value, at) => (value[kind] === undefined ? [] : [{ at, db: value[kind] }]));
    return rated.sort((a, b) => a.db - b.db || a.at - b.at).slice(0, FEWEST);
  });
  const wanted = worst.sort((a, b) => a.db - b.db || a.at - b.at).map(({ at }) => at);
  const kept = spreadWith(values.length, share, wanted);
  return { ...channels, values: kept.flatMap((at) => values[at] ?? []), kept, channelCount: values.length };
}

/** Of very many classes those that change most; the same ones of every network. */
export function thinnedClasses(accuracy: Accuracy): {
  readonly accuracy: Accuracy;
  readonly kept: number;
  readonly of: number;
} {
  const lists = [accuracy.perClass, ...accuracy.networks.map(({ perClass }) => perClass)];
  const of = lists.reduce((most, list) => Math.max(most, list?.length ?? 0), 0);
  if (of <= MOST_CLASSES) return { accuracy, kept: of, of };
  const changes = new Map<number, number>();
  for (const { label, delta = 0 } of lists.flatMap((list) => list ?? []))
    changes.set(label, Math.max(Math.abs(delta), changes.get(label) ?? 0));
  const labels = [...changes].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, MOST_CLASSES);
  const kept = new Set(labels.map(([label]) => label));
  const thinned = <T extends { readonly perClass?: readonly ReportedClass[] }>(entry: T): T =>
    entry.perClass === undefined
      ? entry
      : { ...entry, perClass: entry.perClass.filter(({ label }) => kept.has(label)) };
  return {
    accuracy: { ...thinned(accuracy), networks: accuracy.networks.map(thinned) },
    kept: kept.size,
    of,
  };
}

/** Names of the classes that the rest speaks of, where there are very many. */
export function usedNames(
  names: Readonly<Record<string, string>>,
  rest: unknown,
): Readonly<Record<string, string>> {
  const entries = Object.entries(names);
  if (entries.length <= MOST_CLASSES) return names;
  const used = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      if (typeof item === 'number' && LABEL_KEYS.has(key)) used.add(String(item));
      else collect(item);
    }
  };
  collect(rest);
  return Object.fromEntries(entries.filter(([label]) => used.has(label)));
}

const LABEL_KEYS: ReadonlySet<string> = new Set(['from', 'to', 'label']);
