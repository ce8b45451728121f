import { measuredInputs } from '../../../diff/measured-inputs.js';
import { tensorOf, topologyOf, type Graph, type TensorId } from '../../../ir/graph.js';
import { LOST_DB, type Suspect } from '../../../diff/suspects.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf, writersOf } from '../../subject.js';
import { short } from '../../wording.js';

const BROKEN_DB = 10;
/** Where an output is lost, and nothing else says why, an operator that does part of the damage is named. */
const LOSING_DB = 20;

/** The last word on a layer that is broken by itself, where no other rule says of it why. */
export function differs(
  { graph, lane, suspects, edges, outputDb = Infinity }: ComparisonEvidence,
  told: readonly Finding[],
): Finding[] {
  const serious = told.filter(({ severity }) => severity !== 'note');
  const isLost = outputDb < LOSING_DB && serious.length === 0;
  const measured = new Set(edges.map(({ edge }) => edge.tensor));
  // Other weights give other values everywhere.
  if (told.some(({ rule, subject }) => rule === 'w.not-same-model' && subject.node === undefined)) return [];
  return suspects
    .filter(
      ({ db, lostIn }, at) =>
        db < BROKEN_DB || lostIn !== undefined || (isLost && at === 0 && db < LOSING_DB),
    )
    .flatMap(({ tensor, kind, db, lostIn }): Finding[] => {
      const subject = subjectOf(graph, tensor);
      const writer = topologyOf(graph).producer[tensor];
      const read = writer === undefined ? [] : measuredInputs(graph, writer, measured);
      const writers = new Set([
        ...writersOf(graph, tensor, measured),
        ...(lostIn === undefined ? [] : writersOf(graph, lostIn.tensor, measured)),
      ]);
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
      if (lostIn !== undefined) return [lostChannel(graph, edges, tensor, lostIn)];
      return [
        {
          rule: 'op.differs',
          severity: db < BROKEN_DB ? 'error' : 'warning',
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

/** One scale for channels of very different range: the tensor as a whole keeps its energy, small channels that a reader needs are lost. */
function lostChannel(
  graph: Graph,
  edges: ComparisonEvidence['edges'],
  reader: TensorId,
  { tensor, db }: NonNullable<Suspect['lostIn']>,
): Finding {
  const measurement = edges.find(({ edge }) => edge.tensor === tensor);
  const channels = measurement?.channels ?? [];
  const lost = channels.filter(
    ({ sqnrDb }) => Math.min(sqnrDb.get('self') ?? Infinity, sqnrDb.get('local') ?? Infinity) < LOST_DB,
  ).length;
  const whole = measurement?.errors.get('self')?.sqnrDb;
  const { node = '' } = subjectOf(graph, reader);
  return {
    rule: 'act.outlier-channel',
    severity: 'error',
    subject: subjectOf(graph, tensor),
    message:
      `${lost} of ${channels.length} channels are lost under one scale, the worst keeps ${short(db)} dB` +
      (whole === undefined ? '' : `, though the tensor as a whole keeps ${short(whole)} dB (self)`) +
      `; ${node}, which reads them, is broken`,
    args: { lost, channels: channels.length, worstChannelDb: db },
  };
}
