/** Columns of the sets of layers that a search evaluated. */
import type { JSX } from 'preact';
import type { Column } from '../frame/data-table.js';
import { LayerName, visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { percent, plural } from '../frame/numbers.js';
import { NameList } from './name-list.js';
import { Opened } from './opened.js';
import { metText, type ParetoPoint } from './pareto.js';
import {
  amount,
  bytes,
  interval,
  outputDecibels,
  pointsCell,
  sortedDecibels,
  type SweepPage,
} from './sweep-numbers.js';

/** @param unit of drops */
export function setColumns(
  points: readonly ParetoPoint[],
  { basis: { metric } }: SweepPage,
  unit: string,
): Column<ParetoPoint>[] {
  const all: Column<ParetoPoint>[] = [
    { key: 'at', title: '#', hint: 'order of evaluation', kind: 'number', value: ({ at }) => at + 1 },
    { key: 'layers', title: 'Layers', kind: 'number', value: ({ layers }) => layers.length },
    {
      key: 'macs',
      title: 'MACs',
      hint: 'share of all multiply-accumulates in higher precision',
      kind: 'number',
      value: ({ macsShare }) => macsShare,
      show: ({ macsShare }) => percent(macsShare),
    },
    {
      key: 'bytes',
      title: 'Bytes',
      hint: 'of weights, beyond everything quantized',
      kind: 'number',
      value: ({ extraBytes }) => extraBytes,
      show: ({ extraBytes }) => (extraBytes === 0 ? '0' : `+${bytes(extraBytes)}`),
    },
    ...(metric === undefined
      ? []
      : [
          {
            key: 'metric',
            title: metricName(metric.metric),
            kind: 'number' as const,
            value: ({ effect }: ParetoPoint) => effect.accuracy,
            show: ({ effect }: ParetoPoint) => amount(effect.accuracy, metric.unit),
          },
        ]),
    {
      key: 'drop',
      title: unit === 'dB' ? 'Missing, dB' : `Drop, ${unit}`,
      hint: 'against float; above 0 is worse',
      kind: 'number',
      value: ({ drop }) => drop,
      show: ({ drop }) => pointsCell(drop, { deltaUnit: unit === 'dB' || unit.startsWith('pt') ? 'pt' : '' }),
    },
    {
      key: 'interval',
      title: '95 % of the drop',
      kind: 'number',
      hint: 'what the drop could be, given so few samples',
      value: ({ dropInterval }) => (dropInterval === undefined ? undefined : interval(dropInterval, unit)),
    },
    {
      key: 'sqnr',
      title: 'SQNR',
      kind: 'number',
      value: ({ effect }) => sortedDecibels(effect),
      show: ({ effect }) => outputDecibels(effect),
    },
    {
      key: 'target',
      title: 'Target',
      value: (point) => (point.isChosen ? `${metText(point)}, chosen` : metText(point)),
      show: (point) => (point.isChosen ? <strong>{metText(point)}, chosen</strong> : metText(point)),
    },
    {
      key: 'pareto',
      title: 'Pareto',
      hint: 'no other set that was evaluated costs less and keeps more',
      value: ({ isPareto }) => (isPareto ? 'yes' : ''),
    },
    {
      key: 'names',
      title: 'In higher precision',
      value: ({ layers }) => layers.join(' '),
      show: ({ layers }) => <SetNames layers={layers} />,
    },
  ];
  return all.filter(({ value }) => points.some((point) => value(point) !== undefined));
}

function SetNames({ layers }: { readonly layers: readonly string[] }): JSX.Element {
  const [first] = layers;
  if (first === undefined) return <span class="quiet">none</span>;
  if (layers.length === 1) return <LayerName name={first} longest={40} />;
  return (
    <Opened
      summary={
        <>
          {plural(layers.length, 'layer')}: {visible(first).slice(0, 24)}…
        </>
      }
    >
      {() => <NameList names={layers} first={100} longest={40} />}
    </Opened>
  );
}
