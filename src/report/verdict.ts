/** The one-sentence answer. */
import { isOfAll, type Finding } from '../doctor/finding.js';
import { BROKEN_DB, CLOSE_DB } from './close.js';
import type { Report, ReportedJump, ReportedTensor } from './report.js';

/** Rules on what a file says of itself: an error there is one whatever was measured. */
const OF_FILES: ReadonlySet<string> = new Set(['q.degenerate', 'w.axis', 'w.spec']);

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
    if (!isExact) {
      const error = findings.find(({ severity }) => severity === 'error');
      const place = error?.subject.tensor;
      return {
        ...(error === undefined ? {} : { cause: error.rule }),
        ...(place === undefined ? {} : { where: place }),
        summary: `no output could be compared with ${other}`,
      };
    }
    const compared = outputs.every(({ role }) => role === 'output')
      ? 'output'
      : 'tensor that can be compared';
    return { summary: `no ${compared} differs from ${other}` };
  }
  const where = `${worst.role === 'output' ? 'output' : 'the last comparable tensor'} ${worst.tensor} has ${db.toFixed(1)} dB SQNR (cumulative)`;
  if (db >= CLOSE_DB) {
    const leavesOut = (worst.cumulative?.nonFinite ?? 0) > 0;
    const hidden =
      findings.find(({ severity, subject }) => severity !== 'note' && subject.tensor === worst.tensor) ??
      (leavesOut ? findings.find(({ severity }) => severity === 'error') : undefined);
    const doubt = hidden ?? findings.find(({ rule, severity }) => severity === 'error' && OF_FILES.has(rule));
    const but =
      hidden !== undefined
        ? ', but that number hides what the findings say of it'
        : doubt === undefined
          ? ''
          : ', but parameters in the file are wrong, as the findings say';
    return {
      ...(doubt === undefined ? {} : { cause: doubt.rule, where: doubt.subject.tensor ?? worst.tensor }),
      summary: `${network} stays close to ${other}: ${where}${but}`,
    };
  }
  const jump = jumps[0];
  // Both runs have the file's own weights: what rounding those has cost shows in neither.
  const telling = findings.filter(({ rule }) => reference === 'float' || rule !== 'w.per-tensor-spread');
  const cause = causeOf(tensors, telling, jump);
  const fall =
    jump === undefined
      ? ''
      : `; the largest fall is at ${jump.node} (${jump.op}), ${jump.fromDb === undefined ? 'exact' : jump.fromDb.toFixed(1)} -> ${jump.toDb.toFixed(1)} dB`;
  const place = cause !== undefined && isOfAll(cause) ? undefined : (cause?.subject.tensor ?? jump?.tensor);
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
  const [first] = serious;
  // What is wrong with the whole network, such as its calibration, is wrong at every place.
  if (first?.severity === 'error' && isOfAll(first)) return first;
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
