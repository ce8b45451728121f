/** What the candidate answers where the reference answers something: the diagonal is what has stayed. */
import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import type { ClassTransitions } from '../../diff/accuracy/accuracy.js';
import type { NetworkNames } from './network-names.js';
import { Chart } from '../frame/chart.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { shortName, visible } from '../frame/layer-name.js';
import { count, percent, plural } from '../frame/numbers.js';

type Cell = ClassTransitions['cells'][number];

/** Classes that a matrix has room for; of more, those that change most. */
const MOST_CLASSES = 24;
/** Of the cells together, in CSS pixels: the titles of the axes are longer than two small cells. */
const LEAST_SIDE = 240;
/** Labels of so many classes fit beside the cells with the counts in them. */
const MOST_TOLD = 14;

export function TransitionMatrix({
  transitions,
  names,
}: {
  readonly transitions: ClassTransitions;
  readonly names: NetworkNames;
}): JSX.Element {
  const { cells, leftOut, classNames = {}, counted = 'samples' } = transitions;
  const changed = cells.filter(({ from, to }) => from !== to);
  const total = cells.reduce((sum, { count: many }) => sum + many, 0) + leftOut;
  const moved = changed.reduce((sum, { count: many }) => sum + many, 0);
  const labels = drawnClasses(cells);
  const nameOf = (label: number): string =>
    Object.hasOwn(classNames, label) ? visible(classNames[label] ?? '') : String(label);
  const isNamed = labels.some((label) => nameOf(label) !== String(label));
  const axis = (label: number): string =>
    isNamed && nameOf(label) !== String(label) ? `${shortName(nameOf(label), 14)} (${label})` : String(label);
  const drawn = new Set(labels);
  const shown = cells
    .filter(({ from, to }) => drawn.has(from) && drawn.has(to))
    .map((cell) => ({ ...cell, share: cell.count / rowTotal(cells, cell.from) }));
  const draw = (width: number): SVGSVGElement | HTMLElement => {
    const margin = isNamed ? 110 : 45;
    const cell = labels.length > MOST_TOLD ? 26 : Math.max(42, LEAST_SIDE / labels.length);
    const size = Math.min(width, margin + labels.length * cell);
    return Plot.plot({
      width: size,
      height: size - margin + (isNamed ? 105 : 55),
      marginLeft: margin,
      marginTop: 30,
      marginBottom: isNamed ? 90 : 40,
      style: { background: 'none', color: 'var(--text)', fontSize: '11px' },
      x: {
        domain: labels,
        label: `${names.candidate} answers →`,
        tickFormat: axis,
        tickRotate: isNamed ? -45 : 0,
      },
      y: { domain: labels, label: `↓ ${names.reference} answers`, tickFormat: axis },
      marks: [
        Plot.cell(shown, {
          x: 'to',
          y: 'from',
          fill: ({ from, to }: Cell) => (from === to ? 'var(--self)' : 'var(--bad)'),
          fillOpacity: ({ share }: { readonly share: number }) => 0.12 + 0.55 * share,
          inset: 0.5,
          title: ({ from, to, count: many, share }: Cell & { readonly share: number }) =>
            `${names.reference}: ${nameOf(from)}, ${names.candidate}: ${nameOf(to)}: ${count(many)} (${percent(share)} of the row)`,
        }),
        ...(labels.length > MOST_TOLD
          ? []
          : [
              Plot.text(shown, {
                x: 'to',
                y: 'from',
                text: ({ count: many }: Cell) => brief(many),
                fill: 'var(--text)',
              }),
            ]),
      ],
    });
  };
  const columns: readonly Column<Cell>[] = [
    { key: 'from', title: `${names.reference} answers`, value: ({ from }) => nameOf(from) },
    { key: 'to', title: `${names.candidate} answers`, value: ({ to }) => nameOf(to) },
    {
      key: 'count',
      title: counted === 'pixels' ? 'Pixels' : 'Samples',
      kind: 'number',
      value: ({ count: many }) => many,
      show: ({ count: many }) => count(many),
    },
    {
      key: 'share',
      title: 'Of these',
      kind: 'number',
      value: ({ from, count: many }) => many / rowTotal(cells, from),
      show: ({ from, count: many }) => percent(many / rowTotal(cells, from)),
    },
  ];
  return (
    <>
      <Chart
        title={`Answers, ${names.reference} to ${names.candidate}`}
        description={`${percent(total === 0 ? 0 : moved / total)} of the ${counted} get another answer. Rows are what the reference answers, columns what the candidate answers; what is off the diagonal has changed.`}
        file="qdbg-answers"
        draw={draw}
        inputs={[transitions, names.reference, names.candidate]}
      >
        <span class="quiet">
          {percent(total === 0 ? 0 : moved / total)} of the {counted} change
          {labels.length < classesOf(cells).length
            ? `; the ${plural(labels.length, 'class', 'classes')} that change most`
            : ''}
        </span>
      </Chart>
      {changed.length === 0 ? null : (
        <details>
          <summary>{plural(changed.length, 'kind')} of change</summary>
          <DataTable
            id="transitions"
            caption="Answers that change"
            file="qdbg-answers"
            columns={columns}
            rows={changed}
            rowKey={({ from, to }) => `${from} ${to}`}
            sorting={{ key: 'count', direction: 'descending' }}
          />
        </details>
      )}
    </>
  );
}

function brief(value: number): string {
  if (value < 10_000) return String(value);
  return value < 999_500 ? `${Math.round(value / 1000)}k` : `${(value / 1e6).toPrecision(2)}M`;
}

function rowTotal(cells: readonly Cell[], from: number): number {
  return cells.reduce((sum, cell) => (cell.from === from ? sum + cell.count : sum), 0);
}

function classesOf(cells: readonly Cell[]): number[] {
  return [...new Set(cells.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
}

/** In their order; of too many, those with the most changes. */
function drawnClasses(cells: readonly Cell[]): number[] {
  const all = classesOf(cells);
  if (all.length <= MOST_CLASSES) return all;
  const changes = new Map<number, number>();
  for (const { from, to, count: many } of cells) {
    if (from === to) continue;
    for (const label of [from, to]) changes.set(label, (changes.get(label) ?? 0) + many);
  }
  return all
    .sort((a, b) => (changes.get(b) ?? 0) - (changes.get(a) ?? 0) || a - b)
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b);
}
