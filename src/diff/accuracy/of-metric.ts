/** What a metric counted -> what can be said of it, and how surely. */
import type { ClassScore, MetricResult, NetworkScore } from '../../run/metrics/metric.js';
import type {
  Accuracy,
  ClassTransitions,
  Interval,
  ReportedClass,
  ScoredNetwork,
  Standing,
} from './accuracy.js';
import { pairedDifferences, bootstrapInterval, tangoInterval, wilsonInterval } from './intervals.js';
import { bootstrapPValue, mcnemarExact, SIGNIFICANT } from './p-values.js';
import { summaryOf } from './summary.js';

export interface NetworkTitle {
  /** `reference`, `candidate`, `runtime`, or a step of the ladder. */
  readonly network: string;
  /** For the reader: "float", "int8, simulated". */
  readonly title: string;
}

export interface AccuracyContext {
  /** What the metric was held against; absent for metrics that compare with the reference. */
  readonly labels?: Accuracy['labels'];
  /** What was read off the outputs, for the reader. */
  readonly decoder: string;
  readonly classNames: ReadonlyMap<number, string>;
}

/**
 * Values are in the metric's unit, shares in 0..100; their differences in `pt`, `dB` or the metric's own numbers.
 *
 * Of metrics that count right samples: Wilson's interval, Tango's for differences, McNemar's exact test. Of others: percentiles
 * of the paired bootstrap. A difference is `better` or `worse` when p is below 0.05; its interval then leaves out 0 too, while
 * an interval that only just does so need not come with such a p: the exact test asks for more.
 *
 * `networks` are as in `result`, the reference first.
 */
export function accuracyOf(
  result: MetricResult,
  networks: readonly NetworkTitle[],
  { labels, decoder, classNames }: AccuracyContext,
): Accuracy {
  const scored = result.networks.map((score, i): ScoredNetwork => {
    const title = networks[i]!;
    if (labels !== undefined) return { ...title, ...againstLabels(result, i, classNames) };
    // With itself the reference agrees; that is no measurement.
    return i === 0 ? { ...title, ...seen(score) } : { ...title, ...ofOne(result, score, classNames) };
  });
  const [reference, candidate] = scored;
  const told = {
    metric: result.metric,
    description: result.description,
    unit: result.unit,
    better: result.better,
    samples: result.samples,
    ...(labels === undefined ? {} : { labels }),
    decoder,
    ...(reference?.value === undefined ? {} : { reference: reference.value }),
    ...(reference?.interval === undefined ? {} : { referenceInterval: reference.interval }),
    ...(candidate?.value === undefined ? {} : { candidate: candidate.value }),
    ...(candidate?.interval === undefined ? {} : { candidateInterval: candidate.interval }),
    ...(candidate?.delta === undefined ? {} : { delta: candidate.delta }),
    deltaUnit: result.unit === '%' ? ('pt' as const) : result.unit,
    ...(candidate?.deltaInterval === undefined ? {} : { interval: candidate.deltaInterval }),
    ...(candidate?.pValue === undefined
      ? {}
      : {
          pValue: candidate.pValue,
          test: candidate.paired === undefined ? ('paired bootstrap' as const) : ('McNemar exact' as const),
        }),
    ...(candidate?.standing === undefined ? {} : { standing: candidate.standing }),
    ...((candidate ?? reference)?.perClass === undefined
      ? {}
      : { perClass: (candidate ?? reference)!.perClass! }),
    ...(result.transitions === undefined
      ? {}
      : { transitions: namedTransitions(result.transitions, classNames) }),
    networks: scored,
    ...(result.chance === undefined ? {} : { chance: result.chance }),
    disagreements: result.disagreements,
    leftOut: result.leftOut,
    ...(result.labelOffset === undefined ? {} : { labelOffset: result.labelOffset }),
  };
  return {
    ...told,
    summary: summaryOf(
      told,
      result.networks.some(({ hits }) => hits !== undefined),
    ),
  };
}

function againstLabels(
  result: MetricResult,
  index: number,
  classNames: ReadonlyMap<number, string>,
): Omit<ScoredNetwork, keyof NetworkTitle> {
  const reference = result.networks[0]!;
  const score = result.networks[index]!;
  if (index === 0) return ofOne(result, score, classNames);
  return {
    ...ofOne(result, score, classNames, reference.perClass),
    ...(score.paired === undefined ? byResampling(result, reference, score) : byCounts(result, score.paired)),
  };
}

/** What one network says, without any other. */
function ofOne(
  result: MetricResult,
  score: NetworkScore,
  classNames: ReadonlyMap<number, string>,
  reference?: readonly ClassScore[],
): Omit<ScoredNetwork, keyof NetworkTitle> {
  const interval =
    score.hits === undefined
      ? isNumber(score.value)
        ? bootstrapInterval(score.replicates, score.value)
        : undefined
      : scaled(wilsonInterval(score.hits, result.samples), scaleOf(result));
  return {
    ...(isNumber(score.value) ? { value: score.value, ...(interval === undefined ? {} : { interval }) } : {}),
    ...(score.perClass === undefined ? {} : { perClass: classesOf(score.perClass, classNames, reference) }),
    ...(score.also === undefined ? {} : { also: score.also.filter(({ value }) => isNumber(value)) }),
    ...seen(score),
  };
}

function seen({
  ties,
  nonFinite,
  confusions,
}: NetworkScore): Pick<ScoredNetwork, 'ties' | 'nonFinite' | 'confusions'> {
  return { ties, nonFinite, ...(confusions === undefined ? {} : { confusions }) };
}

const NONE_DIFFERS = { onlyReference: 0, onlyCandidate: 0 };

type Difference = Pick<ScoredNetwork, 'delta' | 'deltaInterval' | 'pValue' | 'paired' | 'standing'>;

function byCounts(result: MetricResult, paired: NonNullable<NetworkScore['paired']>): Difference {
  const { both, neither, onlyReference, onlyCandidate } = paired;
  const samples = both + neither + onlyReference + onlyCandidate;
  const deltaInterval = scaled(tangoInterval(paired, samples), scaleOf(result));
  if (deltaInterval === undefined) return {};
  const delta = (scaleOf(result) * (onlyCandidate - onlyReference)) / samples;
  const pValue = mcnemarExact(paired);
  const standing = onlyReference + onlyCandidate === 0 ? 'equal' : standingOf(result, deltaInterval, pValue);
  return { delta, deltaInterval, pValue, paired, standing };
}

function byResampling(result: MetricResult, reference: NetworkScore, score: NetworkScore): Difference {
  if (!isNumber(reference.value) || !isNumber(score.value)) return {};
  const delta = score.value - reference.value;
  const differences = pairedDifferences(reference.replicates, score.replicates);
  const resampled = bootstrapInterval(differences, delta);
  if (resampled === undefined) return { delta };
  const pValue = bootstrapPValue(differences);
  const isEqual = delta === 0 && differences.every((difference) => !(Math.abs(difference) > 0));
  // Where no sample differs, resampling shows none that might: the bound of counts stands in, of a share of 1 at most.
  const deltaInterval =
    isEqual && result.unit === '%' ? scaled(tangoInterval(NONE_DIFFERS, result.samples), 100)! : resampled;
  return {
    delta,
    deltaInterval,
    pValue,
    standing: isEqual ? 'equal' : standingOf(result, deltaInterval, pValue),
  };
}

function standingOf({ better }: MetricResult, [low, high]: Interval, pValue: number): Standing {
  // Interval and test are made in different ways, and may part: then neither is sure.
  if (pValue >= SIGNIFICANT || (low <= 0 && high >= 0)) return 'within noise';
  return low > 0 === (better === 'higher') ? 'better' : 'worse';
}

/** In the order of the classes; whoever shows a few picks those with the largest loss. */
function classesOf(
  perClass: readonly ClassScore[],
  classNames: ReadonlyMap<number, string>,
  reference: readonly ClassScore[] = [],
): ReportedClass[] {
  const before = new Map(reference.map(({ label, value }) => [label, value]));
  return perClass.map(({ label, value, support, recall }) => {
    const name = classNames.get(label);
    const was = before.get(label);
    return {
      label,
      ...(name === undefined ? {} : { name }),
      ...(isNumber(value) ? { value } : {}),
      support,
      ...(isNumber(recall) ? { recall } : {}),
      ...(isNumber(value) && isNumber(was) ? { delta: value - was } : {}),
    };
  });
}

function namedTransitions(
  transitions: NonNullable<MetricResult['transitions']>,
  names: ReadonlyMap<number, string>,
): ClassTransitions {
  const labels = new Set(transitions.cells.flatMap(({ from, to }) => [from, to]));
  const named = [...names].filter(([label]) => labels.has(label));
  return { ...transitions, ...(named.length === 0 ? {} : { classNames: Object.fromEntries(named) }) };
}

function scaleOf({ unit }: MetricResult): number {
  return unit === '%' ? 100 : 1;
}

function scaled(interval: Interval | undefined, scale: number): Interval | undefined {
  return interval === undefined ? undefined : [interval[0] * scale, interval[1] * scale];
}

/** Metrics that users write may return anything that is called a number. */
function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
