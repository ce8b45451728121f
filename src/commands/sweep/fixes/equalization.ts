/** Cross-layer equalization, for the whole network at once as the tools that offer it apply it. */
import { toFloat32 } from '../../../ir/elements.js';
import {
  nodeLabel,
  nodeOf,
  tensorOf,
  type ConstantData,
  type Graph,
  type TensorId,
} from '../../../ir/graph.js';
import { hasSameCodes, type Lane, type QuantParams } from '../../../ir/lane.js';
import { paramsFromRange } from '../../../quant/affine.js';
import { constantParams } from '../../../quant/edits/constant-params.js';
import { compensating, exactGraph, exactOf } from '../../../quant/edits/constant-values.js';
import { editedLane, paramsOf, rangeKey } from '../../../quant/edits/edited-lane.js';
import { equalizableChains, type Chain } from '../../../quant/edits/equalization-chains.js';
import {
  equalize,
  rescales,
  type EqualizationKind,
  type EqualizedChain,
  type Rescale,
} from '../../../quant/edits/equalization.js';
import { needsHistogram, observe, type Range } from '../../../quant/observers/index.js';
import { isSymmetric } from '../../../quant/placement/lane-plan.js';
import type { PlannedQuantizer, QuantPlan } from '../../../quant/placement/plan.js';
import { refittedConstant, refittedRange } from '../../../quant/refit.js';
import { calibrate, type Calibration } from '../../../run/calibrate.js';
import type { FixGround, LaneFix } from './lane-fix.js';

/** Where a scheme has no moving average, none is asked for. */
const NO_MOMENTUM = 0.9;

/**
 * Equalization of weights where they have one scale for the tensor, and of activations with the weights that read them. Takes one
 * calibration pass over the equalized network each (two where observers want histograms), so that ranges are what the target would
 * observe in it.
 */
export async function equalizationFixes(ground: FixGround): Promise<LaneFix[]> {
  const { graph, plan } = ground.simulated.simulation;
  const chains = equalizableChains(graph).filter((chain) => isMovable(graph, plan, chain));
  const fixes: LaneFix[] = [];
  // Of all kinds: a network is equalized once, else channels might reach the limit of a Relu6.
  const made = new WeakSet<ConstantData>();
  for (const kind of kindsFor(ground)) {
    const equalized = equalize(graph, chains, kind, (tensor) => magnitudesIn(ground, tensor));
    if (equalized.length > 0) fixes.push(await equalizationFix(ground, kind, equalized, made));
  }
  return fixes;
}

/** With a scale for every output channel the weights that write them need no equalizing. */
function kindsFor({ simulated: { simulation } }: FixGround): EqualizationKind[] {
  const { weights, activations } = simulation.scheme;
  const perTensor = weights !== 'float' && weights.granularity === 'per-tensor';
  return [
    ...(perTensor ? (['weights'] as const) : []),
    ...(activations === 'float' ? [] : (['activations'] as const)),
  ];
}

/** Largest |x| of each channel, as calibration saw them. */
function magnitudesIn({ simulated: { calibration } }: FixGround, tensor: TensorId): Float64Array | undefined {
  const channels = calibration.edges.get(tensor)?.channels;
  return channels?.max.map((max, c) => Math.max(max, -channels.min[c]!));
}

/** Whether every quantizer on the chain has a range that is observed on it, and serves nothing else. */
function isMovable(graph: Graph, plan: QuantPlan, chain: Chain): boolean {
  const own = new Set(chain.tensors);
  return plan.quantizers.every(({ tensor, range }) => {
    if (tensorOf(graph, tensor).data !== undefined) return true;
    if (range.kind === 'limits' || range.kind === 'fixed') return !own.has(tensor);
    return range.kind === 'bias' || own.has(tensor) === own.has(range.tensor);
  });
}

async function equalizationFix(
  ground: FixGround,
  kind: EqualizationKind,
  equalized: readonly EqualizedChain[],
  made: WeakSet<ConstantData>,
): Promise<LaneFix> {
  const { graph, plan } = ground.simulated.simulation;
  const layers = new Set(
    equalized.flatMap(({ chain }) => [chain.node, ...chain.readers.map(({ node }) => node)]),
  );
  const constants = new Map(
    [...rescales(graph, equalized)].map(([tensor, rescale]) => [tensor, once(rescale, made)]),
  );
  const tensors = new Set(equalized.flatMap(({ chain }) => chain.tensors));
  const ranges = await rangesAfter(ground, constants, tensors);
  const channels = equalized.reduce((sum, { divisors }) => sum + divisors.length, 0);
  const what =
    kind === 'weights'
      ? 'weights of layers that follow each other'
      : 'activations and the weights that read them';
  return {
    id: `equalization:${kind}`,
    kind: 'equalization',
    title: `cross-layer equalization of ${what}: ${channels} channels between ${layers.size} layers rescaled`,
    places: [...layers].sort((a, b) => a - b).map((id) => nodeLabel(nodeOf(graph, id))),
    tensors: [...constants.keys(), ...tensors],
    apply: (lane) => equalizedLane(graph, plan, lane, { constants, ranges }),
  };
}

/** Constants are known by their identity: lanes that have the same one share what is computed with it. */
interface Rescaling {
  readonly of: (data: ConstantData) => ConstantData;
  readonly isMade: (data: ConstantData) => boolean;
}

function once(rescale: Rescale, made: WeakSet<ConstantData>): Rescaling {
  const known = new WeakMap<ConstantData, ConstantData>();
  return {
    isMade: (data) => made.has(data),
    of: (data) => {
      const before = known.get(data);
      if (before !== undefined) return before;
      const exact = exactOf(data);
      const result = exact === data ? rescale(data) : compensating(rescale(exact), toFloat32(rescale(data)));
      known.set(data, result);
      made.add(result);
      return result;
    },
  };
}

/** What the observer of a tensor gives before and after. */
interface ChangedRange {
  readonly before: Range;
  readonly after: Range;
  readonly planned: PlannedQuantizer;
  /** Of the lane that the sweep began with. */
  readonly params: QuantParams | undefined;
}

async function rangesAfter(
  ground: FixGround,
  constants: ReadonlyMap<TensorId, Rescaling>,
  tensors: ReadonlySet<TensorId>,
): Promise<Map<TensorId, ChangedRange>> {
  const { simulation, calibration, lane } = ground.simulated;
  const { graph, plan, observed } = simulation;
  const quantizers = plan.quantizers.filter((quantizer) =>
    tensors.has(rangeKey(quantizer) ?? quantizer.tensor),
  );
  const keys = new Set(quantizers.flatMap((quantizer) => rangeKey(quantizer) ?? []));
  const edges = observed.filter(({ tensor }) => keys.has(tensor));
  const observers = quantizers.map(({ scheme }) => scheme.observer);
  const average = observers.find((observer) => observer.kind === 'moving-average');
  const seen =
    edges.length === 0
      ? calibration
      : await calibrate(
          exactGraph(graph, { ...lane, values: rescaledValues(graph, constants) }),
          edges,
          ground.samples,
          {
            threads: ground.threads,
            histograms: observers.some(needsHistogram),
            momentum: average?.momentum ?? NO_MOMENTUM,
          },
          () => undefined,
        );
  const changed = new Map<TensorId, ChangedRange>();
  for (const planned of quantizers) {
    const key = rangeKey(planned);
    if (key === undefined || changed.has(key)) continue;
    const [before, after] = [calibration, seen].map((of) => observedIn(of, key, planned));
    if (before === undefined || after === undefined) continue;
    changed.set(key, { before, after, planned, params: paramsOf(lane, planned) });
  }
  return changed;
}

function rescaledValues(
  graph: Graph,
  constants: ReadonlyMap<TensorId, Rescaling>,
): Map<TensorId, ConstantData> {
  const values = new Map<TensorId, ConstantData>();
  for (const [tensor, { of }] of constants) {
    const { data } = tensorOf(graph, tensor);
    if (data !== undefined) values.set(tensor, of(data));
  }
  return values;
}

function observedIn(
  { edges }: Calibration,
  tensor: TensorId,
  { scheme }: PlannedQuantizer,
): Range | undefined {
  const stats = edges.get(tensor);
  const isFinite = stats !== undefined && Number.isFinite(stats.min) && Number.isFinite(stats.max);
  return isFinite ? observe(scheme.observer, stats, scheme) : undefined;
}

/** Every constant that is not yet, and the quantizers of all that changes with them. */
function equalizedLane(
  graph: Graph,
  plan: QuantPlan,
  lane: Lane,
  edit: {
    readonly constants: ReadonlyMap<TensorId, Rescaling>;
    readonly ranges: ReadonlyMap<TensorId, ChangedRange>;
  },
): Lane {
  const values = new Map(lane.values);
  const weights = new Map<TensorId, QuantParams>();
  const roles = new Map(plan.quantizers.map((quantizer) => [quantizer.tensor, quantizer]));
  for (const [tensor, rescaling] of edit.constants) {
    const data = lane.values?.get(tensor) ?? tensorOf(graph, tensor).data;
    // A bias may be another one since; the weights tell that all of this was done before.
    if (data === undefined || rescaling.isMade(data)) return lane;
    const made = rescaling.of(data);
    values.set(tensor, made);
    const [params, planned] = [lane.tensors.get(tensor), roles.get(tensor)];
    if (params === undefined || planned === undefined || planned.range.kind === 'bias') continue;
    const fitted = weightParams(made, params, planned);
    if (fitted !== undefined) weights.set(tensor, fitted);
  }
  const activations = new Map<TensorId, QuantParams>();
  for (const [tensor, range] of edit.ranges) {
    const params = paramsOf(lane, range.planned);
    if (params !== undefined) activations.set(tensor, rangedParams(params, range));
  }
  return editedLane(graph, plan, { ...lane, values }, { activations, weights });
}

/** As the scheme would quantize the weight; one that was changed to another type keeps that and its form. */
function weightParams(
  data: ConstantData,
  params: QuantParams,
  { scheme }: PlannedQuantizer,
): QuantParams | undefined {
  const axis = params.granularity.kind === 'per-axis' ? params.granularity.axis : undefined;
  return params.dtype === scheme.dtype
    ? constantParams(data, scheme, axis)
    : refittedConstant(params, data, axis);
}

/** What the observer gives now; of a quantizer with another range than it gave before, that range changed alike. */
function rangedParams(
  params: QuantParams,
  { before, after, planned, params: first }: ChangedRange,
): QuantParams {
  const { dtype, qmin, qmax, scale, zeroPoint, granularity } = params;
  if (first !== undefined && hasSameCodes(first, params)) {
    return { ...paramsFromRange([after.rmin], [after.rmax], planned.scheme, granularity, 'edit'), qmin };
  }
  const [low, high] = [(qmin - zeroPoint[0]!) * scale[0]!, (qmax - zeroPoint[0]!) * scale[0]!];
  const changed = (end: number, was: number, is: number): number => (was === 0 ? end : (end * is) / was);
  const magnitude = ({ rmin, rmax }: Range): number => Math.max(-rmin, rmax);
  const range = isSymmetric(dtype, zeroPoint)
    ? { min: 0, max: changed(high, magnitude(before), magnitude(after)) }
    : { min: changed(low, before.rmin, after.rmin), max: changed(high, before.rmax, after.rmax) };
  return { ...refittedRange(params, range), qmin };
}
