/** Checks what a user's decoder returns: nothing of it is trusted. */
import { DataError } from '../../errors.js';
import { LARGEST_CLASS } from './classes.js';
import type { PredictedBox, Prediction, PredictionKind } from './prediction.js';

export const KINDS: readonly PredictionKind[] = ['scores', 'class', 'mask', 'boxes', 'values'];

export function isKind(value: unknown): value is PredictionKind {
  return KINDS.some((kind) => kind === value);
}

/** Elements of a prediction; more is a mistake, and would fill the memory. */
const MOST_ELEMENTS = 2 ** 28;
const MOST_BOXES = 100_000;
/** Problems of one prediction that are listed. */
const MOST_PROBLEMS = 5;

/**
 * @param allowed kinds that it may be of.
 * @param where module and sample, for messages.
 * @throws DataError that lists all that is wrong
 */
export function checkedPrediction(
  value: unknown,
  allowed: readonly PredictionKind[],
  where: string,
): Prediction {
  try {
    return checked(value, allowed);
  } catch (error) {
    if (error instanceof Problems) {
      const [first = '', ...others] = error.all;
      throw new DataError(`${where}: ${first}`, { places: others });
    }
    // A getter or proxy of the module threw.
    throw new DataError(`${where}: what it returned cannot be read`, { cause: error });
  }
}

class Problems extends Error {
  override readonly name = 'Problems';

  readonly all: readonly string[];

  constructor(all: readonly string[]) {
    super(all.join('\n'));
    this.all = all;
  }
}

function checked(value: unknown, allowed: readonly PredictionKind[]): Prediction {
  const kinds = allowed.map((kind) => `'${kind}'`).join(' or ');
  if (typeof value !== 'object' || value === null) {
    throw new Problems([`it returned ${said(value)}; an object with kind ${kinds} is wanted`]);
  }
  const given = value as Readonly<Record<string, unknown>>;
  const kind = allowed.find((candidate) => candidate === given['kind']);
  switch (kind) {
    case undefined:
      throw new Problems([`kind is ${said(given['kind'])}; ${kinds} is wanted`]);
    case 'scores':
      return { kind, scores: numbers(given['scores'], 'scores') };
    case 'values':
      return { kind, data: numbers(given['data'], 'data') };
    case 'class':
      if (isClass(given['label'])) return { kind, label: given['label'] };
      throw new Problems([`label is ${said(given['label'])}; ${CLASS} is wanted`]);
    case 'mask':
      return mask(given);
    case 'boxes':
      return boxes(given);
  }
}

const CLASS = `a whole number from 0 to ${LARGEST_CLASS}`;

function isClass(value: unknown): value is number {
  return isCount(value) && value <= LARGEST_CLASS;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function mask(given: Readonly<Record<string, unknown>>): Prediction {
  const { width, height, classes, ties = 0, nonFinite = 0 } = given;
  const problems: string[] = [];
  const count = (name: string, value: unknown): number => {
    if (!isCount(value)) problems.push(`${name} is ${said(value)}; a whole number from 0 is wanted`);
    return isCount(value) ? value : 0;
  };
  const [columns, rows] = [count('width', width), count('height', height)];
  const rest = { ties: count('ties', ties), nonFinite: count('nonFinite', nonFinite) };
  const told = classes === undefined ? {} : { classes: count('classes', classes) };
  if (problems.length > 0) throw new Problems(problems);
  const values = arrayOf(given['data'], 'data');
  if (values.length !== columns * rows) {
    throw new Problems([
      `data has ${values.length} classes; ${columns} x ${rows} = ${columns * rows} are wanted`,
    ]);
  }
  const data = new Uint16Array(values.length);
  for (let i = 0; i < data.length; i++) {
    const label = values[i];
    if (!isClass(label)) throw new Problems([`data[${i}] is ${said(label)}; ${CLASS} is wanted`]);
    data[i] = label;
  }
  return { kind: 'mask', width: columns, height: rows, data, ...told, ...rest };
}

function boxes(given: Readonly<Record<string, unknown>>): Prediction {
  const { boxes: list, nonFinite = 0 } = given;
  if (!Array.isArray(list)) throw new Problems([`boxes is ${said(list)}; an array is wanted`]);
  if (list.length > MOST_BOXES) {
    throw new Problems([`boxes has ${list.length} entries; at most ${MOST_BOXES} are wanted`]);
  }
  const problems: string[] = [];
  if (!isCount(nonFinite)) problems.push(`nonFinite is ${said(nonFinite)}; a whole number from 0 is wanted`);
  const found: PredictedBox[] = [];
  for (const [at, entry] of (list as readonly unknown[]).entries()) {
    if (problems.length >= MOST_PROBLEMS) break;
    const name = `boxes[${at}]`;
    if (typeof entry !== 'object' || entry === null) {
      problems.push(`${name} is ${said(entry)}; an object with x0, y0, x1, y1, label, score is wanted`);
      continue;
    }
    const { x0, y0, x1, y1, label, score } = entry as Readonly<Record<string, unknown>>;
    for (const [key, value] of Object.entries({ x0, y0, x1, y1, score })) {
      if (!Number.isFinite(value))
        problems.push(`${name}.${key} is ${said(value)}; a finite number is wanted`);
    }
    if (!isClass(label)) problems.push(`${name}.label is ${said(label)}; ${CLASS} is wanted`);
    // Read off once: what was checked is what is kept.
    found.push({ x0, y0, x1, y1, label, score } as PredictedBox);
  }
  if (problems.length > 0) throw new Problems(problems);
  return { kind: 'boxes', boxes: found, nonFinite: nonFinite as number };
}

/** NaN and infinite numbers pass: metrics count them. */
function numbers(value: unknown, name: string): Float32Array | Float64Array {
  const given = arrayOf(value, name);
  if (given.length === 0) throw new Problems([`${name} is empty`]);
  const data = new Float64Array(given.length);
  for (let i = 0; i < data.length; i++) {
    const number = given[i];
    if (typeof number !== 'number') {
      throw new Problems([`${name}[${i}] is ${said(number)}; a number is wanted`]);
    }
    data[i] = number;
  }
  return data;
}

/** @returns an array or typed array whose length is bounded */
function arrayOf(value: unknown, name: string): ArrayLike<unknown> {
  const isArray = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!isArray) throw new Problems([`${name} is ${said(value)}; an array of numbers is wanted`]);
  const array = value as ArrayLike<unknown>;
  if (array.length > MOST_ELEMENTS) {
    throw new Problems([`${name} has ${array.length} elements; at most ${MOST_ELEMENTS} are wanted`]);
  }
  return array;
}

/** A value of a user's module in a few words; it may be anything. */
function said(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return String(value);
}
