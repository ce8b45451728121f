/** Lanes in which some layers compute with 16 bits. */
import { nodeOf, topologyOf, type NodeId, type TensorId } from '../../../ir/graph.js';
import { QRANGE, useKey, type Lane, type QDType } from '../../../ir/lane.js';
import { sourceOf } from '../../../ir/operators.js';
import type { Layer } from '../../../quant/layers.js';
import { observedTensors, type PlannedQuantizer, type QuantPlan } from '../../../quant/placement/plan.js';
import { planSelected } from '../../../quant/placement/planner.js';
import { schemeProblems } from '../../../quant/presets.js';
import type { Scheme, TensorScheme } from '../../../quant/scheme.js';
import { select } from '../../../quant/select.js';
import { calibratedLane } from '../../simulation.js';
import { sharing, type Simulated } from '../part-lanes.js';

/** Types with more codes, the widest first. */
const WIDER_WEIGHTS: readonly QDType[] = ['int16', 'int8'];

/**
 * The scheme with activations of 16 bits and the widest weights that the target has beside them: int16 where it has them (ONNX
 * Runtime), else those of 8 bits (16x8 kernels of TensorFlow Lite). A type keeps its sign, and its symmetry where the target
 * leaves the choice, as an override of the type does in ONNX Runtime's quantizer.
 *
 * @returns undefined where the target has no 16-bit activations, or nothing would change
 */
export function wideScheme(scheme: Scheme): Scheme | undefined {
  const activations = wideActivations(scheme);
  const wide = activations === undefined ? undefined : withWideWeights({ ...scheme, activations });
  if (wide === undefined) return undefined;
  return JSON.stringify(wide) === JSON.stringify(scheme) ? undefined : wide;
}

function wideActivations(scheme: Scheme): Scheme['activations'] | undefined {
  const { activations } = scheme;
  if (activations === 'float') return activations;
  const isSigned = QRANGE[activations.dtype][0] < 0;
  const types: readonly QDType[] = isSigned ? ['int16', 'uint16'] : ['uint16', 'int16'];
  const schemes = types.flatMap((dtype): TensorScheme[] => [
    { ...activations, dtype, narrowRange: activations.symmetric && dtype === 'int16' },
    { ...activations, dtype, symmetric: dtype === 'int16', narrowRange: dtype === 'int16' },
  ]);
  return schemes.find(
    (candidate) => schemeProblems({ ...scheme, weights: 'float', activations: candidate }).length === 0,
  );
}

function withWideWeights(scheme: Scheme): Scheme {
  const { weights, activations, placement } = scheme;
  // int64 biases of 16x8 kernels are never clamped: see the preset.
  const is16x8 = placement === 'tflite' && activations !== 'float';
  const biased: Scheme = is16x8 ? { ...scheme, bias: 'float' } : scheme;
  if (weights === 'float') return biased;
  const size = (dtype: QDType): number => QRANGE[dtype][1] - QRANGE[dtype][0];
  for (const dtype of WIDER_WEIGHTS.filter((wider) => size(wider) > size(weights.dtype))) {
    const symmetric: TensorScheme = { ...weights, dtype, symmetric: true, narrowRange: true };
    const wide = { ...biased, weights: symmetric };
    if (schemeProblems(wide).length === 0) return wide;
  }
  return biased;
}

/**
 * The lane of the simulation with some layers at 16 bits: the activations that they read and write, for all who read or write
 * them, their weights, and the biases that follow from both; tensors that must share parameters with one of these follow it.
 * Ranges come from the scheme's observer. All other quantizers are the very objects of the simulation's lane.
 *
 * @returns undefined where the target has no 16-bit kernels, or a range was not followed
 */
export function wideLane(simulated: Simulated, layers: readonly Layer[]): Lane | undefined {
  const { simulation, calibration, lane } = simulated;
  if (layers.length === 0) return lane;
  const plan = widePlan(simulated, layers);
  if (plan === undefined) return undefined;
  const observers = observedTensors(simulation.graph, plan);
  if ([...observers.keys()].some((tensor) => !calibration.edges.has(tensor))) return undefined;
  return sharing(lane, calibratedLane({ ...simulation, plan, observers }, calibration));
}

function widePlan({ simulation, selection }: Simulated, layers: readonly Layer[]): QuantPlan | undefined {
  const { graph, scheme, plan } = simulation;
  const wide = wideScheme(scheme);
  if (wide === undefined) return undefined;
  const held = new Set(plan.quantizers.map(keyOf));
  const keys = wideKeys(simulation, held, layers);
  const wanted = new Map(
    planSelected(graph, wide, select(graph, selection)).quantizers.map((quantizer) => [
      keyOf(quantizer),
      quantizer,
    ]),
  );
  const quantizers = plan.quantizers.flatMap((quantizer): PlannedQuantizer[] => {
    const { range } = quantizer;
    if (range.kind === 'bias') {
      const isWide = keys.has(keyReadBy(simulation, held, range.node, range.input));
      return isWide && wide.bias === 'float' ? [] : [quantizer];
    }
    if (!keys.has(keyOf(quantizer))) return [quantizer];
    const other = wanted.get(keyOf(quantizer));
    if (other === undefined) return [quantizer];
    // What a quantizer of the plan refers to, the other plan may not have.
    return [{ ...quantizer, scheme: other.scheme, range: range.kind === 'fixed' ? other.range : range }];
  });
  return { ...plan, quantizers };
}

/** Of the quantizers at 16 bits, with those that share parameters with them. */
function wideKeys(
  simulation: Simulated['simulation'],
  held: ReadonlySet<string>,
  layers: readonly Layer[],
): ReadonlySet<string> {
  const { graph, plan } = simulation;
  const keys = new Set<string>();
  for (const id of layers.flatMap(({ nodes }) => nodes)) {
    const { inputs, outputs } = nodeOf(graph, id);
    for (const input of inputs) {
      if (input === null) continue;
      keys.add(keyReadBy(simulation, held, id, input));
      const source = sourceOf(graph, input);
      if (source !== input) keys.add(`${source}`);
    }
    for (const output of outputs) {
      if (output !== null) for (const copy of copiesOf(simulation, output)) keys.add(`${copy}`);
    }
  }
  const shared = plan.quantizers.flatMap((quantizer): (readonly [string, string])[] => {
    const { range } = quantizer;
    return range.kind === 'same-as' ? [[keyOf(quantizer), `${range.tensor}`]] : [];
  });
  const groups = [...shared, ...fixedTogether(simulation)];
  for (let known = -1; known < keys.size;) {
    known = keys.size;
    for (const [a, b] of groups) if (keys.has(a) || keys.has(b)) keys.add(a).add(b);
  }
  return keys;
}

/** Tensors in front of and behind one operator that both have the same prescribed parameters: it only moves values. */
function fixedTogether({ graph, plan }: Simulated['simulation']): (readonly [string, string])[] {
  const fixed = new Map(
    plan.quantizers.flatMap(({ tensor, range }) =>
      range.kind === 'fixed' ? [[tensor, `${range.scale} ${range.zeroPoint}`] as const] : [],
    ),
  );
  if (fixed.size < 2) return [];
  return graph.nodes.flatMap(({ inputs, outputs }) =>
    inputs.flatMap((input) =>
      outputs.flatMap((output): (readonly [string, string])[] =>
        input !== null && output !== null && fixed.has(input) && fixed.get(input) === fixed.get(output)
          ? [[`${input}`, `${output}`]]
          : [],
      ),
    ),
  );
}

/** The tensor, and the same values in other orders of axes. */
function copiesOf({ graph }: Simulated['simulation'], tensor: TensorId): TensorId[] {
  return (topologyOf(graph).uses[tensor] ?? []).reduce<TensorId[]>(
    (copies, { node }) => {
      const { origin, outputs } = nodeOf(graph, node);
      const [copy] = outputs;
      return origin.part === 'layout' && copy !== undefined && copy !== null ? [...copies, copy] : copies;
    },
    [tensor],
  );
}

/** Of the quantizer through which the node reads the tensor, of those that are held. */
function keyReadBy(
  { graph }: Simulated['simulation'],
  held: ReadonlySet<string>,
  node: NodeId,
  tensor: TensorId,
): string {
  const key = useKey(node, nodeOf(graph, node).inputs.indexOf(tensor));
  return held.has(key) ? key : `${tensor}`;
}

function keyOf({ tensor, use }: PlannedQuantizer): string {
  return use === undefined ? `${tensor}` : useKey(use.node, use.slot);
}
