/** What to try first in a search. */
import { unionOf, type LayerSet } from './set-book.js';

/** Layers that may be moved to higher precision at once, and what that is known to give. */
export interface Move {
  /** Ascending. */
  readonly layers: LayerSet;
  /** Loss that is gone, beside everything quantized. */
  readonly gain: number;
  /** How far chance alone may move the gain. */
  readonly noise: number;
  /** Share of the noise at the output that is gone; for those whose gains cannot be told apart. */
  readonly share: number;
  readonly cost: number;
}

/**
 * By gain, the largest first. Moves whose gain is within the noise of the largest that is left are as good as that one: among them
 * goes first what takes away most noise for its cost.
 *
 * @param layers of the network; a share of them is added to every cost, since leaving integers and coming back costs also where
 *   a layer multiplies nothing
 */
export function ranked(moves: readonly Move[], layers: number): Move[] {
  const left = [...moves].sort(
    (a, b) => b.gain - a.gain || worth(b, layers) - worth(a, layers) || inOrder(a, b),
  );
  const order: Move[] = [];
  for (let from = 0; from < left.length;) {
    const { gain, noise } = left[from]!;
    let to = from + 1;
    while (to < left.length && gain - left[to]!.gain <= noise) to++;
    order.push(...left.slice(from, to).sort((a, b) => worth(b, layers) - worth(a, layers) || inOrder(a, b)));
    from = to;
  }
  return order;
}

/** Sets that grow by one move after the other, each once. */
export function prefixesOf(order: readonly Move[]): LayerSet[] {
  const sets: LayerSet[] = [];
  let all: LayerSet = [];
  for (const { layers } of order) {
    const next = unionOf(all, layers);
    if (next.length > all.length) sets.push(next);
    all = next;
  }
  return sets;
}

/** What it gives for its cost; a gain says something only beside others of which no more is known. */
export function worth({ share, gain, cost, layers }: Move, count: number): number {
  const given = share === 0 ? Math.max(0, gain) * Number.EPSILON : share;
  return given / (cost + layers.length / Math.max(1, count));
}

function inOrder(a: Move, b: Move): number {
  return a.layers.length - b.layers.length || (a.layers[0] ?? 0) - (b.layers[0] ?? 0);
}
