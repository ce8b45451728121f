/** What layers, operator types and groups cost alone, and what keeping each in float gives back. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { SweptUnit } from '../../report/sweep-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, Name, visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { count, percent, plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { Choice } from './choice.js';
import { DotChart } from './dot-chart.js';
import type { DotSeries } from './dot-spec.js';
import {
  amount,
  bytes,
  chanceOf,
  change,
  gainText,
  outputDecibels,
  pointUnit,
  signedCell,
  sortedDecibels,
  worth,
  type SweepPage,
  type SweptMetric,
} from './sweep-numbers.js';
import { axisTitle, levelsOf, measuresOf, valueOf } from './sweep-values.js';

export interface SweepUnitsProps {
  readonly report: SweepPage;
  readonly units: readonly SweptUnit[];
  readonly id: string;
  readonly title: string;
  readonly noun: 'layer' | 'group';
  readonly order: string;
}

const SERIES: readonly DotSeries[] = [
  { key: 'alone', title: 'alone: only it is quantized', form: 'circle', color: 'var(--self)' },
  { key: 'restored', title: 'restored: all but it is quantized', form: 'triangle', color: 'var(--local)' },
];
const MOST_NAMED = 3;

export function SweepUnits({ report, units, id, title, noun, order }: SweepUnitsProps): JSX.Element | null {
  const { selected, select } = usePage();
  const measures = measuresOf(
    report,
    units.flatMap(({ alone, restored }) => [alone, restored]),
  );
  const [wanted, setWanted] = useState(measures[0]?.value);
  const [measure] = measures.filter(({ value }) => value === wanted).concat(measures);
  const measured = units.filter(({ alone, restored }) => alone !== undefined || restored !== undefined);
  if (measured.length === 0) return null;
  const { metric } = report.basis;
  const isSelected = ({ name, tensor }: SweptUnit): boolean =>
    selected !== undefined && (name === selected || tensor === selected);
  const pick = noun === 'layer' ? (name: string) => select(name) : undefined;
  return (
    <Section
      id={id}
      title={title}
      lead="A triangle far from the dashed line is a part that gives much back when it is kept in float. A circle far below float costs much by itself."
    >
      <Gains report={report} units={measured} />
      {measure === undefined ? null : (
        <DotChart
          title={`${title}: ${measure.label} alone and restored`}
          description={`${plural(measured.length, noun)}. The table below has the same numbers.`}
          file={`sweep-${noun}s-${measure.value}`}
          axis={axisTitle(measure.value, metric)}
          order={order}
          rows={measured.map((unit) => ({
            key: unit.name,
            label: unit.name,
            isStrong: isSelected(unit),
            values: [
              ...valueOf('alone', 'alone', unit.alone, measure.value, metric),
              ...valueOf('restored', 'restored', unit.restored, measure.value, metric, report.quantized),
            ],
          }))}
          series={SERIES.filter(({ key }) =>
            measured.some((unit) => unit[key as 'alone' | 'restored'] !== undefined),
          )}
          levels={levelsOf(report, measure.value)}
          inputs={[measured, measure.value, selected]}
          {...(pick === undefined ? {} : { onPick: pick })}
        >
          <Choice name="Measured in" options={measures} chosen={measure.value} onChoose={setWanted} />
        </DotChart>
      )}
      <DataTable
        id={`${id}-table`}
        caption={`${title} of the sweep`}
        file={`sweep-${noun}s`}
        columns={columnsOf(measured, noun, metric)}
        rows={measured}
        rowKey={({ kind, name }) => `${kind} ${name}`}
        isSelected={isSelected}
        {...(pick === undefined ? {} : { onRow: ({ name }: SweptUnit) => pick(name) })}
      />
      <Failures units={units} />
    </Section>
  );
}

/** Those whose restoring gives most, in words. */
function Gains({ report, units }: Pick<SweepUnitsProps, 'report' | 'units'>): JSX.Element | null {
  const { metric } = report.basis;
  const chance = chanceOf(report.quantized);
  const inPoints =
    metric !== undefined && units.some(({ restored }) => Math.abs(restored?.gain ?? 0) > (chance ?? 0));
  const gainOf = ({ restored }: SweptUnit): number =>
    (inPoints ? restored?.gain : restored?.exact === true ? Infinity : restored?.gainDb) ?? -Infinity;
  const best = [...units]
    .filter((unit) => gainOf(unit) > (inPoints ? (chance ?? 0) : 0.1))
    .sort((a, b) => gainOf(b) - gainOf(a))
    .slice(0, MOST_NAMED);
  return (
    <>
      {best.length === 0 ? null : (
        <p class="told">
          Most gained in float:{' '}
          {best.map((unit, at) => (
            <span key={unit.name}>
              {at === 0 ? '' : ', '}
              <LayerName name={unit.name} />{' '}
              <strong>
                {inPoints && metric !== undefined
                  ? change(unit.restored?.gain, pointUnit(metric))
                  : unit.restored?.exact === true
                    ? 'all of it'
                    : gainText(unit.restored?.gainDb, unit.restored ?? {})}
              </strong>
            </span>
          ))}
          . Gains do not add up: the search measures them together.
        </p>
      )}
      {metric === undefined || chance === undefined ? null : (
        <p class="told quiet">
          Over {plural(metric.samples, 'sample')}, less than about {amount(chance, pointUnit(metric))} can be
          chance.
        </p>
      )}
    </>
  );
}

function columnsOf(
  units: readonly SweptUnit[],
  noun: 'layer' | 'group',
  metric: SweptMetric | undefined,
): Column<SweptUnit>[] {
  const all: Column<SweptUnit>[] = [
    {
      key: 'name',
      title: noun === 'layer' ? 'Layer' : 'Type or group',
      value: ({ name }) => name,
      show: ({ name, kind }) => (kind === 'op' ? <Name name={name} /> : <LayerName name={name} />),
    },
    ...(noun === 'layer'
      ? [
          {
            key: 'op',
            title: 'Operator',
            value: ({ op }: SweptUnit) => op,
            show: ({ op }: SweptUnit) => <Name name={op ?? ''} />,
          },
        ]
      : [
          {
            key: 'kind',
            title: 'Kind',
            value: ({ kind }: SweptUnit) => (kind === 'op' ? 'operator type' : 'named group'),
          },
          {
            key: 'layers',
            title: 'Layers',
            kind: 'number' as const,
            value: ({ layers }: SweptUnit) => layers,
          },
        ]),
    {
      key: 'macs',
      title: 'MACs',
      hint: 'share of all multiply-accumulates',
      kind: 'number',
      value: ({ macsShare }) => macsShare,
      show: ({ macsShare }) => (macsShare === undefined ? '–' : percent(macsShare)),
    },
    {
      key: 'bytes',
      title: 'Float costs',
      hint: 'bytes that its weights take more in float',
      kind: 'number',
      value: ({ floatBytes }) => floatBytes,
      show: ({ floatBytes }) => (floatBytes === undefined ? '–' : `+${bytes(floatBytes)}`),
    },
    {
      key: 'alone-db',
      title: 'Alone',
      hint: 'SQNR at the output when only it is quantized; higher is better',
      kind: 'number',
      value: ({ alone }) => (alone === undefined ? undefined : sortedDecibels(alone)),
      show: ({ alone }) => (alone === undefined ? '–' : outputDecibels(alone)),
    },
    ...(metric === undefined ? [] : metricColumns(metric)),
    {
      key: 'restored-db',
      title: 'Restored',
      hint: 'dB that are gained at the output when it is in float and all else is quantized',
      kind: 'number',
      value: ({ restored }) => (restored?.exact === true ? Infinity : restored?.gainDb),
      show: ({ restored }) => (restored === undefined ? '–' : gainText(restored.gainDb, restored)),
    },
    {
      key: 'noise',
      title: 'Noise gone',
      hint: 'share of the noise at the output that is gone when it is in float; below 0 where it grows',
      kind: 'number',
      value: ({ restored }) => restored?.noiseShare,
      show: ({ restored }) =>
        restored?.noiseShare === undefined ? '–' : `${(100 * restored.noiseShare).toFixed(1)} %`,
    },
    {
      key: 'changed',
      title: 'Changed',
      hint: 'share of the answers that are not those of float when it is in float and all else is quantized',
      kind: 'number',
      value: ({ restored, alone }) => (restored ?? alone)?.changedShare,
      show: ({ restored, alone }) => {
        const share = (restored ?? alone)?.changedShare;
        return share === undefined ? '–' : percent(share);
      },
    },
  ];
  return all.filter(({ key, value }) => key === 'name' || units.some((unit) => value(unit) !== undefined));
}

function metricColumns(metric: SweptMetric): Column<SweptUnit>[] {
  const unit = pointUnit(metric);
  const name = metricName(metric.metric);
  return [
    {
      key: 'alone-points',
      title: `Alone, ${unit}`,
      hint: `${name} against float when only it is quantized; below 0 is worse`,
      kind: 'number',
      value: ({ alone }) => worth(alone?.accuracyDelta, metric),
      show: ({ alone }) => signedCell(worth(alone?.accuracyDelta, metric), metric),
    },
    {
      key: 'restored-points',
      title: `Restored, ${unit}`,
      hint: `${name} that is gained when it is in float and all else is quantized`,
      kind: 'number',
      value: ({ restored }) => restored?.gain,
      show: ({ restored }) => signedCell(restored?.gain, metric),
    },
  ];
}

function Failures({ units }: Pick<SweepUnitsProps, 'units'>): JSX.Element | null {
  const failed = units.flatMap(({ name, alone, restored }) => {
    const reason = alone?.failure ?? restored?.failure;
    return reason === undefined ? [] : [{ name, reason }];
  });
  if (failed.length === 0) return null;
  return (
    <details>
      <summary>{count(failed.length)} could not be run</summary>
      <ul>
        {failed.slice(0, 200).map(({ name, reason }) => (
          <li key={name}>
            <LayerName name={name} />: {visible(reason).slice(0, 500)}
          </li>
        ))}
      </ul>
    </details>
  );
}
