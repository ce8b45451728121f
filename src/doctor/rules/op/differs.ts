import { tensorOf } from '../../../ir/graph.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

const BROKEN_DB = 10;

/** The last word on a layer that is broken by itself, where no other rule says of it why. */
export function differs({ graph, suspects }: ComparisonEvidence, told: readonly Finding[]): Finding[] {
  const serious = told.filter(({ severity }) => severity !== 'note');
  return suspects
    .filter(({ kind, db }) => kind === 'operator' && db < BROKEN_DB)
    .flatMap(({ tensor, db }): Finding[] => {
      const subject = subjectOf(graph, tensor);
      const isTold = serious.some(
        (one) =>
          one.subject.tensor === tensorOf(graph, tensor).name ||
          (one.subject.node !== undefined && one.subject.node === subject.node),
      );
      if (isTold) return [];
      return [
        {
          rule: 'op.differs',
          severity: 'error',
          subject,
          message: `given the reference's inputs, this operator computes something else: ${
            Number.isFinite(db) ? `${short(db)} dB local` : 'nothing of the signal is left'
          }; its weights, ranges and kind do not say why`,
          args: Number.isFinite(db) ? { localSqnrDb: db } : {},
        },
      ];
    });
}
