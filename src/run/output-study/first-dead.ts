/** Where a network stops to follow its input. */
import { pairedProgram } from '../../compile/paired-program.js';
import type { Edge } from '../../compile/edges.js';
import { nodeLabel, nodeOf, tensorOf, type TensorId } from '../../ir/graph.js';
import type { Sample } from '../data/dataset.js';
import { openSession, type SessionOptions } from '../runtime.js';
import { spread } from './form.js';
import type { StudiedNetwork } from './network.js';
import { Welford } from './welford.js';

/** A tensor that hardly differs between samples in the lane, though in float it does. */
export interface DeadTensor {
  readonly tensor: TensorId;
  readonly name: string;
  /** Label of the node that writes it; absent for inputs. */
  readonly node?: string;
  /** Variance between samples in the lane beside that of the float network. */
  readonly ratio: number;
  readonly samples: number;
}

/** Elements of each tensor that are followed. */
const PER_TENSOR = 1024;
/** Of the variance between samples in float. */
const DEAD_RATIO = 0.05;

/** The first dead tensor in graph order; undefined where none is, or where there are less than two samples. */
export async function firstDead(
  { graph, lane, edges, other }: Omit<StudiedNetwork, 'ends'>,
  samples: readonly Sample[],
  options: SessionOptions,
): Promise<DeadTensor | undefined> {
  if (samples.length < 2) return undefined;
  const program = pairedProgram(
    graph,
    lane,
    other,
    edges.map((edge) => ({ edge, at: followed(edge) })),
  );
  const followedBy = edges.map((edge) => {
    const { length } = followed(edge);
    return { float: new Welford(length), quantized: new Welford(length) };
  });
  const session = await openSession(program.model, options);
  try {
    for (const { feeds, id } of samples) {
      const fetched = await session.run(feeds, id);
      program.pairs.forEach(({ value, reference }, at) => {
        if (reference === undefined) return;
        followedBy[at]?.float.add(fetched[reference] as Float32Array);
        followedBy[at]?.quantized.add(fetched[value] as Float32Array);
      });
    }
  } finally {
    await session.close();
  }
  for (const [at, { float, quantized }] of followedBy.entries()) {
    const { tensor, producer } = edges[at] as Edge;
    if (program.pairs[at]?.reference === undefined || !(float.meanVariance > 0)) continue;
    const ratio = quantized.meanVariance / float.meanVariance;
    if (ratio >= DEAD_RATIO) continue;
    const node = producer === undefined ? undefined : nodeLabel(nodeOf(graph, producer));
    const { name } = tensorOf(graph, tensor);
    return { tensor, name, ...(node === undefined ? {} : { node }), ratio, samples: samples.length };
  }
  return undefined;
}

function followed({ count }: Edge): number[] {
  return spread(count, Math.min(count, PER_TENSOR));
}
