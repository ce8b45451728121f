/** What fixes buy: each is applied to the network by itself, and the outputs are measured again. */
import type { Edge } from '../../compile/edges.js';
import type { ReferenceNetwork } from '../../compile/reference.js';
import type { Change, Diagnosed, MeasuredFix } from '../../doctor/finding.js';
import { tensorOf, type Graph } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { sqnr } from '../../ir/sums.js';
import { Ladder, type RungSums } from '../../run/ladder.js';
import type { Samples } from '../../run/samples.js';

/** Each costs as much as a network of its own. */
const MOST_FIXES = 3;
export const MOST_FIX_SAMPLES = 16;

export interface FixedNetwork {
  readonly graph: Graph;
  /** As it is now, in the form that the changed ones have. */
  readonly lane: Lane;
  /** Tensors to judge by. */
  readonly ends: readonly Edge[];
  /** The float network when absent. */
  readonly other?: ReferenceNetwork;
  /** Undefined where a change cannot be made to this network. */
  readonly changed: (change: Change) => Lane | undefined;
}

/**
 * The findings, those whose fix was tried with what it gave. What one rule asks for at several places is tried at all of them at once,
 * and its first finding has the result.
 *
 * @param samples at most so many, evenly spread
 */
export async function withMeasuredFixes(
  findings: readonly Diagnosed[],
  { graph, lane, ends, other, changed }: FixedNetwork,
  samples: (most: number) => Promise<Samples>,
  { threads }: { readonly threads: number },
): Promise<readonly Diagnosed[]> {
  const tried = asked(findings).flatMap(({ finding, change, places }) => {
    const made = changed(change);
    return made === undefined ? [] : [{ finding, lane: made, places: change.kind === 'lane' ? places : 1 }];
  });
  const lanes = tried.slice(0, MOST_FIXES);
  if (lanes.length === 0 || ends.length === 0) return findings;
  const ladder = new Ladder(graph, [lane, ...lanes.map((one) => one.lane)], ends, other, { threads });
  try {
    for await (const sample of (await samples(MOST_FIX_SAMPLES)).samples()) await ladder.add(sample);
  } finally {
    await ladder.close();
  }
  const [before = [], ...after] = ladder.sums;
  const worst = worstOf(before);
  const gains = new Map(
    lanes.map(({ finding, places }, at) => [
      finding,
      gainOf(graph, ends, before, after[at] ?? [], worst, { samples: ladder.samples, places }),
    ]),
  );
  return findings.map((finding) => {
    const measured = gains.get(finding);
    return measured === undefined || finding.fix === undefined
      ? finding
      : { ...finding, fix: { ...finding.fix, measured } };
  });
}

interface Tried {
  /** The first that asks for it. */
  readonly finding: Diagnosed;
  readonly change: Change;
  readonly places: number;
}

/** Changes that errors and warnings ask for, worst first; what one rule asks for at several places is one change. */
function asked(findings: readonly Diagnosed[]): Tried[] {
  const groups = new Map<string, Tried>();
  for (const finding of findings) {
    const { severity, rule, fix, change } = finding;
    if (severity === 'note' || fix === undefined || change === undefined) continue;
    const key = change.kind === 'lane' ? rule : `${rule} ${JSON.stringify(change)}`;
    const known = groups.get(key);
    groups.set(
      key,
      known === undefined
        ? { finding, change, places: 1 }
        : { ...known, change: joined(known.change, change), places: known.places + 1 },
    );
  }
  return [...groups.values()];
}

/** Flags of a scheme hold everywhere; changes of a file are made at each place. */
function joined(a: Change, b: Change): Change {
  if (a.kind === 'scheme' || b.kind === 'scheme') return a;
  return {
    kind: 'lane',
    ranges: [...(a.ranges ?? []), ...(b.ranges ?? [])],
    float: [...(a.float ?? []), ...(b.float ?? [])],
    constants: [...(a.constants ?? []), ...(b.constants ?? [])],
  };
}

/** The output that keeps least. */
function worstOf(sums: readonly RungSums[]): number {
  const db = sums.map(({ sumXX, sumEE }) => sqnr(sumXX, sumEE).sqnrDb ?? Infinity);
  return db.indexOf(Math.min(...db));
}

function gainOf(
  graph: Graph,
  ends: readonly Edge[],
  before: readonly RungSums[],
  after: readonly RungSums[],
  at: number,
  { samples, places }: { readonly samples: number; readonly places: number },
): MeasuredFix | undefined {
  const [was, is, end] = [before[at], after[at], ends[at]];
  if (was === undefined || is === undefined || end === undefined) return undefined;
  const [beforeDb, afterDb] = [sqnr(was.sumXX, was.sumEE).sqnrDb, sqnr(is.sumXX, is.sumEE).sqnrDb];
  return {
    tensor: tensorOf(graph, end.tensor).name,
    ...(beforeDb === undefined ? {} : { beforeDb }),
    ...(afterDb === undefined ? {} : { afterDb }),
    samples,
    ...(places === 1 ? {} : { places }),
  };
}
