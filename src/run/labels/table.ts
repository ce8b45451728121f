/** Labels as text tables: .csv, .tsv, and .txt of `name label`. */
import { basename } from 'node:path';
import { DataError } from '../../errors.js';
import type { Assumption } from '../data/dataset.js';
import { atMost, extensionOf } from '../data/files.js';
import type { LabelRow, LabelRows } from './plain-labels.js';
import { noted } from './source.js';
import { readText } from './text-file.js';

/** Beyond this it is no list of labels for a run. */
const MAX_ROWS = 5_000_000;

const NAME_COLUMNS =
  'file,filename,file_name,filepath,file_path,path,image,image_name,image_path,image_id,img,img_name,name,sample,id,input,key';
const LABEL_COLUMNS =
  'label,class,target,class_id,classid,label_id,category,category_id,class_index,class_name,label_name,gt,ground_truth,truth,y,labels,classes';
const INDEX_COLUMNS = ',index,unnamed: 0';
/** y0, y1, ... or target_0, value 1: one output each. */
const VALUE_COLUMN = /^(y|value|values|target|output|label)[\s_]?\d+$/;

interface Line {
  readonly cells: readonly string[];
  readonly number: number;
}

/** @throws DataError when it cannot be read or it is not clear which column is which */
export async function readTable(path: string): Promise<LabelRows> {
  const file = basename(path);
  const text = await readText(path);
  const delimiter = delimiterOf(text, extensionOf(file));
  const lines = delimiter === undefined ? spaced(text) : await separated(text, delimiter, file);
  if (lines.length === 0) throw new DataError(`${file} is empty`);
  if (lines.length > MAX_ROWS) throw new DataError(`${file} has more than ${MAX_ROWS} rows`);
  const header = headerOf(lines);
  const rows = header === undefined ? lines : lines.slice(1);
  if (rows.length === 0) throw new DataError(`${file} holds a header and no labels`);
  checkWidths(rows, header?.length, file);
  const columns = header === undefined ? columnsByPlace(rows, file) : columnsByName(header, file);
  const { name, labels } = columns;
  return {
    source: columns.isNamed
      ? `${file}, column ${labels
          .map((i) => header?.[i] ?? '')
          .slice(0, 3)
          .join(', ')}`
      : file,
    assumed: columns.assumed,
    rows: rows.map(({ cells, number }): LabelRow => {
      const found = labels.map((column) => cells[column]!);
      const isBlank = found.every((cell) => cell === '');
      const row = { place: `${file}:${number}`, cells: isBlank ? [] : found };
      return name === undefined ? row : { ...row, name: cells[name]! };
    }),
  };
}

/** @returns undefined when runs of spaces separate */
function delimiterOf(text: string, extension: string): string | undefined {
  if (extension === '.tsv') return '\t';
  const firstLine = /^[\uFEFF\s]*([^\r\n]*)/.exec(text)?.[1] ?? '';
  const [most = ','] = [',', ';', '\t']
    .map((delimiter) => ({ delimiter, count: firstLine.split(delimiter).length }))
    .filter(({ count }) => count > 1)
    .sort((a, b) => b.count - a.count)
    .map(({ delimiter }) => delimiter);
  return extension === '.csv' || firstLine.includes(most) ? most : undefined;
}

async function separated(text: string, delimiter: string, file: string): Promise<Line[]> {
  const { parse } = await import('csv-parse/sync');
  try {
    const records = parse(text, {
      delimiter,
      bom: true,
      trim: true,
      info: true,
      comment: '#',
      comment_no_infix: true,
      relax_column_count: true,
      skip_empty_lines: true,
      to: MAX_ROWS + 1,
    }) as unknown as { readonly record: string[]; readonly info: { readonly lines: number } }[];
    return records.map(({ record, info }) => ({ cells: record, number: info.lines }));
  } catch (cause) {
    throw new DataError(`${file}: ${(cause as Error).message.split('\n')[0]!.slice(0, 160)}`, { cause });
  }
}

/** Names may hold spaces themselves: what stands behind the last run of them is the label, unless numbers alone follow the name. */
function spaced(text: string): Line[] {
  const lines: Line[] = [];
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]!.startsWith('#')) continue;
    const areNumbers = words.slice(1).every(isNumber);
    const cells = words.length < 3 || areNumbers ? words : [words.slice(0, -1).join(' '), words.at(-1)!];
    lines.push({ cells, number: i + 1 });
  }
  return lines;
}

function isNumber(cell: string): boolean {
  return cell !== '' && Number.isFinite(Number(cell));
}

/** The first line, in lower case, when it names columns. */
function headerOf([first, second]: readonly Line[]): readonly string[] | undefined {
  const cells = first!.cells.map((cell) => cell.toLowerCase());
  if (cells.some(isNumber)) return undefined;
  const known = new Set([...NAME_COLUMNS.split(','), ...LABEL_COLUMNS.split(',')]);
  const isKnown = cells.some((cell) => known.has(cell) || VALUE_COLUMN.test(cell));
  const isAboveNumbers = second?.cells.some((cell, i) => isNumber(cell) && i > 0) ?? false;
  return isKnown || (cells.length > 1 && isAboveNumbers) ? cells : undefined;
}

function checkWidths(rows: readonly Line[], width: number | undefined, file: string): void {
  const wanted = width ?? rows[0]!.cells.length;
  const bad = rows.filter(({ cells }) => cells.length !== wanted);
  if (bad.length === 0) return;
  throw new DataError(`${bad.length} of ${rows.length} rows in ${file} do not have ${wanted} columns`, {
    places: atMost(bad.map(({ cells, number }) => `${file}:${number}: ${cells.length}`)),
  });
}

interface Columns {
  /** Absent when the rows go by order. */
  readonly name?: number;
  readonly labels: readonly number[];
  readonly isNamed: boolean;
  readonly assumed: readonly Assumption[];
}

function columnsByName(header: readonly string[], file: string): Columns {
  const firstOf = (list: string): number | undefined =>
    list
      .split(',')
      .map((name) => header.indexOf(name))
      .find((i) => i >= 0);
  const values = header.flatMap((cell, i) => (VALUE_COLUMN.test(cell) ? [i] : []));
  const labels = values.length > 0 ? values : [firstOf(LABEL_COLUMNS) ?? -1];
  const rest = header.flatMap((_, i) => (labels.includes(i) || isIndex(header[i]!, i) ? [] : [i]));
  const name = firstOf(NAME_COLUMNS) ?? (rest.length === 1 && labels[0] !== -1 ? rest[0] : undefined);
  if (labels[0] !== -1 && (name !== undefined || rest.length === 0)) {
    return { ...(name === undefined ? {} : { name }), labels, isNamed: true, assumed: [] };
  }
  const others = rest.filter((i) => i !== name);
  if (name !== undefined && others.length > 0) {
    return { name, labels: others, isNamed: true, assumed: [] };
  }
  if (header.length === 2) return { name: 0, labels: [1], isNamed: true, assumed: [] };
  throw new DataError(
    `which column of ${file} names the sample, which the label? It has ${header.join(', ')}`,
    {
      hint: 'call them file and label in the first line',
    },
  );
}

function isIndex(cell: string, column: number): boolean {
  return column === 0 && INDEX_COLUMNS.split(',').includes(cell);
}

function columnsByPlace(rows: readonly Line[], file: string): Columns {
  const width = rows[0]!.cells.length;
  if (width === 1) return { labels: [0], isNamed: false, assumed: [] };
  if (width === 2) return { name: 0, labels: [1], isNamed: false, assumed: [] };
  const classes = Number(rows[0]!.cells[1]);
  const isTiny =
    width === 3 &&
    Number.isInteger(classes) &&
    classes > 1 &&
    rows.every(({ cells: [, count, label] }) => Number(count) === classes && isClassOf(label!, classes));
  if (isTiny) {
    const value = `name, number of classes (${classes}), class: the form of MLPerf Tiny`;
    return { name: 0, labels: [2], isNamed: false, assumed: [noted('columns', value)] };
  }
  const labels = Array.from({ length: width - 1 }, (_, i) => i + 1);
  const bad = rows.filter(({ cells }) => !labels.every((i) => isNumber(cells[i]!)));
  if (bad.length === 0) return { name: 0, labels, isNamed: false, assumed: [] };
  throw new DataError(`${file} has ${width} columns and no line that names them`, {
    places: atMost(
      bad.map(({ cells, number }) => `${file}:${number}: ${cells.join(', ').slice(0, 80)}`),
      3,
    ),
    hint: 'a first line such as file,label says which column is which',
  });
}

function isClassOf(cell: string, classes: number): boolean {
  return /^\d{1,9}$/.test(cell) && Number(cell) < classes;
}
