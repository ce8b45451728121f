/** Columns of the table of layers: those that say something in this report. */
import type { JSX } from 'preact';
import type { Column } from '../frame/data-table.js';
import { LayerName, Name } from '../frame/layer-name.js';
import { count, decibels, percent, short, signed } from '../frame/numbers.js';
import { worstSeverity } from './finding-places.js';
import { SERIES, SERIES_TEXT, type Layer, type Series } from './layer.js';
import { operatorOf, sortedSqnr, type LayerRow } from './layer-rows.js';

export function layerColumns(rows: readonly LayerRow[]): readonly Column<LayerRow>[] {
  return COLUMNS.filter(
    (column) => column.key === 'layer' || rows.some((row) => column.value(row) !== undefined),
  );
}

const measuredOf = ({ activation: { cumulative, local, self } }: Layer): Layer['activation']['self'] =>
  cumulative ?? local ?? self;

const COLUMNS: readonly Column<LayerRow>[] = [
  {
    key: 'order',
    title: '#',
    hint: 'Place in the order of computation',
    kind: 'number',
    value: ({ order }) => order,
  },
  {
    key: 'layer',
    title: 'Layer',
    hint: 'Tensor that the layer writes, as the file calls it',
    value: ({ layer }) => layer.tensor,
    show: ({ layer }) => <LayerName name={layer.tensor} longest={44} />,
  },
  {
    key: 'reference',
    title: 'Reference',
    hint: 'Tensor of the reference that it should equal, where it is called otherwise',
    value: ({ layer: { activation, tensor } }) =>
      activation.reference === tensor ? undefined : activation.reference,
    show: ({ layer: { activation, tensor } }) =>
      activation.reference === undefined ? null : activation.reference === tensor ? (
        <span class="quiet">same name</span>
      ) : (
        <Name name={activation.reference} longest={44} />
      ),
  },
  {
    key: 'layout',
    title: 'Axes',
    hint: 'How the axes of the reference were brought into the order of the candidate',
    value: ({ layer: { activation } }) => activation.layout,
  },
  {
    key: 'op',
    title: 'Operator',
    hint: 'Operators of the file, those that are fused joined by +',
    value: ({ layer }) => operatorOf(layer),
    show: ({ layer }) => <Name name={operatorOf(layer)} longest={30} />,
  },
  ...SERIES.map((series): Column<LayerRow> => ({
    key: series,
    title: `${series[0]?.toUpperCase() ?? ''}${series.slice(1)}`,
    hint: `SQNR, higher is better: ${SERIES_TEXT[series]}`,
    kind: 'number',
    value: ({ layer }) => sortedSqnr(layer, series),
    show: ({ layer }) => <SqnrCell layer={layer} series={series} />,
  })),
  {
    key: 'findings',
    title: 'Findings',
    hint: 'Findings about this layer, the worst named',
    value: ({ findings }) => (findings.length === 0 ? undefined : findings.length),
    show: ({ findings }) => {
      const severity = worstSeverity(findings);
      return severity === undefined ? null : (
        <span class={`worst-finding ${severity}`}>
          {severity}
          {findings.length === 1 ? '' : ` and ${count(findings.length - 1)} more`}
        </span>
      );
    },
  },
  {
    key: 'worst',
    title: 'Worst sample',
    hint: 'Sample with the lowest SQNR: of cumulative, or where that was not measured of local or self',
    kind: 'number',
    value: ({ layer }) => measuredOf(layer)?.worstSqnrDb,
    show: ({ layer }) => {
      const { worstSqnrDb, worstSample } = measuredOf(layer) ?? {};
      if (worstSample === undefined) return null;
      return (
        <>
          {worstSqnrDb === undefined ? '–' : `${worstSqnrDb.toFixed(1)} dB`}
          <span class="sample quiet">
            <Name name={worstSample} longest={18} />
          </span>
        </>
      );
    },
  },
  {
    key: 'clipped',
    title: 'Clipped',
    hint: 'Share of the values outside the quantized range',
    kind: 'number',
    value: ({ layer: { activation } }) =>
      (activation.self ?? activation.local ?? activation.cumulative)?.clippedShare,
    show: ({ layer: { activation } }) => {
      const share = (activation.self ?? activation.local ?? activation.cumulative)?.clippedShare;
      return share === undefined ? null : percent(share);
    },
  },
  {
    key: 'levels',
    title: 'Levels',
    hint: 'Steps of the quantizer between the 1st and the 99th percentile of the values, of 256 that 8 bits could give',
    kind: 'number',
    value: ({ layer: { activation } }) => activation.levels,
    show: ({ layer: { activation } }) =>
      activation.levels === undefined ? null : count(Math.round(activation.levels)),
  },
  {
    key: 'gain',
    title: 'Better observer',
    hint: 'Observer whose range would keep most of this tensor, and what self SQNR would gain, dB; empty where nothing is better by 0.1 dB',
    kind: 'number',
    value: ({ best }) => best?.gainDb,
    show: ({ best }) =>
      best === undefined ? null : (
        <>
          {best.observer} <strong>{signed(best.gainDb)} dB</strong>
        </>
      ),
  },
  {
    key: 'axes',
    title: 'Weight per axis',
    hint: 'What the weight gains with a scale per channel instead of one scale, dB of SQNR',
    kind: 'number',
    value: ({ perAxisGain }) => perAxisGain,
    show: ({ perAxisGain }) => (perAxisGain === undefined ? null : `${signed(perAxisGain)} dB`),
  },
  {
    key: 'dtype',
    title: 'Type',
    hint: 'Type of the codes of the tensor; float where it is not quantized',
    value: ({ layer: { activation } }) => activation.quant?.dtype ?? 'float',
  },
  {
    key: 'shape',
    title: 'Shape',
    value: ({ layer: { activation } }) =>
      activation.shape.length === 0 ? 'scalar' : activation.shape.map((extent) => extent ?? '?').join('×'),
    show: ({ layer: { activation } }) => (
      <Name
        name={
          activation.shape.length === 0 ? 'scalar' : activation.shape.map((extent) => extent ?? '?').join('×')
        }
        longest={28}
      />
    ),
  },
  {
    key: 'min',
    title: 'Min',
    hint: 'Smallest value of the float network',
    kind: 'number',
    value: ({ layer: { activation } }) => activation.range?.min,
    show: ({ layer: { activation } }) =>
      activation.range === undefined ? null : short(activation.range.min),
  },
  {
    key: 'max',
    title: 'Max',
    hint: 'Largest value of the float network',
    kind: 'number',
    value: ({ layer: { activation } }) => activation.range?.max,
    show: ({ layer: { activation } }) =>
      activation.range === undefined ? null : short(activation.range.max),
  },
  {
    key: 'macs',
    title: 'MACs',
    hint: 'Multiply-accumulates of one sample',
    kind: 'number',
    value: ({ macs }) => macs,
    show: ({ macs }) => (macs === undefined ? null : count(macs)),
  },
];

/** Decibels at which the bar is full. */
const FULL = 60;

function SqnrCell({ layer, series }: { readonly layer: Layer; readonly series: Series }): JSX.Element {
  const value = sortedSqnr(layer, series);
  const share = value === undefined ? 0 : Math.min(1, Math.max(0, value / FULL));
  return (
    <span class="sqnr-cell">
      {decibels(layer.activation[series])}
      <span class={`bar ${series}`} style={{ width: `${(share * 100).toFixed(0)}%` }} aria-hidden="true" />
    </span>
  );
}
