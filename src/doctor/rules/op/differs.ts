import { measuredInputs } from '../../../diff/measured-inputs.js';
import { tensorOf, topologyOf } from '../../../ir/graph.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf, writersOf } from '../../subject.js';
import { short } from '../../wording.js';

const BROKEN_DB = 10;

/** The last word on a layer that is broken by itself, where no other rule says of it why. */
export function differs(
  { graph, lane, suspects, edges }: ComparisonEvidence,
  told: readonly Finding[],
): Finding[] {
  const measured = new Set(edges.map(({ edge }) => edge.tensor));
  const serious = told.filter(({ severity }) => severity !== 'note');
  // Other weights give other values everywhere.
  if (told.some(({ rule, subject }) => rule === 'w.not-same-model' && subject.node === undefined)) return [];
  return suspects
    .filter(({ db }) => db < BROKEN_DB)
    .flatMap(({ tensor, kind, db }): Finding[] => {
      const subject = subjectOf(graph, tensor);
      const writer = topologyOf(graph).producer[tensor];
      const read = writer === undefined ? [] : measuredInputs(graph, writer, measured);
      const writers = writersOf(graph, tensor, measured);
      const inputs = new Set(read.map((id) => tensorOf(graph, id).name));
      const isTold = serious.some(
        (one) =>
          one.subject.tensor === tensorOf(graph, tensor).name ||
          (one.rule === 'act.concat-shared-scale' && one.args.scale === lane.tensors.get(tensor)?.scale[0]) ||
          // What is wrong with something that it reads is wrong with it, too.
          inputs.has(one.subject.tensor ?? '') ||
          writers.has(one.subject.node ?? ''),
      );
      if (isTold) return [];
      return [
        {
          rule: 'op.differs',
          severity: 'error',
          subject,
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
