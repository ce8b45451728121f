/** Layers that are broken by themselves and of which no rule says why. */
import { measuredInputs } from '../diff/measured-inputs.js';
import type { Suspect } from '../diff/suspects.js';
import { tensorOf, topologyOf } from '../ir/graph.js';
import type { With } from './evidence.js';
import type { Finding } from './finding.js';
import { writersOf } from './subject.js';

/** Local or self SQNR, dB, of a broken tensor. */
export const BROKEN_DB = 10;
/** Where an output is lost, and nothing else says why, an operator that does part of the damage is named. */
const LOSING_DB = 20;

/** @param told what other rules say */
export function untoldSuspects(
  { graph, lane, suspects, edges, outputDb = Infinity }: With<'lane' | 'edges' | 'suspects'>,
  told: readonly Finding[],
): Suspect[] {
  const serious = told.filter(({ severity }) => severity !== 'note');
  const isLost = outputDb < LOSING_DB && serious.length === 0;
  const measured = new Set(edges.map(({ edge }) => edge.tensor));
  // Other weights give other values everywhere.
  if (told.some(({ rule, subject }) => rule === 'w.not-same-model' && subject.node === undefined)) return [];
  return suspects.filter(({ tensor, db, lostIn }, at) => {
    const isBroken = db < BROKEN_DB || lostIn !== undefined || (isLost && at === 0 && db < LOSING_DB);
    if (!isBroken) return false;
    const writer = topologyOf(graph).producer[tensor];
    const read = writer === undefined ? [] : measuredInputs(graph, writer, measured);
    const writers = new Set([
      ...writersOf(graph, tensor, measured),
      ...(lostIn === undefined ? [] : writersOf(graph, lostIn.tensor, measured)),
    ]);
    const inputs = new Set(read.map((id) => tensorOf(graph, id).name));
    return !serious.some(
      (one) =>
        one.subject.tensor === tensorOf(graph, tensor).name ||
        (one.rule === 'act.concat-shared-scale' && one.args.scale === lane.tensors.get(tensor)?.scale[0]) ||
        // What is wrong with something that it reads is wrong with it, too.
        inputs.has(one.subject.tensor ?? '') ||
        writers.has(one.subject.node ?? ''),
    );
  });
}
