/** `--max-drop`: how much worse than the reference the candidate may be. */
import { UsageError } from '../../errors.js';
import type { Accuracy, Interval } from '../accuracy/accuracy.js';
import { samplesToDecide } from '../accuracy/samples-to-decide.js';
import type { GateCheck } from './gate.js';
import { counted, difference, exceeds, several, signed, tidy } from './margin.js';
import type { MaxDrop } from './thresholds.js';

/** How much worse the candidate is, in the metric's own unit; negative when it is better. */
interface Drop {
  readonly value: number;
  /** 95 %, of the drop. */
  readonly interval?: Interval;
  readonly reference: number;
  /** Of agreement with the reference, which nothing is paired with. */
  readonly isAgreement: boolean;
}

/** With fewer samples a value without an interval is an anecdote. */
const FEWEST_ALONE = 30;

/**
 * Passes when the whole 95 % interval of the drop is within the threshold, fails when all of it is beyond. Where no interval is
 * known, as of metrics that resample nothing, the value decides.
 *
 * @param isMetricChosen whether `--metric` was given: without labels, agreement stands for accuracy only where asked for
 * @throws UsageError when there is no drop, or the threshold has a unit that the metric has not
 */
export function dropCheck(
  maxDrop: MaxDrop,
  accuracy: Accuracy | undefined,
  isMetricChosen: boolean,
): GateCheck {
  const flag = `--max-drop ${maxDrop.text}`;
  if (accuracy === undefined) {
    throw new UsageError(`${flag}: nothing to gate, no accuracy was measured`, {
      hint: '--labels FILE, or images in a folder for each class (two at least)',
    });
  }
  requireUnit('--max-drop', maxDrop, accuracy);
  requireFinite(flag, accuracy);
  const drop = dropOf(flag, accuracy, isMetricChosen);
  if (maxDrop.unit === '%' && drop.reference === 0) {
    throw new UsageError(`${flag}: the reference scores 0, which has no share to lose`, {
      hint: accuracy.unit === '%' ? '--max-drop 1pt' : '--metric NAME, or --preset for other preprocessing',
    });
  }
  // The uncertainty of the reference itself moves a relative drop by little: both are measured on the same samples.
  const scale = maxDrop.unit === '%' ? 100 / Math.abs(drop.reference) : 1;
  const observed = scale * drop.value;
  const { interval } = drop;
  const checked = {
    name: 'max-drop',
    source: maxDrop.source,
    threshold: maxDrop.value,
    observed: tidy(observed),
    margin: difference(maxDrop.value, observed),
    unit: maxDrop.unit,
    where: accuracy.metric,
  };
  const nonFinite = accuracy.networks[1]?.nonFinite ?? 0;
  if (nonFinite > 0) {
    const note = `${several(nonFinite, 'sample')} with NaN or infinite outputs of the candidate`;
    return { ...checked, verdict: 'fail', note };
  }
  if (interval === undefined) {
    if (accuracy.samples < FEWEST_ALONE) {
      const note = `no interval, and ${several(accuracy.samples, 'sample')}: from ${FEWEST_ALONE} on, the value decides`;
      return { ...checked, verdict: 'inconclusive', note };
    }
    const verdict = exceeds(observed, maxDrop.value) ? 'fail' : 'pass';
    return { ...checked, verdict, note: 'no interval is known: the value alone decides' };
  }
  const [low, high] = [scale * interval[0], scale * interval[1]];
  const range = `${signed(low)} to ${signed(high)} ${maxDrop.unit}`;
  if (!exceeds(high, maxDrop.value)) return { ...checked, verdict: 'pass', note: `95 % interval ${range}` };
  if (exceeds(low, maxDrop.value)) return { ...checked, verdict: 'fail', note: `95 % interval ${range}` };
  const more = toDecide(accuracy, drop, maxDrop.value / scale);
  return { ...checked, verdict: 'inconclusive', note: `the interval ${range} spans the threshold; ${more}` };
}

/** @throws UsageError where the reference says nothing that a candidate could lose */
function requireFinite(flag: string, { networks: [reference], samples }: Accuracy): void {
  const nonFinite = reference?.nonFinite ?? 0;
  if (nonFinite === 0 || nonFinite < samples) return;
  throw new UsageError(
    `${flag}: nothing to gate, the reference gives NaN or infinite outputs for all samples`,
    {
      hint: 'qdbg analyze MODEL --calib DATA shows where they begin',
    },
  );
}

/** What each unit of a metric may be gated in, the best first. */
const UNITS = { '%': ['pt', '%'], dB: ['dB', '%'], '': ['%'] } as const;

/** @throws UsageError for a drop in a unit in which the metric cannot drop; `name` is the flag that asks for it */
export function requireUnit(
  name: string,
  { text, value, unit }: MaxDrop,
  { metric, unit: own }: Pick<Accuracy, 'metric' | 'unit'>,
): void {
  const possible: readonly string[] = UNITS[own];
  if (possible.includes(unit)) return;
  const is = own === '' ? 'has no unit' : `is in ${own}`;
  throw new UsageError(`${name} ${text}: ${metric} ${is}, it cannot drop by ${unit}`, {
    hint: possible.map((known) => `${name} ${value}${known}`).join(' or '),
  });
}

function dropOf(flag: string, accuracy: Accuracy, isMetricChosen: boolean): Drop {
  const { metric, better, unit, samples, labels } = accuracy;
  const reference = finite(accuracy.reference);
  const candidate = finite(accuracy.candidate);
  if (labels === undefined) {
    if (!isMetricChosen || unit !== '%' || better !== 'higher') {
      throw new UsageError(
        `${flag}: nothing to gate, there are no labels and ${metric} with the reference is no accuracy`,
        {
          hint: '--labels FILE, or --metric agreement to gate the agreement itself',
        },
      );
    }
    if (candidate === undefined) throw withoutValue(flag, accuracy);
    const [low, high] = accuracy.candidateInterval ?? [NaN, NaN];
    return {
      value: 100 - candidate,
      ...intervalOf(100 - high, 100 - low),
      reference: 100,
      isAgreement: true,
    };
  }
  if (reference === undefined || candidate === undefined || samples === 0) throw withoutValue(flag, accuracy);
  const [low, high] = accuracy.interval ?? [NaN, NaN];
  return better === 'higher'
    ? { value: reference - candidate, ...intervalOf(-high, -low), reference, isAgreement: false }
    : { value: candidate - reference, ...intervalOf(low, high), reference, isAgreement: false };
}

function withoutValue(flag: string, { metric, samples, reference }: Accuracy): UsageError {
  const of = reference === undefined ? '' : ' of the candidate';
  return new UsageError(
    `${flag}: nothing to gate, ${metric}${of} has no value on ${counted(samples)} samples`,
    {
      hint: '--labels FILE, or another --metric',
    },
  );
}

function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function intervalOf(low: number, high: number): { interval?: Interval } {
  return Number.isFinite(low) && Number.isFinite(high) ? { interval: [low, high] } : {};
}

/** More than anybody evaluates. */
const MOST_SAMPLES = 1e8;

/** Rounded up to two digits: it supposes that the rates stay as they are. */
function toDecide({ samples, networks }: Accuracy, drop: Drop, threshold: number): string {
  const { value, interval: [low, high] = [value, value] } = drop;
  const paired = networks.find(({ network }) => network === 'candidate')?.paired;
  const enough = samplesToDecide({
    drop: value,
    threshold,
    halfWidth: value < threshold ? high - value : value - low,
    samples,
    ...(paired === undefined || drop.isAgreement ? {} : { paired }),
  });
  if (enough === undefined || enough > MOST_SAMPLES) return 'it is too close to it for any number of samples';
  const power = 10 ** Math.max(0, Math.floor(Math.log10(enough)) - 1);
  return `about ${counted(Math.ceil(enough / power) * power)} samples would decide`;
}
