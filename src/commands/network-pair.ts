/** Two model files made comparable: same extents, same opset, aligned. */
import { activationsProgram } from '../compile/activations-program.js';
import type { Counterpart, ReferenceNetwork } from '../compile/reference.js';
import { align, questions, type Activations, type Alignment } from '../diff/alignment/index.js';
import { UsageError } from '../errors.js';
import { bindInputs } from '../ir/bind-inputs.js';
import { formatDims } from '../ir/elements.js';
import { nodeLabel, nodeOf, tensorOf, type Graph, type Tensor, type TensorId } from '../ir/graph.js';
import { inferShapes } from '../ir/infer/index.js';
import { macsOf } from '../ir/macs.js';
import { FLOAT_LANE, type Lane } from '../ir/lane.js';
import { upgradeOpset } from '../ir/upgrade/index.js';
import type { LoadedModel } from '../loader/index.js';
import { openSession, type SessionOptions } from '../run/runtime.js';
import type { Samples } from '../run/samples.js';

/** A model with fixed extents, in the opset of both. */
export interface Network {
  readonly loaded: LoadedModel;
  readonly graph: Graph;
  readonly lane: Lane;
}

export interface NetworkPair {
  readonly reference: Network;
  readonly candidate: Network;
  readonly alignment: Alignment;
  /** The reference as programs run it beside the candidate. */
  readonly other: ReferenceNetwork;
}

/** Samples that behaviour is judged by: enough to tell tensors apart, and few enough to keep their activations. */
const SAMPLES_SEEN = 2;

/**
 * @param extents of the reference's inputs, by name
 * @throws UsageError when the two have no common inputs
 */
export async function networkPair(
  loaded: { readonly reference: LoadedModel; readonly candidate: LoadedModel },
  extents: ReadonlyMap<string, readonly number[]>,
  samples: Samples,
  options: SessionOptions,
): Promise<NetworkPair> {
  const opset = Math.max(opsetOf(loaded.reference.graph), opsetOf(loaded.candidate.graph));
  const reference = network(loaded.reference, extents, opset);
  const candidate = network(
    loaded.candidate,
    candidateExtents(reference.graph, loaded.candidate.graph),
    opset,
  );
  const first = align(reference, candidate);
  requireInputs(reference, candidate, first);
  const open = questions(reference, candidate, first);
  const isSettled = open.reference.length === 0 && open.candidate.length === 0;
  const alignment = isSettled
    ? first
    : align(reference, candidate, await activations(reference, candidate, first, open, samples, options));
  return { reference, candidate, alignment, other: otherNetwork(reference, candidate.graph, alignment) };
}

function opsetOf({ opsets }: Graph): number {
  return opsets.get('') ?? 1;
}

function network(
  loaded: LoadedModel,
  extents: ReadonlyMap<string, readonly number[]>,
  opset: number,
): Network {
  const bound = bindInputs(loaded.graph, extents);
  const { graph, lane = FLOAT_LANE } = upgradeOpset(inferShapes(bound), opset, loaded.lane);
  return { loaded, graph: inferShapes(graph), lane };
}

/** Two files that are only read: open extents stay open, and what only running them would tell is not known. */
export function pairOfFiles(loaded: {
  readonly reference: LoadedModel;
  readonly candidate: LoadedModel;
}): Omit<NetworkPair, 'other'> {
  const opset = Math.max(opsetOf(loaded.reference.graph), opsetOf(loaded.candidate.graph));
  const reference = network(loaded.reference, new Map(), opset);
  const candidate = network(loaded.candidate, new Map(), opset);
  return { reference, candidate, alignment: align(reference, candidate) };
}

/** The reference as programs run it beside the candidate. */
export function otherNetwork(
  { graph, lane }: Pick<Network, 'graph' | 'lane'>,
  candidate: Graph,
  { edges, inputs }: Alignment,
): ReferenceNetwork {
  const isFixed = (of: Graph, id: TensorId): boolean =>
    tensorOf(of, id).shape?.every((dim) => typeof dim === 'number') === true;
  // What has open extents cannot be brought into another order.
  const comparable = edges.filter(
    (edge) => isFixed(candidate, edge.candidate) && isFixed(graph, edge.reference),
  );
  return {
    graph,
    lane,
    counterparts: new Map(
      [...comparable, ...inputs].map(({ candidate, reference, view }): [TensorId, Counterpart] => [
        candidate,
        { tensor: reference, ...(view === undefined ? {} : { view }) },
      ]),
    ),
  };
}

/** Open extents of the candidate's inputs, as those of the reference have them: of the same name, else at the same place. */
function candidateExtents(reference: Graph, candidate: Graph): ReadonlyMap<string, readonly number[]> {
  const inputs = reference.inputs.map((id) => tensorOf(reference, id));
  return new Map(
    candidate.inputs.flatMap((id, position): [string, readonly number[]][] => {
      const { name, shape } = tensorOf(candidate, id);
      const twin = inputs.find((input) => input.name === name) ?? inputs[position];
      const dims = twin === undefined || shape === undefined ? undefined : filled(shape, twin.shape);
      return dims === undefined ? [] : [[name, dims]];
    }),
  );
}

/** `shape` with its open extents from `from`, in that order or (a picture) with the channels moved. */
function filled(shape: NonNullable<Tensor['shape']>, from: Tensor['shape']): readonly number[] | undefined {
  const known = (from ?? []).filter((dim) => typeof dim === 'number');
  if (known.length !== shape.length) {
    // Only a batch is open: one sample at a time.
    return shape.every((dim, axis) => axis === 0 || typeof dim === 'number')
      ? shape.map((dim) => (typeof dim === 'number' ? dim : 1))
      : undefined;
  }
  const orders = [known, channelsLast(known), channelsFirst(known)];
  const fitting = orders.find((order) =>
    shape.every((dim, i) => typeof dim !== 'number' || dim === order[i]),
  );
  return fitting === undefined ? undefined : shape.map((_, i) => fitting[i] as number);
}

function channelsLast([batch = 1, channels = 1, ...spatial]: readonly number[]): readonly number[] {
  return [batch, ...spatial, channels];
}

function channelsFirst(dims: readonly number[]): readonly number[] {
  return [dims[0] ?? 1, dims.at(-1) ?? 1, ...dims.slice(1, -1)];
}

function requireInputs(reference: Network, candidate: Network, { inputs }: Alignment): void {
  const found = new Set(inputs.map((edge) => edge.candidate));
  // One whose extents are still open fits none of the reference's.
  const isOpen = (id: TensorId): boolean =>
    tensorOf(candidate.graph, id).shape?.every((dim) => typeof dim === 'number') !== true;
  const lost = candidate.graph.inputs.filter((id) => !found.has(id) || isOpen(id));
  if (lost.length === 0) return;
  const describe = (graph: Graph, id: TensorId): string => {
    const { name, shape } = tensorOf(graph, id);
    return `${name} ${formatDims(shape ?? [])}`;
  };
  const offered = reference.graph.inputs.map((id) => describe(reference.graph, id)).join(', ');
  throw new UsageError('the two models have no common inputs', {
    places: lost.map(
      (id) => `candidate input ${describe(candidate.graph, id)} fits none of the reference: ${offered}`,
    ),
    hint: `qdbg inspect ${reference.loaded.path} ${candidate.loaded.path} puts them side by side`,
  });
}

/** Activations of both networks in float on the first samples, one sample behind the other. */
async function activations(
  reference: Network,
  candidate: Network,
  alignment: Alignment,
  wanted: ReturnType<typeof questions>,
  samples: Samples,
  options: SessionOptions,
): Promise<Activations> {
  const program = activationsProgram(
    candidate.graph,
    { ...otherNetwork(reference, candidate.graph, { ...alignment, edges: [] }), lane: FLOAT_LANE },
    wanted,
  );
  const session = await openSession(program.model, options);
  const seen: Float32Array[][] = [];
  try {
    for await (const { feeds, id } of samples.samples()) {
      const fetched = await session.run(feeds, id);
      seen.push(fetched.map((values) => Float32Array.from(values as Float32Array)));
      if (seen.length === SAMPLES_SEEN) break;
    }
  } finally {
    await session.close();
  }
  const of = (positions: ReadonlyMap<TensorId, number>): Map<TensorId, Float32Array> =>
    new Map(
      [...positions].map(([tensor, at]) => [
        tensor,
        joined(seen.map((sample) => sample[at] as Float32Array)),
      ]),
    );
  return { reference: of(program.reference), candidate: of(program.candidate) };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @throws UsageError when too little of the candidate was found in the reference */
export function requireAligned(
  { reference, candidate, alignment }: Omit<NetworkPair, 'other'>,
  least: number,
): void {
  const { matched, total } = alignment.coverage;
  const lost = alignment.unmatched.reference.some(
    (id) => (macsOf(reference.graph, nodeOf(reference.graph, id)) ?? 0) > 0,
  );
  const isEmpty = total === 0 && (lost || alignment.edges.length <= alignment.inputs.length);
  if (!isEmpty && matched >= least * total) return;
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  throw new UsageError(
    `the two models do not look like the same network: ${matched} of ${total} compute operators of the candidate were found in the reference (${percent(total === 0 ? 0 : matched / total)}), ${percent(least)} are wanted`,
    {
      places: alignment.unmatched.candidate
        .slice(0, 10)
        .map((id) => `${nodeLabel(nodeOf(candidate.graph, id))} (${nodeOf(candidate.graph, id).origin.op})`),
      hint: `qdbg inspect ${reference.loaded.path} ${candidate.loaded.path} puts them side by side; --min-aligned PERCENT goes on with less`,
    },
  );
}
