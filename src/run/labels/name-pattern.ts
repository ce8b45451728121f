/** Labels in the names of the files, by a pattern. */
import { createContext, Script } from 'node:vm';
import { DataError, UsageError } from '../../errors.js';
import { atMost, listFolder, statOf } from '../data/files.js';
import { plainLabels } from './plain-labels.js';
import type { LabelRow } from './plain-labels.js';
import { noted } from './source.js';
import type { LabelRequest, LabelSource } from './source.js';

export const PATTERN_PREFIX = 'name:';
const MAX_PATTERN = 1000;
const MAX_NAME = 4096;
/** For all names together; a pattern that backtracks without end would take hours. */
const MAX_MILLISECONDS = 3_000;
const HINT = String.raw`--labels 'name:_(\d+)\.[a-z]+$' takes the number before the extension`;

/**
 * @param pattern as given behind `name:`; its group, or the one called `class` or `label`, is the class.
 * @throws UsageError when the pattern is none, or matches no name
 */
export async function namePattern(pattern: string, request: LabelRequest): Promise<LabelSource> {
  const { samples } = request;
  checkPattern(pattern);
  const found = labelsIn(
    pattern,
    samples.map(({ id }) => id),
  );
  const rows = samples.flatMap(({ id }, i): LabelRow[] => {
    const label = found[i];
    return label === undefined ? [] : [{ name: id, place: id, cells: label === '' ? [] : [label] }];
  });
  const unmatched = samples.filter((_, i) => found[i] === undefined).map(({ id }) => id);
  if (rows.length === 0) {
    throw new UsageError(`--labels name:${pattern} matches none of ${samples.length} names`, {
      places: atMost(unmatched, 3),
      hint: HINT,
    });
  }
  const isNumbered = rows.every(({ cells }) => cells.every((cell) => /^\d+$/.test(String(cell))));
  const others = isNumbered || request.model.names !== undefined ? [] : await otherNames(request);
  const more = labelsIn(pattern, others).flatMap((label, i): LabelRow[] =>
    label === undefined || label === '' ? [] : [{ name: others[i]!, place: others[i]!, cells: [label] }],
  );
  const source = plainLabels(
    { source: `names of the files, ${pattern}`, rows: [...rows, ...more], assumed: [] },
    request,
  );
  return {
    ...source,
    // Rows of files that are not in use are there for the numbering alone.
    assumed: [
      ...source.assumed.filter(({ what }) => what !== 'labels of no sample in use'),
      noted('such as', `${rows[0]!.name}: ${rows[0]!.cells.join('')}`),
    ],
  };
}

function checkPattern(pattern: string): void {
  let groups: number;
  try {
    if (pattern.length > MAX_PATTERN) throw new SyntaxError(`it has more than ${MAX_PATTERN} characters`);
    // Matches the empty text, and so tells how many groups there are.
    groups = (new RegExp(`${pattern}|`).exec('')?.length ?? 1) - 1;
  } catch (cause) {
    throw new UsageError(`--labels name:${pattern.slice(0, 80)}: ${(cause as Error).message}`, {
      hint: HINT,
      cause,
    });
  }
  const isNamed = /\(\?<(class|label)>/.test(pattern);
  if (groups === 1 || isNamed) return;
  const has = groups === 0 ? 'no group' : `${groups} groups`;
  throw new UsageError(
    `--labels name:${pattern} has ${has}; one is the class, or the one called (?<class>...)`,
    {
      hint: HINT,
    },
  );
}

/**
 * The label in each name. In a context of its own, the only place where a running pattern can be stopped.
 *
 * @throws UsageError when the pattern takes too long
 */
function labelsIn(pattern: string, names: readonly string[]): readonly (string | undefined)[] {
  const long = names.find((name) => name.length > MAX_NAME);
  if (long !== undefined) throw new DataError(`${long.slice(0, 80)}... has ${long.length} characters`);
  const context = createContext({ pattern, names: JSON.stringify(names) });
  const script = new Script(`
    const form = new RegExp(pattern);
    JSON.stringify(JSON.parse(names).map((name) => {
      const found = form.exec(name);
      return found === null ? null : (found.groups?.class ?? found.groups?.label ?? found[1] ?? '');
    }))`);
  try {
    const found = script.runInContext(context, { timeout: MAX_MILLISECONDS }) as string;
    return (JSON.parse(found) as (string | null)[]).map((label) => label ?? undefined);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
    throw new UsageError(
      `--labels name:${pattern} is not done with ${names.length} names after ${MAX_MILLISECONDS / 1000} s`,
      { hint: HINT, cause },
    );
  }
}

/** Names of the other files of the data: which number a class name has must not depend on how many samples are used. */
async function otherNames({ root, samples }: LabelRequest): Promise<string[]> {
  const isFolder = await statOf(root).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isFolder) return [];
  const inUse = new Set(samples.map(({ id }) => id));
  return (await listFolder(root)).files.map(({ id }) => id).filter((id) => !inUse.has(id));
}
