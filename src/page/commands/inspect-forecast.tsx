/** What int8 would do to the weights, known without data. */
import type { JSX } from 'preact';
import type { ForecastLayer, InspectedModel, WeightForecast } from '../../report/inspect-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { Name } from '../frame/layer-name.js';
import { count } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { DotChart } from './dot-chart.js';
import type { DotValue } from './dot-spec.js';
import { listed } from './inspect-layers.js';

export function InspectForecast({ model }: { readonly model: InspectedModel }): JSX.Element {
  const { forecast } = model;
  const { layers, fewLevels } = forecast;
  const { selected, select } = usePage();
  const drawn = layers.filter(
    ({ perTensorSqnrDb, perAxisSqnrDb }) => (perTensorSqnrDb ?? perAxisSqnrDb) !== undefined,
  );
  return (
    <Section
      id="forecast"
      title="Weights as int8"
      lead={`Forecast without data: symmetric, min-max, one scale per tensor. A channel with fewer than ${fewLevels} of 256 levels counts as lost.`}
    >
      <p class="told">
        <strong>{forecastText(forecast)}</strong>
      </p>
      {drawn.length === 0 ? null : (
        <DotChart
          title="SQNR of weights as int8"
          description="Of layers with lost channels, worst first. The table below has the same numbers."
          file="inspect-forecast"
          axis="SQNR of the weight (dB), higher is better"
          order="layers, worst first"
          rows={drawn.map(({ node, perTensorSqnrDb, perAxisSqnrDb, unusable }) => ({
            key: node,
            label: node,
            isStrong: unusable || node === selected,
            values: [
              ...valueOf('tensor', 'one scale', perTensorSqnrDb),
              ...valueOf('axis', 'one per channel', perAxisSqnrDb, perTensorSqnrDb),
            ],
          }))}
          series={[
            { key: 'tensor', title: 'one scale for all channels', form: 'circle', color: 'var(--self)' },
            { key: 'axis', title: 'one per channel', form: 'triangle', color: 'var(--local)' },
          ]}
          isTogether
          levels={[]}
          inputs={[layers, selected]}
        />
      )}
      {layers.length === 0 ? null : (
        <DataTable
          id="forecast-table"
          caption="Layers that would lose channels"
          file="inspect-forecast"
          columns={COLUMNS}
          rows={layers}
          rowKey={({ node, tensor }) => `${node} ${tensor}`}
          isSelected={({ node }) => node === selected}
          onRow={({ node }) => select(node)}
        />
      )}
    </Section>
  );
}

function valueOf(series: string, what: string, value: number | undefined, from?: number): DotValue[] {
  return value === undefined
    ? []
    : [{ series, value, text: `${what}: ${value.toFixed(1)} dB`, ...(from === undefined ? {} : { from }) }];
}

function forecastText({ weights, fewLevels, layers }: WeightForecast): string {
  if (weights === 0) return 'No layer has float weights.';
  const few = `fewer than ${fewLevels} of 256 levels`;
  if (layers.length === 0) return `No channel of the ${count(weights)} weights would have ${few}.`;
  const unusable = layers.filter((layer) => layer.unusable).length;
  return (
    `${count(layers.length)} of ${count(weights)} weights would have channels with ${few}` +
    `${unusable === 0 ? '' : `, and ${count(unusable)} depthwise would be unusable`}; one scale per channel (--per-axis) keeps them.`
  );
}

const COLUMNS: readonly Column<ForecastLayer>[] = [
  { key: 'node', title: 'Layer', value: ({ node }) => node, show: ({ node }) => <Name name={node} /> },
  { key: 'op', title: 'Operator', value: ({ op, depthwise }) => (depthwise ? 'depthwise' : op) },
  { key: 'channels', title: 'Channels', kind: 'number', value: ({ channels }) => channels },
  {
    key: 'lost',
    title: 'Lost',
    hint: 'channels with few levels',
    kind: 'number',
    value: ({ fewLevelChannels }) => fewLevelChannels.length,
  },
  {
    key: 'levels',
    title: 'Fewest levels',
    hint: 'steps that the quietest channel has of 256',
    kind: 'number',
    value: ({ fewestLevels }) => fewestLevels,
    show: ({ fewestLevels }) => fewestLevels.toFixed(1),
  },
  dbColumn('per-tensor', 'One scale', ({ perTensorSqnrDb }) => perTensorSqnrDb),
  dbColumn('per-axis', 'One per channel', ({ perAxisSqnrDb }) => perAxisSqnrDb),
  { key: 'which', title: 'Lost channels', value: ({ fewLevelChannels }) => listed(fewLevelChannels, 12) },
  {
    key: 'unusable',
    title: 'Told',
    value: ({ unusable }) => (unusable ? 'unusable' : ''),
    show: ({ unusable }) => (unusable ? <strong>▲ unusable</strong> : ''),
  },
];

function dbColumn(
  key: string,
  title: string,
  value: (layer: ForecastLayer) => number | undefined,
): Column<ForecastLayer> {
  return {
    key,
    title,
    hint: 'SQNR of the weight; higher is better',
    kind: 'number',
    value,
    show: (layer) => {
      const db = value(layer);
      return db === undefined ? '–' : `${db.toFixed(1)} dB`;
    },
  };
}
