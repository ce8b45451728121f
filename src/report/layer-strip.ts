/** SQNR of every layer in graph order, a bar each, as text for a terminal: where it falls is seen before any number is read. */
import type { ChalkInstance } from 'chalk';
import { decibels, labelled, plural, shortened, wrapped } from './format.js';
import type { Report, ReportedTensor } from './report.js';
import { BAR_LEVELS, bucketOf, bucketsOf, leastOf, sparkline, type Buckets } from './sparkline.js';
import { INDENT, legend } from './terminal-layers.js';
import { displayWidth } from './text-width.js';

/** Of fewer, the table tells as much. */
const LEAST_LAYERS = 4;
const LABEL = 'cumul.  '.length + INDENT.length;
const NAME = 40;
/** Bars that a strip keeps where numbers stand behind it. */
const LEAST_BARS = 24;
/** dB from one height to the next; more where nothing is lower than the highest bar. */
const STEPS = [5, 10, 20] as const;
const MARKED_FALLS = 3;

interface Series {
  readonly label: 'cumulative' | 'local' | 'self';
  /** dB; Infinity where exact. */
  readonly values: readonly (number | undefined)[];
  /** dB, or "exact". */
  readonly lowest: string;
  readonly highest: string;
  /** The layer that has the lowest; none where all are exact. */
  readonly worst: { readonly name: string; readonly position: number } | undefined;
}

/** Bars of every layer, for any kind of document. */
export interface Strip {
  readonly title: string;
  readonly series: readonly (Pick<Series, 'label' | 'lowest' | 'highest' | 'worst'> & {
    readonly bars: string;
  })[];
  /** 1, 2 and 3 under the layers at which the largest falls end. */
  readonly falls: string | undefined;
  /** What the heights are. */
  readonly scale: string;
}

type Measured = Pick<Report, 'tensors' | 'jumps'>;

/** @returns nothing of a handful of layers, or where no layer has an error */
export function stripOf(report: Measured, width: number): Strip | undefined {
  const layers = layersOf(report);
  const series = seriesOf(layers);
  const lowest = lowestOf(series.flatMap(({ values }) => values));
  if (layers.length < LEAST_LAYERS || lowest === undefined) return undefined;
  const step = STEPS.find((each) => lowest < each * (BAR_LEVELS - 1)) ?? 20;
  const buckets = bucketsOf(layers.length, width);
  const level = (db: number | undefined): number | undefined =>
    db === undefined ? undefined : Math.min(Math.floor(db / step), BAR_LEVELS - 1);
  return {
    title: `${plural(layers.length, 'tensor')} in graph order${eachText(buckets)}, in dB, higher is better`,
    series: series.map(({ values, ...facts }) => ({
      ...facts,
      bars: sparkline(leastOf(values, buckets).map(level)),
    })),
    falls: fallMarks(layers, report.jumps, buckets),
    scale: `a step of a bar is ${step} dB: ${sparkline([0])} below ${step}, ${sparkline([BAR_LEVELS - 1])} from ${step * (BAR_LEVELS - 1)} on`,
  };
}

function eachText({ per, repeat }: Buckets): string {
  if (per > 1) return `, a bar for the lowest of ${per}`;
  return repeat > 1 ? `, ${repeat} bars each` : '';
}

/** `falls` are marked where there are any. */
export function stripSection(report: Measured, style: ChalkInstance, width: number): string[] {
  const layers = layersOf(report);
  const facts = seriesOf(layers).map(factsOf);
  const beside = width - LABEL - 2 - facts.reduce((most, text) => Math.max(most, displayWidth(text)), 0);
  const isBeside = beside >= Math.min(layers.length, LEAST_BARS);
  const strip = stripOf(report, isBeside ? beside : width - LABEL);
  if (strip === undefined) return [];
  const labelOf = (text: string): string => `${INDENT}${text.padEnd(LABEL - INDENT.length)}`;
  return [
    ...wrapped(`SQNR BY LAYER  ${strip.title}`, width),
    ...strip.series.flatMap(({ label, bars, ...series }) => {
      const line = `${labelOf(label === 'cumulative' ? 'cumul.' : label)}${isBeside ? style.bold(bars) : style.bold(bars.trimEnd())}`;
      const told = factsOf(series);
      return isBeside ? [`${line}  ${told}`] : [line, ...labelled(' '.repeat(LABEL), told, width)];
    }),
    ...(strip.falls === undefined ? [] : [`${labelOf('falls')}${strip.falls}`]),
    ...legend(
      `${strip.scale}.${strip.falls === undefined ? '' : ' falls: where cumulative SQNR falls most, 1 most of all.'}`,
      width,
    ),
  ];
}

function factsOf({ lowest, highest, worst }: Pick<Series, 'lowest' | 'highest' | 'worst'>): string {
  return worst === undefined
    ? 'all exact'
    : `${lowest} to ${highest}, lowest at #${worst.position} ${shortened(worst.name, NAME)}`;
}

function layersOf({ tensors }: Measured): ReportedTensor[] {
  return tensors
    .filter(({ role, cumulative }) => role !== 'weight' && role !== 'bias' && cumulative !== undefined)
    .sort((a, b) => a.order - b.order);
}

function seriesOf(layers: readonly ReportedTensor[]): Series[] {
  const own = layers.some(({ local }) => local !== undefined) ? 'local' : 'self';
  return (['cumulative', own] as const).flatMap((kind) => {
    const values = layers.map((layer) => dbOf(layer[kind]));
    if (values.every((value) => value === undefined)) return [];
    const lowest = lowestOf(values);
    const highest = values.reduce<number>((most, value) => Math.max(most, value ?? -Infinity), -Infinity);
    const at = lowest === undefined ? -1 : values.indexOf(lowest);
    const layer = layers[at];
    return [
      {
        label: kind,
        values,
        lowest: dbText(lowest ?? Infinity),
        highest: dbText(highest),
        worst:
          layer === undefined
            ? undefined
            : {
                name: layer.role === 'input' || layer.node === '' ? layer.tensor : layer.node,
                position: at + 1,
              },
      },
    ];
  });
}

function dbText(db: number): string {
  return decibels(db === Infinity ? { exact: true } : { sqnrDb: db });
}

function dbOf(error: ReportedTensor['self']): number | undefined {
  return error?.exact === true ? Infinity : error?.sqnrDb;
}

/** Undefined where all that was measured is exact. */
function lowestOf(values: readonly (number | undefined)[]): number | undefined {
  const lowest = values.reduce<number>((least, value) => Math.min(least, value ?? Infinity), Infinity);
  return lowest === Infinity ? undefined : lowest;
}

/** A line with 1, 2 and 3 under the layers at which the largest falls end; of two at one place, the larger. */
function fallMarks(
  layers: readonly ReportedTensor[],
  jumps: Report['jumps'],
  buckets: Buckets,
): string | undefined {
  const cells = new Array<string>(buckets.width).fill(' ');
  for (const [rank, { tensor }] of jumps.slice(0, MARKED_FALLS).entries()) {
    const index = layers.findIndex((layer) => layer.tensor === tensor);
    const at = bucketOf(index, buckets);
    if (index >= 0 && cells[at] === ' ') cells[at] = String(rank + 1);
  }
  const line = cells.join('').trimEnd();
  return line === '' ? undefined : line;
}
