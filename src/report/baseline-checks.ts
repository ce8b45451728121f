/** What a run may not lose against its baseline. One-sided: better always passes. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { GateCheck, GateLayer } from '../diff/gate/gate.js';
import { difference, exceeds, several, tidy } from '../diff/gate/margin.js';
import type { MaxDrop } from '../diff/gate/thresholds.js';
import type { Baseline, BaselineLayer, Level } from './baseline.js';
import type { LayerPair } from './baseline-match.js';

/** dB of cumulative SQNR that a layer may lose: below it lies what another machine or runtime moves. */
const MOST_FALL_DB = 3;
/** dB of local SQNR below the lowest of the baseline, beyond which another layer is the new worst. */
const WORST_SLACK_DB = 0.5;
/** Points of percent of the operators, or of their multiply-accumulates. */
const MOST_COVERAGE_LOSS = 1;

const BETTER = 'better than the baseline: --update-baseline keeps it';

const level = (value: Level | undefined): string => (value === undefined ? 'none' : String(value));

export function layersCheck(pairs: readonly LayerPair[]): GateCheck {
  const judged = pairs.flatMap((pair) => judgedPair(pair) ?? []);
  const failing = judged.filter(({ verdict }) => verdict === 'fail').length;
  const worst = judged.reduce<GateLayer | undefined>(
    (a, b) => (a === undefined || badness(b) > badness(a) ? b : a),
    undefined,
  );
  const checked = {
    name: 'baseline layers',
    source: 'default',
    threshold: MOST_FALL_DB,
    unit: 'dB',
  } as const;
  if (worst === undefined) return { ...checked, verdict: 'pass', note: 'no layer to compare', layers: [] };
  const isBetter = judged.every(({ observed = 0 }) => observed <= 0) && judged.some(isClearRise);
  const notes = [
    ...(worst.note === undefined || worst.verdict === 'pass' ? [] : [worst.note]),
    ...(failing > 1 ? [`${failing} of ${several(judged.length, 'layer')} fell as far`] : []),
    ...(failing === 0 && isBetter ? [BETTER] : []),
  ];
  return {
    ...checked,
    ...(worst.observed === undefined ? {} : { observed: worst.observed }),
    ...(worst.margin === undefined ? {} : { margin: worst.margin }),
    verdict: failing > 0 ? 'fail' : 'pass',
    where: worst.tensor,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
    layers: judged,
  };
}

const isClearRise = ({ observed = 0 }: GateLayer): boolean => exceeds(-observed, MOST_FALL_DB);

/** `observed` is the fall, dB. undefined where the baseline has nothing to lose. */
function judgedPair({ before, now }: LayerPair): GateLayer | undefined {
  const [from, to] = [before.cumulativeDb, now.cumulativeDb];
  if (from === undefined) return undefined;
  const place = { tensor: now.tensor, ...(now.node === '' ? {} : { node: now.node }) };
  const note = `${level(from)} -> ${level(to)} dB`;
  if (typeof from === 'number' && typeof to === 'number') {
    const fall = difference(from, to);
    return {
      ...place,
      observed: fall,
      margin: difference(MOST_FALL_DB, fall),
      verdict: exceeds(fall, MOST_FALL_DB) ? 'fail' : 'pass',
      note,
    };
  }
  // From exact to any number is a fall without a size, as is the loss of the number.
  return { ...place, verdict: to === 'exact' ? 'pass' : 'fail', note };
}

function badness({ verdict, margin }: GateLayer): number {
  return margin === undefined ? (verdict === 'fail' ? Infinity : -Infinity) : -margin;
}

interface WorstLayer {
  readonly tensor: string;
  readonly node: string;
  /** Tensor that was the worst, as the baseline calls it. */
  readonly formerly: string;
}

/** Whether another layer has the lowest local SQNR now, and a lower one than there was. */
export function worstLayerCheck(
  before: readonly BaselineLayer[],
  now: readonly BaselineLayer[],
  pairs: readonly LayerPair[],
): { check: GateCheck; layer?: WorstLayer } {
  const checked = {
    name: 'baseline worst layer',
    source: 'default',
    threshold: WORST_SLACK_DB,
    unit: 'dB',
  } as const;
  const [was, is] = [lowestOf(before), lowestOf(now)];
  if (was === undefined || is === undefined) {
    const note = `no layer ${was === undefined ? 'of the baseline ' : ''}has a local SQNR`;
    return { check: { ...checked, verdict: 'pass', note } };
  }
  const isSame = pairs.some((pair) => pair.before === was.layer && pair.now === is.layer);
  const fall = isSame ? 0 : difference(was.db, is.db);
  const isNew = exceeds(fall, WORST_SLACK_DB);
  const change = `local ${is.db} dB; it was ${was.layer.tensor} with ${was.db}`;
  return {
    check: {
      ...checked,
      observed: fall,
      margin: difference(WORST_SLACK_DB, fall),
      verdict: isNew ? 'fail' : 'pass',
      where: is.layer.tensor,
      note: isSame ? `the same as before, local ${was.db} -> ${is.db} dB` : change,
    },
    ...(isNew ? { layer: { tensor: is.layer.tensor, node: is.layer.node, formerly: was.layer.tensor } } : {}),
  };
}

function lowestOf(layers: readonly BaselineLayer[]): { layer: BaselineLayer; db: number } | undefined {
  return layers.reduce<{ layer: BaselineLayer; db: number } | undefined>((lowest, layer) => {
    const { localDb: db } = layer;
    return typeof db === 'number' && (lowest === undefined || db < lowest.db) ? { layer, db } : lowest;
  }, undefined);
}

const TWO_SIDED_95 = 1.959963984540054;

/**
 * Against the candidate of the baseline, in the metric's unit. What two standard errors cover is no loss, and neither is what
 * `--max-drop` allows; the larger counts.
 */
export function accuracyCheck(
  before: Baseline['accuracy'],
  accuracy: Accuracy | undefined,
  maxDrop: MaxDrop | undefined,
): GateCheck[] {
  const [from, to] = [before?.candidate, accuracy?.candidate];
  if (from === undefined || to === undefined || accuracy === undefined) return [];
  const { better, unit, metric, candidateInterval } = accuracy;
  const noise =
    candidateInterval === undefined ? 0 : (candidateInterval[1] - candidateInterval[0]) / TWO_SIDED_95;
  const allowed =
    maxDrop === undefined ? 0 : maxDrop.unit === '%' ? (maxDrop.value / 100) * Math.abs(from) : maxDrop.value;
  const isAsked = maxDrop !== undefined && allowed >= noise;
  const threshold = tidy(isAsked ? allowed : noise);
  // A baseline is rounded to six decimals.
  const drop = difference(Number((better === 'higher' ? from - to : to - from).toFixed(6)), 0);
  const verdict = exceeds(drop, threshold) ? 'fail' : 'pass';
  const notes = [
    `${from} -> ${tidy(Number(to.toFixed(6)))}`,
    ...(isAsked
      ? []
      : [candidateInterval === undefined ? 'no interval is known' : 'two standard errors are allowed']),
    ...(drop < 0 ? [BETTER] : []),
  ];
  return [
    {
      name: 'baseline accuracy',
      source: isAsked ? maxDrop.source : 'default',
      threshold,
      observed: drop,
      margin: difference(threshold, drop),
      unit: unit === '%' ? 'pt' : unit,
      verdict,
      where: metric,
      note: notes.join('; '),
    },
  ];
}

export function coverageCheck(before: Baseline['coverage'], now: Baseline['coverage']): GateCheck {
  const losses = (['ops', 'macs'] as const).map((of) => {
    const [from, to] = [share(before[of]), share(now[of])];
    return { of, from, to, loss: from - to };
  });
  const worst = losses.reduce((a, b) => (b.loss > a.loss ? b : a));
  const what = worst.of === 'ops' ? 'operators' : 'multiply-accumulates';
  const isBetter =
    losses.every(({ loss }) => !exceeds(loss, 0)) &&
    losses.some(({ loss }) => exceeds(-loss, MOST_COVERAGE_LOSS));
  const text = `${what} as integers: ${worst.from.toFixed(1)} -> ${worst.to.toFixed(1)} %`;
  return {
    name: 'baseline coverage',
    source: 'default',
    threshold: MOST_COVERAGE_LOSS,
    observed: difference(worst.loss, 0),
    margin: difference(MOST_COVERAGE_LOSS, worst.loss),
    unit: 'pt',
    verdict: exceeds(worst.loss, MOST_COVERAGE_LOSS) ? 'fail' : 'pass',
    note: isBetter ? `${text}; ${BETTER}` : text,
  };
}

/** Percent. Of a network without any, nothing is lost. */
function share({ quantized, total }: { quantized: number; total: number }): number {
  return total === 0 ? 0 : (100 * quantized) / total;
}
