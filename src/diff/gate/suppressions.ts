/** Findings that somebody has looked at and accepted, with the reason. */
import { UsageError } from '../../errors.js';
import { closeNames, matchesGlob } from '../../quant/select.js';

/** Entry of `suppress` in the configuration. */
export interface Suppression {
  /** Glob over rule ids. */
  readonly rule: string;
  /** Glob over names of nodes and tensors; absent: everywhere. */
  readonly subject?: string;
  readonly reason: string;
  /** YYYY-MM-DD, the last day on which it holds. */
  readonly expires?: string;
}

export interface SuppressibleFinding {
  readonly rule: string;
  readonly subject: { readonly node?: string; readonly tensor?: string };
  readonly message: string;
}

export interface SuppressedFinding<F> {
  readonly finding: F;
  readonly reason: string;
  readonly expires?: string;
}

export interface Suppressed<F> {
  /** In their order. */
  readonly kept: readonly F[];
  readonly suppressed: readonly SuppressedFinding<F>[];
}

const EXAMPLE =
  '"suppress": [{ "rule": "act.clip", "subject": "head/*", "reason": "why", "expires": "2027-01-31" }]';
/** Nobody has looked at so many findings. */
const MOST = 1000;

/**
 * @param value of the key `suppress`
 * @param source the file, for messages
 * @throws UsageError with everything that is wrong
 */
export function parseSuppressions(value: unknown, source: string): Suppression[] {
  const wrong = (places: readonly string[]): UsageError =>
    new UsageError(`${source}: suppressions that cannot be used`, { places, hint: EXAMPLE });
  if (!Array.isArray(value)) throw wrong(['suppress: it must be a list']);
  if (value.length > MOST) throw wrong([`suppress: ${value.length} entries, ${MOST} at most`]);
  const faults: string[] = [];
  const parsed = value.flatMap((entry: unknown, i): Suppression[] => {
    const found = faultsOf(entry).map((fault) => `suppress[${i}]: ${fault}`);
    faults.push(...found);
    return found.length > 0 ? [] : [suppressionOf(entry as Suppression)];
  });
  if (faults.length > 0) throw wrong(faults);
  return parsed;
}

/** Own keys only, so that nothing else of the entry travels on. */
function suppressionOf({ rule, subject, reason, expires }: Suppression): Suppression {
  return {
    rule,
    ...(subject === undefined ? {} : { subject }),
    reason: reason.trim(),
    ...(expires === undefined ? {} : { expires }),
  };
}

const KEYS = ['rule', 'subject', 'reason', 'expires'] as const;
const REQUIRED: readonly string[] = ['rule', 'reason'];

function faultsOf(entry: unknown): string[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return ['it must be an object'];
  const values = new Map<string, unknown>(Object.entries(entry));
  const unknown = [...values.keys()].filter((key) => !KEYS.some((known) => known === key));
  const faults = unknown.map((key) => `${key}: no such key, there are ${KEYS.join(', ')}`);
  for (const key of KEYS) {
    const value = values.get(key);
    if (value === undefined) {
      if (REQUIRED.includes(key)) faults.push(`${key}: it is missing`);
    } else if (typeof value !== 'string' || value.trim() === '') {
      faults.push(`${key}: it must be text, not ${typeof value === 'string' ? 'empty' : typeof value}`);
    } else if (key === 'expires' && !isDay(value)) {
      faults.push(`expires: '${value.slice(0, 40)}' is no day as YYYY-MM-DD`);
    }
  }
  return faults;
}

/** Of the calendar: 2027-02-30 is none. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/**
 * Takes out what is suppressed. A suppression holds on its last day; after it, the finding is back and says so.
 *
 * @param today YYYY-MM-DD
 * @throws UsageError with every suppression that matches nothing
 */
export function applySuppressions<F extends SuppressibleFinding>(
  findings: readonly F[],
  suppressions: readonly Suppression[],
  today: string,
): Suppressed<F> {
  requireUsed(findings, suppressions);
  const kept: F[] = [];
  const suppressed: SuppressedFinding<F>[] = [];
  for (const finding of findings) {
    const matching = suppressions.filter((suppression) => covers(suppression, finding));
    // Days of this form are in the order of their text.
    const holds = matching.find(({ expires }) => expires === undefined || expires >= today);
    const [expired] = matching;
    if (holds !== undefined) {
      const { reason, expires } = holds;
      suppressed.push({ finding, reason, ...(expires === undefined ? {} : { expires }) });
    } else if (expired?.expires !== undefined) {
      const message = `${finding.message}; its suppression expired on ${expired.expires} (${expired.reason})`;
      kept.push({ ...finding, message });
    } else {
      kept.push(finding);
    }
  }
  return { kept, suppressed };
}

function covers({ rule, subject }: Suppression, finding: SuppressibleFinding): boolean {
  const { node, tensor } = finding.subject;
  return (
    matchesGlob(rule, finding.rule) &&
    (subject === undefined || [node, tensor].some((name) => name !== undefined && matchesGlob(subject, name)))
  );
}

function requireUsed(findings: readonly SuppressibleFinding[], suppressions: readonly Suppression[]): void {
  const places = suppressions
    .filter((suppression) => !findings.some((finding) => covers(suppression, finding)))
    .map(({ rule, subject }) => {
      const of = findings.filter((finding) => matchesGlob(rule, finding.rule));
      const names = of.flatMap((finding) => [finding.subject.node ?? '', finding.subject.tensor ?? '']);
      const close =
        of.length === 0
          ? closeNames(
              rule,
              findings.map((finding) => finding.rule),
            )
          : closeNames(
              subject ?? '',
              names.filter((name) => name !== ''),
            );
      return `${rule}${subject === undefined ? '' : ` at ${subject}`}${close.length === 0 ? '' : `; close: ${close.join(', ')}`}`;
    });
  if (places.length === 0) return;
  throw new UsageError(
    `${places.length === 1 ? 'a suppression matches' : `${places.length} suppressions match`} no finding`,
    { places, hint: 'remove it from suppress in the configuration: what it excused is gone' },
  );
}
