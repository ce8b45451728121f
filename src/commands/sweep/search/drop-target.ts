/** `--target-drop`: how much worse than float the network may be that a search ends in. */
import { requireUnit } from '../../../diff/gate/drop.js';
import { parseDrop, type MaxDrop, type Written } from '../../../diff/gate/thresholds.js';
import { UsageError } from '../../../errors.js';
import type { Accuracy, Interval } from '../../../diff/accuracy/accuracy.js';
import type { Effect } from '../../../report/sweep-report.js';
import type { Loss } from './set-book.js';

const FLAG = '--target-drop';

/** What networks are scored by. */
export interface TargetMetric extends Pick<Accuracy, 'metric' | 'unit' | 'better'> {
  /** What float scores against the labels; absent where networks are held against float instead. */
  readonly reference?: number;
}

export interface DropTarget {
  /** As asked: `1pt`. */
  readonly text: string;
  /** Largest loss, in the unit of `lossOf`. */
  readonly limit: number;
  /** To be brought to the limit; adds up roughly over layers. Undefined where nothing was measured. */
  lossOf(effect: Effect): Loss | undefined;
  /** For the reader: in the metric's unit, or dB of SQNR that are still wanted; absent where exact. */
  dropOf(effect: Effect): { readonly drop?: number; readonly interval?: Interval };
  /** For the reader: "0.50 pt", "31.2 dB". */
  told(effect: Effect): string;
}

/**
 * Before anything is measured.
 *
 * @throws UsageError for what is no target with any metric
 */
export function checkDropTarget(written: Written): void {
  parseDrop(FLAG, written);
}

/**
 * A bare number is refused, as by `--max-drop`. `pt` and `%` are of the metric; without labels of agreement with float, so that
 * `1pt` is one changed answer in a hundred. `dB` is of metrics in dB; where nothing is held against labels it is the least SQNR at
 * the output.
 *
 * @param metric absent where nothing is scored: answers are then rows whose largest element moves
 * @throws UsageError for a target that has no meaning for the metric
 */
export function dropTarget(written: Written, metric: TargetMetric | undefined): DropTarget {
  const target = parseDrop(FLAG, written);
  if (metric?.reference !== undefined) return againstLabels(target, metric, metric.reference);
  if (target.unit === 'dB') return leastSqnr(target);
  if (metric === undefined) return changedAnswers(target);
  if (metric.unit === '%' && metric.better === 'higher') return agreement(target);
  throw new UsageError(`${FLAG} ${target.text}: ${metric.metric} with float is no accuracy`, {
    hint: `--labels FILE, or ${FLAG} 40dB: the least SQNR at the output`,
  });
}

function againstLabels(target: MaxDrop, metric: TargetMetric, reference: number): DropTarget {
  requireUnit(FLAG, target, metric);
  if (target.unit === '%' && reference === 0) {
    throw new UsageError(`${FLAG} ${target.text}: float scores 0, which has no share to lose`, {
      hint: metric.unit === '%' ? `${FLAG} 1pt` : '--metric NAME, or --preset for other preprocessing',
    });
  }
  const limit = target.unit === '%' ? (target.value / 100) * Math.abs(reference) : target.value;
  const sign = metric.better === 'higher' ? -1 : 1;
  return ofDrops(target.text, limit, metric.unit === '%' ? 'pt' : metric.unit, (effect) => {
    const { accuracyDelta, deltaInterval, standing } = effect;
    if (accuracyDelta === undefined) return undefined;
    return {
      value: 0 + sign * accuracyDelta,
      ...(deltaInterval === undefined ? {} : { interval: turned(deltaInterval, 0, sign) }),
      isNoise: standing === 'within noise' || standing === 'equal',
    };
  });
}

function agreement(target: MaxDrop): DropTarget {
  return ofDrops(target.text, target.value, 'pt', ({ accuracy, accuracyInterval }) =>
    accuracy === undefined
      ? undefined
      : {
          value: 100 - accuracy,
          ...(accuracyInterval === undefined ? {} : { interval: turned(accuracyInterval, 100, -1) }),
          isNoise: accuracy === 100,
        },
  );
}

function changedAnswers(target: MaxDrop): DropTarget {
  return ofDrops(target.text, target.value, 'pt', ({ changedShare }) =>
    changedShare === undefined ? undefined : { value: 100 * changedShare, isNoise: changedShare === 0 },
  );
}

function ofDrops(
  text: string,
  limit: number,
  unit: string,
  lossOf: (effect: Effect) => Loss | undefined,
): DropTarget {
  return {
    text,
    limit,
    lossOf,
    dropOf: (effect) => {
      const loss = lossOf(effect);
      if (loss === undefined) return {};
      return { drop: loss.value, ...(loss.interval === undefined ? {} : { interval: loss.interval }) };
    },
    told: (effect) => {
      const loss = lossOf(effect);
      return loss === undefined ? 'nothing measured' : `${loss.value.toFixed(2)} ${unit}`.trim();
    },
  };
}

/** Energies of noise add up, dB do not. */
function leastSqnr({ text, value }: MaxDrop): DropTarget {
  return {
    text,
    limit: 10 ** (-value / 10),
    lossOf: ({ outputSqnrDb, exact }) => {
      if (outputSqnrDb !== undefined) return { value: 10 ** (-outputSqnrDb / 10), isNoise: false };
      return exact === true ? { value: 0, isNoise: true } : undefined;
    },
    dropOf: ({ outputSqnrDb }) => (outputSqnrDb === undefined ? {} : { drop: value - outputSqnrDb }),
    told: ({ outputSqnrDb, exact }) => {
      if (outputSqnrDb !== undefined) return `${outputSqnrDb.toFixed(1)} dB`;
      return exact === true ? 'no noise' : 'nothing measured';
    },
  };
}

function turned([low, high]: Interval, from: number, sign: number): Interval {
  return sign < 0 ? [from - high, from - low] : [from + low, from + high];
}
