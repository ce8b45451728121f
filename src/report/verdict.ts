/** The one-sentence answer. */
import type { Finding } from '../doctor/finding.js';
import type { Report, ReportedJump, ReportedTensor } from './report.js';

/** Below this cumulative SQNR an output carries little of the float result; above the other it is close to it. */
const BROKEN_DB = 10;
const CLOSE_DB = 20;

/**
 * `ends`: names of the tensors to judge by: the outputs, or where those cannot be measured the last ones that can.
 * `reference`: 'own weights' when a finished file is compared with its own network without quantizers.
 */
export function verdictOf(
  tensors: readonly ReportedTensor[],
  ends: ReadonlySet<string>,
  findings: readonly Finding[],
  jumps: readonly ReportedJump[],
  reference: 'float' | 'own weights' = 'float',
): Report['verdict'] {
  const [network, other] =
    reference === 'float'
      ? ['the integer network', 'float']
      : ["the file's integer network", 'its own weights computed in float'];
  const outputs = tensors.filter(({ tensor, cumulative }) => ends.has(tensor) && cumulative !== undefined);
  const worst = outputs
    .filter(({ cumulative }) => cumulative?.sqnrDb !== undefined)
    .sort((a, b) => (a.cumulative?.sqnrDb ?? 0) - (b.cumulative?.sqnrDb ?? 0))[0];
  const db = worst?.cumulative?.sqnrDb;
  if (worst === undefined || db === undefined) {
    const isExact = outputs.length > 0 && outputs.every(({ cumulative }) => cumulative?.exact === true);
    if (!isExact) return { summary: 'no output could be compared with float' };
    const compared = outputs.every(({ role }) => role === 'output')
      ? 'output'
      : 'tensor that can be compared';
    return { summary: `no ${compared} differs from ${other}` };
  }
  const where = `${worst.role === 'output' ? 'output' : 'the last comparable tensor'} ${worst.tensor} has ${db.toFixed(1)} dB SQNR (cumulative)`;
  if (db >= CLOSE_DB) {
    const leavesOut = (worst.cumulative?.nonFinite ?? 0) > 0;
    const doubt =
      findings.find(({ severity, subject }) => severity !== 'note' && subject.tensor === worst.tensor) ??
      (leavesOut ? findings.find(({ severity }) => severity === 'error') : undefined);
    return {
      ...(doubt === undefined ? {} : { cause: doubt.rule, where: doubt.subject.tensor ?? worst.tensor }),
      summary: `${network} stays close to ${other}: ${where}${doubt === undefined ? '' : ', but that number hides what the findings say of it'}`,
    };
  }
  const jump = jumps[0];
  // Both runs have the file's own weights: what is wrong with those shows in neither.
  const telling = findings.filter(({ rule }) => reference === 'float' || !rule.startsWith('w.'));
  const cause = causeOf(tensors, telling, jump);
  const fall =
    jump === undefined
      ? ''
      : `; the largest fall is at ${jump.node} (${jump.op}), ${jump.fromDb === undefined ? 'exact' : jump.fromDb.toFixed(1)} -> ${jump.toDb.toFixed(1)} dB`;
  const place = cause?.subject.tensor ?? jump?.tensor;
  return {
    ...(cause === undefined ? {} : { cause: cause.rule }),
    ...(place === undefined ? {} : { where: place }),
    summary: `${network} ${db < BROKEN_DB ? 'is broken' : 'loses much'}${reference === 'float' ? '' : ` beside ${other}`}: ${where}${fall}`,
  };
}

/** The worst finding at the largest fall: of the layer that falls, or of what it reads. Without one, the worst of all. */
function causeOf(
  tensors: readonly ReportedTensor[],
  findings: readonly Finding[],
  jump: ReportedJump | undefined,
): Finding | undefined {
  const serious = findings.filter(({ severity }) => severity !== 'note');
  const before = tensors.find(({ tensor, role }) => tensor === jump?.from && role !== 'input')?.node;
  const near = serious.find(
    ({ subject }) =>
      jump !== undefined &&
      (subject.tensor === jump.from ||
        subject.node === jump.node ||
        (before !== undefined && subject.node === before)),
  );
  return near ?? serious[0];
}
