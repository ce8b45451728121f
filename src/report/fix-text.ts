/** A fix in words: what to change, and what that gave when it was tried. */
import type { Finding, Fix, MeasuredFix } from '../doctor/finding.js';
import type { Report } from './report.js';

/** "output logits 3.1 -> 38.0 dB (16 samples)". */
export function measuredText({ tensor, beforeDb, afterDb, samples, places = 1 }: MeasuredFix): string {
  const all = places === 1 ? '' : `, all ${places} places at once`;
  return `${tensor} ${dbText(beforeDb)} -> ${dbText(afterDb)} dB cumulative, measured on ${samples} sample${samples === 1 ? '' : 's'}${all}`;
}

function dbText(db: number | undefined): string {
  return db === undefined ? 'exact' : db.toFixed(1);
}

/** Whether the fix was tried and did not help: by itself, or on samples that do not show the fault. */
export function isFutile({ measured }: Fix): boolean {
  if (measured === undefined) return false;
  const { beforeDb = Infinity, afterDb = Infinity } = measured;
  return !(afterDb >= beforeDb + LEAST_GAIN_DB);
}

const LEAST_GAIN_DB = 0.5;

/** The verdict with the fix of its cause; of several findings of that rule, that of the place it names. */
export function withFix(verdict: Report['verdict'], findings: readonly Finding[]): Report['verdict'] {
  const fix = fixOf(verdict, findings);
  return fix === undefined ? verdict : { ...verdict, fix };
}

function fixOf({ cause, where }: Report['verdict'], findings: readonly Finding[]): Fix | undefined {
  const named = findings.filter(({ rule, fix }) => rule === cause && fix !== undefined);
  const there = named.filter(({ subject: { tensor, node } }) => where === tensor || where === node);
  const fixes = [...there, ...named].flatMap(({ fix }) => fix ?? []).filter((fix) => !isFutile(fix));
  return fixes.find(({ measured }) => measured !== undefined) ?? fixes[0];
}
