/** A table that can be sorted, filtered and taken away as CSV. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { csvOf, download, type Cell } from './download.js';
import { visible } from './layer-name.js';
import { count } from './numbers.js';

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** What the number is, as the title of its heading. */
  readonly hint?: string;
  /** What is sorted by, searched and taken away; undefined comes last. */
  readonly value: (row: Row) => Cell;
  /** What is shown; the value as it is when not given. */
  readonly show?: (row: Row) => ComponentChildren;
  readonly kind?: 'number' | 'text';
}

export interface Sorting {
  readonly key: string;
  readonly direction: 'ascending' | 'descending';
}

export interface DataTableProps<Row> {
  readonly id: string;
  /** Name of the table, for those who do not see it. */
  readonly caption: string;
  /** Of the CSV, without an extension. */
  readonly file: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** In the order of the rows when not given. */
  readonly sorting?: Sorting;
  readonly isSelected?: (row: Row) => boolean;
  readonly onRow?: (row: Row) => void;
  /** Without a field to filter by. */
  readonly plain?: true;
  /** Further controls beside the filter. */
  readonly children?: ComponentChildren;
}

/** Rows that are in the page without a click: more make it slow. */
const FIRST_ROWS = 200;

/** Rows that are drawn before the page is ready, more than a screen has; the others follow when there is time. */
const READY_ROWS = 40;
const SETTLE_MS = 150;

export function DataTable<Row>(props: DataTableProps<Row>): JSX.Element {
  const { id, caption, file, columns, rows, rowKey, isSelected, onRow, plain, children } = props;
  const [sorting, setSorting] = useState(props.sorting);
  const [wanted, setWanted] = useState('');
  const [all, setAll] = useState(false);
  const found = useMemo(() => filtered(rows, columns, wanted), [rows, columns, wanted]);
  const sorted = useMemo(() => inOrder(found, columns, sorting), [found, columns, sorting]);
  const selectedAt = isSelected === undefined ? -1 : sorted.findIndex(isSelected);
  const isSettled = useSettled();
  const first = isSettled || selectedAt >= READY_ROWS ? FIRST_ROWS : READY_ROWS;
  const shown = all || selectedAt >= FIRST_ROWS ? sorted : sorted.slice(0, first);
  const scroll = useRef<HTMLDivElement>(null);
  const selectedRow = sorted[selectedAt];
  const selectedKey = selectedRow === undefined ? undefined : rowKey(selectedRow);
  useLayoutEffect(() => {
    if (selectedKey !== undefined && scroll.current !== null) reveal(scroll.current);
  }, [selectedKey]);
  const save = (): void => {
    const cells = sorted.map((row) => columns.map(({ value }) => value(row)));
    download(
      `${file}.csv`,
      'text/csv',
      csvOf(
        columns.map(({ title }) => title),
        cells,
      ),
    );
  };
  return (
    <div class="data-table" id={id}>
      <div class="table-tools">
        {plain === true ? null : (
          <label class="filter">
            <span class="visually-hidden">Filter {caption}</span>
            <input
              type="search"
              placeholder="Filter"
              value={wanted}
              onInput={({ currentTarget }) => setWanted(currentTarget.value)}
            />
          </label>
        )}
        {children}
        <span class="tools">
          <span class={plain === true ? 'visually-hidden' : 'tally'} role="status">
            {found.length === rows.length
              ? count(rows.length)
              : `${count(found.length)} of ${count(rows.length)}`}
          </span>
          <button type="button" class="tool" onClick={save} aria-label={`${caption}: save as CSV`}>
            CSV
          </button>
        </span>
      </div>
      <div class="table-scroll" ref={scroll} tabIndex={0} role="region" aria-label={`${caption}: table`}>
        <table>
          <caption class="visually-hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <Heading column={column} sorting={sorting} onSort={setSorting} key={column.key} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr
                key={rowKey(row)}
                class={[
                  onRow === undefined ? '' : 'clickable',
                  isSelected?.(row) === true ? 'selected' : '',
                ].join(' ')}
                aria-current={isSelected?.(row) === true ? 'true' : undefined}
                onClick={onRow === undefined ? undefined : () => onRow(row)}
              >
                {columns.map(({ key, kind, show, value }) => (
                  <td key={key} class={kind === 'number' ? 'number' : undefined}>
                    {show === undefined ? shownCell(value(row)) : show(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {all || sorted.length <= Math.max(FIRST_ROWS, shown.length) ? null : (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show all {count(sorted.length)} rows
        </button>
      )}
    </div>
  );
}

/** Whether the page has been seen for a moment. */
function useSettled(): boolean {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), SETTLE_MS);
    return () => clearTimeout(timer);
  }, []);
  return isSettled;
}

function Heading<Row>({
  column: { key, title, hint, kind },
  sorting,
  onSort,
}: {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
  readonly onSort: (sorting: Sorting) => void;
}): JSX.Element {
  const direction = sorting?.key === key ? sorting.direction : undefined;
  return (
    <th scope="col" class={kind === 'number' ? 'number' : undefined} aria-sort={direction ?? 'none'}>
      <button
        type="button"
        title={hint}
        onClick={() => onSort({ key, direction: direction === 'ascending' ? 'descending' : 'ascending' })}
      >
        {title}
        <span class="arrow" aria-hidden="true">
          {direction === 'ascending' ? '▲' : direction === 'descending' ? '▼' : ''}
        </span>
      </button>
    </th>
  );
}

function shownCell(cell: Cell): Cell {
  return typeof cell === 'string' ? visible(cell) : cell;
}

/** Brings the selected row into the part of the table that is seen; the page stays where it is. */
function reveal(scroll: HTMLElement): void {
  const row = scroll.querySelector('tbody tr[aria-current]');
  const head = scroll.querySelector('thead');
  if (row === null || head === null) return;
  const [place, frame] = [row.getBoundingClientRect(), scroll.getBoundingClientRect()];
  const top = frame.top + head.getBoundingClientRect().height;
  if (place.top < top || place.bottom > frame.bottom)
    scroll.scrollTop += (place.top + place.bottom) / 2 - (top + frame.bottom) / 2;
}

/** Rows that hold every word, anywhere. */
function filtered<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  wanted: string,
): readonly Row[] {
  const words = wanted
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = columns
      .map(({ value }) => value(row) ?? '')
      .join('\n')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** What has no value comes last in both directions; equals stay as they were. */
function inOrder<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sorting: Sorting | undefined,
): readonly Row[] {
  const column = columns.find(({ key }) => key === sorting?.key);
  if (column === undefined || sorting === undefined) return rows;
  const sign = sorting.direction === 'ascending' ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}
