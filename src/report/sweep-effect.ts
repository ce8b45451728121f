/** What quantizing in some way does, as people read it; and which of it is worst. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import { deltaText } from '../diff/accuracy/wording.js';
import { CLOSE_DB } from './close.js';
import { changeExtent, extent, metricName, metricValue, probability } from './evaluated-text.js';
import { decibels } from './format.js';
import type {
  Effect,
  ReportedLaneFix,
  ReportedSearch,
  SearchedPoint,
  SweepReport,
  SweptUnit,
} from './sweep-report.js';

export type SweptMetric = NonNullable<SweepReport['basis']['metric']>;

/** A difference of the metric with the sign of worth: positive is better, whichever way the metric counts. */
export function worth(delta: number | undefined, { better }: Pick<Accuracy, 'better'>): number | undefined {
  return delta === undefined || better === 'higher' ? delta : 0 - delta;
}

/** What a difference of the metric is counted in, for titles of columns: `pt`, `PSNR dB`, `RMSE`. */
export function pointUnit({ metric, deltaUnit }: SweptMetric): string {
  if (deltaUnit === 'pt') return 'pt';
  return `${metricName(metric)}${deltaUnit === '' ? '' : ` ${deltaUnit}`}`;
}

/** "5.00 pt", "0.012 RMSE": an amount without a sign. */
export function points(amount: number, metric: SweptMetric): string {
  const text = deltaText(Math.abs(amount), metric.deltaUnit).replace('+', '');
  return metric.deltaUnit === 'pt' ? text : `${text.replace(/ dB$/, '')} ${pointUnit(metric)}`;
}

/** The same with a sign and without a unit, for cells: "+5.00"; "-" where there is none. */
export function pointsCell(amount: number | undefined, { deltaUnit }: SweptMetric): string {
  return amount === undefined ? '-' : deltaText(amount, deltaUnit).replace(/ (pt|dB)$/, '');
}

/** An amount of which more is worse, without a plus: "12.60", "-0.14". */
export function lostCell(amount: number | undefined, metric: SweptMetric): string {
  return pointsCell(amount, metric).replace(/^\+/, '');
}

/** dB of what an effect leaves at the outputs. */
export function effectDecibels({ outputSqnrDb, exact, failure }: Effect): string {
  if (failure !== undefined) return 'failed';
  return decibels({
    ...(outputSqnrDb === undefined ? {} : { sqnrDb: outputSqnrDb }),
    ...(exact === undefined ? {} : { exact }),
  });
}

/** "+4.2"; "exact" where nothing is left to gain. */
export function gainDecibels(gainDb: number | undefined, effect: Effect): string {
  if (effect.failure !== undefined) return 'failed';
  if (effect.exact === true) return 'exact';
  return gainDb === undefined ? '-' : signedDecibels(gainDb);
}

function signedDecibels(db: number): string {
  const text = db.toFixed(1).replace(/^-0\.0$/, '0.0');
  return db > 0 && text !== '0.0' ? `+${text}` : text;
}

/** A share with one decimal, that columns may align: "12.6 %", "-3.0 %"; what is not nothing never reads as 0. */
export function shareCell(share: number | undefined): string {
  if (share === undefined) return '-';
  const shown = (100 * share).toFixed(1);
  if (Number(shown) === 0) return share > 0 ? '<0.1 %' : '0.0 %';
  return `${shown} %`;
}

/** "84.10 % (95 % 81.2 to 86.6)", or without a metric "31.2 dB output SQNR". */
export function effectText(effect: Effect, metric: SweptMetric | undefined): string {
  const { accuracy, accuracyInterval, failure } = effect;
  if (failure !== undefined) return `failed (${failure})`;
  if (metric !== undefined && accuracy !== undefined) {
    const sure = accuracyInterval === undefined ? '' : ` (95 % ${extent(accuracyInterval, metric.unit)})`;
    return `${metricValue(accuracy, metric.unit)}${sure}`;
  }
  if (effect.exact === true) return 'no difference from float';
  const { changedShare } = effect;
  const answers = changedShare === undefined ? '' : `, ${shareCell(changedShare)} of the answers changed`;
  return `${effectDecibels(effect)} dB output SQNR${answers}`;
}

/** "95 % -15.0 to -10.1, p < 0.001, n 720": how sure a difference from float is. */
export function sureText({ deltaInterval, pValue }: Effect, metric: SweptMetric): string {
  const p = probability(pValue);
  return [
    ...(deltaInterval === undefined ? [] : [`95 % ${changeExtent(deltaInterval, metric.deltaUnit)}`]),
    ...(p === '' ? [] : [`p ${p}`]),
    `n ${metric.samples}`,
  ].join(', ');
}

/** What everything quantized does to the network. */
export type Loss = 'none' | 'within noise' | 'close' | 'lost' | 'unknown';

export function lossOf({ quantized, basis }: Pick<SweepReport, 'quantized' | 'basis'>): Loss {
  const { failure, exact, accuracy, standing, outputSqnrDb } = quantized;
  if (failure !== undefined) return 'unknown';
  if (exact === true) return 'none';
  if (basis.metric !== undefined && accuracy !== undefined && standing !== undefined) {
    if (standing === 'worse') return 'lost';
    return standing === 'within noise' ? 'within noise' : 'none';
  }
  if (outputSqnrDb === undefined) return accuracy === undefined ? 'unknown' : 'lost';
  return outputSqnrDb >= CLOSE_DB ? 'close' : 'lost';
}

/**
 * How far the metric of two networks lies apart by chance, at most: as far as that of everything quantized can be from what was
 * seen. Networks that differ in one layer share more of their answers, and of their chance, too.
 */
export function chanceOf({
  quantized: { deltaInterval },
}: Pick<SweepReport, 'quantized'>): number | undefined {
  return deltaInterval === undefined ? undefined : (deltaInterval[1] - deltaInterval[0]) / 2;
}

/** Whether units are told apart by the metric: where no difference of it is beyond chance, their order by it is chance, too. */
export function ranksByMetric(
  report: Pick<SweepReport, 'quantized' | 'basis'>,
  units: readonly SweptUnit[],
): boolean {
  const { metric } = report.basis;
  if (metric === undefined || lossOf(report) !== 'lost') return false;
  const chance = chanceOf(report) ?? 0;
  return units.some(({ restored, alone }) => {
    const matters = restored?.gain ?? worth(alone?.accuracyDelta, metric);
    return matters !== undefined && Math.abs(matters) > chance;
  });
}

/** Those that cost most first: by what restoring gains, where that was not measured by what they cost alone. */
export function ranked(
  units: readonly SweptUnit[],
  report: Pick<SweepReport, 'quantized' | 'basis'>,
): readonly SweptUnit[] {
  const { metric } = report.basis;
  const byMetric = ranksByMetric(report, units);
  const keysOf = ({ restored, alone }: SweptUnit): number[] => [
    ...(byMetric ? [-(restored?.gain ?? -Infinity)] : []),
    restored?.exact === true ? -Infinity : -(restored?.gainDb ?? -Infinity),
    ...(byMetric && metric !== undefined ? [worth(alone?.accuracyDelta, metric) ?? Infinity] : []),
    alone?.outputSqnrDb ?? Infinity,
  ];
  return units
    .map((unit) => ({ unit, keys: keysOf(unit) }))
    .sort((a, b) => {
      const at = a.keys.findIndex((key, i) => key !== b.keys[i]);
      return at < 0 ? 0 : (a.keys[at] ?? 0) < (b.keys[at] ?? 0) ? -1 : 1;
    })
    .map(({ unit }) => unit);
}

/** Whether anything at all is known of a unit. */
export function isMeasured({ alone, restored }: SweptUnit): boolean {
  const known = (effect: Effect | undefined): boolean => effect !== undefined && effect.failure === undefined;
  return known(alone) || known(restored);
}

/** The set of layers that the search answers with. */
export function answerOf(search: ReportedSearch | undefined): SearchedPoint | undefined {
  return search?.chosen === undefined ? undefined : search.points[search.chosen];
}

/** A smaller difference in noise is not worth a setting. dB. */
const LEAST_DB = 0.1;
/** Nor is one below this worth a cost at run time. */
const LEAST_DB_FOR_COST = 1;

type Told = Pick<ReportedLaneFix, 'gain' | 'gainDb' | 'effect' | 'cost'>;

/** The points that a fix gains, or loses, beyond chance: 0 where they may as well be luck. */
export function sureGain({ gain = 0 }: Pick<Told, 'gain'>, quantized: Effect): number {
  return Math.abs(gain) > (chanceOf({ quantized }) ?? 0) ? gain : 0;
}

/** dB that decide between fixes: infinite where nothing is lost any more. */
export function decidingDb(
  { gainDb = 0, effect }: Pick<Told, 'gainDb' | 'effect'>,
  { exact }: Effect,
): number {
  if (effect.exact === true) return exact === true ? 0 : Infinity;
  return gainDb;
}

/** Points decide; noise does where they differ by no more than chance, or were not looked at. @param quantized what it was applied to */
export function helps(fix: Told, quantized: Effect): boolean {
  if (fix.effect.failure !== undefined) return false;
  const gain = sureGain(fix, quantized);
  if (gain !== 0) return gain > 0;
  return decidingDb(fix, quantized) >= (isFree(fix) ? LEAST_DB : LEAST_DB_FOR_COST);
}

export function isFree({ cost }: Pick<ReportedLaneFix, 'cost'>): boolean {
  return cost.macsShare === 0 && cost.bytes === 0;
}
