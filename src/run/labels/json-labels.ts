/** Labels as JSON: an object by name, a list of objects, or a list in order. */
import { DataError } from '../../errors.js';
import { atMost } from '../data/files.js';
import type { LabelRow, LabelRows } from './plain-labels.js';
import { isRecord, shownValue } from './text-file.js';

const NAME_KEYS = [
  'file',
  'filename',
  'file_name',
  'path',
  'image',
  'image_name',
  'image_path',
  'name',
  'id',
  'sample',
];
const LABEL_KEYS = [
  'label',
  'class',
  'target',
  'class_id',
  'label_id',
  'category',
  'category_id',
  'class_name',
  'ground_truth',
  'gt',
  'labels',
  'values',
  'targets',
];

/**
 * @param content what the file holds, parsed.
 * @param file name of the file, for messages.
 * @throws DataError naming every entry that is no label
 */
export function jsonRows(content: unknown, file: string): LabelRows {
  const entries = unwrapped(content);
  const problems: string[] = [];
  const rows: LabelRow[] = [];
  if (isRecord(entries)) {
    for (const [name, value] of Object.entries(entries)) {
      add({ name, place: `${file}, ${shown(name)}` }, value);
    }
  } else if (Array.isArray(entries)) {
    for (const [i, entry] of (entries as readonly unknown[]).entries()) {
      const place = `${file}[${i}]`;
      if (!isRecord(entry)) {
        add({ place }, entry);
        continue;
      }
      const name = NAME_KEYS.map((key) => own(entry, key)).find((value) => isText(value));
      const label = LABEL_KEYS.map((key) => own(entry, key)).find((value) => value !== undefined);
      if (name === undefined || label === undefined) {
        problems.push(
          `${place}: ${Object.keys(entry).slice(0, 6).map(shown).join(', ')}; file and label are wanted`,
        );
      } else add({ name: String(name), place }, label);
    }
  } else throw new DataError(`${file} holds ${shownValue(entries)}, not labels`);

  function add(row: Omit<LabelRow, 'cells'>, value: unknown): void {
    const cells = cellsOf(value);
    if (cells === undefined) problems.push(`${row.place}: ${shownValue(value)} is no label`);
    else rows.push({ ...row, cells });
  }
  const named = rows.filter(({ name }) => name !== undefined).length;
  if (problems.length === 0 && named > 0 && named < rows.length) {
    problems.push(`${named} of ${rows.length} entries name their sample, the others do not`);
  }
  if (problems.length > 0) {
    throw new DataError(`${problems.length} entries of ${file} are no labels`, {
      places: atMost(problems),
      hint: 'JSON labels are {"a.jpg": 3}, [{"file": "a.jpg", "label": 3}], or [3, 0, 1] in the order of the samples',
    });
  }
  if (rows.length === 0) throw new DataError(`${file} holds no labels`);
  return { source: file, rows, assumed: [] };
}

/** The list in {"labels": [...]}. */
function unwrapped(content: unknown): unknown {
  if (!isRecord(content)) return content;
  const [key = '', ...more] = Object.keys(content);
  const inner = own(content, key);
  const isWrapper = more.length === 0 && ['labels', 'samples', 'annotations'].includes(key);
  return isWrapper && typeof inner === 'object' && inner !== null ? inner : content;
}

function own(entry: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(entry, key) ? entry[key] : undefined;
}

/** Null is a sample that is named without a label. */
function cellsOf(value: unknown): readonly (string | number)[] | undefined {
  if (value === null || value === '') return [];
  if (isText(value)) return [value];
  if (typeof value === 'boolean') return [Number(value)];
  return Array.isArray(value) && value.length > 0 && value.every((cell) => typeof cell === 'number')
    ? value
    : undefined;
}

function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
