/** The ladder from a float reference to a finished file: what each step costs, in one sentence. */
import { BROKEN_DB, CLOSE_DB } from './close.js';
import type { LadderRung } from './compare-report.js';

/** At least this much at an output is the same function, rounded in float: dB. */
const SAME_DB = 60;
/** Steps that differ by less cost alike. */
const ALIKE_DB = 3;
/** A step that takes this much more away has a part of its own in the loss. */
const FURTHER_DB = 6;
/** Shares of samples that keep their largest element: so many are most, fewer than the other are too few. */
const MOST = 0.95;
const FEW = 0.9;

type RungName = LadderRung['rung'];

/** dB of the worst output of a rung, Infinity where all are exact; undefined where none was measured. */
export function worstOf(rung: LadderRung | undefined): number | undefined {
  const db = (rung?.outputs ?? []).flatMap(({ sqnrDb, exact }) =>
    exact === true ? [Infinity] : sqnrDb === undefined ? [] : [sqnrDb],
  );
  return db.length === 0 ? undefined : db.reduce((a, b) => Math.min(a, b));
}

/** The candidate as it is, simulated: of one without quantizers, the last step. Empty where nothing was. */
export function wholeRung(ladder: readonly LadderRung[]): LadderRung[] {
  return ladder.filter(({ rung }) => rung !== 'runtime').slice(-1);
}

/** What is left out counts as lost. */
export function isClose(rung: LadderRung): boolean {
  const db = worstOf(rung);
  return db !== undefined && db >= CLOSE_DB;
}

/** What the steps say together, such as "the exported graph computes the float function; quantizing activations loses it". */
export function ladderSentence(ladder: readonly LadderRung[]): string | undefined {
  const db = (name: RungName): number | undefined => worstOf(ladder.find(({ rung }) => rung === name));
  const measured = ladder.filter((rung) => worstOf(rung) !== undefined);
  if (measured.length === 0) return undefined;
  if (measured.every((rung) => worstOf(rung) === Infinity))
    return 'no step changes a single value of the outputs';
  const graph = db('graph');
  const steps = {
    graph,
    weights: db('weights'),
    activations: db('activations'),
    everything: db('everything'),
    runtime: db('runtime'),
  };
  const parts =
    graph !== undefined && graph < CLOSE_DB
      ? otherFunction(graph, steps)
      : [graph === undefined ? undefined : sameFunction(graph), quantizing(steps)];
  return [...parts, runtimePart(steps), decisions(ladder.find(({ rung }) => rung === 'everything'))]
    .filter((part) => part !== undefined)
    .join('; ');
}

/** dB of the worst output of each step that was measured. */
type Steps = Readonly<Partial<Record<RungName, number | undefined>>>;

function otherFunction(graph: number, { activations, everything }: Steps): (string | undefined)[] {
  const quantized = Math.max(activations ?? -Infinity, everything ?? -Infinity);
  // Converters leave out a Relu where a quantizer that clips at 0 follows.
  if (quantized > graph + FURTHER_DB) {
    if (quantized < BROKEN_DB)
      return [
        `the exported graph cannot be judged without its quantizers (${graph.toFixed(1)} dB, ${quantized.toFixed(1)} dB with them), whose ranges may stand for activation functions`,
        'the graph or its quantizers lose it',
      ];
    return [
      `the exported graph needs its quantizers (${graph.toFixed(1)} dB without them): their ranges stand for activation functions`,
      // Without its quantizers nothing can be said of its weights.
      isLow(everything) && activations !== undefined && !isLow(activations)
        ? weightsLose(everything)
        : quantizing({ activations, everything }),
    ];
  }
  const told = `the exported graph does not compute the float function: ${graph.toFixed(1)} dB at the outputs before anything is quantized`;
  if (everything === undefined) return [told];
  return everything < graph - FURTHER_DB
    ? [`${told}, ${everything.toFixed(1)} dB when everything is`]
    : [told, 'quantizing adds little to that'];
}

function sameFunction(graph: number): string {
  return graph >= SAME_DB
    ? 'the exported graph computes the float function'
    : `the exported graph computes nearly the float function (${graph.toFixed(1)} dB)`;
}

function quantizing({ weights, activations, everything }: Steps): string | undefined {
  const lost = [
    ...(isLow(weights) ? [weightsLose(weights)] : []),
    ...(isLow(activations) ? [`quantizing activations ${verb(activations)}`] : []),
  ];
  if (lost.length > 0) return lost.join(' and ');
  if (!isLow(everything)) return kept(weights, activations, everything);
  return weights === undefined || activations === undefined
    ? `the candidate as a whole ${verb(everything)}`
    : `its weights alone keep it, its activations alone keep it, together they ${everything < BROKEN_DB ? 'lose it' : 'cost much'}`;
}

function weightsLose(db: number): string {
  return `the candidate's weights ${db < BROKEN_DB ? 'lose it' : 'cost much'}`;
}

function kept(
  weights: number | undefined,
  activations: number | undefined,
  everything: number | undefined,
): string | undefined {
  if (everything === undefined) return undefined;
  if (everything === Infinity) return 'the finished file is exact';
  if (weights === undefined || activations === undefined) return 'quantizing keeps it';
  if (Math.abs(weights - activations) < ALIKE_DB)
    return 'quantizing keeps it; weights and activations cost alike';
  return `quantizing keeps it; most of the noise is from the ${weights < activations ? 'weights' : 'activations'}`;
}

function runtimePart({ everything, runtime }: Steps): string | undefined {
  if (everything === undefined || runtime === undefined) return undefined;
  if (!isLow(everything) && isLow(runtime))
    return `ONNX Runtime's own run of the file ${verb(runtime)} where the simulation does not: suspect the kernels, not the scales`;
  if (isLow(everything) && !isLow(runtime))
    return "ONNX Runtime's own run of the file keeps it where the simulation does not: the two read the file differently";
  return undefined;
}

/** Where SQNR and the decisions that are made on the outputs disagree. */
function decisions(everything: LadderRung | undefined): string | undefined {
  const db = worstOf(everything);
  const shares = (everything?.outputs ?? []).flatMap(({ agreement }) =>
    agreement === undefined ? [] : [agreement],
  );
  if (db === undefined || shares.length === 0) return undefined;
  const share = shares.reduce((a, b) => Math.min(a, b));
  const text = `${Math.floor(1000 * share) / 10} % of rows`;
  if (isLow(db) && share >= MOST) return `the largest element is still the same in ${text}`;
  if (!isLow(db) && share < FEW) return `yet the largest element is the same in ${text} only`;
  return undefined;
}

function isLow(db: number | undefined): db is number {
  return db !== undefined && db < CLOSE_DB;
}

function verb(db: number): string {
  return db < BROKEN_DB ? 'loses it' : 'costs much';
}
