/** Labels that a file lists: a class or numbers for each sample, by its name or in order. */
import { DataError, UsageError } from '../../errors.js';
import type { Assumption } from '../data/dataset.js';
import { atMost } from '../data/files.js';
import { matchLabels } from './match.js';
import type { Matches, NamedLabel } from './match.js';
import { noted } from './source.js';
import type { LabelClasses, LabelRequest, LabelSource, StoredTruth } from './source.js';
import type { SampleName } from './truth.js';

/** What a file says about one sample. */
export interface LabelRow {
  /** Absent in lists that go by order. */
  readonly name?: string;
  /** Such as `labels.csv:7`. */
  readonly place: string;
  /** One class, or numbers; empty when the file names the sample and says nothing. */
  readonly cells: readonly (string | number)[];
}

/** A file that was read, whatever its format. */
export interface LabelRows {
  /** For the reader: `labels.csv, column label`. */
  readonly source: string;
  readonly rows: readonly LabelRow[];
  readonly assumed: readonly Assumption[];
}

/** pandas writes integers beside empty cells as 3.0. */
const INTEGER = /^[+-]?\d{1,9}(\.0{1,6})?$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** Longer class names are text about the sample. */
const MAX_NAME = 200;

/**
 * @throws DataError when rows are malformed or contradict each other, or none is about a sample; UsageError when they are of a kind
 * that cannot be used
 */
export function plainLabels(file: LabelRows, request: LabelRequest): LabelSource {
  const { source, assumed } = file;
  const { samples } = request;
  const rows = file.rows.filter(({ cells }) => cells.length > 0);
  const blank = file.rows.length - rows.length;
  if (rows.length === 0) throw new DataError(`${source} holds no labels`);
  const kind = kindOf(rows, source, request.wanted);
  const { bySample, notes } = rowsOfSamples({ ...file, rows }, request);
  const remarks = blank === 0 ? notes : [...notes, noted('rows without a label', String(blank))];
  const read = kind === 'class' ? classReader(rows, source) : valuesReader(rows, source);
  const used = new Map<number, string>();
  for (const row of bySample.values()) {
    const label = read.of(row);
    if (label.kind === 'class' && !used.has(label.label)) used.set(label.label, row.place);
  }
  return {
    kind,
    source,
    classes: { ...read.classes, used },
    assumed: [...assumed, ...read.assumed, ...remarks],
    missing: new Set(samples.filter(({ id }) => !bySample.has(id)).map(({ id }) => id)),
    read: ({ id }) => Promise.resolve(read.of(bySample.get(id)!)),
  };
}

function kindOf(
  rows: readonly LabelRow[],
  source: string,
  wanted: LabelRequest['wanted'],
): 'class' | 'values' {
  const isValues = rows.every(({ cells }) => cells.every((cell) => NUMBER.test(String(cell))));
  const isClass =
    rows.every(({ cells }) => cells.length === 1) && rows.some(({ cells }) => isClassCell(cells[0]!));
  const found = wanted.find((kind) => (kind === 'class' && isClass) || (kind === 'values' && isValues));
  if (found === 'class' || found === 'values') return found;
  // Numbers were meant, and the message should say which are none.
  if (wanted.includes('values') && !isClass) return 'values';
  const holds = isClass ? 'one class for each sample' : 'several values for each sample';
  throw new UsageError(`${source} holds ${holds}; wanted are ${wanted.join(' or ')}`, {
    hint: '--labels FILE with such labels, or another --metric',
  });
}

function isClassCell(cell: string | number): boolean {
  return INTEGER.test(String(cell)) || !NUMBER.test(String(cell));
}

/** What spreadsheets and pandas write where there is nothing. */
const NO_NAME = /^\s*(?:nan|null|none|n\/a|na|-?inf(?:inity)?|undefined)?\s*$/i;

interface RowReader {
  of(row: LabelRow): StoredTruth;
  readonly classes: Pick<LabelClasses, 'names' | 'count' | 'sorted' | 'ordered'>;
  readonly assumed: readonly Assumption[];
}

function classReader(rows: readonly LabelRow[], source: string): RowReader {
  const text = (row: LabelRow): string => String(row.cells[0]);
  const numbers = rows.filter((row) => INTEGER.test(text(row)));
  const bad = rows.filter(
    (row) => NUMBER.test(text(row)) !== INTEGER.test(text(row)) || text(row).length > MAX_NAME,
  );
  if (bad.length > 0) {
    throw new DataError(`${bad.length} of ${rows.length} labels in ${source} are no classes`, {
      places: atMost(bad.map((row) => `${row.place}: ${text(row).slice(0, 60)}`)),
      hint: 'a class is an integer or a name; numbers to compare outputs with are wanted by --metric rmse',
    });
  }
  if (numbers.length === rows.length) {
    return {
      of: (row) => ({ kind: 'class', label: Number(text(row)) }),
      classes: { names: new Map() },
      assumed: [],
    };
  }
  if (numbers.length > 0) {
    const fewer = numbers.length * 2 < rows.length ? numbers : rows.filter((row) => !INTEGER.test(text(row)));
    throw new DataError(
      `the labels in ${source} are partly numbers (${numbers.length}), partly names (${rows.length - numbers.length})`,
      { places: atMost(fewer.map((row) => `${row.place}: ${text(row)}`)) },
    );
  }
  const empty = rows.filter((row) => NO_NAME.test(text(row)));
  if (empty.length > 0) {
    throw new DataError(`${empty.length} labels in ${source} are empty or no number`, {
      places: atMost(empty.map((row) => `${row.place}: ${text(row) === '' ? '(nothing)' : text(row)}`)),
      hint: '--skip-unlabelled, with these lines taken out',
    });
  }
  const names = [...new Set(rows.map(text))].sort((a, b) => (a < b ? -1 : 1));
  const byName = new Map(names.map((name, i) => [name, i]));
  return {
    of: (row) => ({ kind: 'class', label: byName.get(text(row))! }),
    classes: {
      names: new Map(names.map((name, i) => [i, name])),
      count: names.length,
      sorted: true,
      ordered: true,
    },
    assumed: [
      noted('class names', `${names.length}, numbered in sorted order unless the model names its classes`),
    ],
  };
}

function valuesReader(rows: readonly LabelRow[], source: string): RowReader {
  const [first] = rows;
  const width = first!.cells.length;
  const isBad = ({ cells }: LabelRow): boolean =>
    cells.length !== width || cells.some((cell) => !Number.isFinite(numberOf(cell)));
  const bad = rows.filter(isBad);
  if (bad.length > 0) {
    const reason = ({ cells }: LabelRow): string =>
      cells.length !== width
        ? `${cells.length} values; the first has ${width}`
        : `${String(cells.find((cell) => !Number.isFinite(numberOf(cell)))).slice(0, 60)} is not a finite number`;
    throw new DataError(
      `${bad.length} of ${rows.length} labels in ${source} are not ${width} finite numbers`,
      {
        places: atMost(bad.map((row) => `${row.place}: ${reason(row)}`)),
      },
    );
  }
  return {
    of: ({ cells }) => ({ kind: 'values', data: Float64Array.from(cells, numberOf) }),
    classes: { names: new Map() },
    assumed: [],
  };
}

function numberOf(cell: string | number): number {
  return typeof cell === 'number' || NUMBER.test(cell) ? Number(cell) : Number.NaN;
}

interface SampleRows {
  readonly bySample: ReadonlyMap<string, LabelRow>;
  readonly notes: readonly Assumption[];
}

function rowsOfSamples(file: LabelRows, { samples, available }: LabelRequest): SampleRows {
  const { rows, source } = file;
  if (rows.every(({ name }) => name === undefined)) return inOrder(file, samples, available);
  const labels: NamedLabel<LabelRow>[] = rows.map((row) => ({
    name: row.name ?? '',
    place: row.place,
    label: row,
  }));
  const matches = matchLabels(labels, samples, { isSame: saysTheSame });
  if (matches.bySample.size === 0) {
    throw new DataError(`none of the ${rows.length} names in ${source} is that of a sample`, {
      places: [`such as ${rows[0]!.name ?? ''}`, `the first sample is ${samples[0]?.id ?? ''}`],
      hint: '--labels FILE with names of files as in the data, with or without folders and extensions',
    });
  }
  const bySample = new Map([...matches.bySample].map(([id, { label }]) => [id, label]));
  return { bySample, notes: matchNotes(matches) };
}

/** What a reader should know about how names were matched. */
export function matchNotes({
  unmatched,
  byBasename,
}: Pick<Matches<unknown>, 'unmatched' | 'byBasename'>): Assumption[] {
  return [
    ...(unmatched > 0 ? [noted('labels of no sample in use', String(unmatched))] : []),
    ...(byBasename > 0 ? [noted('matching', 'by the file name alone, the folders differ')] : []),
  ];
}

function saysTheSame(a: LabelRow, b: LabelRow): boolean {
  return a.cells.length === b.cells.length && a.cells.every((cell, i) => String(cell) === String(b.cells[i]));
}

function inOrder(
  { rows, source }: LabelRows,
  samples: readonly SampleName[],
  available: number | undefined,
): SampleRows {
  checkOrdered(source, rows.length, samples, available);
  return {
    bySample: new Map(samples.map(({ id, index }) => [id, rows[index]!])),
    notes: [noted('matching', 'in the order of the samples')],
  };
}

/** @throws DataError when labels that go by order are not as many as samples: which is whose would be a guess. */
export function checkOrdered(
  source: string,
  count: number,
  samples: readonly SampleName[],
  available: number | undefined,
): void {
  const needed = samples.reduce((most, { index }) => Math.max(most, index + 1), 0);
  if (available === undefined ? count >= needed : count === available) return;
  throw new DataError(
    `${source} has ${count} labels in order; there are ${available ?? `at least ${needed}`} samples`,
    { hint: '--labels FILE.csv with the name of the file and its label on each line' },
  );
}
