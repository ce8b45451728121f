/** The lane of a quantized ONNX file. */
import type { NodeId, TensorId } from '../../../ir/graph.js';
import {
  useKey,
  type DynamicQuantizer,
  type Lane,
  type LaneFault,
  type QuantParams,
  type Unfolded,
  type UseKey,
} from '../../../ir/lane.js';
import type { Draft } from '../draft.js';
import { QOPERATOR_RULES } from './qoperator.js';

/** Names of the operators that read and write codes. */
const INTEGER_OPERATORS: ReadonlySet<string> = new Set(
  Object.keys(QOPERATOR_RULES).map((key) => key.slice(key.indexOf(':') + 1)),
);

/**
 * Annotations by id. Operators compute in float between quantizers, as ONNX Runtime does without optimizations, but for those that are
 * integer operators in the file.
 *
 * @param ids of the tensors of the graph by name; nodes have the positions of the draft's
 * @returns undefined for a model that nothing quantizes
 */
export function laneOf({ nodes, quantization }: Draft, ids: ReadonlyMap<string, TensorId>): Lane | undefined {
  if (quantization === undefined) return undefined;
  const byId = <V>(named: ReadonlyMap<string, V>): Map<TensorId, V> =>
    new Map(
      [...named].flatMap(([name, value]) => {
        const id = ids.get(name);
        return id === undefined ? [] : [[id, value] as const];
      }),
    );
  const tensors = byId(quantization.tensors);
  const uses = new Map<UseKey, QuantParams>();
  const dynamic = new Map<UseKey, DynamicQuantizer>();
  const unfolded: Unfolded[] = [];
  const faults: LaneFault[] = [];
  const noteFaults = (tensor: TensorId, params: QuantParams): void => {
    for (const fault of quantization.faults.get(params) ?? []) faults.push({ tensor, ...fault });
  };
  tensors.forEach((params, tensor) => {
    noteFaults(tensor, params);
  });
  nodes.forEach(({ inputs, quantizers, unfolded: reason }, index) => {
    const node = index as NodeId;
    if (reason !== undefined) unfolded.push({ node, reason });
    quantizers?.forEach((through, slot) => {
      if ('kind' in through) dynamic.set(useKey(node, slot), through);
      else {
        uses.set(useKey(node, slot), through);
        const tensor = ids.get(inputs[slot] ?? '');
        if (tensor !== undefined) noteFaults(tensor, through);
      }
    });
  });
  const hasIntegers = nodes.some(
    ({ origin, unfolded: reason }) => reason === undefined && INTEGER_OPERATORS.has(origin.op),
  );
  const codes = byId(quantization.codes);
  const stored = byId(quantization.stored);
  return {
    name: 'file',
    tensors,
    uses,
    ...(hasIntegers ? { arithmetic: 'onnxruntime' as const } : {}),
    ...(codes.size === 0 ? {} : { codes }),
    ...(faults.length === 0 ? {} : { faults }),
    ...(dynamic.size === 0 ? {} : { dynamic }),
    ...(stored.size === 0 ? {} : { stored }),
    ...(unfolded.length === 0 ? {} : { unfolded }),
  };
}
