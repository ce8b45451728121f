/** --class-map: LABEL=CLASS,... */
import { UsageError } from '../../errors.js';
import { closeNames } from '../../quant/select.js';
import { atMost } from '../data/files.js';
import { sameSpelling } from './class-names.js';
import type { LabelClasses } from './source.js';
import { IGNORED } from './truth.js';
import type { ModelClasses } from './truth.js';

export interface GivenMap {
  readonly byLabel: ReadonlyMap<number, number>;
  /** Class of all labels that are not named. */
  readonly rest: number | undefined;
}

/**
 * LABEL is a number or a name of the labels, or `*` for all the rest; CLASS a number or a name of the model, or `-` for what
 * counts neither as right nor as wrong.
 *
 * @throws UsageError naming every pair that cannot be followed
 */
export function parseClassMap(text: string | undefined, labels: LabelClasses, model: ModelClasses): GivenMap {
  const byLabel = new Map<number, number>();
  const problems: string[] = [];
  let rest: number | undefined;
  for (const pair of text === undefined ? [] : text.split(',')) {
    const at = pair.lastIndexOf('=');
    const [label, name] = [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()];
    if (at < 0 || label === '' || name === '') {
      problems.push(`${pair.trim() === '' ? 'an empty pair' : pair.trim()}: LABEL=CLASS is wanted`);
      continue;
    }
    const to = classOf(name, model);
    if (typeof to === 'string') problems.push(`${pair.trim()}: ${to}`);
    else if (label === '*') {
      if (rest !== undefined) problems.push(`${pair.trim()}: * is given twice`);
      rest = to;
    } else {
      const from = labelsOf(label, labels);
      if (typeof from === 'string') problems.push(`${pair.trim()}: ${from}`);
      else if (byLabel.has(from)) problems.push(`${pair.trim()}: ${label} is given twice`);
      else byLabel.set(from, to);
    }
  }
  if (problems.length > 0) {
    throw new UsageError(
      `--class-map: ${problems.length === 1 ? problems[0] : `${problems.length} pairs cannot be followed`}`,
      {
        places: problems.length === 1 ? [] : atMost(problems),
        hint: "--class-map 'person=1,*=0': labels by name or number, classes of the model by name or number, - to ignore",
      },
    );
  }
  return { byLabel, rest };
}

/** @returns what is wrong, as text. */
function classOf(name: string, { names = [], count }: ModelClasses): number | string {
  if (name === '-') return IGNORED;
  const wanted = sameSpelling(name);
  const place = names.findIndex((other) => sameSpelling(other) === wanted);
  if (place >= 0) return place;
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number < (count ?? IGNORED)) return number;
    return `the model has ${count === undefined ? `at most ${IGNORED}` : count} classes, 0 to ${(count ?? IGNORED) - 1}`;
  }
  const close = closeNames(name, names);
  if (names.every((other) => other === ''))
    return `the model has no names of classes; --classes FILE gives it some`;
  return `the model has no class ${name}${close.length === 0 ? '' : `; close: ${close.join(', ')}`}`;
}

/** @returns what is wrong, as text. */
function labelsOf(name: string, { names, used }: LabelClasses): number | string {
  const wanted = sameSpelling(name);
  const found = [...names].find(([, other]) => sameSpelling(other) === wanted);
  if (found !== undefined) return found[0];
  if (/^\d{1,6}$/.test(name)) {
    const number = Number(name);
    const known = new Set([...names.keys(), ...used.keys()]);
    // Without names, which numbers occur in masks is not known beforehand.
    if (names.size === 0 || known.has(number)) return number;
    return `the labels have no class ${number}`;
  }
  if (names.size === 0) return 'the labels have no names of classes, only numbers';
  const close = closeNames(name, names.values());
  return `the labels have no class ${name}${close.length === 0 ? '' : `; close: ${close.join(', ')}`}`;
}
