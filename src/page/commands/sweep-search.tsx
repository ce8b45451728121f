/** The search for the fewest layers in higher precision: every set that was evaluated, and which was chosen. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ReportedSearch } from '../../report/sweep-report.js';
import { Chart } from '../frame/chart.js';
import { DataTable } from '../frame/data-table.js';
import { visible } from '../frame/layer-name.js';
import { count, percent, plural } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { Choice } from './choice.js';
import type { Level } from './dot-spec.js';
import { Line, Sign } from './legend.js';
import { NameList } from './name-list.js';
import { costsOf, metText, paretoPoints, targetDrop, type Cost } from './pareto.js';
import { drawPareto } from './pareto-plot.js';
import { amount, bytes, effectText, pointUnit, precision, type SweepPage } from './sweep-numbers.js';
import { setColumns } from './sweep-sets.js';

export function SweepSearch({ report }: { readonly report: SweepPage }): JSX.Element | null {
  const { search } = report;
  return search === undefined || search.points.length === 0 ? null : (
    <Search report={report} search={search} />
  );
}

interface SearchProps {
  readonly report: SweepPage;
  readonly search: ReportedSearch;
}

function Search({ report, search }: SearchProps): JSX.Element {
  const { metric } = report.basis;
  const costs = costsOf(search);
  const [wanted, setWanted] = useState<Cost>(costs[0] ?? 'macs');
  const [view, setView] = useState<'all' | 'near'>('all');
  const points = useMemo(() => paretoPoints(search, wanted), [search, wanted]);
  const limit = targetDrop(report);
  const near = limit === undefined || limit <= 0 ? undefined : 4 * limit;
  const unit = dropUnit(report, search);
  const to = precision(search.to);
  const hasBeyond = near !== undefined && points.some(({ drop = 0 }) => drop > near);
  return (
    <Section
      id="search"
      title={`Search for the target of ${visible(search.target)}`}
      lead={`Sets of layers ${to} that were evaluated: ${count(points.length)}. To the left is cheaper, down is better; the line joins those that no other betters.`}
    >
      <Answer report={report} search={search} />
      <Chart
        title={`What sets of layers ${to} cost and leave lost`}
        description={`${plural(points.length, 'set')}; the table below has the same numbers.`}
        file="sweep-search"
        inputs={[points, view, limit]}
        draw={(width) =>
          drawPareto(
            {
              points,
              levels: levelsOf(report, limit, unit),
              costTitle:
                wanted === 'macs' ? `multiply-accumulates ${to} (% of all)` : 'bytes of weights more',
              dropTitle: unit === 'dB' ? 'SQNR missing (dB)' : `drop against float (${unit})`,
              most: view === 'near' ? near : undefined,
              tell: (point) => `${metText(point)}: ${effectText(point.effect, metric)}`,
            },
            width,
          )
        }
        data={() => ({
          titles: ['layers', 'macs share', 'extra bytes', 'drop', 'drop low', 'drop high', 'target', 'names'],
          rows: points.map(({ layers, macsShare, extraBytes, drop, dropInterval, ...point }) => [
            layers.length,
            macsShare,
            extraBytes,
            drop,
            dropInterval?.[0],
            dropInterval?.[1],
            metText(search.points[point.at] ?? { ...point, layers, macsShare, extraBytes }),
            layers.join(' '),
          ]),
        })}
      >
        <Choice
          name="Cost"
          options={costs.map((value) => ({ value, label: value === 'macs' ? 'MACs' : 'bytes' }))}
          chosen={wanted}
          onChoose={setWanted}
        />
        {hasBeyond ? (
          <Choice
            name="Drops"
            options={[
              { value: 'all', label: 'all' },
              { value: 'near', label: 'near the target' },
            ]}
            chosen={view}
            onChoose={setView}
          />
        ) : null}
        <PointLegend report={report} search={search} limit={limit} unit={unit} />
      </Chart>
      <p class="told">Stopped: {visible(search.stopped)}.</p>
      <DataTable
        id="search-table"
        caption="Sets of layers that were evaluated"
        file="sweep-sets"
        columns={setColumns(points, report, unit)}
        rows={points}
        rowKey={({ at }) => String(at)}
        isSelected={({ isChosen }) => isChosen}
      />
    </Section>
  );
}

/** What drops are counted in: points, dB of SQNR that are missing, or the metric itself. */
function dropUnit({ basis, accuracy }: SweepPage, { target }: ReportedSearch): string {
  if (/db\s*$/i.test(target) && accuracy?.reference === undefined) return 'dB';
  return basis.metric === undefined ? 'pt of answers changed' : pointUnit(basis.metric);
}

function Answer({ report, search }: SearchProps): JSX.Element | null {
  const { metric } = report.basis;
  const at = search.chosen ?? search.best;
  const point = at === undefined ? undefined : search.points[at];
  if (point === undefined) return <p class="told">None of the sets that were tried is within the target.</p>;
  const { layers, macsShare, extraBytes } = point;
  return (
    <div class="answer">
      <p>
        {search.chosen === undefined ? 'No set is within the target; the closest: ' : 'Chosen: '}
        <strong>
          {layers.length === 0
            ? 'no layer has to be moved'
            : `${count(layers.length)} of ${plural(report.layers.length, 'layer')} ${precision(search.to)}`}
        </strong>
        {layers.length === 0
          ? ''
          : `, ${percent(macsShare)} of the multiply-accumulates, ${bytes(extraBytes)} more`}
        : {effectText(point.effect, metric)}
        {metText(point) === 'met, unsure'
          ? '. Unsure: with so few samples the drop may also be more than the target.'
          : ''}
      </p>
      {layers.length === 0 ? null : <NameList names={layers} />}
    </div>
  );
}

function levelsOf(report: SweepPage, limit: number | undefined, unit: string): Level[] {
  const everything = report.search?.points.find(({ layers }) => layers.length === 0)?.drop;
  return [
    ...(unit === 'dB' ? [] : [{ value: 0, title: 'float', form: 'solid' as const }]),
    ...(everything === undefined
      ? []
      : [
          {
            value: everything,
            title: `everything quantized ${amount(everything, unitShown(unit))}`,
            form: 'dashed' as const,
          },
        ]),
    ...(limit === undefined
      ? []
      : [{ value: limit, title: `target ${visible(report.search?.target ?? '')}`, form: 'dotted' as const }]),
  ];
}

function unitShown(unit: string): string {
  return unit.startsWith('pt') ? 'pt' : unit;
}

function PointLegend({
  report,
  limit,
  unit,
}: SearchProps & { readonly limit: number | undefined; readonly unit: string }): JSX.Element {
  const points = report.search?.points ?? [];
  const has = (text: string): boolean => points.some((point) => metText(point) === text);
  return (
    <ul class="chart-legend">
      {has('met') ? (
        <li>
          <Sign form="circle" color="var(--self)" /> target met
        </li>
      ) : null}
      {has('met, unsure') ? (
        <li>
          <Sign form="circle" color="var(--self)" isHollow /> met, unsure
        </li>
      ) : null}
      {has('missed') ? (
        <li>
          <Sign form="cross" color="var(--local)" /> missed
        </li>
      ) : null}
      {levelsOf(report, limit, unit).map(({ title, form }) => (
        <li key={title}>
          <Line form={form} /> {title}
        </li>
      ))}
    </ul>
  );
}
