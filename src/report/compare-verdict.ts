/** The one-sentence answer of a comparison. */
import type { Finding } from '../doctor/finding.js';
import { BROKEN_DB, CLOSE_DB } from './close.js';
import type { ComparedTensor, LadderRung } from './compare-report.js';
import type { Report, ReportedJump } from './report.js';

export interface ComparedEnds {
  /** Of all samples. */
  readonly outputs: LadderRung;
  readonly tensors: readonly ComparedTensor[];
  /** Steps from float to the candidate, on some of the samples. */
  readonly ladder: readonly LadderRung[];
  /** Worst first. */
  readonly findings: readonly Finding[];
  /** Largest first. */
  readonly jumps: readonly ReportedJump[];
}

export function compareVerdict({
  outputs,
  ladder,
  tensors,
  findings,
  jumps,
}: ComparedEnds): Report['verdict'] {
  const error = findings.find(({ severity }) => severity === 'error');
  const cause = error ?? findings.find(({ severity }) => severity === 'warning');
  const measured = tensors.filter(({ cumulative }) => cumulative !== undefined);
  const areExact = outputs.outputs.length > 0 && outputs.outputs.every(({ exact }) => exact === true);
  if (cause === undefined && areExact && measured.every(({ cumulative }) => cumulative?.exact === true)) {
    return { summary: 'exact: not one value of the candidate differs from the reference' };
  }
  const [worst] = outputs.outputs
    .filter(({ sqnrDb }) => sqnrDb !== undefined)
    .sort((a, b) => (a.sqnrDb ?? 0) - (b.sqnrDb ?? 0));
  const broken = outputs.outputs.find(({ nonFinite = 0 }) => nonFinite > 0);
  const blame = blamed(cause);
  if (broken !== undefined) {
    return {
      ...blame,
      summary: `the candidate is broken: ${broken.tensor} has ${broken.nonFinite} NaN or infinite values`,
    };
  }
  const db = worst?.sqnrDb;
  if (worst === undefined || db === undefined) {
    return areExact
      ? { ...blame, summary: 'no output of the candidate differs from the reference' }
      : { ...blame, summary: 'no output could be compared with the reference' };
  }
  const role = tensors.find(({ tensor }) => tensor === worst.tensor)?.role;
  const name = role === 'output' ? `output ${worst.tensor}` : `the last common tensor ${worst.tensor}`;
  const where = `${name} has ${db.toFixed(1)} dB SQNR (cumulative)${agreementText(worst.agreement)}`;
  if (db >= CLOSE_DB) {
    const but = cause === undefined ? '' : `, but ${cause.message}`;
    return { ...blame, summary: `the candidate stays close to the reference: ${where}${but}` };
  }
  const trained = cause === undefined ? trainedText(findings, ladder, worst.tensor) : undefined;
  if (trained !== undefined) {
    return { summary: `the candidate was trained further than the reference: ${where}, and ${trained}` };
  }
  const jump = jumps[0];
  const places = [cause?.subject.tensor, cause?.subject.node];
  // A cause elsewhere is told in its own line; a second place beside it would only confuse.
  const isElsewhere = cause !== undefined && !places.includes(jump?.tensor) && !places.includes(jump?.node);
  const fall =
    jump === undefined || isElsewhere
      ? ''
      : `; the largest fall is at ${jump.node} (${jump.op}), ${jump.fromDb === undefined ? 'exact' : jump.fromDb.toFixed(1)} -> ${jump.toDb.toFixed(1)} dB`;
  return {
    ...blame,
    ...(blame.cause === undefined && jump !== undefined ? { where: jump.tensor } : {}),
    summary: `the candidate ${db < BROKEN_DB ? 'is broken' : 'loses much'}: ${where}${fall}`,
  };
}

/** What training made of the weights is no loss: the candidate's own weights in float are as far from the reference. */
function trainedText(
  findings: readonly Finding[],
  ladder: readonly LadderRung[],
  tensor: string,
): string | undefined {
  const isTrained = findings.some(({ rule, subject }) => rule === TRAINED && subject.tensor === undefined);
  const db = (rung: LadderRung['rung']): number | undefined =>
    ladder.find((one) => one.rung === rung)?.outputs.find((output) => output.tensor === tensor)?.sqnrDb;
  const [weights, everything] = [db('weights'), db('everything')];
  if (!isTrained || weights === undefined || everything === undefined || weights > everything + TRAINED_DB)
    return undefined;
  return `its own weights in float give ${weights.toFixed(1)} dB: training made that difference, not rounding`;
}

const TRAINED = 'w.not-same-model';
/** What quantizing may add to the difference that the weights make, dB. */
const TRAINED_DB = 3;

function blamed(finding: Finding | undefined): Pick<Report['verdict'], 'cause' | 'where'> {
  const where = finding?.subject.tensor ?? finding?.subject.node;
  return finding === undefined ? {} : { cause: finding.rule, ...(where === undefined ? {} : { where }) };
}

/** Decisions may survive an SQNR that looks poor. */
function agreementText(agreement: number | undefined): string {
  return agreement === undefined
    ? ''
    : `, the largest element is the same in ${(100 * agreement).toFixed(1)} % of the rows`;
}
