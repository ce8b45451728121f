/** One scale for each output channel of a weight. */
import { toFloat32 } from '../../../ir/elements.js';
import { tensorOf, type ConstantData, type TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import { constantParams } from '../../../quant/edits/constant-params.js';
import { editedLane } from '../../../quant/edits/edited-lane.js';
import { planSelected } from '../../../quant/placement/planner.js';
import { schemeProblems } from '../../../quant/presets.js';
import type { Scheme, TensorScheme } from '../../../quant/scheme.js';
import { select } from '../../../quant/select.js';
import { weightSqnr, type WeightSqnr } from '../../../quant/weights.js';
import { plural } from '../../../report/format.js';
import type { FixGround, LaneFix } from './lane-fix.js';
import { changedTensors, mostWorth, worthOf, type FixName } from './ground-activations.js';
import { MARGIN_DB } from './observer.js';

const SINGLE_FIXES = 4;

interface Candidate {
  readonly tensor: TensorId;
  readonly name: string;
  readonly axis: number;
  readonly scheme: TensorScheme;
  readonly worth: number;
}

/**
 * All weights of which the target has kernels with a scale for each channel, and single ones that gain most. Biases get the scales
 * of their products. It costs four bytes a channel, which is not told as a cost, and no time.
 */
export function perAxisFixes(ground: FixGround): LaneFix[] {
  const candidates = candidatesOf(ground);
  const gaining = candidates.filter(({ worth }) => worth > 0);
  const all =
    candidates.length < 2
      ? []
      : [
          fixFor(ground, candidates, {
            id: 'per-axis:all',
            kind: 'per-axis',
            title: `a scale for each output channel of all ${plural(candidates.length, 'weight')}`,
          }),
        ];
  const singles = mostWorth(gaining, SINGLE_FIXES).map((candidate) =>
    fixFor(ground, [candidate], {
      id: `per-axis:${candidate.name}`,
      kind: 'per-axis',
      title: `a scale for each output channel of ${candidate.name}`,
    }),
  );
  return [...all, ...singles];
}

function perAxisScheme(scheme: Scheme): Scheme | undefined {
  const { weights } = scheme;
  if (weights === 'float' || weights.granularity === 'per-axis') return undefined;
  const perAxis: Scheme = { ...scheme, weights: { ...weights, granularity: 'per-axis' } };
  return schemeProblems(perAxis).length === 0 ? perAxis : undefined;
}

function candidatesOf({ simulated }: FixGround): Candidate[] {
  const { simulation, selection, lane } = simulated;
  const { graph } = simulation;
  const wanted = perAxisScheme(simulation.scheme);
  if (wanted === undefined) return [];
  const { quantizers } = planSelected(graph, wanted, select(graph, selection));
  return quantizers.flatMap(({ tensor, role, use, axis, scheme }): Candidate[] => {
    const { data, name } = tensorOf(graph, tensor);
    const params = lane.tensors.get(tensor);
    if (role !== 'weight' || use !== undefined || axis === undefined || data === undefined) return [];
    if (params?.granularity.kind !== 'per-tensor' || (data.dims[axis] ?? 1) < 2) return [];
    const { perTensorDb, perAxisDb } = sqnrOf(data, axis, scheme);
    // Without noise there is no number.
    const isWorthIt = perTensorDb !== undefined && (perAxisDb ?? Infinity) >= perTensorDb + MARGIN_DB;
    const worth = isWorthIt ? worthOf({ db: perTensorDb }, perAxisDb) : 0;
    return [{ tensor, name, axis, scheme, worth }];
  });
}

function sqnrOf(data: ConstantData, axis: number, scheme: TensorScheme): WeightSqnr {
  return weightSqnr(toFloat32(data), data.dims, axis, scheme);
}

function fixFor({ simulated }: FixGround, candidates: readonly Candidate[], name: FixName): LaneFix {
  const { simulation, lane: whole } = simulated;
  const { graph, plan } = simulation;
  const apply = (lane: Lane): Lane => {
    const weights = new Map(
      candidates.flatMap(({ tensor, axis, scheme }): [TensorId, QuantParams][] => {
        const params = lane.tensors.get(tensor);
        const data = lane.values?.get(tensor) ?? tensorOf(graph, tensor).data;
        if (params?.granularity.kind !== 'per-tensor' || data === undefined) return [];
        const made = constantParams(data, { ...scheme, dtype: params.dtype }, axis);
        return [[tensor, { ...made, source: 'edit' }]];
      }),
    );
    return weights.size === 0 ? lane : editedLane(graph, plan, lane, { weights });
  };
  return {
    ...name,
    places: candidates.map((candidate) => candidate.name),
    tensors: changedTensors(graph, whole, apply(whole)),
    apply,
  };
}
