/** Own scales for the inputs of operators that want one scale on all their edges, such as Concat. */
import {
  nodeLabel,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import type { AffineScheme } from '../../../quant/affine.js';
import {
  activationParams,
  forecastDb,
  isObserved,
  quantizedActivations,
} from '../../../quant/edits/activations.js';
import { editedLane, type Split } from '../../../quant/edits/edited-lane.js';
import { sharedEntries, type SharedEntry } from '../../../quant/edits/shared-scale.js';
import type { Layer } from '../../../quant/layers.js';
import { observe, type TensorStats } from '../../../quant/observers/index.js';
import type { QuantPlan } from '../../../quant/placement/plan.js';
import { plural } from '../../../report/format.js';
import type { FixGround, LaneFix } from './lane-fix.js';
import { changedTensors, mostWorth, worthOf, type FixName } from './ground-activations.js';
import { MARGIN_DB } from './observer.js';

const SINGLE_FIXES = 3;

interface Candidate {
  readonly entry: SharedEntry;
  readonly stats: TensorStats;
  readonly worth: number;
}

/**
 * Inputs of Concat, Maximum and their like that other operators read too, and that the shared scale is much too coarse for: they
 * get the range of their own values, and the operator requantizes what it reads. An input that nothing else reads would gain
 * nothing: its codes become those of the result all the same. Where the result is an output of the network, it can stay in float.
 */
export function splitConcatFixes(ground: FixGround): LaneFix[] {
  const { simulation, lane } = ground.simulated;
  const { graph, plan } = simulation;
  const candidates = sharedEntries(graph, plan, lane).flatMap((entry) =>
    entry.isReadElsewhere ? candidateOf(ground, entry) : [],
  );
  const all =
    candidates.length < 2
      ? []
      : [
          fixFor(ground, candidates, {
            id: 'split-concat:all',
            kind: 'split-concat',
            title: `own scales for ${plural(candidates.length, 'tensor')} that share one with others; the target must requantize where they meet, which rounds once more than was measured`,
          }),
        ];
  const singles = mostWorth(candidates, SINGLE_FIXES).map((candidate) => {
    const { tensor, joins } = candidate.entry;
    const { name } = tensorOf(graph, tensor);
    const where = joins.map((node) => nodeLabel(nodeOf(graph, node))).join(', ');
    return fixFor(ground, [candidate], {
      id: `split-concat:${name}`,
      kind: 'split-concat',
      title: `an own scale for ${name}; the target must requantize it in front of ${where}, where it rounds once more than was measured`,
    });
  });
  return [...all, ...singles, ...floatConcats(ground)];
}

function candidateOf(ground: FixGround, entry: SharedEntry): Candidate[] {
  const { simulation, calibration, lane } = ground.simulated;
  const stats = calibration.edges.get(entry.tensor);
  const [shared, scheme] = [
    lane.tensors.get(entry.tensor),
    schemeOf(simulation.graph, simulation.plan, lane, entry.leader),
  ];
  if (!isObserved(stats) || shared === undefined || scheme === undefined) return [];
  const own = ownParams(simulation.scheme.activations, stats, scheme);
  const [before, after] = [forecastDb(stats, shared), own === undefined ? undefined : forecastDb(stats, own)];
  if (before === undefined || after === undefined || after < before + MARGIN_DB) return [];
  return [{ entry, stats, worth: worthOf({ db: before }, after) }];
}

/** That of the tensor whose parameters it shares. */
function schemeOf(graph: Graph, plan: QuantPlan, lane: Lane, leader: TensorId): AffineScheme | undefined {
  return quantizedActivations(graph, plan, lane).find(({ planned }) => planned.tensor === leader)?.scheme;
}

function ownParams(
  activations: FixGround['simulated']['simulation']['scheme']['activations'],
  stats: TensorStats,
  scheme: AffineScheme,
): QuantParams | undefined {
  return activations === 'float'
    ? undefined
    : activationParams(observe(activations.observer, stats, scheme), scheme);
}

function fixFor(ground: FixGround, candidates: readonly Candidate[], name: FixName): LaneFix {
  const { simulation, lane: whole } = ground.simulated;
  const { graph, plan } = simulation;
  const apply = (lane: Lane): Lane => {
    const entries = new Map(sharedEntries(graph, plan, lane).map((entry) => [entry.tensor, entry]));
    const splits = candidates.flatMap(({ entry: { tensor }, stats }): Split[] => {
      const entry = entries.get(tensor);
      const scheme = entry === undefined ? undefined : schemeOf(graph, plan, lane, entry.leader);
      const params =
        scheme === undefined ? undefined : ownParams(simulation.scheme.activations, stats, scheme);
      if (entry === undefined || params === undefined) return [];
      return [{ tensors: entry.tensors, params, requantized: entry.joined }];
    });
    return splits.length === 0 ? lane : editedLane(graph, plan, lane, { splits });
  };
  return {
    ...name,
    places: candidates.map(({ entry }) => tensorOf(graph, entry.tensor).name),
    tensors: changedTensors(graph, whole, apply(whole)),
    apply,
  };
}

/** Each Concat that writes an output of the network of values on different scales, computed in float from inputs with own scales. */
function floatConcats(ground: FixGround): LaneFix[] {
  const { graph } = ground.simulated.simulation;
  const { uses } = topologyOf(graph);
  return ground.layers.flatMap((layer): LaneFix[] => {
    const concat = layer.nodes.map((id) => nodeOf(graph, id)).find(({ op }) => op === 'Concat');
    const isEnd = graph.outputs.includes(layer.output) && (uses[layer.output] ?? []).length === 0;
    if (concat === undefined || !isEnd) return [];
    const fix = floatConcat(ground, concat, layer);
    return fix === undefined ? [] : [fix];
  });
}

function floatConcat({ simulated }: FixGround, { id }: Node, layer: Layer): LaneFix | undefined {
  const { simulation, calibration, lane: whole } = simulated;
  const { graph, plan, scheme } = simulation;
  const apply = (lane: Lane): Lane => {
    if (!lane.tensors.has(layer.output)) return lane;
    const entries = sharedEntries(graph, plan, lane).filter(({ leader }) => leader === layer.output);
    const splits = entries.flatMap(({ tensor, tensors, joins }): Split[] => {
      const stats = calibration.edges.get(tensor);
      const own = schemeOf(graph, plan, lane, layer.output);
      if (!isObserved(stats) || own === undefined || joins.some((node) => node !== id)) return [];
      const params = ownParams(scheme.activations, stats, own);
      return params === undefined ? [] : [{ tensors, params, requantized: [] }];
    });
    return editedLane(graph, plan, lane, { splits, float: [layer.output] });
  };
  const edited = apply(whole);
  if (edited === whole) return undefined;
  const { name } = tensorOf(graph, layer.output);
  return {
    id: `split-concat:float ${name}`,
    kind: 'split-concat',
    title: `output ${name} in float, from inputs that have a scale each; the target must compute ${layer.name} in float`,
    places: [name],
    cost: { layers: [layer] },
    tensors: changedTensors(graph, whole, edited),
    apply,
  };
}
