/** Which activation edges of a graph can be measured, and how their channels lie. */
import { channelAxisOf } from '../ir/channels.js';
import { elementCount } from '../ir/elements.js';
import {
  isFloat,
  nodeLabel,
  stringAttr,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type NodeId,
  type TensorId,
} from '../ir/graph.js';
import { selected, uncomputed } from './evaluation-order.js';

/** An activation of fixed shape: a graph input or the output of a node. */
export interface Edge {
  readonly tensor: TensorId;
  /** Undefined for graph inputs. */
  readonly producer: NodeId | undefined;
  /** A scalar counts as a vector of one element. */
  readonly dims: readonly number[];
  /** Elements in one sample. */
  readonly count: number;
  /** Dimension along which statistics are kept apart; undefined when there is none, and `channels` is then 1. */
  readonly channelAxis: number | undefined;
  readonly channels: number;
}

export interface Unmeasured {
  readonly tensor: TensorId;
  readonly reason: string;
}

/** Beyond this a "channel" is a position (the width of a flattened picture), and per-channel sums would cost what the data cost. */
const MOST_CHANNELS = 16384;

/**
 * Float activations in graph order, without those in `fusedAway` (inside a fused operator, where the integer network has no
 * edge) and those that the file does not have. What has no fixed shape cannot be compared element by element between two runs;
 * that and what depends on an operator that nothing computes is listed with the reason.
 */
export function edgesOf(
  graph: Graph,
  fusedAway: ReadonlySet<TensorId>,
): { edges: Edge[]; unmeasured: Unmeasured[] } {
  const axes = channelAxisOf(graph);
  const { producer } = topologyOf(graph);
  const missing = uncomputed(graph);
  const picks = selected(graph);
  const produced = graph.nodes.flatMap((node) => node.outputs.filter((id) => id !== null));
  const edges: Edge[] = [];
  const unmeasured: Unmeasured[] = [];
  for (const tensor of [...graph.inputs, ...produced]) {
    const { dtype, shape } = tensorOf(graph, tensor);
    if (fusedAway.has(tensor) || graph.inner?.has(tensor) === true) continue;
    const opaque = missing.get(tensor);
    if (opaque !== undefined) {
      if (dtype === undefined || isFloat(dtype)) unmeasured.push({ tensor, reason: behind(opaque) });
      continue;
    }
    const picked = picks.get(tensor);
    if (picked !== undefined) {
      if (dtype === undefined || isFloat(dtype)) unmeasured.push({ tensor, reason: pickedBy(picked) });
      continue;
    }
    if (dtype === undefined) unmeasured.push({ tensor, reason: 'its type is not known before it runs' });
    if (!isFloat(dtype)) continue;
    const dims = shape?.filter((dim) => typeof dim === 'number');
    if (shape === undefined || dims === undefined || dims.length < shape.length) {
      unmeasured.push({ tensor, reason: 'its shape depends on the data or is not known before it runs' });
      continue;
    }
    const count = elementCount(dims);
    if (count === 0) {
      unmeasured.push({ tensor, reason: `it has no elements (shape ${dims.join('x')})` });
      continue;
    }
    const axis = axes[tensor];
    const extent = axis === undefined ? undefined : dims[axis];
    const kept =
      extent !== undefined && extent <= MOST_CHANNELS
        ? { channelAxis: axis, channels: extent }
        : { channelAxis: undefined, channels: 1 };
    edges.push({ tensor, producer: producer[tensor], dims: dims.length === 0 ? [1] : dims, count, ...kept });
  }
  return { edges, unmeasured };
}

/** Two runs that differ a little pick others, or the same in another order. */
function pickedBy(node: Node): string {
  return `its rows are those that ${nodeLabel(node)} picks by score, others in every run`;
}

function behind(opaque: Node): string {
  const reason = stringAttr(opaque, 'reason');
  return `behind ${nodeLabel(opaque)}, which qdbg does not compute${reason === undefined ? '' : `: ${reason}`}`;
}
