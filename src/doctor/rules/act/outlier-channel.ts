import { LOST_DB } from '../../../diff/suspects.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { untoldSuspects } from '../../untold.js';
import { short } from '../../wording.js';

export const outlierChannel = rule({
  id: 'act.outlier-channel',
  title: 'One channel takes the range of an activation from all others',
  severity: 'error',
  needs: ['lane', 'edges', 'suspects'],
  text: {
    what: 'An activation that keeps its energy as a whole, but loses channels that the operator behind it needs.',
    why: 'Activations have one scale. A channel with values a hundred times those of the others leaves them two or three codes; SQNR over the whole tensor does not show it, the worst channel does.',
    instead:
      'Move the scale into the weights around the tensor (cross-layer equalization, SmoothQuant), give the tensor 16 bits, or keep the operator behind it in float.',
    see: ['https://arxiv.org/abs/1906.04721', 'https://arxiv.org/abs/2211.10438', 'act.outlier-range'],
  },
  check,
});

/** One scale for channels of very different range: the tensor as a whole keeps its energy, small channels that a reader needs are lost. */
function check(evidence: With<'lane' | 'edges' | 'suspects'>, told: readonly Finding[]): Finding[] {
  const { graph, edges } = evidence;
  return untoldSuspects(evidence, told).flatMap(({ tensor: reader, lostIn }): Finding[] => {
    if (lostIn === undefined) return [];
    const { tensor, db } = lostIn;
    const measurement = edges.find(({ edge }) => edge.tensor === tensor);
    const channels = measurement?.channels ?? [];
    const lost = channels.filter(
      ({ sqnrDb }) => Math.min(sqnrDb.get('self') ?? Infinity, sqnrDb.get('local') ?? Infinity) < LOST_DB,
    ).length;
    const whole = measurement?.errors.get('self')?.sqnrDb;
    const { node = '' } = subjectOf(graph, reader);
    return [
      {
        rule: 'act.outlier-channel',
        severity: 'error',
        subject: subjectOf(graph, tensor),
        message:
          `${lost} of ${channels.length} channels are lost under one scale, the worst keeps ${short(db)} dB` +
          (whole === undefined ? '' : `, though the tensor as a whole keeps ${short(whole)} dB (self)`) +
          `; ${node}, which reads them, is broken`,
        args: { lost, channels: channels.length, worstChannelDb: db },
      },
    ];
  });
}
