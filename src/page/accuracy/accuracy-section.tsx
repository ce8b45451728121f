/** Accuracy of the networks with its uncertainty. */
import type { JSX } from 'preact';
import type { Accuracy, ScoredNetwork } from '../../diff/accuracy/accuracy.js';
import type { TriedPreprocessing } from '../../diff/accuracy/preprocessing-search.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { ClassTable } from './class-table.js';
import { Disagreements } from './disagreements.js';
import { IntervalChart } from './interval-chart.js';
import { deltaText, intervalText, pText, valueText } from './metric-numbers.js';
import { metricsOf, networkNames } from './network-names.js';
import { TransitionMatrix } from './transition-matrix.js';

export function AccuracySection(): JSX.Element | null {
  const { report } = usePage().document;
  const metrics = metricsOf(report);
  if (metrics.length === 0) return null;
  const isLabelled = metrics.some(({ labels }) => labels !== undefined);
  const tried = 'preprocessings' in report ? report.preprocessings : undefined;
  return (
    <Section id="accuracy" title={isLabelled ? 'Accuracy' : 'Agreement'}>
      {metrics.map((metric, at) => (
        <Metric key={at} metric={metric} isFirst={at === 0} />
      ))}
      {tried === undefined ? null : <Preprocessings tried={tried} unit={metrics[0]?.unit ?? ''} />}
    </Section>
  );
}

function Metric({ metric, isFirst }: { readonly metric: Accuracy; readonly isFirst: boolean }): JSX.Element {
  const { labels, summary, description, decoder, samples, leftOut, transitions } = metric;
  const against =
    labels === undefined
      ? 'of the candidate with the reference, no labels'
      : `against ${labels.source} (${labels.kind})`;
  const withInterval = metric.networks.filter(({ interval }) => interval !== undefined);
  return (
    <div class="metric">
      <h3>
        {metricName(metric.metric)} <span class="quiet">{visible(against)}</span>
      </h3>
      <p>{visible(summary)}</p>
      <p class="lead">
        {visible(description)}; outputs read as {visible(decoder)}; {plural(samples, 'sample')}
        {leftOut === 0 ? '' : `, ${leftOut} left out`}.
      </p>
      {withInterval.length > 1 ? <IntervalChart metric={metric} /> : null}
      <Networks metric={metric} />
      {transitions === undefined ? null : (
        <TransitionMatrix transitions={transitions} names={networkNames(metric)} />
      )}
      {isFirst ? <ClassTable metric={metric} /> : null}
      <Disagreements metric={metric} />
    </div>
  );
}

function Networks({ metric }: { readonly metric: Accuracy }): JSX.Element {
  const { networks, unit, deltaUnit } = metric;
  const columns: Column<ScoredNetwork>[] = [
    { key: 'network', title: 'Network', value: ({ network }) => visible(network) },
    { key: 'title', title: 'Which is', value: ({ title }) => visible(title) },
    {
      key: 'value',
      title: metricName(metric.metric),
      kind: 'number',
      value: ({ value }) => value,
      show: ({ value }) => <strong>{valueText(value, unit)}</strong>,
    },
    {
      key: 'interval',
      title: '95 %',
      hint: 'confidence interval of the value',
      kind: 'number',
      value: ({ interval }) => intervalText(interval, unit),
    },
    {
      key: 'delta',
      title: 'Change',
      hint: 'against the reference, on the same samples',
      kind: 'number',
      value: ({ delta }) => delta,
      show: ({ delta }) => deltaText(delta, deltaUnit),
    },
    {
      key: 'delta-interval',
      title: '95 % of change',
      kind: 'number',
      value: ({ deltaInterval }) => intervalText(deltaInterval, deltaUnit),
    },
    {
      key: 'p',
      title: 'p',
      ...(metric.test === undefined ? {} : { hint: metric.test }),
      kind: 'number',
      value: ({ pValue }) => pValue,
      show: ({ pValue }) => pText(pValue),
    },
    { key: 'standing', title: 'Standing', value: ({ standing }) => standing },
    {
      key: 'paired',
      title: 'Right: only reference / only this',
      hint: 'samples that one of the two gets right',
      value: ({ paired }) =>
        paired === undefined ? undefined : `${paired.onlyReference} / ${paired.onlyCandidate}`,
    },
  ];
  const filled = columns.filter(({ value }) => networks.some((network) => (value(network) ?? '') !== ''));
  return (
    <DataTable
      id={`networks-${metric.metric}`}
      caption={`${metricName(metric.metric)} of every network`}
      file={`qdbg-${metric.metric}`}
      columns={filled}
      rows={networks.filter(({ value }) => value !== undefined || networks.length === 1)}
      rowKey={({ network }) => network}
      plain
    />
  );
}

function Preprocessings({
  tried,
  unit,
}: {
  readonly tried: readonly TriedPreprocessing[];
  readonly unit: Accuracy['unit'];
}): JSX.Element {
  const columns: readonly Column<TriedPreprocessing>[] = [
    { key: 'title', title: 'Preprocessing', value: ({ title }) => visible(title) },
    {
      key: 'value',
      title: 'Reference scores',
      kind: 'number',
      value: ({ value }) => value,
      show: ({ value }) => valueText(value, unit),
    },
    { key: 'interval', title: '95 %', kind: 'number', value: ({ interval }) => intervalText(interval, unit) },
    { key: 'flags', title: 'Flags', value: ({ flags }) => flags.join(' ') },
  ];
  return (
    <>
      <h3>The float network under other preprocessings</h3>
      <DataTable
        id="preprocessings"
        caption="Preprocessings that were tried"
        file="qdbg-preprocessings"
        columns={columns}
        rows={tried}
        rowKey={({ title }) => title}
        plain
      />
    </>
  );
}
