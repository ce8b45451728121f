/** How wide the ranges of weights are, model beside model. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import type { InspectedModel, ModelWeightRanges, WeightRanges } from '../../report/inspect-report.js';
import { Chart } from '../frame/chart.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, Name } from '../frame/layer-name.js';
import { percent, short } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { STYLE, TIP } from './dot-drawing.js';
import { letterOf, tailOf } from './inspect-files.js';

const HEIGHT = 90;
const MOST_DRAWN = 12;

interface Bar {
  readonly model: string;
  readonly bin: string;
  readonly share: number;
  readonly title: string;
}

interface Row extends ModelWeightRanges {
  readonly letter: string;
  readonly path: string;
}

export function InspectRanges({
  models,
  ranges,
}: {
  readonly models: readonly InspectedModel[];
  readonly ranges: WeightRanges;
}): JSX.Element {
  const rows = ranges.models.map((own, at): Row => ({
    ...own,
    letter: letterOf(at),
    path: models[at]?.path ?? '',
  }));
  const { edges } = ranges;
  const bins = edges.slice(1).map((top, at) => `${short(edges[at] ?? 0)} to ${short(top)}`);
  const what = ranges.of === 'convolutions' ? 'convolution' : 'weighted layer';
  const drawn = rows.slice(0, MOST_DRAWN);
  const bars = drawn.flatMap((row): Bar[] =>
    row.counts.flatMap((many, bin) =>
      many === 0
        ? []
        : [
            {
              model: row.letter,
              bin: bins[bin] ?? '',
              share: row.layers === 0 ? 0 : (100 * many) / row.layers,
              title: `${row.letter} ${tailOf(row.path)}\n${bins[bin] ?? ''}: ${many} of ${row.layers}`,
            },
          ],
    ),
  );
  return (
    <Section
      id="ranges"
      title="Ranges of weights"
      lead={`Largest minus smallest weight of each ${what}. Models that quantize alike have ranges alike; a few far to the right are outliers that cost 8-bit scales.`}
    >
      {bins.length === 0 ? null : (
        <Chart
          title="How many layers have which range"
          description={`Shares of the layers of each model, in ${bins.length} bins. The table below has their medians.`}
          file="inspect-ranges"
          inputs={[ranges]}
          draw={(width) =>
            Plot.plot({
              width,
              height: HEIGHT * drawn.length + 70,
              marginLeft: 46,
              marginRight: 24,
              marginBottom: 56,
              style: STYLE,
              x: { type: 'band', domain: bins, label: 'largest − smallest weight', tickRotate: -35 },
              y: { label: 'layers (%)', ticks: 3, nice: true, zero: true },
              fy: { domain: drawn.map(({ letter }) => letter), label: null, padding: 0.15 },
              marks: [
                Plot.gridY({ stroke: 'var(--line)', strokeOpacity: 1, ticks: 3 }),
                Plot.axisY({ color: 'var(--quiet)', ticks: 3 }),
                Plot.axisX({
                  color: 'var(--quiet)',
                  tickRotate: -35,
                  ticks: bins.filter(
                    (_, at) => at % Math.max(1, Math.ceil((bins.length * 34) / width)) === 0,
                  ),
                }),
                Plot.barY(bars, { x: 'bin', y: 'share', fy: 'model', fill: 'var(--self)' }),
                Plot.ruleY([0], { stroke: 'var(--quiet)' }),
                Plot.tip(bars, Plot.pointer({ x: 'bin', y: 'share', fy: 'model', title: 'title', ...TIP })),
              ],
            })
          }
          data={() => ({
            titles: ['model', 'bin', 'layers'],
            rows: rows.flatMap(({ letter, counts }) => counts.map((many, bin) => [letter, bins[bin], many])),
          })}
        />
      )}
      <DataTable
        id="ranges-table"
        caption="Ranges of weights by model"
        file="inspect-ranges-by-model"
        columns={COLUMNS}
        rows={rows}
        rowKey={({ letter }) => letter}
        plain
      />
    </Section>
  );
}

const number = (key: 'median' | 'p95' | 'max', title: string): Column<Row> => ({
  key,
  title,
  kind: 'number',
  value: (row) => row[key],
  show: (row) => (row[key] === undefined ? '–' : short(row[key])),
});

const COLUMNS: readonly Column<Row>[] = [
  { key: 'letter', title: 'Letter', value: ({ letter }) => letter },
  {
    key: 'path',
    title: 'Model',
    value: ({ path }) => path,
    show: ({ path }) => <Name name={path} longest={80} />,
  },
  { key: 'layers', title: 'Layers', kind: 'number', value: ({ layers }) => layers },
  number('median', 'Median'),
  number('p95', '95 % below'),
  number('max', 'Widest'),
  {
    key: 'widest',
    title: 'Widest layer',
    value: ({ widest }) => widest,
    show: ({ widest }) => (widest === undefined ? '–' : <LayerName name={widest} />),
  },
  {
    key: 'far',
    title: 'Far out',
    hint: 'layers whose range is more than 20 times the median',
    kind: 'number',
    value: ({ farOut }) => farOut.length,
    show: ({ farOut, layers }) =>
      farOut.length === 0
        ? '0'
        : `▲ ${farOut.length} (${percent(layers === 0 ? 0 : farOut.length / layers)})`,
  },
];
