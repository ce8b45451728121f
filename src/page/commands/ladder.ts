/** Steps from a float reference to a finished file: what each takes away at the outputs. */
import type { LadderRung } from '../../report/compare-report.js';

export type RungName = LadderRung['rung'];

export const RUNGS: Readonly<Record<RungName, string>> = {
  graph: "its graph, the reference's weights",
  weights: 'its graph and its weights, in float',
  activations: "its quantizers, the reference's weights",
  everything: 'the candidate as it is, simulated',
  runtime: 'the file, run by ONNX Runtime',
};

/** Steps that a step adds something to. The best of them is what it could have kept. */
const BEFORE: Readonly<Record<RungName, readonly RungName[]>> = {
  graph: [],
  weights: ['graph'],
  activations: ['graph'],
  everything: ['weights', 'activations'],
  runtime: ['everything'],
};

export interface Fall {
  readonly rung: RungName;
  readonly tensor: string;
  /** Absent where nothing was lost before. */
  readonly fromDb?: number;
  readonly toDb: number;
  /** dB; infinite where nothing was lost before. */
  readonly by: number;
}

type Output = LadderRung['outputs'][number];

/** At the output that falls most there; undefined where the step takes nothing away. */
export function fallAt(ladder: readonly LadderRung[], name: RungName): Fall | undefined {
  const rung = ladder.find((each) => each.rung === name);
  const earlier = ladder.filter((each) => BEFORE[name].includes(each.rung));
  const falls = (rung?.outputs ?? []).flatMap((output): Fall[] => {
    const toDb = output.sqnrDb;
    if (toDb === undefined || output.exact === true) return [];
    const before = earlier.flatMap(({ outputs }) => outputs.filter(({ tensor }) => tensor === output.tensor));
    // What two steps keep, both together can at most keep as well as the worse of them.
    const levels = before.flatMap((each) => levelOf(each) ?? []);
    const from = levels.length === 0 ? Infinity : levels.reduce((a, b) => Math.min(a, b));
    const by = from - toDb;
    if (by <= 0) return [];
    return [{ rung: name, tensor: output.tensor, toDb, by, ...(from === Infinity ? {} : { fromDb: from }) }];
  });
  return falls.sort((a, b) => b.by - a.by || a.toDb - b.toDb)[0];
}

function levelOf({ exact, sqnrDb }: Output): number | undefined {
  return exact === true ? Infinity : sqnrDb;
}

/** Below this much noise an output is close to float; a step that stays above it takes away nothing that matters. dB. */
const CLOSE_DB = 20;
/** As much as rounding in float leaves of an exact output. dB. */
const SAME_DB = 60;

/**
 * The step where most is lost of what matters: from a level up to that of float rounding, down to below what is close to float. Where
 * every step stays close, the one that takes most away.
 */
export function largestFall(ladder: readonly LadderRung[]): Fall | undefined {
  const falls = ladder.flatMap(({ rung }) => fallAt(ladder, rung) ?? []);
  const size = ({ fromDb = SAME_DB, toDb }: Fall): number => Math.min(fromDb, SAME_DB) - toDb;
  const sorted = [...falls].sort((a, b) => size(b) - size(a));
  return sorted.find(({ toDb }) => toDb < CLOSE_DB) ?? sorted.find((fall) => size(fall) > 0);
}

/** "from 31.2 to 8.4 dB", "from exact to 8.4 dB". */
export function fallText({ fromDb, toDb }: Fall): string {
  return `from ${fromDb === undefined ? 'exact' : fromDb.toFixed(1)} to ${toDb.toFixed(1)} dB`;
}
