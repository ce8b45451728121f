/** Whether a value has the shape of a document: all that renderers go by, so that none of them meets what it cannot render. */
import { shortened } from '../report/format.js';
import { DOCUMENT_SHAPES } from './report-shapes.js';

/** As report-shapes.ts has them. A key that ends in `?` may be absent; keys that are not listed are let through. */
type Shape =
  | 'unknown'
  | 'boolean'
  | 'number'
  | 'string'
  | keyof typeof ARRAYS
  | `@${string}`
  | { readonly is: readonly unknown[] }
  | { readonly each: Shape }
  | { readonly tuple: readonly Shape[] }
  | { readonly values: Shape }
  | { readonly any: readonly Shape[] }
  | { readonly o: Readonly<Record<string, Shape>> };

const ARRAYS = { Float64Array, Float32Array, Int32Array } as const;

/** Problems that are named. */
const MOST_NAMED = 20;
/** Of parts whose form is free; far below where the stack ends. */
const DEEPEST = 64;
const LONGEST_VALUE = 60;

const parsed = new Map<string, Shape>();

/** @returns what is wrong, by place: "tensors.3.shape: is "x", wanted a list"; nothing when all is well */
export function problemsWith(value: unknown, type: string): readonly string[] {
  const problems: string[] = [];
  check(value, `@${type}`, [], problems);
  return problems;
}

function shapeNamed(name: string): Shape {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const text = Object.hasOwn(DOCUMENT_SHAPES, name) ? DOCUMENT_SHAPES[name] : undefined;
  if (text === undefined) throw new RangeError(`no shape ${name}`);
  const shape = JSON.parse(text) as Shape;
  parsed.set(name, shape);
  return shape;
}

type Place = readonly (string | number)[];

function check(value: unknown, shape: Shape, at: Place, problems: string[]): void {
  if (problems.length >= MOST_NAMED) return;
  if (typeof shape === 'string') {
    if (shape.startsWith('@')) check(value, shapeNamed(shape.slice(1)), at, problems);
    else if (!isPlain(value, shape, at)) problems.push(problem(value, shape, at));
  } else if ('is' in shape) {
    if (!shape.is.includes(value)) problems.push(problem(value, shape, at));
  } else if ('any' in shape) checkAny(value, shape.any, at, problems);
  else if ('each' in shape || 'tuple' in shape) {
    if (!Array.isArray(value) || ('tuple' in shape && value.length !== shape.tuple.length))
      problems.push(problem(value, shape, at));
    else
      value.forEach((element: unknown, i) => {
        check(element, 'each' in shape ? shape.each : (shape.tuple[i] as Shape), [...at, i], problems);
      });
  } else if (!isRecord(value)) problems.push(problem(value, shape, at));
  else if ('values' in shape)
    for (const key of Object.keys(value)) check(value[key], shape.values, [...at, key], problems);
  else checkFields(value, shape.o, at, problems);
}

function checkFields(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Shape>>,
  at: Place,
  problems: string[],
): void {
  for (const [name, shape] of Object.entries(fields)) {
    const key = name.replace(/\?$/, '');
    if (Object.hasOwn(value, key)) check(value[key], shape, [...at, key], problems);
    else if (key === name) problems.push(`${placeOf([...at, key])} is missing`);
  }
}

/** Of several objects, the one whose kind it has tells best what is wrong. */
function checkAny(value: unknown, shapes: readonly Shape[], at: Place, problems: string[]): void {
  let least: string[] | undefined;
  for (const shape of shapes) {
    const own: string[] = [];
    check(value, shape, at, own);
    if (own.length === 0) return;
    const isOfKind = isRecord(value) && typeof shape === 'object' && 'o' in shape && hasKind(value, shape.o);
    if (isOfKind) least = own;
  }
  problems.push(...(least ?? [problem(value, { any: shapes }, at)]));
}

function hasKind(value: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, Shape>>): boolean {
  const { kind } = fields;
  return typeof kind === 'object' && 'is' in kind && kind.is.includes(value['kind']);
}

function isPlain(value: unknown, shape: string, at: Place): boolean {
  if (shape === 'unknown') return isShallow(value, 0);
  if (Object.hasOwn(ARRAYS, shape)) return value instanceof ARRAYS[shape as keyof typeof ARRAYS];
  if (shape !== 'number') return typeof value === shape;
  // Scales of a broken file are told as they are.
  return typeof value === 'number' && (Number.isFinite(value) || at.at(-2) === 'scale');
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth < DEEPEST && Object.values(value).every((part) => isShallow(part, depth + 1));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(value: unknown, shape: Shape, at: Place): string {
  return `${placeOf(at)} is ${told(value)}, wanted ${wanted(shape)}`;
}

function placeOf(at: Place): string {
  return at.length === 0 ? 'the document' : at.join('.');
}

function told(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (ArrayBuffer.isView(value)) return value.constructor.name;
  if (typeof value === 'object' && value !== null) return 'an object';
  return shortened(JSON.stringify(value) ?? String(value), LONGEST_VALUE);
}

function wanted(shape: Shape): string {
  if (shape === 'number') return 'a finite number';
  if (shape === 'string') return 'text';
  if (shape === 'boolean') return 'true or false';
  if (shape === 'unknown') return `no more than ${DEEPEST} levels`;
  if (typeof shape === 'string') return shape.startsWith('@') ? 'an object' : shape;
  if ('is' in shape) return shape.is.map((literal) => JSON.stringify(literal)).join(' or ');
  if ('any' in shape) return [...new Set(shape.any.map(wanted))].join(' or ');
  if ('tuple' in shape) return `a list of ${shape.tuple.length}`;
  return 'each' in shape ? 'a list' : 'an object';
}
