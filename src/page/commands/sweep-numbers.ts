/** Numbers of a sweep, as readers read them. */
import type { PageReport } from '../../report/html/page-document.js';
import type { Effect } from '../../report/sweep-report.js';
import { metricName } from '../frame/metric-name.js';
import { count, short } from '../frame/numbers.js';

export type SweepPage = Extract<PageReport, { readonly command: 'sweep' }>;
export type SweptMetric = NonNullable<SweepPage['basis']['metric']>;
type Interval = readonly [low: number, high: number];

/** "99.50 %", "31.20 dB", "0.01234"; a dash where there is none. */
export function amount(value: number | undefined, unit: string): string {
  if (value === undefined) return '–';
  if (unit === '') return short(value);
  return `${decimals(value)} ${unit}`;
}

/** The same with a sign. */
export function change(value: number | undefined, unit: string): string {
  return value !== undefined && value > 0 ? `+${amount(value, unit)}` : amount(value, unit);
}

/** For cells under a title with the unit: "+73.50"; of a metric without a unit as many digits as it takes. */
export function pointsCell(value: number | undefined, { deltaUnit }: Pick<SweptMetric, 'deltaUnit'>): string {
  if (value === undefined) return '–';
  return deltaUnit === '' ? short(value) : decimals(value);
}

/** "+73.50". */
export function signedCell(value: number | undefined, metric: Pick<SweptMetric, 'deltaUnit'>): string {
  const text = pointsCell(value, metric);
  return value !== undefined && value > 0 ? `+${text}` : text;
}

/** "+13.5 dB"; "exact" where no output differs any more. */
export function gainText(gainDb: number | undefined, effect: Effect): string {
  if (effect.failure !== undefined || effect.exact === true) return outputDecibels(effect);
  if (gainDb === undefined) return '–';
  const text = gainDb.toFixed(1).replace(/^-0\.0$/, '0.0');
  return `${gainDb > 0 && text !== '0.0' ? '+' : ''}${text} dB`;
}

/** As a shell reads it. */
export function shellText(flags: readonly string[]): string {
  return flags
    .map((flag) => (/^[\w./:@%+,=-]+$/.test(flag) ? flag : `'${flag.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** "98.2 to 99.9". */
export function interval(value: Interval | undefined, unit: string): string {
  if (value === undefined) return '';
  return value.map((end) => (unit === '' ? short(end) : end.toFixed(1))).join(' to ');
}

/** Two decimals, and more where those would read as 0. */
function decimals(value: number): string {
  const text = value.toFixed(2);
  return value !== 0 && Number(text) === 0
    ? String(Number(value.toPrecision(1)))
    : text.replace(/^-(0\.0+)$/, '$1');
}

/** "31.2 dB", "exact", "failed". */
export function outputDecibels({ outputSqnrDb, exact, failure }: Effect): string {
  if (failure !== undefined) return 'failed';
  if (exact === true) return 'exact';
  return outputSqnrDb === undefined ? '–' : `${outputSqnrDb.toFixed(1)} dB`;
}

/** For columns that sort by it: undefined where there is no number, beyond all others where exact. */
export function sortedDecibels({ outputSqnrDb, exact }: Effect): number | undefined {
  return exact === true ? Infinity : outputSqnrDb;
}

/** A difference of the metric, positive where it is better. */
export function worth(
  delta: number | undefined,
  { better }: Pick<SweptMetric, 'better'>,
): number | undefined {
  return delta === undefined || better === 'higher' ? delta : 0 - delta;
}

/** What points of the metric are called: "pt", "RMSE". */
export function pointUnit({ metric, deltaUnit }: Pick<SweptMetric, 'metric' | 'deltaUnit'>): string {
  return deltaUnit === '' ? metricName(metric) : deltaUnit;
}

/** "84.10 % top-1 (95 % 81.2 to 86.6), 31.2 dB". */
export function effectText(effect: Effect, metric: SweptMetric | undefined): string {
  if (effect.failure !== undefined) return `failed: ${effect.failure}`;
  const noise =
    effect.exact === true ? 'no output differs from float' : `${outputDecibels(effect)} SQNR at the output`;
  if (metric === undefined || effect.accuracy === undefined) return noise;
  const sure =
    effect.accuracyInterval === undefined ? '' : ` (95 % ${interval(effect.accuracyInterval, metric.unit)})`;
  return `${amount(effect.accuracy, metric.unit)} ${metricName(metric.metric)}${sure}, ${noise}`;
}

/** "2 layers in float and 3 fixes". */
export function decisionText({
  layers,
  to,
  fixes,
}: Pick<NonNullable<SweepPage['decision']>, 'layers' | 'to' | 'fixes'>): string {
  const parts = [
    ...(layers.length === 0 ? [] : [`${many(layers.length, 'layer')} ${precision(to)}`]),
    ...(fixes.length === 0 ? [] : [fixes.length === 1 ? '1 fix' : `${count(fixes.length)} fixes`]),
  ];
  return parts.length === 0 ? 'everything quantized as the scheme says' : parts.join(' and ');
}

function many(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function precision(to: 'float' | 'int16'): string {
  return to === 'float' ? 'in float' : 'in 16 bits';
}

/** 1536 -> "1.54 kB"; with a sign where it is more or less than before. */
export function bytes(value: number): string {
  const size = Math.abs(value);
  if (size < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(size) / 3), units.length);
  return `${Number((value / 1000 ** power).toPrecision(3))} ${units[power - 1] ?? 'kB'}`;
}

/** How far the metric can lie apart by chance: half of the interval of what everything quantized loses. */
export function chanceOf({ deltaInterval }: Effect): number | undefined {
  return deltaInterval === undefined ? undefined : (deltaInterval[1] - deltaInterval[0]) / 2;
}

/** Whether points tell units apart, or dB have to: where everything quantized loses nothing beyond chance, points are chance. */
export function isToldByMetric({ basis, quantized }: Pick<SweepPage, 'basis' | 'quantized'>): boolean {
  return basis.metric !== undefined && quantized.standing === 'worse' && quantized.accuracy !== undefined;
}
