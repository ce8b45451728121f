/** SQNR of the channels of an activation. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ReportedChannel } from '../../report/report.js';
import { Chart } from '../frame/chart.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { fileName } from '../frame/download.js';
import { count, decibels, plural, short } from '../frame/numbers.js';
import { channelDb, drawChannelSqnr } from './channel-plot.js';
import { SERIES, type LayerTensor, type Series } from './layer.js';
import { SeriesButtons, toggled } from './series-form.js';

/** Channels that are named. */
const WORST = 3;

interface Row {
  /** Of the channel in the tensor. */
  readonly index: number;
  readonly channel: ReportedChannel;
}

export function LayerChannels({ tensor }: { readonly tensor: LayerTensor }): JSX.Element | null {
  const [shown, setShown] = useState<readonly Series[]>(SERIES);
  const values = tensor.channels?.values ?? [];
  const present = SERIES.filter((series) =>
    values.some((channel) => channelDb(channel, series) !== undefined),
  );
  if (present.length === 0) return null;
  const seen = shown.filter((series) => present.includes(series));
  const decisive = (['local', 'self', 'cumulative'] as const).find((series) => present.includes(series));
  const worst = decisive === undefined ? [] : worstOf(values, decisive);
  const isGapped = values.some((channel) => seen.some((series) => channelDb(channel, series) === undefined));
  // A page may have the worst and some others only.
  const { kept, channelCount = values.length } = tensor.channels ?? {};
  const numbers = values.map((_, position) => kept?.[position] ?? position);
  const rows = values.map((channel, position): Row => ({ index: numbers[position] ?? position, channel }));
  return (
    <section class="panel-part">
      <h3>Channels</h3>
      <Chart
        title="SQNR per channel"
        description={`${keptText(values.length, channelCount)} along axis ${tensor.channels?.axis ?? 0}. The table below has the same numbers.`}
        file={fileName(tensor.tensor, 'channels')}
        inputs={[tensor, shown]}
        draw={(width) => drawChannelSqnr(values, numbers, seen, worst, width)}
        data={() => ({
          titles: ['channel', 'min', 'max', ...present.map((series) => `${series} SQNR (dB)`)],
          rows: rows.map(({ index, channel }) => [
            index,
            channel.min,
            channel.max,
            ...present.map((series) => channelDb(channel, series)),
          ]),
        })}
      >
        <SeriesButtons
          present={present}
          shown={shown}
          onToggle={(series) => setShown(toggled(shown, series))}
        />
      </Chart>
      {decisive === undefined ? null : (
        <p class="reading">
          Lowest {decisive}:{' '}
          {worst
            .map((position) => `#${numbers[position] ?? position} ${dbText(values[position], decisive)}`)
            .join(', ')}
          .{isGapped ? ' Channels without a dot are exact or have no signal.' : ''}
          {kept === undefined ? '' : ` Shown are ${keptText(values.length, channelCount)}.`}
        </p>
      )}
      <details>
        <summary>Table of channels</summary>
        <DataTable
          id="layer-channels"
          caption="Channels"
          file={fileName(tensor.tensor, 'channels')}
          columns={columnsOf(present)}
          rows={rows}
          rowKey={({ index }) => String(index)}
          plain
        />
      </details>
    </section>
  );
}

function keptText(shown: number, channels: number): string {
  return shown === channels
    ? plural(channels, 'channel')
    : `${count(shown)} of ${plural(channels, 'channel')}`;
}

function columnsOf(present: readonly Series[]): Column<Row>[] {
  return [
    { key: 'channel', title: '#', kind: 'number', value: ({ index }) => index },
    {
      key: 'min',
      title: 'min',
      kind: 'number',
      value: ({ channel }) => channel.min,
      show: ({ channel }) => short(channel.min),
    },
    {
      key: 'max',
      title: 'max',
      kind: 'number',
      value: ({ channel }) => channel.max,
      show: ({ channel }) => short(channel.max),
    },
    ...present.map((series): Column<Row> => ({
      key: series,
      title: series,
      hint: 'SQNR, dB',
      kind: 'number',
      value: ({ channel }) => channelDb(channel, series),
      show: ({ channel }) => dbText(channel, series),
    })),
  ];
}

function dbText(channel: ReportedChannel | undefined, series: Series): string {
  const sqnrDb = channel === undefined ? undefined : channelDb(channel, series);
  return sqnrDb === undefined ? '–' : decibels({ sqnrDb });
}

/** Positions of the channels with the lowest SQNR, lowest first. */
function worstOf(channels: readonly ReportedChannel[], series: Series): number[] {
  return channels
    .flatMap((channel, index) => {
      const db = channelDb(channel, series);
      return db === undefined ? [] : [{ index, db }];
    })
    .sort((a, b) => a.db - b.db)
    .slice(0, WORST)
    .map(({ index }) => index);
}
