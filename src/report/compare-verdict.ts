/** The one-sentence answer of a comparison. */
import type { Finding } from '../doctor/finding.js';
import type { ComparedTensor } from './compare-report.js';
import type { Report, ReportedJump } from './report.js';

/** Below this cumulative SQNR an output carries little of the reference; above the other it is close to it. */
const BROKEN_DB = 10;
const CLOSE_DB = 20;

export interface ComparedEnds {
  readonly tensors: readonly ComparedTensor[];
  /** Names of the tensors to judge by: the outputs, or the last ones that both networks have. */
  readonly ends: ReadonlySet<string>;
  /** Worst first. */
  readonly findings: readonly Finding[];
  /** Largest first. */
  readonly jumps: readonly ReportedJump[];
}

export function compareVerdict({ tensors, ends, findings, jumps }: ComparedEnds): Report['verdict'] {
  const measured = tensors.filter(({ cumulative }) => cumulative !== undefined);
  const outputs = measured.filter(({ tensor }) => ends.has(tensor));
  const error = findings.find(({ severity }) => severity === 'error');
  const cause = error ?? findings.find(({ severity }) => severity === 'warning');
  if (cause === undefined && measured.every(({ cumulative }) => cumulative?.exact === true)) {
    return { summary: 'exact: not one value of the candidate differs from the reference' };
  }
  const worst = outputs
    .filter(({ cumulative }) => cumulative?.sqnrDb !== undefined)
    .sort((a, b) => (a.cumulative?.sqnrDb ?? 0) - (b.cumulative?.sqnrDb ?? 0))[0];
  const db = worst?.cumulative?.sqnrDb;
  const blamed = (finding: Finding | undefined): Pick<Report['verdict'], 'cause' | 'where'> => {
    const where = finding?.subject.tensor ?? finding?.subject.node;
    return finding === undefined ? {} : { cause: finding.rule, ...(where === undefined ? {} : { where }) };
  };
  if (worst === undefined || db === undefined) {
    return outputs.length > 0 && outputs.every(({ cumulative }) => cumulative?.exact === true)
      ? { ...blamed(cause), summary: 'no output of the candidate differs from the reference' }
      : { ...blamed(cause), summary: 'no output could be compared with the reference' };
  }
  const name = worst.role === 'output' ? `output ${worst.tensor}` : `the last common tensor ${worst.tensor}`;
  const where = `${name} has ${db.toFixed(1)} dB SQNR (cumulative)`;
  if (db >= CLOSE_DB) {
    const but = cause === undefined ? '' : `, but ${cause.message}`;
    return { ...blamed(cause), summary: `the candidate stays close to the reference: ${where}${but}` };
  }
  const jump = jumps[0];
  const places = [cause?.subject.tensor, cause?.subject.node];
  // A cause elsewhere is told in its own line; a second place beside it would only confuse.
  const isElsewhere = cause !== undefined && !places.includes(jump?.tensor) && !places.includes(jump?.node);
  const fall =
    jump === undefined || isElsewhere
      ? ''
      : `; the largest fall is at ${jump.node} (${jump.op}), ${jump.fromDb === undefined ? 'exact' : jump.fromDb.toFixed(1)} -> ${jump.toDb.toFixed(1)} dB`;
  const blame = blamed(cause);
  return {
    ...blame,
    ...(blame.where === undefined && jump !== undefined ? { where: jump.tensor } : {}),
    summary: `the candidate ${db < BROKEN_DB ? 'is broken' : 'loses much'}: ${where}${fall}`,
  };
}
