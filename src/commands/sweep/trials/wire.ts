/** Lanes as they pass between processes: plain data, in which an object that several lanes have is one object still. */
import type { ConstantData, DType, Graph, TensorId } from '../../../ir/graph.js';
import { tensorOf } from '../../../ir/graph.js';
import type { Lane } from '../../../ir/lane.js';
import { mapped } from './shared-objects.js';
import type { Trial } from './trial.js';

/** A constant with its bytes, or the one that the graph has for a tensor. */
type WireConstant =
  | {
      readonly kind: 'own';
      readonly dtype: DType;
      readonly dims: readonly number[];
      readonly bytes: Uint8Array;
      readonly strings?: readonly Uint8Array[];
    }
  | { readonly kind: 'of'; readonly tensor: TensorId };

/** What else a lane says of its file decides nothing that is computed. */
export interface WireLane extends Pick<
  Lane,
  'name' | 'tensors' | 'uses' | 'arithmetic' | 'hybrid' | 'dynamic'
> {
  readonly codes?: ReadonlyMap<TensorId, WireConstant>;
  readonly values?: ReadonlyMap<TensorId, WireConstant>;
}

export interface WireTrial {
  readonly id: string;
  readonly lane: WireLane;
}

/** For one message: structured clones keep the identity of objects within it. */
export function packed(graph: Graph, trials: readonly Trial[]): WireTrial[] {
  const known = new Map<ConstantData, WireConstant>();
  for (const { id, data } of graph.tensors)
    if (data !== undefined) known.set(data, { kind: 'of', tensor: id });
  const constant = (data: ConstantData): WireConstant => {
    const { dtype, dims, strings } = data;
    const bytes = (): Uint8Array => (strings === undefined ? data.bytes() : new Uint8Array());
    const made = known.get(data) ?? {
      kind: 'own',
      dtype,
      dims,
      bytes: bytes(),
      ...(strings === undefined ? {} : { strings }),
    };
    known.set(data, made);
    return made;
  };
  return trials.map(({ id, lane }) => ({ id, lane: converted(lane, constant) }));
}

/** @param graph rebuilt from the same file in the same way */
export function unpacked(graph: Graph, trials: readonly WireTrial[]): Trial[] {
  const known = new Map<WireConstant, ConstantData>();
  const constant = (wire: WireConstant): ConstantData => {
    const made = known.get(wire) ?? constantOf(graph, wire);
    known.set(wire, made);
    return made;
  };
  return trials.map(({ id, lane }) => ({ id, lane: converted(lane, constant) }));
}

function constantOf(graph: Graph, wire: WireConstant): ConstantData {
  if (wire.kind === 'of') {
    const { data, name } = tensorOf(graph, wire.tensor);
    if (data === undefined) throw new RangeError(`tensor ${name} is no constant here`);
    return data;
  }
  const { dtype, dims, bytes, strings } = wire;
  const made = { dtype, dims, byteLength: bytes.byteLength, bytes: () => bytes };
  return strings === undefined ? made : { ...made, strings };
}

interface WithConstants<C> extends Omit<WireLane, 'codes' | 'values'> {
  readonly codes?: ReadonlyMap<TensorId, C>;
  readonly values?: ReadonlyMap<TensorId, C>;
}

function converted<From, To>(
  { name, tensors, uses, arithmetic, hybrid, dynamic, codes, values }: WithConstants<From>,
  constant: (from: From) => To,
): WithConstants<To> {
  return {
    name,
    tensors,
    uses,
    ...(arithmetic === undefined ? {} : { arithmetic }),
    ...(hybrid === undefined ? {} : { hybrid }),
    ...(dynamic === undefined ? {} : { dynamic }),
    ...(codes === undefined ? {} : { codes: mapped(codes, constant) }),
    ...(values === undefined ? {} : { values: mapped(values, constant) }),
  };
}
