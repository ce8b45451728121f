/** Which layers to keep in float, or to move to 16 bits, so that little enough is lost. */
import type { Written } from '../../../diff/gate/thresholds.js';
import { UsageError } from '../../../errors.js';
import type { Lane } from '../../../ir/lane.js';
import type { Layer } from '../../../quant/layers.js';
import type { Scheme } from '../../../quant/scheme.js';
import type { Effect, ReportedSearch, SweptUnit } from '../../../report/sweep-report.js';
import { dropTarget, type DropTarget, type TargetMetric } from './drop-target.js';
import { effectOf, restoredOf, type EffectBasis } from '../effects.js';
import { meetingLayers } from './layer-neighbours.js';
import { partLane, type Simulated } from '../part-lanes.js';
import { reportedSearch } from './search-report.js';
import type { BookedSet, LayerSet, Loss } from './set-book.js';
import { searchSets } from './set-search.js';
import type { Trial, TrialOutcome, TrialRunner } from '../trials/trial.js';
import { UnitCosts } from '../units/unit-costs.js';
import { nodesIn, typesOf } from '../units/units.js';
import { wideLane, wideScheme } from './wide-lane.js';

export interface SearchRequest {
  readonly simulated: Simulated;
  /** All that the scheme quantizes, in graph order. */
  readonly layers: readonly Layer[];
  /** What layers are moved to. */
  readonly to: 'float' | 'int16';
  /** Largest drop against float. */
  readonly target: Written;
  /** What networks are scored by; absent where noise is all that is known. */
  readonly metric?: TargetMetric;
  readonly basis: EffectBasis;
  /** What is known of each layer, in the order of the layers; empty where nothing is. */
  readonly units: readonly Pick<SweptUnit, 'alone' | 'restored'>[];
  /** Layers that the user named together. */
  readonly groups: readonly (readonly Layer[])[];
  /** Networks that may be run; `DEFAULT_BUDGET` when absent. */
  readonly budget?: number;
  /** Networks that are asked for at once; enough for all processes. `DEFAULT_BATCH` when absent. */
  readonly batch?: number;
}

export interface Searched {
  readonly report: ReportedSearch;
  /** Of the answer; where none meets the target, of what loses least. In graph order. */
  readonly layers: readonly Layer[];
  /** With these layers in higher precision: what was evaluated. */
  readonly lane: Lane;
  readonly effect: Effect;
  readonly meetsTarget: boolean;
}

const DEFAULT_BUDGET = 64;
const DEFAULT_BATCH = 8;

/**
 * Every candidate is a network that is really run, over all samples; an answer costs least (multiply-accumulates, and bytes of
 * weights, as shares of what all layers would cost) among those that meet the target, then has the fewest layers.
 *
 * @param progress networks run, and how many may be
 * @throws UsageError for a target without a meaning, and where the target has no 16-bit kernels
 */
export async function searchPrecision(
  request: SearchRequest,
  runner: TrialRunner,
  progress: (done: number, of: number) => void = () => undefined,
): Promise<Searched> {
  const { simulated, layers, to, metric, budget = DEFAULT_BUDGET, batch = DEFAULT_BATCH } = request;
  requireKernels(to, simulated.simulation.scheme);
  const target = dropTarget(request.target, metric);
  const candidates = new Candidates(request, runner, target);
  const empty = target.lossOf(candidates.quantized);
  if (empty === undefined) throw nothingMeasured(target, candidates.quantized);
  const known = await candidates.singles();
  const costs = new SetCosts(request);
  let done = 0;
  const result = await searchSets(
    {
      costs: costs.shares,
      limit: target.limit,
      empty,
      known: known.points,
      gains: known.losses.map((loss) => (loss === undefined ? undefined : empty.value - loss.value)),
      shares: known.shares,
      families: familiesOf(request),
      neighbours: meetingLayers(simulated.simulation.graph, simulated.simulation.plan, layers),
      budget,
      batch,
    },
    {
      evaluate: async (sets) => {
        const losses = await candidates.evaluate(sets);
        progress((done += sets.length), budget);
        return losses;
      },
      ...(metric === undefined ? {} : { screen: (sets) => candidates.noiseShares(sets) }),
    },
  );
  const points = result.points.map(({ set }) => ({
    set,
    names: set.map((at) => layers[at]!.name),
    ...costs.of(set),
    effect: candidates.effectOf(set),
  }));
  const { set, effect } = points[result.best]!;
  const lane = candidates.lane(set);
  if (lane === undefined) throw new RangeError('the answer of a search has no lane');
  return {
    report: reportedSearch({ to, target, points, result }),
    layers: set.map((at) => layers[at]!),
    lane,
    effect,
    meetsTarget: result.chosen !== undefined,
  };
}

/** @throws UsageError where the scheme's target has no 16-bit kernels, and they are asked for */
export function requireKernels(to: SearchRequest['to'], scheme: Scheme): void {
  if (to === 'float' || wideScheme(scheme) !== undefined) return;
  throw new UsageError(`--to int16: scheme ${scheme.name} has nothing wider to move a layer to`, {
    hint: '--to float',
  });
}

function nothingMeasured({ text }: DropTarget, { failure }: Effect): UsageError {
  const reason = failure === undefined ? 'the outputs have no answer that could change' : failure;
  return new UsageError(`--target-drop ${text}: nothing to hold, ${reason}`, {
    hint: '--labels FILE, or --target-drop 40dB: the least SQNR at the output',
  });
}

/** Layers of a type, and those that the user named; not all of them at once, which is asked anyway. */
function familiesOf({ layers, groups }: SearchRequest): LayerSet[] {
  const at = new Map(layers.map((layer, position) => [layer, position]));
  return [...typesOf(layers).values(), ...groups]
    .map((members) => [...new Set(members.flatMap((layer) => at.get(layer) ?? []))].sort((a, b) => a - b))
    .filter(({ length }) => length > 1 && length < layers.length);
}

/** What sets cost. */
class SetCosts {
  /** By layer: of the multiply-accumulates of the network, and of the bytes that all layers would take more; 0..2. */
  readonly shares: readonly number[];
  readonly #layers: readonly Layer[];
  readonly #base: UnitCosts;
  readonly #wide: UnitCosts | undefined;

  constructor({ simulated, layers, to }: SearchRequest) {
    const { graph } = simulated.simulation;
    const all = to === 'float' ? undefined : wideLane(simulated, layers);
    this.#layers = layers;
    this.#base = new UnitCosts(graph, simulated.lane);
    this.#wide = all === undefined ? undefined : new UnitCosts(graph, all);
    const every = layers.map((_, at) => this.of([at]));
    const bytes = every.reduce((sum, { extraBytes }) => sum + extraBytes, 0);
    this.shares = every.map(
      ({ macsShare, extraBytes }) => macsShare + (bytes === 0 ? 0 : extraBytes / bytes),
    );
  }

  of(set: LayerSet): { readonly macsShare: number; readonly extraBytes: number } {
    const nodes = nodesIn(set.map((at) => this.#layers[at]!));
    const bytes = this.#base.floatBytes(nodes) - (this.#wide?.floatBytes(nodes) ?? 0);
    return { macsShare: this.#base.macsShare(nodes) ?? 0, extraBytes: Math.max(0, bytes) };
  }
}

/** Sets of layers as networks, and what came of those that were run. */
class Candidates {
  readonly quantized: Effect;
  readonly #request: SearchRequest;
  readonly #runner: TrialRunner;
  readonly #target: DropTarget;
  readonly #effects = new Map<string, Effect>();

  constructor(request: SearchRequest, runner: TrialRunner, target: DropTarget) {
    this.#request = request;
    this.#runner = runner;
    this.#target = target;
    this.quantized = effectOf(request.basis.quantized);
    this.#effects.set('', this.quantized);
  }

  lane(set: LayerSet): Lane | undefined {
    const { simulated, layers, to } = this.#request;
    const moved = set.map((at) => layers[at]!);
    if (set.length === 0) return simulated.lane;
    return to === 'int16'
      ? wideLane(simulated, moved)
      : partLane(simulated, { kind: 'without', nodes: nodesIn(moved) });
  }

  effectOf(set: LayerSet): Effect {
    return this.#effects.get(set.join()) ?? {};
  }

  async evaluate(sets: readonly LayerSet[]): Promise<(Loss | undefined)[]> {
    const outcomes = await this.#run(sets, this.#request.metric !== undefined);
    return sets.map((set, at) => {
      const effect = effectOf(outcomes[at]!);
      this.#effects.set(set.join(), effect);
      return this.#target.lossOf(effect);
    });
  }

  async noiseShares(sets: readonly LayerSet[]): Promise<(number | undefined)[]> {
    const { basis } = this.#request;
    return (await this.#run(sets, false)).map((outcome) => restoredOf(outcome, basis).noiseShare);
  }

  /** What is known of each layer by itself. Kept in float, it is a candidate like others; at 16 bits it is likely to give as much. */
  async singles(): Promise<{
    readonly points: BookedSet[];
    readonly losses: (Loss | undefined)[];
    readonly shares: (number | undefined)[];
  }> {
    const { layers, units, to, metric } = this.#request;
    if (!units.some(({ alone, restored }) => alone !== undefined || restored !== undefined)) {
      const sets = layers.map((_, at) => [at]);
      const shares = await this.noiseShares(sets);
      return { points: [], losses: layers.map(() => undefined), shares };
    }
    const energies = units.map(({ alone }) => energyOf(alone));
    const energy = energies.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    const shares = layers.map((_, at) => {
      const own = energies[at];
      const share = own === undefined || energy === 0 ? undefined : own / energy;
      const gone = units[at]?.restored?.noiseShare;
      return share === undefined || gone === undefined ? (gone ?? share) : Math.max(share, gone);
    });
    const losses = layers.map((_, at) => {
      const effect = units[at]?.restored;
      return effect === undefined ? undefined : this.#target.lossOf(effect);
    });
    const points = layers.flatMap((_, at): BookedSet[] => {
      const [effect, loss] = [units[at]?.restored, losses[at]];
      if (to === 'int16' || effect === undefined || loss === undefined) return [];
      if (metric !== undefined && effect.accuracy === undefined) return [];
      this.#effects.set(`${at}`, effect);
      return [{ set: [at], loss }];
    });
    return { points, losses, shares };
  }

  async #run(sets: readonly LayerSet[], score: boolean): Promise<TrialOutcome[]> {
    const made = sets.map((set) => ({ id: this.#idOf(set), lane: this.lane(set) }));
    const trials = made.flatMap(({ id, lane }): Trial[] => (lane === undefined ? [] : [{ id, lane }]));
    const outcomes = await this.#runner.run(trials, { noise: true, score });
    const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
    return made.map(({ id }) => byId.get(id) ?? { id, failure: NOT_FOLLOWED });
  }

  /** Names may repeat, positions do not. */
  #idOf(set: LayerSet): string {
    return `search ${this.#request.to} ${set.join()}`;
  }
}

const NOT_FOLLOWED = 'calibration did not follow a tensor that would then need a range of its own';

/** Of the noise beside the signal at the output. */
function energyOf(effect: Effect | undefined): number | undefined {
  if (effect?.exact === true) return 0;
  return effect?.outputSqnrDb === undefined ? undefined : 10 ** (-effect.outputSqnrDb / 10);
}
