/** The one-sentence answer of `qdbg sweep`: what is lost, which layer costs most, and what gives it back. */
import { changeText } from '../diff/accuracy/wording.js';
import { BROKEN_DB, CLOSE_DB } from './close.js';
import { extent, metricName, metricValue } from './evaluated-text.js';
import { plural, shortened } from './format.js';
import {
  answerOf,
  effectDecibels,
  effectText,
  helps,
  isFree,
  lossOf,
  points,
  ranked,
  ranksByMetric,
  shareCell,
  sureGain,
  sureText,
  worth,
  type SweptMetric,
} from './sweep-effect.js';
import type {
  Effect,
  ReportedDecision,
  ReportedLaneFix,
  ReportedSearch,
  SearchedPoint,
  SweepReport,
  SweptUnit,
} from './sweep-report.js';

/** What a verdict rests on. */
export type SweepVerdictParts = Pick<
  SweepReport,
  'basis' | 'float' | 'quantized' | 'layers' | 'search' | 'fixes' | 'decision'
>;

/** Characters of a name within a sentence. */
const NAME = 80;
/** Layers that flags can name before a file is the better place. */
const MOST_FLAGS = 4;
/** What is no gain: rounding of sums. */
const NO_GAIN_DB = 0.05;

export function sweepVerdict(parts: SweepVerdictParts): SweepReport['verdict'] {
  const isLost = lossOf(parts) === 'lost';
  const worst = isLost ? worstLayer(parts) : undefined;
  const fix = isLost ? fixOf(parts) : undefined;
  // Where nothing is lost, what single layers and fixes change is noise.
  const sentences = [
    lossText(parts),
    isLost ? layerText(parts, worst) : undefined,
    ...(isFixed(parts)
      ? [fixedText(parts), `without fixes, ${searchText(parts) ?? ''}`]
      : [searchText(parts), isLost ? (fixedText(parts) ?? freeGain(parts)) : undefined]),
  ];
  return {
    ...(worst === undefined ? {} : { where: worst.tensor ?? worst.name }),
    summary: sentences.filter((sentence) => sentence !== undefined).join('; '),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Whether fixes reach the target for which the search takes layers. */
function isFixed({ decision, search }: SweepVerdictParts): boolean {
  const answer = answerOf(search);
  return (
    decision?.meetsTarget === true &&
    decision.layers.length === 0 &&
    decision.fixes.length > 0 &&
    answer !== undefined &&
    answer.layers.length > 0
  );
}

function lossText(parts: SweepVerdictParts): string {
  const { basis, float, quantized } = parts;
  const { metric } = basis;
  if (quantized.failure !== undefined) return `everything quantized could not be run: ${quantized.failure}`;
  if (quantized.exact === true) return 'nothing is lost: everything quantized, no output differs from float';
  const { accuracy } = quantized;
  if (metric === undefined || accuracy === undefined) return outputText(parts);
  const name = metricName(metric.metric);
  const sure = sureText(quantized, metric);
  const values =
    float.accuracy === undefined
      ? `has ${metricValue(accuracy, metric.unit)} ${name} with float`
      : `takes ${name} ${changeText(float.accuracy, accuracy, metric)}`;
  return `everything quantized ${values} (${sure})${meaning(quantized, metric)}`;
}

function meaning({ standing, deltaInterval }: Effect, metric: SweptMetric): string {
  if (standing === undefined) return '';
  if (standing === 'worse') return ': a real loss';
  return standing === 'within noise'
    ? `: within noise${undecided(deltaInterval, metric)}`
    : ': nothing is lost';
}

/** Within noise is not the same as kept: what could still be lost. */
function undecided(interval: Effect['deltaInterval'], metric: SweptMetric): string {
  if (interval === undefined) return '';
  const worst = metric.better === 'higher' ? -interval[0] : interval[1];
  return worst > 0 ? `, up to ${points(worst, metric)} may be lost` : '';
}

function outputText({ basis, quantized }: SweepVerdictParts): string {
  const { outputSqnrDb: db, changedShare } = quantized;
  const [only = '', ...others] = basis.outputs;
  const place = others.length === 0 ? `output ${shortened(only, NAME)}` : 'the worst output';
  if (db === undefined)
    return 'everything quantized could not be compared with float: no output has a signal';
  const mean = db < BROKEN_DB ? 'breaks the network' : db < CLOSE_DB ? 'loses much' : 'stays close to float';
  const changed =
    changedShare === undefined
      ? ''
      : changedShare === 0
        ? ' and no answer changes'
        : ` and ${shareCell(changedShare)} of its answers change`;
  return `everything quantized ${mean}: ${place} keeps ${db.toFixed(1)} dB SQNR${changed} (${plural(basis.samples, 'sample')}, no metric)`;
}

/** The layer that costs most; none where no layer gives anything back or costs anything. */
function worstLayer(parts: SweepVerdictParts): SweptUnit | undefined {
  const [worst] = ranked(parts.layers, parts);
  return worst === undefined || layerClause(parts, worst) === undefined ? undefined : worst;
}

function layerText(parts: SweepVerdictParts, worst: SweptUnit | undefined): string | undefined {
  if (worst !== undefined) return layerClause(parts, worst);
  return parts.layers.some(({ restored }) => restored !== undefined && restored.failure === undefined)
    ? 'no layer gives any of it back by itself: the loss is spread'
    : undefined;
}

/** @returns undefined where it costs nothing */
function layerClause(parts: SweepVerdictParts, unit: SweptUnit): string | undefined {
  const { metric } = parts.basis;
  const { restored, alone } = unit;
  const name = shortened(unit.name, NAME);
  const of = `most of ${plural(parts.layers.length, 'layer')}`;
  if (restored !== undefined && restored.failure === undefined) {
    const { gain, gainDb, noiseShare } = restored;
    if (metric !== undefined && ranksByMetric(parts, parts.layers) && gain !== undefined && gain > 0)
      return `${name} in float gives back ${points(gain, metric)}, ${of}`;
    if (restored.exact === true) return `with ${name} in float no output differs`;
    if (gainDb !== undefined && gainDb > NO_GAIN_DB) {
      const gone = noiseShare === undefined ? '' : ` (${shareCell(noiseShare)} of the noise)`;
      return `${name} in float gives back ${gainDb.toFixed(1)} dB${gone}, ${of}`;
    }
    return undefined;
  }
  if (alone === undefined || alone.failure !== undefined) return undefined;
  const lost = metric === undefined ? undefined : worth(alone.accuracyDelta, metric);
  if (metric !== undefined && lost !== undefined && lost < 0 && ranksByMetric(parts, parts.layers))
    return `${name} quantized alone loses ${points(lost, metric)}, ${of}`;
  return alone.outputSqnrDb === undefined
    ? undefined
    : `${name} quantized alone leaves ${effectDecibels(alone)} dB, ${of}`;
}

/** What the search found, in one sentence; undefined where none was made. */
export function searchText({
  search,
  basis,
  layers,
}: Pick<SweepReport, 'search' | 'basis' | 'layers'>): string | undefined {
  if (search === undefined) return undefined;
  const { metric } = basis;
  const answer = answerOf(search);
  const to = precision(search);
  if (answer === undefined) {
    const best = search.best === undefined ? closest(search) : search.points[search.best];
    const near =
      best === undefined
        ? ''
        : `, the closest leaves ${effectText(best.effect, metric)} with ${plural(best.layers.length, 'layer')} ${to}`;
    return `none of the ${plural(search.points.length, 'set')} of layers that ${search.points.length === 1 ? 'was' : 'were'} tried is within the target of ${search.target}${near}`;
  }
  if (answer.layers.length === 0)
    return `the target of ${search.target} holds with everything quantized: no layer has to be ${to}${unsure(answer, metric)}`;
  const cost = `${answer.layers.length} of ${plural(layers.length, 'layer')} ${to} (${shareCell(answer.macsShare)} of the multiply-accumulates)`;
  return `${cost} ${answer.layers.length === 1 ? 'brings' : 'bring'} it to ${effectText(answer.effect, metric)}${underFloat(answer, metric)}`;
}

/** ", 0.40 pt short of float (95 % -1.5 to 2.3)", which is what the target is about. */
function underFloat({ drop, dropInterval, effect }: SearchedPoint, metric: SweptMetric | undefined): string {
  if (metric === undefined || drop === undefined || effect.accuracyDelta === undefined) return '';
  if (drop === 0) return ', as float';
  const sure = dropInterval === undefined ? '' : ` (95 % ${extent(dropInterval, metric.unit)})`;
  return `, ${points(drop, metric)} ${drop > 0 ? 'short of' : 'better than'} float${sure}`;
}

/** The point is within the target, its interval is not. */
function unsure({ isCertain, dropInterval }: SearchedPoint, metric: SweptMetric | undefined): string {
  if (isCertain === true || dropInterval === undefined || metric === undefined) return '';
  return `, though so few samples cannot tell for sure (95 % of the drop: ${extent(dropInterval, metric.unit)})`;
}

export function precision({ to }: Pick<ReportedSearch, 'to'>): string {
  return to === 'float' ? 'in float' : 'in 16 bits';
}

/** With the smallest drop; of several the cheapest. */
function closest({ points: tried }: ReportedSearch): SearchedPoint | undefined {
  return [...tried]
    .filter(({ effect }) => effect.failure === undefined)
    .sort((a, b) => dropOf(a) - dropOf(b) || a.macsShare - b.macsShare)[0];
}

/** Finite, since those without one are compared, too. */
function dropOf({ drop = Number.MAX_VALUE }: SearchedPoint): number {
  return drop;
}

/** The fix without cost that gives most: the first of them. */
function bestFree({
  fixes,
  quantized,
}: Pick<SweepReport, 'fixes' | 'quantized'>): ReportedLaneFix | undefined {
  return fixes.find((fix) => isFree(fix) && helps(fix, quantized));
}

/** "5.00 pt", "6.1 dB": of what a fix gives, the number that decides. */
export function gainText(
  fix: ReportedLaneFix,
  { basis: { metric }, quantized }: Pick<SweepReport, 'basis' | 'quantized'>,
): string {
  const { gainDb, effect } = fix;
  const gain = sureGain(fix, quantized);
  if (metric !== undefined && gain > 0) return points(gain, metric);
  if (effect.exact === true) return 'back all of it';
  return gainDb === undefined ? 'nothing that can be told' : `${gainDb.toFixed(1)} dB`;
}

function freeGain(parts: SweepVerdictParts): string | undefined {
  const best = bestFree(parts);
  return best === undefined
    ? undefined
    : `without cost, ${inShort(best.title)} gives ${gainText(best, parts)}`;
}

/** A title without its details, which follow a colon or a semicolon. */
function inShort(title: string): string {
  return title.replace(/[:;] .*$/s, '');
}

/** The decision, where fixes are part of it: "with 3 fixes and 2 layers in float it has 84.30 %". */
function fixedText({ decision, basis }: SweepVerdictParts): string | undefined {
  if (decision === undefined || decision.fixes.length === 0) return undefined;
  return `with ${decisionText(decision)} it has ${effectText(decision.effect, basis.metric)}`;
}

/** "2 layers in float and 3 fixes" */
export function decisionText({ layers, to, fixes }: ReportedDecision): string {
  return [
    ...(layers.length === 0 ? [] : [`${plural(layers.length, 'layer')} ${precision({ to })}`]),
    ...(fixes.length === 0 ? [] : [fixes.length === 1 ? '1 fix' : `${fixes.length} fixes`]),
  ].join(' and ');
}

/** What was decided on, in flags where those can say it; without a decision the best fix, which says by itself what to do. */
function fixOf(parts: SweepVerdictParts): SweepReport['verdict']['fix'] {
  const { search, decision } = parts;
  const answer = answerOf(search);
  const chosen =
    decision ??
    (search === undefined || answer === undefined ? undefined : { ...answer, to: search.to, fixes: [] });
  if (chosen !== undefined && chosen.layers.length + chosen.fixes.length > 0) {
    const { layers, to } = chosen;
    const asFlags = to === 'float' && chosen.fixes.length === 0 && layers.length <= MOST_FLAGS;
    const flags = layers.map((name) => `--skip ${quoted(name)}`).join(' ');
    return { title: decisionText(chosen), edit: asFlags ? flags : '--export qdq=FILE' };
  }
  const best = bestFree(parts);
  if (best === undefined) return undefined;
  return { title: `gives ${gainText(best, parts)}`, edit: inShort(best.title) };
}

/** For a shell. */
function quoted(name: string): string {
  return /^[\w./:@%+-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}
