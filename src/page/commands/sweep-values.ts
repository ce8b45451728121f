/** Effects of a sweep as values of a chart: in points of the metric, or in dB at the output. */
import { metricName } from '../frame/metric-name.js';
import type { Effect } from '../../report/sweep-report.js';
import type { DotValue, Level } from './dot-spec.js';
import { amount, isToldByMetric, outputDecibels, type SweepPage, type SweptMetric } from './sweep-numbers.js';

export type Measure = 'metric' | 'sqnr';

/** What there is to choose from, and what tells more comes first. */
export function measuresOf(
  report: SweepPage,
  effects: readonly (Effect | undefined)[],
): { readonly value: Measure; readonly label: string }[] {
  const { metric } = report.basis;
  const has = (of: (effect: Effect) => unknown): boolean =>
    effects.some((effect) => effect !== undefined && of(effect) !== undefined);
  const choices: { readonly value: Measure; readonly label: string }[] = [
    ...(metric !== undefined && has(({ accuracy }) => accuracy)
      ? [{ value: 'metric' as const, label: metricName(metric.metric) }]
      : []),
    ...(has(({ outputSqnrDb, exact }) => outputSqnrDb ?? exact)
      ? [{ value: 'sqnr' as const, label: 'SQNR' }]
      : []),
  ];
  return isToldByMetric(report) ? choices : choices.reverse();
}

/** Of an axis. */
export function axisTitle(measure: Measure, metric: SweptMetric | undefined): string {
  if (measure === 'sqnr' || metric === undefined) return 'SQNR at the output (dB), higher is better';
  const unit = metric.unit === '' ? '' : ` (${metric.unit})`;
  return `${metricName(metric.metric)}${unit}, ${metric.better} is better`;
}

/** Undefined where it has not been measured. */
export function valueOf(
  series: string,
  title: string,
  effect: Effect | undefined,
  measure: Measure,
  metric: SweptMetric | undefined,
  base?: Effect,
): DotValue[] {
  if (effect === undefined) return [];
  const { failure, exact, outputSqnrDb, accuracy, accuracyInterval } = effect;
  if (failure !== undefined)
    return [{ series, instead: 'failed', text: `${title}: failed, ${failure.slice(0, 120)}` }];
  if (measure === 'sqnr' || metric === undefined) {
    const text = `${title}: ${outputDecibels(effect)}`;
    if (exact === true) return [{ series, instead: 'exact', text }];
    if (outputSqnrDb === undefined) return [];
    const from = base?.outputSqnrDb;
    return [{ series, value: outputSqnrDb, text, ...(from === undefined ? {} : { from }) }];
  }
  if (accuracy === undefined) return [];
  const from = base?.accuracy;
  return [
    {
      series,
      value: accuracy,
      text: `${title}: ${amount(accuracy, metric.unit)}`,
      ...(accuracyInterval === undefined ? {} : { interval: accuracyInterval }),
      ...(from === undefined ? {} : { from }),
    },
  ];
}

/** Float and everything quantized, which all else lies between or beyond. */
export function levelsOf({ float, quantized, basis }: SweepPage, measure: Measure): Level[] {
  const { metric } = basis;
  if (measure === 'metric' && metric !== undefined) {
    return [
      ...(float.accuracy === undefined
        ? []
        : [
            {
              value: float.accuracy,
              title: `float ${amount(float.accuracy, metric.unit)}`,
              form: 'solid' as const,
            },
          ]),
      ...(quantized.accuracy === undefined
        ? []
        : [
            {
              value: quantized.accuracy,
              title: `everything quantized ${amount(quantized.accuracy, metric.unit)}`,
              form: 'dashed' as const,
            },
          ]),
    ];
  }
  return quantized.outputSqnrDb === undefined
    ? []
    : [
        {
          value: quantized.outputSqnrDb,
          title: `everything quantized ${outputDecibels(quantized)}`,
          form: 'dashed' as const,
        },
      ];
}
