/** What the user has asked to hold, read from its text. */
import { UsageError } from '../../errors.js';

/** A threshold as it is written, and where: `command line`, `qdbg.config.json`. */
export interface Written {
  readonly text: string;
  readonly source: string;
}

export interface GateTexts {
  readonly maxDrop?: Written;
  readonly minSqnr?: readonly Written[];
  readonly minSamples?: Written;
  readonly inconclusive?: Written;
  readonly failOn?: Written;
}

/** `pt`: points of percent; `%`: of what the reference scores; `dB`: of metrics in dB. */
export type DropUnit = 'pt' | '%' | 'dB';

export interface MaxDrop extends Written {
  readonly value: number;
  readonly unit: DropUnit;
}

/** Which error of a layer is meant, as in reports. */
export type SqnrMeasure = 'self' | 'local' | 'cumulative';

/** A least SQNR, dB: of the model's outputs (cumulative), or of the layers that a pattern names. */
export type SqnrRule = Written &
  (
    | { readonly kind: 'outputs'; readonly db: number }
    | {
        readonly kind: 'layers';
        readonly pattern: string;
        readonly measure: SqnrMeasure;
        readonly db: number;
      }
    /** Exempts what the pattern names, from rules of one measure or, where it names none, of all. */
    | { readonly kind: 'off'; readonly pattern: string; readonly measure?: SqnrMeasure }
  );

export interface Thresholds {
  readonly maxDrop?: MaxDrop;
  /** As given: the last that names a tensor decides for it. */
  readonly minSqnr: readonly SqnrRule[];
  readonly minSamples?: Written & { readonly value: number };
  /** What an inconclusive check counts as; absent: as inconclusive. */
  readonly inconclusive?: 'fail' | 'pass';
  readonly failOn?: Written & { readonly severity: 'error' | 'warning' };
}

/** What is wrong with one text. */
interface Fault {
  readonly fault: string;
  readonly hint: string;
}

/** @throws UsageError with everything that is wrong */
export function parseThresholds(texts: GateTexts): Thresholds {
  const faults: Fault[] = [];
  const read = <T extends object>(
    written: Written | undefined,
    parse: (text: string) => T | Fault,
  ): (Written & T) | undefined => {
    if (written === undefined) return undefined;
    const parsed = parse(written.text.trim());
    if (!('fault' in parsed)) return { ...written, ...parsed };
    const place = written.source === 'command line' ? '' : ` (${written.source})`;
    faults.push({ fault: `${parsed.fault}${place}`, hint: parsed.hint });
    return undefined;
  };
  const maxDrop = read(texts.maxDrop, (text) => parseMaxDrop(text));
  const minSqnr = (texts.minSqnr ?? []).flatMap((written) => read(written, parseSqnr) ?? []);
  const minSamples = read(texts.minSamples, parseSamples);
  const inconclusive = read(texts.inconclusive, (text) => choice('--inconclusive', text, ['fail', 'pass']));
  const failOn = read(texts.failOn, (text) => choice('--fail-on', text, ['error', 'warning', 'never']));
  const [first] = faults;
  if (first !== undefined) {
    const several = { places: faults.map(({ fault }) => fault), hint: first.hint };
    throw faults.length === 1
      ? new UsageError(first.fault, { hint: first.hint })
      : new UsageError(`${faults.length} thresholds cannot be used`, several);
  }
  return {
    ...(maxDrop === undefined ? {} : { maxDrop }),
    minSqnr,
    ...(minSamples === undefined ? {} : { minSamples }),
    ...(inconclusive === undefined ? {} : { inconclusive: inconclusive.value }),
    ...(failOn === undefined || failOn.value === 'never'
      ? {}
      : { failOn: { text: failOn.text, source: failOn.source, severity: failOn.value } }),
  };
}

const NUMBER = /^-?(?:\d+(?:\.\d*)?|\.\d+)$/;

/** A finite number in plain decimals; undefined for everything else. */
function decimal(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

const DROP_UNITS: readonly DropUnit[] = ['pt', '%', 'dB'];

/**
 * A drop that another flag than `--max-drop` gives, in the same words.
 *
 * @throws UsageError for what is no number with a unit
 */
export function parseDrop(name: string, written: Written): MaxDrop {
  const parsed = parseMaxDrop(written.text.trim(), name);
  if (!('fault' in parsed)) return { ...written, ...parsed };
  const place = written.source === 'command line' ? '' : ` (${written.source})`;
  throw new UsageError(`${parsed.fault}${place}`, { hint: parsed.hint });
}

function parseMaxDrop(text: string, name = '--max-drop'): { value: number; unit: DropUnit } | Fault {
  const flag = `${name} ${text}`;
  const bare = decimal(text);
  if (bare !== undefined && bare >= 0) {
    const left = (drop: number): string => String(Number((90 - drop).toPrecision(6)));
    return {
      fault: `${flag} has no unit: ${text}pt allows 90 % -> ${left(bare)} %, ${text}% allows 90 % -> ${left(0.9 * bare)} %`,
      hint: `${name} ${text}pt or ${name} ${text}%`,
    };
  }
  const unit = DROP_UNITS.find((ending) => text.toLowerCase().endsWith(ending.toLowerCase()));
  const value = unit === undefined ? undefined : decimal(text.slice(0, -unit.length).trim());
  const hint = `${name} 1pt, or ${name} 1% of what the reference scores`;
  if (unit === undefined || value === undefined)
    return { fault: `${flag} is not a number with pt, % or dB`, hint };
  if (value < 0) {
    return { fault: `${flag} is negative: a drop counts up from 0, and better always passes`, hint };
  }
  return unit === 'pt' && value > 100
    ? { fault: `${flag} is more than there is to lose`, hint }
    : { value, unit };
}

const MEASURES: readonly SqnrMeasure[] = ['self', 'local', 'cumulative'];
const SQNR_HINT =
  "--min-sqnr 20 at the outputs, --min-sqnr 'GLOB=20', 'local:GLOB=20' or 'GLOB=off' for layers";

type SqnrBody = SqnrRule extends infer Rule
  ? Rule extends unknown
    ? Omit<Rule, keyof Written>
    : never
  : never;

function parseSqnr(text: string): SqnrBody | Fault {
  const fault = (what: string): Fault => ({ fault: `--min-sqnr ${text}: ${what}`, hint: SQNR_HINT });
  // Names hold '=' too; what is wanted of them stands behind the last.
  const split = text.lastIndexOf('=');
  const wanted = text.slice(split + 1).trim();
  const db = decimal(wanted.replace(/\s*dB$/i, ''));
  if (split < 0) return db === undefined ? fault(`'${wanted}' is no number of dB`) : { kind: 'outputs', db };
  const named = text.slice(0, split).trim();
  const measure = MEASURES.find((name) => named.startsWith(`${name}:`));
  const pattern = measure === undefined ? named : named.slice(measure.length + 1);
  if (pattern === '') return fault('it names no layer');
  if (wanted === 'off') return { kind: 'off', pattern, ...(measure === undefined ? {} : { measure }) };
  if (db === undefined) return fault(`'${wanted}' is neither a number of dB nor off`);
  return { kind: 'layers', pattern, measure: measure ?? 'cumulative', db };
}

function parseSamples(text: string): { value: number } | Fault {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  return value >= 1 && Number.isSafeInteger(value)
    ? { value }
    : { fault: `--min-samples ${text} is not a whole number of 1 or more`, hint: '--min-samples 500' };
}

function choice<T extends string>(flag: string, text: string, choices: readonly T[]): { value: T } | Fault {
  const value = choices.find((known) => known === text);
  return value === undefined
    ? { fault: `${flag} ${text} is none of ${choices.join(', ')}`, hint: `${flag} ${choices.join('|')}` }
    : { value };
}
