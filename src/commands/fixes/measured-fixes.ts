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
const MOST_SAMPLES = 16;

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
 * The findings, those whose fix was tried with what it gave. Of fixes that are the same the first finding has it.
 *
 * @param samples at most so many, evenly spread
 */
export async function withMeasuredFixes(
  findings: readonly Diagnosed[],
  { graph, lane, ends, other, changed }: FixedNetwork,
  samples: (most: number) => Promise<Samples>,
  { threads }: { readonly threads: number },
): Promise<readonly Diagnosed[]> {
  const tried = distinct(findings).flatMap((finding) => {
    const made = finding.change === undefined ? undefined : changed(finding.change);
    return made === undefined ? [] : [{ finding, lane: made }];
  });
  const lanes = tried.slice(0, MOST_FIXES);
  if (lanes.length === 0 || ends.length === 0) return findings;
  const ladder = new Ladder(graph, [lane, ...lanes.map((one) => one.lane)], ends, other, { threads });
  try {
    for await (const sample of (await samples(MOST_SAMPLES)).samples()) await ladder.add(sample);
  } finally {
    await ladder.close();
  }
  const [before = [], ...after] = ladder.sums;
  const worst = worstOf(before);
  const gains = new Map(
    lanes.map(({ finding }, at) => [
      finding,
      gainOf(graph, ends, before, after[at] ?? [], worst, ladder.samples),
    ]),
  );
  return findings.map((finding) => {
    const measured = gains.get(finding);
    return measured === undefined || finding.fix === undefined
      ? finding
      : { ...finding, fix: { ...finding.fix, measured } };
  });
}

/** Errors and warnings with a change, worst first; each change once. */
function distinct(findings: readonly Diagnosed[]): Diagnosed[] {
  const seen = new Set<string>();
  return findings.filter(({ severity, fix, change }) => {
    if (severity === 'note' || fix === undefined || change === undefined) return false;
    const key = JSON.stringify(change);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
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
  samples: number,
): MeasuredFix | undefined {
  const [was, is, end] = [before[at], after[at], ends[at]];
  if (was === undefined || is === undefined || end === undefined) return undefined;
  const [beforeDb, afterDb] = [sqnr(was.sumXX, was.sumEE).sqnrDb, sqnr(is.sumXX, is.sumEE).sqnrDb];
  return {
    tensor: tensorOf(graph, end.tensor).name,
    ...(beforeDb === undefined ? {} : { beforeDb }),
    ...(afterDb === undefined ? {} : { afterDb }),
    samples,
  };
}
