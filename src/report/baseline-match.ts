/** Which layer of a run is which of the baseline: exports rename tensors. */
import type { BaselineLayer } from './baseline.js';
import { groupBy } from './group.js';

export interface LayerPair {
  readonly before: BaselineLayer;
  readonly now: BaselineLayer;
}

export interface MatchedLayers {
  /** In the order of the run. */
  readonly pairs: readonly LayerPair[];
  readonly onlyBefore: readonly BaselineLayer[];
  readonly onlyNow: readonly BaselineLayer[];
  /** Pairs as a share of the longer list; 1 when both are empty. */
  readonly share: number;
}

/** By the tensor's name; the rest by operator and shape, the first with the first. */
export function matchLayers(before: readonly BaselineLayer[], now: readonly BaselineLayer[]): MatchedLayers {
  const byName = paired(before, now, ({ tensor }) => tensor);
  const rest = paired(byName.onlyBefore, byName.onlyNow, ({ op, shape }) => JSON.stringify([op, shape]));
  const pairs = [...byName.pairs, ...rest.pairs].sort((a, b) => a.now.order - b.now.order);
  const most = Math.max(before.length, now.length);
  return { ...rest, pairs, share: most === 0 ? 1 : pairs.length / most };
}

/** Those of equal keys, in their order. */
function paired(
  before: readonly BaselineLayer[],
  now: readonly BaselineLayer[],
  key: (layer: BaselineLayer) => string,
): Omit<MatchedLayers, 'share'> {
  const waiting = groupBy(before, key);
  const taken = new Map<string, number>();
  const pairs: LayerPair[] = [];
  const onlyNow: BaselineLayer[] = [];
  for (const layer of now) {
    const name = key(layer);
    const position = taken.get(name) ?? 0;
    const match = waiting.get(name)?.[position];
    taken.set(name, position + 1);
    if (match === undefined) onlyNow.push(layer);
    else pairs.push({ before: match, now: layer });
  }
  const used = new Set(pairs.map(({ before: layer }) => layer));
  return { pairs, onlyBefore: before.filter((layer) => !used.has(layer)), onlyNow };
}
