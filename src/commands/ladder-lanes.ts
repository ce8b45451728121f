/** The lanes of the ladder from float to the finished file. */
import { nodeOf, tensorOf, type ConstantData, type Graph, type TensorId } from '../ir/graph.js';
import { FLOAT_LANE, type Lane, type UseKey } from '../ir/lane.js';
import type { AlignedConstant } from '../diff/alignment/alignment.js';
import { alignedConstants } from '../diff/compared-constants.js';
import { useOf } from '../quant/placement/lane-plan.js';
import type { LadderRung } from '../report/compare-report.js';
import type { NetworkPair } from './network-pair.js';

export interface RungLane {
  readonly rung: LadderRung['rung'];
  readonly lane: Lane;
  readonly remark?: string;
}

/** A candidate without quantizers has two steps: its graph, and its weights. */
export function ladderLanes({ candidate, alignment }: NetworkPair): RungLane[] {
  const { graph, lane } = candidate;
  const constants = alignedConstants(alignment);
  const values = new Map<TensorId, ConstantData>();
  for (const [tensor, constant] of constants) {
    const made = inPlaceOf(tensorOf(graph, tensor).data, constant);
    if (made !== undefined) values.set(tensor, made);
  }
  const stored = [...lane.tensors.keys()].filter((tensor) => isConstant(graph, tensor));
  const own = stored.filter((tensor) => !values.has(tensor)).length;
  const remark =
    own === 0
      ? {}
      : {
          remark: `${own} of ${stored.length} quantized constants have no counterpart and are the candidate's own`,
        };
  const isQuantized = lane.tensors.size + lane.uses.size + (lane.dynamic?.size ?? 0) > 0;
  return [
    { rung: 'graph', lane: { ...FLOAT_LANE, name: 'graph', values }, ...remark },
    { rung: 'weights', lane: { ...FLOAT_LANE, name: 'weights' } },
    ...(isQuantized
      ? [
          { rung: 'activations' as const, lane: activationsOnly(graph, lane, values), ...remark },
          { rung: 'everything' as const, lane },
        ]
      : []),
  ];
}

/** Float operators between the lane's quantizers of activations: integer kernels need codes of weights. */
function activationsOnly(graph: Graph, lane: Lane, values: ReadonlyMap<TensorId, ConstantData>): Lane {
  return {
    name: 'activations',
    tensors: new Map([...lane.tensors].filter(([tensor]) => !isConstant(graph, tensor))),
    uses: new Map([...lane.uses].filter(([key]) => !isConstant(graph, usedBy(graph, key)))),
    ...(lane.dynamic === undefined ? {} : { dynamic: lane.dynamic }),
    values,
  };
}

function usedBy(graph: Graph, key: UseKey): TensorId | undefined {
  const { node, slot } = useOf(key);
  return nodeOf(graph, node).inputs[slot] ?? undefined;
}

function isConstant(graph: Graph, tensor: TensorId | undefined): boolean {
  return tensor !== undefined && tensorOf(graph, tensor).data !== undefined;
}

/** The reference's values in the form of the candidate's constant; made when a program that has them is written. */
export function inPlaceOf(
  own: ConstantData | undefined,
  constant: AlignedConstant,
): ConstantData | undefined {
  if (own?.dtype !== 'float32') return undefined;
  const values = constant.values();
  if (values?.byteLength !== own.byteLength) return undefined;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype: 'float32', dims: own.dims, byteLength: own.byteLength, bytes: () => bytes };
}
