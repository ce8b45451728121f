/** Small changes to the best answer of a search: layers left out, and exchanged for cheaper ones. */
import { worth, type Move } from './ranking.js';
import { unionOf, without, type BookRules, type LayerSet, type SetBook } from './set-book.js';

/** Layers that are tried in place of others, and that are left out by twos. */
const MOST_PARTNERS = 24;
/** Of what is lost without the layers left out: gains that are known so well explain all but this. */
const SLACK = 0.25;
/** Batches of exchanges that may bring nothing. */
const ROUNDS = 2;

/** Leaves layers out of the best answer, those that give least for their cost first, as long as the target holds. */
export async function spare(book: SetBook, singles: readonly Move[], batch: number): Promise<void> {
  for (;;) {
    const { best } = book;
    if (best === undefined || best.set.length < 2 || book.left === 0) return;
    const order = [...best.set].sort(
      (a, b) =>
        worth(singles[a]!, singles.length) - worth(singles[b]!, singles.length) ||
        singles[b]!.cost - singles[a]!.cost ||
        b - a,
    );
    // Many at once first: a long answer holds much that only came before what it is about.
    if (order.length > batch) await book.evaluate(shorter(best.set, order));
    for (let at = 0; at < order.length && book.best === best; at += batch) {
      const layers = order.slice(at, at + batch);
      await book.evaluate(layers.map((layer) => without(best.set, [layer])));
      const spared = layers.filter((layer) => book.meets(book.lossOf(without(best.set, [layer]))));
      if (spared.length > 1) await book.evaluate(shorter(best.set, spared));
    }
    if (book.best === best) return;
  }
}

/** The set without the first 1, 2, 4, ... of the layers, and without all of them. */
function shorter(set: LayerSet, layers: readonly number[]): LayerSet[] {
  const counts = [layers.length];
  for (let count = 1; count < layers.length; count *= 2) counts.push(count);
  return counts.map((count) => without(set, layers.slice(0, count))).filter(({ length }) => length > 0);
}

/** A cheaper set that may do. */
interface Exchange {
  readonly set: LayerSet;
  readonly cost: number;
  /** What it would lose if gains added up. */
  readonly expected: number;
  /** Whether that is as good as within the target. */
  readonly isPromising: boolean;
}

/**
 * Tries cheaper sets in which one or two layers of the answer are exchanged for others: those first that promise to do, the cheapest
 * of them first; then some that lack least, since gains by themselves are not gains beside others.
 *
 * @returns whether one did
 */
export async function improve(
  book: SetBook,
  singles: readonly Move[],
  rules: BookRules & { readonly batch: number },
): Promise<boolean> {
  const { batch } = rules;
  const { best } = book;
  for (let round = 0; round < ROUNDS; round++) {
    if (best === undefined || book.left === 0) return false;
    const exchanges = exchangesOf(book, best.set, singles, rules);
    const promising = exchanges
      .filter(({ isPromising }) => isPromising)
      .sort((a, b) => a.cost - b.cost || a.set.length - b.set.length || a.expected - b.expected);
    const others = exchanges
      .filter(({ isPromising, set }) => !isPromising && set.length <= best.set.length)
      .sort((a, b) => a.expected - b.expected || a.cost - b.cost);
    const tried = [...promising, ...(round === 0 ? others : [])].slice(0, batch);
    await book.evaluate(tried.map(({ set }) => set));
    if (book.best !== best) return true;
  }
  return false;
}

function exchangesOf(
  book: SetBook,
  best: LayerSet,
  singles: readonly Move[],
  { limit }: BookRules,
): Exchange[] {
  const has = new Set(best);
  const outside = singles
    .filter(({ layers: [layer], gain, share }) => !has.has(layer!) && (gain > 0 || share > 0))
    .sort((a, b) => b.gain - a.gain || b.share - a.share || a.cost - b.cost)
    .slice(0, MOST_PARTNERS);
  const partners = [...outside.map((move) => [move]), ...pairsOf(outside)];
  const interval = book.lossOf(best)?.interval;
  const noise = interval === undefined ? 0 : (interval[1] - interval[0]) / 2;
  return leftOuts(book, best, singles).flatMap(({ set, loss }) =>
    partners.flatMap((moves): Exchange[] => {
      const changed = moves.reduce<LayerSet>((all, { layers }) => unionOf(all, layers), set);
      if (!book.isCheaper(changed) || book.knows(changed)) return [];
      const gainOf = ({ layers, gain }: Move): number => {
        // What was seen beside the same layers says more than what was seen beside none.
        const beside = book.lossOf(unionOf(set, layers));
        return Math.max(0, beside === undefined ? gain : loss - beside.value);
      };
      const expected = moves.reduce((left, move) => left - gainOf(move), loss);
      const slack = Math.max(noise, SLACK * Math.max(0, loss - limit));
      const isPromising = expected <= limit + slack && moves.every((move) => gainOf(move) > 0);
      return [{ set: changed, cost: book.costOf(changed), expected, isPromising }];
    }),
  );
}

/** The set without one or two of its layers, and what it then loses, or would if losses added up. */
function leftOuts(
  book: SetBook,
  set: LayerSet,
  singles: readonly Move[],
): { readonly set: LayerSet; readonly loss: number }[] {
  const whole = book.lossOf(set)?.value ?? 0;
  const lostWith = (layer: number): number => {
    const loss = book.lossOf(without(set, [layer]));
    return loss === undefined ? Math.max(0, singles[layer]!.gain) : loss.value - whole;
  };
  const lost = new Map(set.map((layer) => [layer, lostWith(layer)]));
  const dear = [...set].sort((a, b) => singles[b]!.cost - singles[a]!.cost || a - b).slice(0, MOST_PARTNERS);
  const groups = [...set.map((layer) => [layer]), ...pairsOf(dear)];
  return groups.map((layers) => ({
    set: without(set, layers),
    loss: layers.reduce((sum, layer) => sum + lost.get(layer)!, whole),
  }));
}

function pairsOf<T>(items: readonly T[]): T[][] {
  return items.flatMap((one, at) => items.slice(at + 1).map((other) => [one, other]));
}
