/** The search for the cheapest set of layers in higher precision that loses no more than a limit. Runs nothing itself. */
import { cheapestCovers } from './cover.js';
import { prefixesOf, ranked, type Move } from './ranking.js';
import {
  SetBook,
  unionOf,
  type BookedSet,
  type BookRules,
  type LayerSet,
  type Loss,
  type SetOracle,
} from './set-book.js';
import { improve, spare } from './set-steps.js';

export interface SearchProblem extends BookRules {
  /** Of everything quantized. */
  readonly empty: Loss;
  /** What is known already, such as single layers; costs no evaluation. */
  readonly known: readonly BookedSet[];
  /** By layer: loss that is gone with it alone in higher precision, as far as is known otherwise than from `known`. */
  readonly gains: readonly (number | undefined)[];
  /** By layer: share of the noise at the output that is gone with it alone in higher precision. */
  readonly shares: readonly (number | undefined)[];
  /** Layers of one operator type, or that the user named together. */
  readonly families: readonly LayerSet[];
  /** Layers that meet at a quantized tensor. */
  readonly neighbours: readonly LayerSet[];
  /** Sets that the oracle takes at once: what keeps all processes busy. */
  readonly batch: number;
}

/** Why a search ended. */
export type SearchEnd =
  /** Everything quantized meets the target. */
  | 'met already'
  /** There is nothing to move. */
  | 'no layers'
  /** Found, and nothing cheaper that was looked at meets the target. */
  | 'nothing to spare'
  /** Found; what everything quantized loses cannot be told from float, so there was no use in looking for the best. */
  | 'met within noise'
  /** Evaluations are used up, with an answer or without. */
  | 'budget'
  /** Not found; what is left of the loss cannot be told from float. */
  | 'within noise'
  /** Not found, not even with all layers in higher precision. */
  | 'unreachable';

export interface SearchResult {
  /** In the order of evaluation; everything quantized is the first. */
  readonly points: readonly BookedSet[];
  /** Position of the answer; absent where none meets the target. */
  readonly chosen?: number;
  /** Position of the answer, or of the cheapest of those that lose least. */
  readonly best: number;
  readonly end: SearchEnd;
  /** Asked of the oracle. */
  readonly evaluations: number;
}

/** Below this part of what is wanted, the gains of single layers do not explain the loss: layers stand in for each other. */
const EXPLAINED = 0.5;
/** Of the gain that is wanted: what is promised may fall short. */
const MARGINS: readonly number[] = [1, 1.05, 1.2, 1.5, 2];
const COVER_ROUNDS = 3;
/** Rounds of steps forward that may bring nothing. */
const STALLS = 2;
const MOST_IMPROVEMENTS = 12;

/**
 * Families of layers first; then the shortest part of the ranking that meets the target, by bisection; sets of neighbours where single
 * layers explain little; the cheapest covers by gains; steps forward from nothing; and from what is best then, layers are left out
 * and exchanged as long as the target holds. Only what is cheaper than the best answer is ever evaluated, and every answer was.
 */
export async function searchSets(problem: SearchProblem, oracle: SetOracle): Promise<SearchResult> {
  const book = new SetBook(problem, oracle);
  book.record([], problem.empty);
  if (book.meets(problem.empty)) return resultOf(book, 'met already');
  const all = problem.costs.map((_, layer) => layer);
  if (all.length === 0) return resultOf(book, 'no layers');
  for (const { set, loss } of problem.known) book.record(set, loss);
  const search = new Search(problem, oracle, book);
  await search.start(all);
  if (book.best === undefined) return resultOf(book, missed(book));
  if (problem.empty.isNoise) {
    await spare(book, search.singles, problem.batch);
    return resultOf(book, 'met within noise');
  }
  await search.neighbours();
  await spare(book, search.singles, problem.batch);
  await search.covers();
  await search.forward();
  await spare(book, search.singles, problem.batch);
  for (let round = 0; round < MOST_IMPROVEMENTS; round++) {
    if (!(await improve(book, search.singles, problem))) break;
    await spare(book, search.singles, problem.batch);
  }
  return resultOf(book, book.isExhausted ? 'budget' : 'nothing to spare');
}

function missed(book: SetBook): SearchEnd {
  if (book.isExhausted) return 'budget';
  return leastOf(book.points)?.loss?.isNoise === true ? 'within noise' : 'unreachable';
}

function resultOf(book: SetBook, end: SearchEnd): SearchResult {
  const { points, best } = book;
  const chosen = best === undefined ? undefined : points.indexOf(best);
  const least = leastOf(points);
  return {
    points,
    ...(chosen === undefined ? {} : { chosen }),
    best: chosen ?? (least === undefined ? 0 : points.indexOf(least)),
    end,
    evaluations: book.spent,
  };
}

/** Of equal ones the smallest. */
function leastOf(points: readonly BookedSet[]): BookedSet | undefined {
  return points
    .filter(({ loss }) => loss !== undefined)
    .sort((a, b) => a.loss!.value - b.loss!.value || a.set.length - b.set.length)[0];
}

class Search {
  readonly singles: readonly Move[];
  readonly #problem: SearchProblem;
  readonly #oracle: SetOracle;
  readonly #book: SetBook;
  #moves: readonly Move[];

  constructor(problem: SearchProblem, oracle: SetOracle, book: SetBook) {
    this.#problem = problem;
    this.#oracle = oracle;
    this.#book = book;
    this.singles = problem.costs.map((_, layer) =>
      this.#move([layer], problem.gains[layer], problem.shares[layer]),
    );
    this.#moves = this.singles;
  }

  get #wanted(): number {
    return this.#problem.empty.value - this.#problem.limit;
  }

  /** Whether the target can be reached at all, by a family of layers maybe, and by how much of the ranking. */
  async start(all: LayerSet): Promise<void> {
    const { families, empty } = this.#problem;
    const gainOf = (set: LayerSet): number => set.reduce((sum, layer) => sum + this.singles[layer]!.gain, 0);
    const byGain = [...families].sort((a, b) => gainOf(b) - gainOf(a));
    await this.#book.evaluate(
      this.#book.best === undefined ? [all, ...(empty.isNoise ? [] : byGain)] : byGain,
    );
    await this.#bisect(prefixesOf(ranked(this.singles, all.length)));
  }

  /** Where a layer gives little by itself because its neighbours keep the tensors between them quantized. */
  async neighbours(): Promise<void> {
    const { best } = this.#book;
    const explained = (best?.set ?? []).reduce(
      (sum, layer) => sum + Math.max(0, this.singles[layer]!.gain),
      0,
    );
    if (best === undefined || best.set.length < 2 || explained >= EXPLAINED * this.#wanted) return;
    const { neighbours, batch } = this.#problem;
    const sets = neighbours.filter((set) => !this.#book.knows(set));
    const shares = (await this.#oracle.screen?.(sets)) ?? [];
    const guessed = sets.map((set, at) =>
      this.#move(set, this.#sum(set), shares[at] ?? this.#sumOfShares(set)),
    );
    const order = ranked(guessed, this.singles.length);
    // Without a look beforehand all are worth one; with it, those that show something.
    const asked = order.slice(0, this.#oracle.screen === undefined ? Math.floor(this.#book.left / 2) : batch);
    await this.#book.evaluate(asked.map(({ layers }) => layers));
    const joint = guessed.map(({ layers, gain, share }) => this.#move(layers, gain, share));
    this.#moves = [...this.singles, ...joint];
    await this.#bisect(prefixesOf(ranked(this.#moves, this.singles.length)));
  }

  /** The cheapest sets that would do if gains, or shares of the noise, added up; and what has to be promised for that to hold. */
  async covers(): Promise<void> {
    const { empty } = this.#problem;
    const models = [(move: Move): number => move.gain, (move: Move): number => move.share * empty.value];
    for (const gainOf of models) {
      const moves = this.#moves.filter((move) => gainOf(move) > 0);
      const items = moves.map((move) => ({ gain: gainOf(move), cost: move.cost }));
      let [low, high] = [0, Infinity];
      let margins = MARGINS;
      for (let round = 0; round < COVER_ROUNDS; round++) {
        const levels = margins.map((margin) => margin * this.#wanted);
        const sets = cheapestCovers(items, levels).map((chosen) =>
          chosen?.reduce<LayerSet>((set, at) => unionOf(set, moves[at]!.layers), []),
        );
        if ((await this.#book.evaluate(sets.filter((set) => set !== undefined))) === 0) break;
        margins.forEach((margin, at) => {
          const set = sets[at];
          const loss = set === undefined ? undefined : this.#book.lossOf(set);
          if (this.#book.meets(loss)) high = Math.min(high, margin);
          else if (loss !== undefined && margin < high) low = Math.max(low, margin);
        });
        const least = Math.min(low, high);
        margins = MARGINS.map((margin, at) =>
          high === Infinity ? least * margin : least + ((high - least) * (at + 1)) / (MARGINS.length + 1),
        );
      }
    }
  }

  /** From nothing, always the move that is seen to help most; gives way where the sum of single gains misleads. */
  async forward(): Promise<void> {
    const { batch, empty } = this.#problem;
    let current: BookedSet = { set: [], loss: empty };
    let allowance = Math.floor(this.#book.left / 2);
    let stalls = 0;
    while (allowance > 0 && stalls < STALLS && current.loss?.isNoise !== true) {
      const before = current.loss?.value ?? empty.value;
      const next = this.#steps(current.set)
        .filter((set) => this.#book.isCheaper(set))
        .slice(0, Math.min(batch, allowance));
      if (next.length === 0) return;
      const { best } = this.#book;
      allowance -= await this.#book.evaluate(next);
      if (this.#book.best !== best) return;
      const tried = next.map((set): BookedSet => ({ set, loss: this.#book.lossOf(set) }));
      const [least] = tried
        .filter(({ loss }) => loss !== undefined)
        .sort((a, b) => a.loss!.value - b.loss!.value || this.#book.costOf(a.set) - this.#book.costOf(b.set));
      if (least === undefined) return;
      stalls = least.loss!.value < before ? 0 : stalls + 1;
      current = least;
    }
  }

  /** The set with each move added, the likeliest to help first. */
  #steps(set: LayerSet): LayerSet[] {
    const has = new Set(set);
    const open = this.#moves.flatMap((move): Move[] => {
      const added = move.layers.filter((layer) => !has.has(layer));
      return added.length === 0 ? [] : [{ ...move, layers: added, cost: this.#book.costOf(added) }];
    });
    const sets = ranked(open, this.singles.length).map(({ layers }) => unionOf(set, layers));
    return [...new Map(sets.map((one) => [one.join(), one])).values()];
  }

  /** The first of growing sets that meets the target, several at a time. */
  async #bisect(sets: readonly LayerSet[]): Promise<void> {
    const { batch } = this.#problem;
    let low = -1;
    let high = sets.findIndex((set) => !this.#book.isCheaper(set));
    if (high < 0) high = sets.length;
    while (high - low > 1 && this.#book.left > 0) {
      const between = high - low - 1;
      const places =
        low < 0 && between > batch
          ? Array.from({ length: batch }, (_, i) => 2 ** i - 1).filter((at) => at < high)
          : Array.from({ length: Math.min(batch, between) }, (_, i) =>
              Math.min(high - 1, low + 1 + Math.floor(((i + 0.5) * between) / Math.min(batch, between))),
            );
      await this.#book.evaluate(places.map((at) => sets[at]!));
      const met = places.find((at) => this.#book.meets(this.#book.lossOf(sets[at]!)));
      const failed = places.filter((at) => met === undefined || at < met);
      low = Math.max(low, ...failed);
      high = met ?? high;
    }
  }

  #move(layers: LayerSet, gain: number | undefined, share: number | undefined): Move {
    const { empty } = this.#problem;
    const loss = this.#book.lossOf(layers);
    const [low, high] = (loss ?? empty).interval ?? [0, 0];
    return {
      layers,
      gain: loss === undefined ? (gain ?? 0) : empty.value - loss.value,
      noise: (high - low) / 2,
      share: share ?? 0,
      cost: this.#book.costOf(layers),
    };
  }

  #sum(set: LayerSet): number {
    return set.reduce((sum, layer) => sum + Math.max(0, this.singles[layer]!.gain), 0);
  }

  #sumOfShares(set: LayerSet): number {
    return set.reduce((sum, layer) => sum + Math.max(0, this.singles[layer]!.share), 0);
  }
}
