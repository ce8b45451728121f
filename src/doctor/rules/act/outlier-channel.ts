import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

/** Pooled self SQNR, dB, from which a tensor looks well kept. */
const KEPT_DB = 15;
/** Self SQNR of a channel, dB, below which little of it is left. */
const LOST_DB = 10;

/** One scale for channels of very different range: the tensor as a whole keeps its energy, small channels that a reader needs are lost. */
export function outlierChannel({ graph, suspects, edges }: ComparisonEvidence): Finding[] {
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  return suspects.flatMap(({ tensor, kind, db }): Finding[] => {
    const measurement = byTensor.get(tensor);
    const self = measurement?.errors.get('self');
    if (kind !== 'quantizer' || measurement === undefined || self === undefined || db >= LOST_DB) return [];
    if ((self.sqnrDb ?? -Infinity) < KEPT_DB) return [];
    const lost = measurement.channels.filter(
      ({ sqnrDb }) => (sqnrDb.get('self') ?? Infinity) < LOST_DB,
    ).length;
    return [
      {
        rule: 'act.outlier-channel',
        severity: 'error',
        subject: subjectOf(graph, tensor),
        message:
          `${lost} of ${measurement.channels.length} channels are lost under one scale (the worst keeps ${short(db)} dB) though the tensor as a ` +
          `whole keeps ${short(self.sqnrDb ?? 0)} dB (self), and an operator that reads them is broken`,
        args: { lost, channels: measurement.channels.length, worstChannelDb: db },
      },
    ];
  });
}
