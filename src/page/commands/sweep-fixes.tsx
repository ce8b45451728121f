/** Changes of scales, ranges and weights, each measured by itself, and all that help together. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ReportedLaneFix } from '../../report/sweep-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { percent, plural, short } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { Choice } from './choice.js';
import { DotChart } from './dot-chart.js';
import type { DotRow } from './dot-spec.js';
import { NameList } from './name-list.js';
import { Opened } from './opened.js';
import {
  amount,
  bytes,
  effectText,
  gainText,
  pointUnit,
  signedCell,
  type SweepPage,
} from './sweep-numbers.js';
import { axisTitle, levelsOf, measuresOf, valueOf, type Measure } from './sweep-values.js';

/** In the drawing; the table has them all. */
const MOST_DRAWN = 30;

export function SweepFixes({ report }: { readonly report: SweepPage }): JSX.Element | null {
  const { fixes, basis, together } = report;
  const measures = measuresOf(
    report,
    fixes.map(({ effect }) => effect),
  );
  const [wanted, setWanted] = useState(measures[0]?.value);
  const [measure] = measures.filter(({ value }) => value === wanted).concat(measures);
  if (fixes.length === 0) return null;
  const { metric } = basis;
  return (
    <Section
      id="fixes"
      title="Fixes"
      lead="Changes of scales, ranges and weights, each applied by itself to everything quantized and measured. Those without cost at run time come first."
    >
      {together === undefined || together.fixes.length < 2 ? null : (
        <p class="told">
          <strong>{together.fixes.length} together</strong>: {effectText(together.effect, metric)}.
        </p>
      )}
      {measure === undefined ? null : (
        <DotChart
          title={`${measure.label} with each fix`}
          description={`${plural(fixes.length, 'fix').replace(/fixs$/, 'fixes')}. The table below has the same numbers.`}
          file={`sweep-fixes-${measure.value}`}
          axis={axisTitle(measure.value, metric)}
          order="fixes, best for their cost first"
          rows={rowsOf(report, measure.value)}
          series={[
            {
              key: 'fix',
              title: 'with this fix; the line is what it gives back',
              form: 'triangle',
              color: 'var(--local)',
            },
          ]}
          levels={levelsOf(report, measure.value)}
          inputs={[fixes, measure.value]}
        >
          <Choice name="Measured in" options={measures} chosen={measure.value} onChoose={setWanted} />
        </DotChart>
      )}
      <DataTable
        id="fixes-table"
        caption="Fixes that were tried"
        file="sweep-fixes"
        columns={columnsOf(report)}
        rows={fixes}
        rowKey={({ id }) => id}
        isSelected={({ id }) => report.decision?.fixes.includes(id) === true}
      />
    </Section>
  );
}

function rowsOf({ fixes, together, basis, quantized }: SweepPage, measure: Measure): DotRow[] {
  const values = (title: string, { effect }: Pick<ReportedLaneFix, 'effect'>): DotRow['values'] =>
    valueOf('fix', title, effect, measure, basis.metric, quantized);
  return [
    ...(together === undefined || together.fixes.length < 2
      ? []
      : [
          {
            key: 'together',
            label: `${together.fixes.length} fixes together`,
            isStrong: true,
            values: values('together', together),
          },
        ]),
    ...fixes.slice(0, MOST_DRAWN).map((fix) => ({
      key: `fix ${fix.id}`,
      label: inShort(fix.title),
      values: values('with it', fix),
    })),
  ].filter((row) => row.values.length > 0);
}

/** A title without its details, which follow a colon or a semicolon. */
function inShort(title: string): string {
  return title.replace(/[:;] .*$/s, '');
}

/** "none", "4.1 % MACs, +12 kB". */
function costText({ cost: { macsShare, bytes: more } }: ReportedLaneFix): string {
  const parts = [
    ...(macsShare === 0 ? [] : [`${percent(macsShare)} of MACs`]),
    ...(more === 0 ? [] : [`${more > 0 ? '+' : '−'}${bytes(more)}`]),
  ];
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function columnsOf({ fixes, basis: { metric }, decision, together }: SweepPage): Column<ReportedLaneFix>[] {
  const used = ({ id }: ReportedLaneFix): string =>
    decision?.fixes.includes(id) === true
      ? 'in the decision'
      : together?.fixes.includes(id) === true
        ? 'helps with the others'
        : '';
  const all: Column<ReportedLaneFix>[] = [
    {
      key: 'title',
      title: 'Fix',
      value: ({ title }) => title,
      show: ({ title, places }) => (
        <>
          {visible(title)}
          {places.length === 0 ? null : (
            <Opened summary={<>{plural(places.length, 'place')}</>}>
              {() => <NameList names={places} first={40} longest={40} />}
            </Opened>
          )}
        </>
      ),
    },
    {
      key: 'use',
      title: 'Used',
      value: (fix) => (used(fix) === '' ? undefined : used(fix)),
      show: (fix) => used(fix),
    },
    ...(metric === undefined
      ? []
      : [
          {
            key: 'gain',
            title: `Gain, ${pointUnit(metric)}`,
            hint: 'beside everything quantized',
            kind: 'number' as const,
            value: ({ gain }: ReportedLaneFix) => gain,
            show: ({ gain }: ReportedLaneFix) => signedCell(gain, metric),
          },
          {
            key: 'metric',
            title: metricName(metric.metric),
            kind: 'number' as const,
            value: ({ effect }: ReportedLaneFix) => effect.accuracy,
            show: ({ effect }: ReportedLaneFix) => amount(effect.accuracy, metric.unit),
          },
        ]),
    {
      key: 'gain-db',
      title: 'Gain, SQNR',
      hint: 'at the output, beside everything quantized',
      kind: 'number',
      value: ({ gainDb, effect }) => (effect.exact === true ? Infinity : gainDb),
      show: ({ gainDb, effect }) => gainText(gainDb, effect),
    },
    {
      key: 'cost',
      title: 'Cost at run time',
      hint: 'multiply-accumulates in higher precision, and bytes more',
      value: costText,
    },
    {
      key: 'per-cost',
      title: 'Gain per cost',
      kind: 'number',
      value: ({ gainPerCost }) => gainPerCost,
      show: ({ gainPerCost }) => (gainPerCost === undefined ? '–' : short(gainPerCost)),
    },
  ];
  return all.filter(({ key, value }) => key === 'title' || fixes.some((fix) => value(fix) !== undefined));
}
