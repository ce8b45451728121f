/** Weights and biases with what their quantization costs. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, Name } from '../frame/layer-name.js';
import { count, decibels, percent, signed } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { weightRows, type WeightRow } from './weight-rows.js';

export function WeightTable(): JSX.Element | null {
  const { document, layers, layer, select } = usePage();
  const rows = useMemo(() => weightRows(layers), [layers]);
  const columns = useMemo(
    () =>
      COLUMNS.filter(({ key, value }) => key === 'tensor' || rows.some((row) => value(row) !== undefined)),
    [rows],
  );
  // A comparison holds constants against those of the reference, in a table of its own.
  if (rows.length === 0 || document.report.command === 'compare') return null;
  return (
    <Section
      id="weights"
      title="Weights and biases"
      lead="Constants of the layers. Where one scale per channel gives many dB, or channels are dead, the weight is better quantized per axis."
    >
      <DataTable
        id="weight-table"
        caption="Numbers of weights and biases"
        file="weights"
        columns={columns}
        rows={rows}
        rowKey={({ key }) => key}
        isSelected={(row) => row.layer === layer}
        onRow={(row) => select(row.layer.tensor)}
      />
    </Section>
  );
}

const COLUMNS: readonly Column<WeightRow>[] = [
  {
    key: 'tensor',
    title: 'Constant',
    value: ({ tensor }) => tensor,
    show: ({ tensor }) => <Name name={tensor} longest={48} />,
  },
  {
    key: 'layer',
    title: 'Layer',
    hint: 'Layer that it belongs to',
    value: ({ layer }) => layer.tensor,
    show: ({ layer }) => <LayerName name={layer.tensor} longest={36} />,
  },
  {
    key: 'self',
    title: 'Self',
    hint: 'SQNR of the constant as it is quantized here; higher is better',
    kind: 'number',
    value: ({ self }) => (self?.exact === true ? Infinity : self?.sqnrDb),
    show: ({ self }) => (self === undefined ? null : decibels(self)),
  },
  {
    key: 'perTensor',
    title: 'One scale',
    hint: 'SQNR in int8 with one scale for the whole tensor',
    kind: 'number',
    value: ({ perTensorDb }) => perTensorDb,
    show: ({ perTensorDb }) => (perTensorDb === undefined ? null : `${perTensorDb.toFixed(1)} dB`),
  },
  {
    key: 'perAxis',
    title: 'Scale per channel',
    hint: 'SQNR in int8 with one scale for each output channel',
    kind: 'number',
    value: ({ perAxisDb }) => perAxisDb,
    show: ({ perAxisDb }) => (perAxisDb === undefined ? null : `${perAxisDb.toFixed(1)} dB`),
  },
  {
    key: 'gain',
    title: 'Gain',
    hint: 'What a scale per channel gives beside one scale',
    kind: 'number',
    value: ({ gainDb }) => gainDb,
    show: ({ gainDb }) => (gainDb === undefined ? null : <strong>{signed(gainDb)} dB</strong>),
  },
  {
    key: 'outliers',
    title: 'Outlier channels',
    hint: 'Channels whose largest magnitude lies far beyond that of the others: they take the range',
    kind: 'number',
    value: ({ outliers }) => outliers,
    show: ({ outliers, outlierNumbers }) => <Channels number={outliers} numbers={outlierNumbers} />,
  },
  {
    key: 'dead',
    title: 'Dead channels',
    hint: 'Channels that one scale rounds to 0 altogether',
    kind: 'number',
    value: ({ dead }) => dead,
    show: ({ dead, channels }) =>
      dead === undefined
        ? null
        : dead === 0 || channels === undefined
          ? count(dead)
          : `${count(dead)} (${percent(dead / channels)})`,
  },
  {
    key: 'channels',
    title: 'Channels',
    kind: 'number',
    value: ({ channels }) => channels,
    show: ({ channels }) => (channels === undefined ? null : count(channels)),
  },
  { key: 'role', title: 'Role', value: ({ role }) => role },
  {
    key: 'dtype',
    title: 'Type',
    hint: 'Type of its codes, and how many scales it has',
    value: ({ dtype }) => dtype,
  },
  { key: 'scales', title: 'Scales', value: ({ scales }) => scales },
];

const MOST = 4;

function Channels({
  number,
  numbers,
}: {
  readonly number: number | undefined;
  readonly numbers: readonly number[];
}): JSX.Element | null {
  if (number === undefined) return null;
  if (number === 0) return <>0</>;
  const shown = numbers.slice(0, MOST).join(', ');
  return (
    <>
      {count(number)} <span class="quiet">({number > MOST ? `${shown}, …` : shown})</span>
    </>
  );
}
