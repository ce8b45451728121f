/** The ladder of experiments: what other schemes, or parts of this one, lose. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { SweptExperiment } from '../../report/sweep-report.js';
import { CopyText } from '../summary/copy-text.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { percent, plural } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { Choice } from './choice.js';
import { DotChart } from './dot-chart.js';
import type { DotRow, DotSeries, DotValue, Level } from './dot-spec.js';
import { Opened } from './opened.js';
import {
  amount,
  interval,
  outputDecibels,
  pointsCell,
  pointUnit,
  shellText,
  sortedDecibels,
  worth,
  type SweepPage,
  type SweptMetric,
} from './sweep-numbers.js';
import { axisTitle, levelsOf, measuresOf, valueOf, type Measure } from './sweep-values.js';

/** Families in the reader's words. */
const FAMILIES: Readonly<Record<string, string>> = {
  parts: 'What is quantized',
  bits: 'Number of bits',
  ops: 'One operator type',
  ends: 'First and last layers in float',
  observer: 'Where ranges come from',
  weights: 'Scales of weights',
  symmetry: 'Zero points',
  named: 'Of the configuration',
};
/** Of one family, in the drawing: the table has them all. */
const MOST_OF_FAMILY = 24;
const LONGEST_FLAGS = 44;

function familyTitle(family: string): string {
  return Object.hasOwn(FAMILIES, family) ? (FAMILIES[family] ?? family) : visible(family);
}

export function SweepExperiments({ report }: { readonly report: SweepPage }): JSX.Element | null {
  const { experiments, basis } = report;
  const measures = measuresOf(
    report,
    experiments.map(({ effect }) => effect),
  );
  const [wanted, setWanted] = useState(measures[0]?.value);
  const [measure] = measures.filter(({ value }) => value === wanted).concat(measures);
  if (experiments.length === 0) return null;
  const { metric } = basis;
  return (
    <Section
      id="experiments"
      title="Experiments"
      lead="The same network under other settings, one thing changed at a time. What loses much less than the scheme (★) is where to look; what loses as much is not the cause."
    >
      {measure === undefined ? null : (
        <DotChart
          title={measure.value === 'metric' ? `${measure.label} lost against float` : 'SQNR at the output'}
          description={`${plural(experiments.length, 'experiment')} by family. The table below has the same numbers and the flags.`}
          file={`sweep-experiments-${measure.value}`}
          axis={
            measure.value === 'metric' && metric !== undefined ? lostTitle(metric) : axisTitle('sqnr', metric)
          }
          order="experiments"
          hasZero={measure.value === 'metric'}
          rows={ladderRows(report, measure.value)}
          series={[seriesOf(measure.value)]}
          levels={measure.value === 'metric' ? lostLevels(report) : levelsOf(report, 'sqnr')}
          inputs={[experiments, measure.value]}
        >
          <Choice
            name="Measured in"
            options={measures.map(({ value, label }) => ({
              value,
              label: value === 'metric' ? `${label} lost` : label,
            }))}
            chosen={measure.value}
            onChoose={setWanted}
          />
        </DotChart>
      )}
      <DataTable
        id="experiments-table"
        caption="Experiments of the sweep"
        file="sweep-experiments"
        columns={columnsOf(experiments, metric)}
        rows={experiments}
        rowKey={({ family, name }) => `${family} ${name}`}
        isSelected={({ isBase }) => isBase === true}
      />
    </Section>
  );
}

function seriesOf(measure: Measure): DotSeries {
  return measure === 'metric'
    ? { key: 'lost', title: 'lost, with its 95 % interval', form: 'bar', color: 'var(--local)' }
    : { key: 'sqnr', title: 'SQNR at the output', form: 'circle', color: 'var(--self)' };
}

function lostTitle(metric: SweptMetric): string {
  return `${metricName(metric.metric)} lost (${pointUnit(metric)}), less is better`;
}

/** Families with their experiments below, in the order that they were asked in. */
function ladderRows({ experiments, basis, quantized }: SweepPage, measure: Measure): DotRow[] {
  const { metric } = basis;
  const families = [...new Set(experiments.map(({ family }) => family))];
  const valuesOf = ({
    title,
    effect,
    lost,
  }: Pick<SweptExperiment, 'title' | 'effect' | 'lost'>): DotValue[] =>
    measure === 'metric' && metric !== undefined
      ? lostValue({ effect, lost }, metric)
      : valueOf('sqnr', title, effect, 'sqnr', metric);
  const hasBase = experiments.some(({ isBase }) => isBase === true);
  return [
    ...(hasBase
      ? []
      : [
          {
            key: 'everything',
            label: '★ everything quantized',
            isStrong: true,
            values: valuesOf({
              title: 'everything quantized',
              effect: quantized,
              ...lostOf(worth(quantized.accuracyDelta, metric ?? { better: 'higher' })),
            }),
          },
        ]),
    ...families.flatMap((family) => [
      { key: `family ${family}`, label: familyTitle(family), isHeading: true as const, values: [] },
      ...experiments
        .filter((experiment) => experiment.family === family)
        .slice(0, MOST_OF_FAMILY)
        .map((experiment) => ({
          key: `${family} ${experiment.name}`,
          label: experiment.isBase === true ? `★ ${experiment.title}` : experiment.title,
          isStrong: experiment.isBase === true,
          values: valuesOf(experiment),
        })),
    ]),
  ];
}

function lostOf(gained: number | undefined): { lost?: number } {
  return gained === undefined ? {} : { lost: 0 - gained };
}

function lostValue(
  { effect, lost }: { readonly effect: SweptExperiment['effect']; readonly lost?: number | undefined },
  metric: SweptMetric,
): DotValue[] {
  if (effect.failure !== undefined)
    return [{ series: 'lost', instead: 'failed', text: `failed, ${effect.failure.slice(0, 120)}` }];
  if (lost === undefined) return [];
  return [
    {
      series: 'lost',
      value: lost,
      text: `${amount(lost, pointUnit(metric))} lost: ${amount(effect.accuracy, metric.unit)} ${metricName(metric.metric)}`,
      ...(effect.deltaInterval === undefined ? {} : { interval: turned(effect.deltaInterval, metric) }),
    },
  ];
}

/** Of a difference against float as what is lost. */
function turned(
  [low, high]: readonly [number, number],
  { better }: Pick<SweptMetric, 'better'>,
): readonly [number, number] {
  return better === 'higher' ? [0 - high, 0 - low] : [low, high];
}

function lostLevels({ quantized, basis: { metric } }: SweepPage): Level[] {
  const { lost } = lostOf(metric === undefined ? undefined : worth(quantized.accuracyDelta, metric));
  return [
    { value: 0, title: 'float', form: 'solid' },
    ...(lost === undefined || metric === undefined
      ? []
      : [
          {
            value: lost,
            title: `everything quantized ${amount(lost, pointUnit(metric))}`,
            form: 'dashed' as const,
          },
        ]),
  ];
}

function columnsOf(
  experiments: readonly SweptExperiment[],
  metric: SweptMetric | undefined,
): Column<SweptExperiment>[] {
  const all: Column<SweptExperiment>[] = [
    { key: 'family', title: 'Family', value: ({ family }) => familyTitle(family) },
    {
      key: 'title',
      title: 'Experiment',
      value: ({ title }) => title,
      show: ({ title, isBase }) => (
        <bdi>
          {visible(title)}
          {isBase === true ? ' ★' : ''}
        </bdi>
      ),
    },
    {
      key: 'sqnr',
      title: 'SQNR',
      hint: 'at the output that keeps least; higher is better',
      kind: 'number',
      value: ({ effect }) => sortedDecibels(effect),
      show: ({ effect }) => outputDecibels(effect),
    },
    ...(metric === undefined ? [] : metricColumns(metric)),
    {
      key: 'changed',
      title: 'Changed',
      hint: 'share of the answers that are not those of float',
      kind: 'number',
      value: ({ effect }) => effect.changedShare,
      show: ({ effect }) => (effect.changedShare === undefined ? '–' : percent(effect.changedShare)),
    },
    {
      key: 'share',
      title: 'Share of loss',
      hint: 'of what everything quantized loses; of noise energy where there is no metric. Shares do not add up to 100 %.',
      kind: 'number',
      value: ({ lostShare }) => lostShare,
      show: ({ lostShare }) => (lostShare === undefined ? '–' : `${(100 * lostShare).toFixed(1)} %`),
    },
    {
      key: 'flags',
      title: 'Flags to repeat it',
      hint: 'with which qdbg analyze measures the same',
      value: ({ flags = [] }) => (flags.length === 0 ? undefined : shellText(flags)),
      show: ({ flags = [] }) => <Flags flags={flags} />,
    },
  ];
  return all.filter(
    ({ key, value }) => key === 'title' || experiments.some((row) => value(row) !== undefined),
  );
}

/** A long list of layers would make the table hard to read. */
function Flags({ flags }: { readonly flags: readonly string[] }): JSX.Element {
  if (flags.length === 0) return <>–</>;
  const text = shellText(flags);
  if (text.length <= LONGEST_FLAGS) return <CopyText text={text} />;
  return (
    <Opened
      summary={
        <>
          <code>{visible(text.slice(0, LONGEST_FLAGS))}…</code>
        </>
      }
    >
      {() => <CopyText text={text} />}
    </Opened>
  );
}

function metricColumns(metric: SweptMetric): Column<SweptExperiment>[] {
  const unit = pointUnit(metric);
  return [
    {
      key: 'metric',
      title: metricName(metric.metric),
      kind: 'number',
      value: ({ effect }) => effect.accuracy,
      show: ({ effect }) => amount(effect.accuracy, metric.unit),
    },
    {
      key: 'lost',
      title: `Lost, ${unit}`,
      hint: 'against float; above 0 is worse',
      kind: 'number',
      value: ({ lost }) => lost,
      show: ({ lost }) => pointsCell(lost, metric),
    },
    {
      key: 'interval',
      title: '95 %',
      kind: 'number',
      hint: 'what the loss could be, given so few samples',
      value: ({ effect }) =>
        effect.deltaInterval === undefined ? undefined : interval(turned(effect.deltaInterval, metric), unit),
    },
  ];
}
