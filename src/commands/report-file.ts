/** Reads a document that a run has stored: a file that anybody may have edited, cut off or made up. */
import { readFile, stat } from 'node:fs/promises';
import { UsageError } from '../errors.js';
import type { AnyReport } from '../report/any-report.js';
import { SCHEMA_VERSION } from '../report/report.js';
import { problemsWith } from './report-check.js';

/** A network of a thousand layers has some 20 MB; what is read takes several times its size. */
const MOST_BYTES = 100e6;

const MADE_BY = 'qdbg analyze MODEL --calib DATA --report json=run.json writes one';

/** The type of each command's document. */
const TYPES: Readonly<Record<AnyReport['command'], string>> = {
  analyze: 'Report',
  compare: 'CompareReport',
  inspect: 'InspectReport',
  doctor: 'DoctorReport',
  sweep: 'SweepReport',
};

/** @throws UsageError when there is no such document, or none that can be rendered */
export async function storedReport(file: string): Promise<AnyReport> {
  return parseReport(await textOf(file), file);
}

async function textOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.isDirectory()) {
    throw new UsageError(`${file} ${found === undefined ? 'does not exist' : 'is a folder'}`, {
      hint: MADE_BY,
    });
  }
  if (found.size > MOST_BYTES) {
    throw new UsageError(`${file} has ${found.size} bytes; a document has at most ${MOST_BYTES}`);
  }
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(
      `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  });
}

/**
 * @param json text of the file
 * @param source its name, for messages
 * @throws UsageError when it is no document, with everything that is wrong
 */
export function parseReport(json: string, source: string): AnyReport {
  const value = jsonOf(json, source);
  const command = field(value, 'command');
  const version = field(value, 'schemaVersion');
  if (field(field(value, 'tool'), 'name') !== 'qdbg' || version === undefined) {
    throw new UsageError(`${source} is no document of qdbg`, { hint: MADE_BY });
  }
  if (version !== SCHEMA_VERSION) {
    const isNewer = typeof version === 'number' && version > SCHEMA_VERSION;
    throw new UsageError(
      `${source} has schemaVersion ${JSON.stringify(version)?.slice(0, 40)}, this qdbg reads ${SCHEMA_VERSION}`,
      { hint: isNewer ? 'npm install --save-dev qdbg@latest' : MADE_BY },
    );
  }
  if (
    field(value, 'layers') !== undefined &&
    field(value, 'verdict') === undefined &&
    command !== 'inspect'
  ) {
    throw new UsageError(`${source} is a baseline: it holds no report`, {
      hint: `--baseline ${source} with qdbg analyze or qdbg compare`,
    });
  }
  if (typeof command !== 'string' || !Object.hasOwn(TYPES, command)) {
    throw new UsageError(
      `${source} is of command ${JSON.stringify(command)?.slice(0, 40) ?? 'none'}; ${Object.keys(TYPES).join(', ')} have documents`,
      { hint: MADE_BY },
    );
  }
  const problems = problemsWith(value, TYPES[command as AnyReport['command']]);
  if (problems.length === 0) return value as AnyReport;
  throw new UsageError(`${source} is no document of qdbg ${command} that can be rendered`, {
    places: problems,
    hint: MADE_BY,
  });
}

function jsonOf(json: string, source: string): unknown {
  try {
    return revived(JSON.parse(json.startsWith('\uFEFF') ? json.slice(1) : json));
  } catch (cause) {
    const isDeep = cause instanceof RangeError;
    const what = json.trim() === '' ? 'it is empty' : isDeep ? 'it is nested too deeply' : 'it is not JSON';
    const place = isDeep || !(cause instanceof Error) ? [] : [cause.message];
    throw new UsageError(`${source} is no document of qdbg: ${what}`, {
      ...(json.trim() === '' ? {} : { places: place }),
      hint: MADE_BY,
      cause,
    });
  }
}

const NOT_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/** As JSON.parse nests, deeper documents would end the stack of whoever walks them. */
const DEEPEST = 100;

/**
 * Scales that are no numbers are text in JSON. No key of a document is called `__proto__`, and copies must not take it for one.
 * In place, and not by a reviver of JSON.parse: that is called for every number of a list of millions.
 *
 * @throws RangeError for a document that is nested too deeply
 */
function revived(document: unknown): unknown {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: document, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (depth > DEEPEST) throw new RangeError(`nested more than ${DEEPEST} deep`);
    if (Array.isArray(value)) {
      for (const entry of value as readonly unknown[]) {
        if (typeof entry === 'object' && entry !== null) open.push({ value: entry, depth: depth + 1 });
      }
    } else if (typeof value === 'object' && value !== null) {
      const record = value as Record<string, unknown>;
      Reflect.deleteProperty(record, '__proto__');
      if (Array.isArray(record['scale']))
        record['scale'] = record['scale'].map((step: unknown) => NOT_FINITE.get(step) ?? step);
      for (const entry of Object.values(record)) {
        if (typeof entry === 'object' && entry !== null) open.push({ value: entry, depth: depth + 1 });
      }
    }
  }
  return document;
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
