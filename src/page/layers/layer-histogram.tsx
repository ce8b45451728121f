/** Values of an activation beside the grid that quantizes them. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ReportedAlternative } from '../../report/report.js';
import { Chart } from '../frame/chart.js';
import { fileName } from '../frame/download.js';
import { count, decibels, percent, plural, short } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { drawHistogram, histogramWidth, type RangeRow } from './histogram-plot.js';
import { COUNT_AXES, type CountAxis } from './histogram-bins.js';
import type { LayerTensor } from './layer.js';
import { gridOf, gridTicks, type Grid } from './quant-grid.js';

/** A range this many times as wide as the values would leave them a sliver: its ends are then told, not drawn. */
const WIDEST = 4;

export function LayerHistogram({ tensor }: { readonly tensor: LayerTensor }): JSX.Element | null {
  const [axis, setAxis] = useState<CountAxis>('log');
  const [isBulk, setBulk] = useState(false);
  const [width, setWidth] = useState(0);
  const { report } = usePage().document;
  const samples = 'histogramSamples' in report ? report.histogramSamples : undefined;
  const { histogram, bulk, quant } = tensor;
  if (histogram === undefined || histogram.counts.length === 0) return null;
  const grid = gridOf(quant);
  const shown = isBulk && bulk !== undefined ? bulk : histogram;
  const domain = isBulk && bulk !== undefined ? ends(bulk.lo, bulk.hi) : wholeDomain(tensor, grid);
  const total = histogram.counts.reduce((sum, n) => sum + n, 0);
  return (
    <section class="panel-part">
      <h3>Values and quantization grid</h3>
      <Chart
        title="Histogram"
        description={`${count(total)} values from ${short(histogram.lo)} to ${short(histogram.hi)}. ${gridText(grid, domain, width)}`}
        file={fileName(tensor.tensor, 'histogram')}
        inputs={[tensor, axis, isBulk]}
        draw={(pixels) => {
          setWidth(pixels);
          return drawHistogram({ histogram: shown, grid, rows: rowsOf(tensor, grid), axis, domain }, pixels);
        }}
        data={() => {
          const each = (shown.hi - shown.lo) / shown.counts.length;
          return {
            titles: ['from', 'to', 'count'],
            rows: shown.counts.map((n, i) => [shown.lo + i * each, shown.lo + (i + 1) * each, n]),
          };
        }}
      >
        <label class="choice">
          counts{' '}
          <select
            value={axis}
            onChange={({ currentTarget: { value } }) =>
              setAxis(COUNT_AXES.find((name) => name === value) ?? axis)
            }
          >
            {COUNT_AXES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {bulk === undefined ? null : (
          <button type="button" class="tool" aria-pressed={isBulk} onClick={() => setBulk(!isBulk)}>
            middle 98 %
          </button>
        )}
      </Chart>
      <p class="reading">
        {gridText(grid, domain, width)} {outsideText(tensor, grid)} {forecastText(tensor)}{' '}
        {countedText(samples)}
      </p>
    </section>
  );
}

/** An interval of some width. */
function ends(lo: number, hi: number): readonly [number, number] {
  if (hi > lo) return [lo, hi];
  const half = Math.abs(lo) / 2 || 0.5;
  return [lo - half, lo + half];
}

/** Holds the values, the range of the quantizer and those of the alternatives as far as they leave the values room. */
function wholeDomain(
  { histogram, alternatives = [] }: LayerTensor,
  grid: Grid | undefined,
): readonly [number, number] {
  const [lo, hi] = ends(histogram?.lo ?? 0, histogram?.hi ?? 0);
  const room = ((WIDEST - 1) / 2) * (hi - lo);
  const edges = [grid?.lo, grid?.hi, ...alternatives.flatMap(({ min, max }) => [min, max])]
    .filter((edge) => edge !== undefined)
    .map((edge) => Math.min(Math.max(edge, lo - room), hi + room));
  const [from, to] = [Math.min(lo, ...edges), Math.max(hi, ...edges)];
  return [from - 0.01 * (to - from), to + 0.01 * (to - from)];
}

function rowsOf({ quant, range, self, alternatives = [] }: LayerTensor, grid: Grid | undefined): RangeRow[] {
  const { p01, p99 } = range ?? {};
  return [
    ...(p01 === undefined || p99 === undefined
      ? []
      : [{ label: 'middle 98 % of the values', min: p01, max: p99, kind: 'bulk' as const }]),
    ...(grid === undefined
      ? []
      : [
          {
            label: `in use: ${quant?.dtype ?? ''}, self ${decibels(self)}`,
            min: grid.lo,
            max: grid.hi,
            kind: 'own' as const,
          },
        ]),
    ...alike(alternatives),
  ];
}

/** Observers that choose the same share a row. */
function alike(alternatives: readonly ReportedAlternative[]): RangeRow[] {
  const rows = new Map<string, ReportedAlternative & { readonly names: string[] }>();
  for (const alternative of alternatives) {
    const { observer, min, max } = alternative;
    const row = rows.get(`${min} ${max}`);
    if (row === undefined) rows.set(`${min} ${max}`, { ...alternative, names: [observer] });
    else row.names.push(observer);
  }
  return [...rows.values()].map(({ names, min, max, selfSqnrDb }) => ({
    label: `${names.join(', ')}: self ${decibels({ sqnrDb: selfSqnrDb })}`,
    min,
    max,
    kind: 'other',
  }));
}

function gridText(grid: Grid | undefined, domain: readonly [number, number], width: number): string {
  if (grid === undefined) return '';
  const { every } = gridTicks(grid, domain, histogramWidth(width));
  const ticks =
    every === 1 ? 'Each tick below the bars is a code' : `Each tick below the bars is ${every} codes`;
  return `${ticks}; a step is ${short(grid.step)}.`;
}

/** Where no ranges are drawn that tell it. */
function forecastText({ alternatives, forecast = {} }: LayerTensor): string {
  const others = Object.entries(forecast);
  if (alternatives !== undefined || others.length === 0) return '';
  const listed = others.map(([observer, sqnrDb]) => `${observer} ${decibels({ sqnrDb })}`);
  return `Self SQNR that other observers would give here: ${listed.join(', ')}.`;
}

/** Of a comparison, values are counted on fewer samples than errors. */
function countedText(samples: number | undefined): string {
  if (samples === undefined) return '';
  return `Values are counted on ${plural(samples, 'sample')}; the SQNR of what other observers would choose is of these, that in use of all that were measured.`;
}

function outsideText({ self, quant }: LayerTensor, grid: Grid | undefined): string {
  if (quant === undefined) return 'This tensor is not quantized.';
  if (grid === undefined) return 'Channels have scales of their own, so no one grid is drawn.';
  if (self === undefined) return '';
  return self.clippedShare === 0
    ? 'No value lies outside of what the codes stand for.'
    : `${percent(self.clippedShare)} of the values lie outside of what the codes stand for (shaded) and are moved to its ends.`;
}
