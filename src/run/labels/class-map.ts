/** Classes of labels to classes of the model. */
import { DataError, UsageError } from '../../errors.js';
import { closeNames } from '../../quant/select.js';
import type { Assumption } from '../data/dataset.js';
import { atMost } from '../data/files.js';
import { sameSpelling } from './class-names.js';
import { parseClassMap } from './class-map-flag.js';
import type { LabelClasses, LabelRequest } from './source.js';
import { noted } from './source.js';
import { IGNORED } from './truth.js';
import type { TruthKind } from './truth.js';

/** Void of masks, by the convention of Pascal VOC, Cityscapes and most after them. */
const VOID = 255;

export interface ClassResolution {
  /** Class of the model, IGNORED, or undefined where the model has no such class. */
  of(label: number): number | undefined;
  /** Names of the model's classes. */
  readonly names: ReadonlyMap<number, string>;
  readonly assumed: readonly Assumption[];
  /** @throws DataError about labels that are no class of the model; label number -> where it was met. */
  refuse(unknown: ReadonlyMap<number, string>): never;
}

export type MapRequest = Pick<LabelRequest, 'model' | 'classMap' | 'ignoreLabel' | 'labelOffset'>;

/**
 * First --ignore-label, then --class-map, then the names where both sides have some, then the numbers.
 *
 * @throws UsageError when the flags do not fit, DataError when label classes are left over
 */
export function resolveClasses(kind: TruthKind, labels: LabelClasses, request: MapRequest): ClassResolution {
  const { model, classMap, ignoreLabel, labelOffset = 0 } = request;
  const given = parseClassMap(classMap, labels, model);
  const assumed = flagged(request);
  const isInModel = (label: number): boolean =>
    label >= 0 && label < IGNORED && (model.count === undefined || label < model.count);
  const isVoid = (label: number): boolean =>
    kind === 'mask' && ignoreLabel === undefined && label === VOID && (model.count ?? 0) <= VOID;
  const byName = given.rest === undefined && labelOffset === 0 ? matchNames(labels, request) : undefined;
  const left = byName === undefined ? [] : [...labels.names.keys()].filter(isLeftOver);
  function isLeftOver(label: number): boolean {
    return !given.byLabel.has(label) && !byName?.has(label) && label !== ignoreLabel && !isVoid(label);
  }
  if (byName !== undefined) {
    if (left.length > 0 && kind !== 'boxes') refuseNames(left, labels, request, byName);
    assumed.push(noted('label classes', describeNames(byName.size, left, labels)));
  }
  if (byName === undefined && given.rest === undefined && given.byLabel.size === 0)
    requireAll(labels, request);
  const places = byName === undefined ? placesOf(labels, model.count) : undefined;
  if (places !== undefined) assumed.push(noted('label classes', places.description));
  if (kind === 'mask') assumed.push(...maskVoid(ignoreLabel, isVoid(VOID) && !given.byLabel.has(VOID)));
  const of = (label: number): number | undefined => {
    if (label === ignoreLabel) return IGNORED;
    const mapped = given.byLabel.get(label);
    if (mapped !== undefined) return mapped;
    if (isVoid(label)) return IGNORED;
    if (given.rest !== undefined) return given.rest;
    if (byName !== undefined) {
      return byName.get(label) ?? (kind === 'boxes' && labels.names.has(label) ? IGNORED : undefined);
    }
    const number = (places === undefined ? label : places.of(label)) ?? -1;
    return isInModel(number + labelOffset) ? number + labelOffset : undefined;
  };
  return {
    of,
    names: namesOfModel(labels, model.names, of, given.rest),
    assumed,
    refuse: (unknown) => refuseNumbers(unknown, labels, request),
  };
}

function flagged({ classMap, labelOffset = 0 }: MapRequest): Assumption[] {
  const sign = labelOffset > 0 ? '+' : '';
  return [
    ...(classMap === undefined ? [] : [{ what: 'class map', value: classMap, from: 'flag' } as const]),
    ...(labelOffset === 0
      ? []
      : [{ what: 'label offset', value: `${sign}${labelOffset}`, from: 'flag' } as const]),
  ];
}

/**
 * Label -> class by names that both sides have. Undefined when not one is shared: the numbers of the labels have to do, unless
 * they come from sorting the names.
 */
function matchNames(
  { names, sorted = false }: LabelClasses,
  { model }: MapRequest,
): ReadonlyMap<number, number> | undefined {
  const classes = new Map<string, number>();
  for (const [i, name] of (model.names ?? []).entries()) {
    const key = sameSpelling(name);
    if (key !== '' && !classes.has(key)) classes.set(key, i);
  }
  const matched = new Map<number, number>();
  for (const [label, name] of names) {
    const found = classes.get(sameSpelling(name)) ?? classes.get(sameSpelling(name.replace(/^\d+[_-]/, '')));
    if (found !== undefined) matched.set(label, found);
  }
  return matched.size > 0 || (sorted && classes.size > 0) ? matched : undefined;
}

function describeNames(
  matched: number,
  left: readonly number[],
  { names, boxes = new Map() }: LabelClasses,
): string {
  const dropped = left.filter((label) => boxes.has(label));
  if (dropped.length === 0) return `matched by name, ${matched}`;
  const count = dropped.reduce((sum, label) => sum + (boxes.get(label) ?? 0), 0);
  const shown = dropped.slice(0, 5).map((label) => names.get(label) ?? label);
  const more = dropped.length > 5 ? ` and ${dropped.length - 5} more` : '';
  return `matched by name, ${matched}; ${count} boxes of ${shown.join(', ')}${more}, which the model does not have, are left out`;
}

/** Names that are counted off have to be all of the model's, or all but its background. */
function requireAll({ ordered, count, names }: LabelClasses, { model }: MapRequest): void {
  const all = model.count;
  if (ordered !== true || count === undefined || all === undefined || count === all || count === all - 1)
    return;
  throw new DataError(
    `the labels name ${count} ${count === 1 ? 'class' : 'classes'}, the model tells ${all} apart: nothing says which of them these are`,
    {
      places: atMost([...names.values()]),
      hint: "--classes FILE with the names of the model's classes, or --class-map 'NAME=CLASS,...'; --labels none does without",
    },
  );
}

interface Places {
  of(label: number): number | undefined;
  readonly description: string;
}

/** Category ids of COCO begin at 1 and have gaps: a model of as many classes counts without them. */
function placesOf({ order }: LabelClasses, count: number | undefined): Places | undefined {
  if (order === undefined || order.length === 0) return undefined;
  const highest = Math.max(...order);
  if (count !== order.length && order[0] === 1) {
    if (count === highest) return { of: (id) => id - 1, description: 'category id less 1' };
    if (count === highest + 1) return { of: (id) => id, description: 'category id' };
  }
  const places = new Map(order.map((id, i) => [id, i]));
  return { of: (id) => places.get(id), description: 'place of the category in the order of ids' };
}

function maskVoid(ignoreLabel: number | undefined, isDefault: boolean): Assumption[] {
  if (ignoreLabel !== undefined) {
    return [{ what: 'ignored pixels', value: `label ${ignoreLabel}`, from: 'flag' }];
  }
  return isDefault ? [{ what: 'ignored pixels', value: `label ${VOID}`, from: 'default' }] : [];
}

/** The model's own names; else those of the labels, of classes that one label alone stands for. */
function namesOfModel(
  labels: LabelClasses,
  own: readonly string[] | undefined,
  of: (label: number) => number | undefined,
  rest: number | undefined,
): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const several = new Set<number>();
  for (const [label, name] of labels.names) {
    const found = of(label);
    if (found === undefined || found === IGNORED || name === '') continue;
    if (names.has(found)) several.add(found);
    names.set(found, name);
  }
  for (const label of several) names.delete(label);
  if (rest !== undefined && rest !== IGNORED) names.set(rest, names.get(rest) ?? 'others');
  for (const [i, name] of (own ?? []).entries()) if (name !== '') names.set(i, name);
  return new Map([...names].sort(([a], [b]) => a - b));
}

function refuseNames(
  left: readonly number[],
  { names }: LabelClasses,
  { model }: MapRequest,
  matched: ReadonlyMap<number, number>,
): never {
  const classes = (model.names ?? []).filter((name) => name !== '');
  const places = left.map((label) => {
    const name = names.get(label) ?? '';
    const [close] = closeNames(name, classes);
    return close === undefined ? name : `${name}; close: ${close}`;
  });
  throw new DataError(`${left.length} of ${names.size} label classes are no class of the model`, {
    places: atMost(places),
    hint: `--class-map '${examplePairs(left, names, model.names ?? [], matched)}'`,
  });
}

/** What would say the same as matching by name, and ignores the rest; the shorter of two ways. */
function examplePairs(
  left: readonly number[],
  names: ReadonlyMap<number, string>,
  classes: readonly string[],
  matched: ReadonlyMap<number, number>,
): string {
  const sayable = (label: number): string => {
    const name = names.get(label) ?? '';
    return name === '' || /[=,*']|^-$/.test(name) ? String(label) : name;
  };
  if (left.length <= matched.size) return left.map((label) => `${sayable(label)}=-`).join(',');
  const background = sameSpelling(classes[0] ?? '') === 'background' ? '0' : '-';
  return [...[...matched].map(([label, to]) => `${sayable(label)}=${to}`), `*=${background}`].join(',');
}

/** Label numbers shown in a message. */
const MAX_NUMBERS = 8;

function refuseNumbers(
  unknown: ReadonlyMap<number, string>,
  { names }: LabelClasses,
  { model, labelOffset = 0 }: MapRequest,
): never {
  const numbers = [...unknown.keys()].sort((a, b) => a - b);
  const shown = numbers.slice(0, MAX_NUMBERS).map((number) => {
    const name = names.get(number);
    return name === undefined ? String(number) : `${number} (${name})`;
  });
  const more = numbers.length > MAX_NUMBERS ? ` and ${numbers.length - MAX_NUMBERS} more` : '';
  const has = model.count === undefined ? 'classes from 0 on' : `classes 0 to ${model.count - 1}`;
  const offset = labelOffset === 0 ? '' : `, with --label-offset ${labelOffset}`;
  const isOneOff = labelOffset === 0 && numbers.length === 1 && numbers[0] === model.count;
  const [first] = names.size === 0 ? numbers : [...names.keys()].filter((label) => label !== 0);
  const name = names.get(first ?? 0);
  const example = name === undefined || /[=,*']|^-$/.test(name) ? String(first) : name;
  throw new DataError(
    `the labels hold ${numbers.length} ${numbers.length === 1 ? 'class' : 'classes'} that the model does not have: ` +
      `${shown.join(', ')}${more}; it has ${has}${offset}`,
    {
      places: atMost(
        numbers.map((number) => unknown.get(number) ?? ''),
        5,
      ),
      hint: isOneOff
        ? '--label-offset -1, if the labels count from 1'
        : `--class-map '${example}=1,*=0' says which class of the model each label is; - ignores it`,
    },
  );
}

/** @throws UsageError when a number is not one that labels can have. */
export function checkClassFlags({ ignoreLabel, labelOffset }: MapRequest): void {
  for (const [flag, value] of [
    ['--ignore-label', ignoreLabel],
    ['--label-offset', labelOffset],
  ] as const) {
    if (value === undefined || (Number.isSafeInteger(value) && Math.abs(value) <= IGNORED)) continue;
    throw new UsageError(`${flag} ${value}: an integer is wanted`, { hint: `${flag} 0` });
  }
}
