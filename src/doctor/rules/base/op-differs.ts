import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { BROKEN_DB, untoldSuspects } from '../../untold.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const opDiffers = rule({
  id: 'base.op-differs',
  title: 'An operator computes something else than in the reference',
  severity: 'error',
  needs: ['lane', 'edges', 'suspects'],
  formerly: ['op.differs'],
  text: {
    what: 'A layer that, given what it should read, computes something else, where no other rule says why: the last word.',
    why: 'The damage is done here: what is before it is as it should be.',
    instead:
      'Look at the layer in both files (qdbg inspect REFERENCE CANDIDATE, --node): its attributes, its weights, its ranges. Keep it in float to see what that gives.',
    see: ['base.graph-changed', 'rt.mismatch'],
  },
  check,
});

/** The last word on a layer that is broken by itself, where no other rule says of it why. */
function check(evidence: With<'lane' | 'edges' | 'suspects'>, told: readonly Finding[]): Finding[] {
  return untoldSuspects(evidence, told).flatMap(({ tensor, kind, db, lostIn }): Finding[] => {
    if (lostIn !== undefined) return [];
    return [
      {
        rule: 'base.op-differs',
        severity: db < BROKEN_DB ? 'error' : 'warning',
        subject: subjectOf(evidence.graph, tensor),
        message:
          kind === 'operator'
            ? `given the reference's inputs, this operator computes something else: ${leftText(db, 'local')}; its weights, ranges and kind do not say why`
            : `its own quantizer destroys this tensor: ${leftText(db, 'self')}`,
        args: Number.isFinite(db) ? { [kind === 'operator' ? 'localSqnrDb' : 'selfSqnrDb']: db } : {},
      },
    ];
  });
}

function leftText(db: number, kind: 'local' | 'self'): string {
  return Number.isFinite(db) ? `${short(db)} dB ${kind}` : 'nothing of the signal is left';
}
