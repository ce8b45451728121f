/** Single edges at 16 bits. */
import { nodeOf, tensorOf, topologyOf, type TensorId } from '../../../ir/graph.js';
import { QRANGE, type QuantParams } from '../../../ir/lane.js';
import { bitsOf } from '../../../quant/affine.js';
import { activationParams } from '../../../quant/edits/activations.js';
import type { Layer } from '../../../quant/layers.js';
import { planSelected } from '../../../quant/placement/planner.js';
import type { PlannedQuantizer } from '../../../quant/placement/plan.js';
import type { Scheme } from '../../../quant/scheme.js';
import { select } from '../../../quant/select.js';
import { plural } from '../../../report/format.js';
import type { FixGround, LaneFix } from './lane-fix.js';
import { wideScheme } from '../search/wide-lane.js';
import {
  activationFix,
  groundActivations,
  mostWorth,
  worthOf,
  type ActivationChange,
  type GroundActivation,
} from './ground-activations.js';

const SINGLE_FIXES = 6;

interface Candidate extends ActivationChange {
  readonly worth: number;
}

/**
 * 16 bits for the few activations that keep least of their signal, each by itself and all of those together. Readers compute with
 * 16-bit activations then, which costs; their weights stay as they are. Tensors that share parameters with one of these follow it.
 */
export function int16Fixes(ground: FixGround): LaneFix[] {
  const { simulation } = ground.simulated;
  const wide = wideScheme(simulation.scheme);
  if (wide === undefined || wide.activations === 'float') return [];
  const prescribed = fixedParams(ground, wide);
  const candidates = groundActivations(ground).flatMap((activation): Candidate[] => {
    const { db, params } = activation;
    if (db === undefined || bitsOf(params.dtype) >= 16) return [];
    const made = wideParams(activation, wide.activations, prescribed);
    return made === undefined
      ? []
      : [{ activation, worth: worthOf(activation, undefined), params: isNarrow(made) }];
  });
  const worst = mostWorth(candidates, SINGLE_FIXES);
  const singles = worst.map((candidate) => fixFor(ground, [candidate]));
  return worst.length < 2 ? singles : [...singles, fixFor(ground, worst)];
}

/** 16 bits, where it has fewer. */
function isNarrow(made: QuantParams): ActivationChange['params'] {
  return ({ params }) => (bitsOf(params.dtype) < 16 ? made : undefined);
}

/** Over all that was seen: so many codes leave no reason to clip. */
function wideParams(
  { stats, planned }: GroundActivation,
  scheme: Scheme['activations'],
  prescribed: ReadonlyMap<TensorId, QuantParams>,
): QuantParams | undefined {
  if (scheme === 'float') return undefined;
  const { range } = planned;
  if (range.kind === 'fixed') return prescribed.get(planned.tensor);
  return activationParams(range.kind === 'limits' ? range : { rmin: stats.min, rmax: stats.max }, scheme);
}

/** What the target prescribes for outputs of 16 bits. */
function fixedParams(
  { simulated: { simulation, selection } }: FixGround,
  wide: Scheme,
): ReadonlyMap<TensorId, QuantParams> {
  const { graph } = simulation;
  const { quantizers } = planSelected(graph, wide, select(graph, selection));
  return new Map(
    quantizers.flatMap(
      ({ tensor, range, scheme: { dtype } }: PlannedQuantizer): [TensorId, QuantParams][] => {
        if (range.kind !== 'fixed') return [];
        const [qmin, qmax] = QRANGE[dtype];
        const scale = Float32Array.of(range.scale);
        const zeroPoint = Int32Array.of(range.zeroPoint);
        return [
          [
            tensor,
            { dtype, qmin, qmax, granularity: { kind: 'per-tensor' }, scale, zeroPoint, source: 'fixed' },
          ],
        ];
      },
    ),
  );
}

function fixFor(ground: FixGround, candidates: readonly Candidate[]): LaneFix {
  const names = candidates.map(({ activation }) => activation.name);
  const [first = '', ...others] = names;
  const subject =
    others.length === 0 ? first : `the ${plural(names.length, 'activation')} that keep least of their signal`;
  const fix = activationFix(
    ground,
    {
      id: others.length === 0 ? `int16:${first}` : 'int16:worst',
      kind: 'int16',
      title: `16 bits for ${subject}`,
    },
    candidates,
  );
  const layers = wideLayers(ground, fix.tensors);
  return { ...fix, title: `${fix.title}; ${costInWords(ground, layers)}`, cost: { layers } };
}

/** What the target has to do. */
function costInWords({ simulated }: FixGround, layers: readonly Layer[]): string {
  const { placement } = simulated.simulation.scheme;
  const [first, ...others] = layers.map(({ name }) => name);
  if (first === undefined) return 'no layer computes with them';
  const who = others.length === 0 ? `${first} computes` : `${plural(layers.length, 'layer')} compute`;
  // Its kernels have one width for input and output.
  const between = placement === 'tflite' ? ', with a QUANTIZE on every 8-bit edge to and from' : '';
  return `${who} with them${between}`;
}

/**
 * Layers that have to compute with 16 bits because of the tensors: those that read them; for kernels that want one type for input
 * and output (TensorFlow Lite), and of a tensor that no layer reads, also those that write them.
 */
function wideLayers({ simulated, layers }: FixGround, tensors: readonly TensorId[]): Layer[] {
  const { graph, scheme } = simulated.simulation;
  const { uses, producer } = topologyOf(graph);
  const byNode = new Map(layers.flatMap((layer) => layer.nodes.map((node) => [node, layer] as const)));
  const found = new Set<Layer>();
  for (const tensor of tensors) {
    if (tensorOf(graph, tensor).data !== undefined) continue;
    const readers = (uses[tensor] ?? []).flatMap(({ node }) => byNode.get(nodeOf(graph, node).id) ?? []);
    const writer = producer[tensor];
    const writing = writer === undefined ? undefined : byNode.get(writer);
    for (const reader of readers) found.add(reader);
    if (writing !== undefined && (readers.length === 0 || scheme.placement === 'tflite')) found.add(writing);
  }
  return layers.filter((layer) => found.has(layer));
}
