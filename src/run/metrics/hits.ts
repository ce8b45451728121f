/** Counts of right samples, exact and paired: nothing is resampled, since McNemar's test needs only the counts. */
import type { Leading } from './leading.js';
import type { ClassScore, Confusion, Disagreement, NetworkScore } from './metric.js';
import { addCounts, eachOf, type HitsState } from './scorer-state.js';

/** As many are kept of what is shown by example. */
const MAX_DISAGREEMENTS = 20;
const MAX_CONFUSIONS = 5;

/** Pairs of classes as one number; labels are below 2^16, predicted classes below 2^31. */
const PAIR = 2 ** 32;

interface NetworkCounts {
  hits: number;
  ties: number;
  nonFinite: number;
  both: number;
  onlyReference: number;
  onlyCandidate: number;
  readonly hitsByClass: Map<number, number>;
  /** Wrong answers by class and answer, less those of the reference. */
  readonly excess: Map<number, number>;
  readonly disagreements: Disagreement[];
}

/** Right answers of all networks under one numbering of the labels. */
export class Hits {
  readonly #networks: NetworkCounts[];
  readonly #support = new Map<number, number>();
  #samples = 0;

  constructor(networks: number) {
    this.#networks = Array.from({ length: networks }, () => ({
      hits: 0,
      ties: 0,
      nonFinite: 0,
      both: 0,
      onlyReference: 0,
      onlyCandidate: 0,
      hitsByClass: new Map<number, number>(),
      excess: new Map<number, number>(),
      disagreements: [],
    }));
  }

  get samples(): number {
    return this.#samples;
  }

  get support(): ReadonlyMap<number, number> {
    return this.#support;
  }

  hits(network: number): number {
    return this.#networks[network]!.hits;
  }

  get disagreements(): Disagreement[] {
    return this.#networks.flatMap(({ disagreements }) => disagreements);
  }

  /**
   * @param label - right class; undefined when no answer can be right
   * @param truth - the label to show where networks part, if it comes from outside
   */
  add(sample: string, label: number | undefined, truth: number | undefined, leads: readonly Leading[]): void {
    this.#samples++;
    if (label !== undefined) increment(this.#support, label, 1);
    const [reference] = leads;
    const isRight = (lead: Leading): boolean => label !== undefined && lead.classes.includes(label);
    const isReferenceRight = isRight(reference!);
    for (const [network, lead] of leads.entries()) {
      const counts = this.#networks[network]!;
      const isHit = isRight(lead);
      const answer = lead.classes[0];
      if (lead.isTied) counts.ties++;
      if (answer === undefined) counts.nonFinite++;
      if (isHit) {
        counts.hits++;
        increment(counts.hitsByClass, label!, 1);
      }
      if (network === 0) continue;
      if (isHit && isReferenceRight) counts.both++;
      else if (isHit) counts.onlyCandidate++;
      else if (isReferenceRight) counts.onlyReference++;
      const referenceAnswer = reference!.classes[0];
      if (label !== undefined && answer !== referenceAnswer) {
        if (answer !== undefined && !isHit) increment(counts.excess, label * PAIR + answer, 1);
        if (referenceAnswer !== undefined && !isReferenceRight)
          increment(counts.excess, label * PAIR + referenceAnswer, -1);
      }
      const isParted = lead.classes.length > 1 ? isHit !== isReferenceRight : answer !== referenceAnswer;
      if (isParted && counts.disagreements.length < MAX_DISAGREEMENTS)
        counts.disagreements.push({
          sample,
          network,
          ...(truth === undefined ? {} : { truth }),
          ...(referenceAnswer === undefined ? {} : { reference: referenceAnswer }),
          ...(answer === undefined ? {} : { candidate: answer }),
        });
    }
  }

  get state(): HitsState {
    return {
      samples: this.#samples,
      support: [...this.#support],
      networks: this.#networks.map(({ hitsByClass, excess, ...counts }) => ({
        ...counts,
        hitsByClass: [...hitsByClass],
        excess: [...excess],
      })),
    };
  }

  merge({ samples, support, networks }: HitsState): void {
    this.#samples += samples;
    addCounts(this.#support, support);
    eachOf(this.#networks, networks, (own, more) => {
      own.hits += more.hits;
      own.ties += more.ties;
      own.nonFinite += more.nonFinite;
      own.both += more.both;
      own.onlyReference += more.onlyReference;
      own.onlyCandidate += more.onlyCandidate;
      addCounts(own.hitsByClass, more.hitsByClass);
      addCounts(own.excess, more.excess);
      own.disagreements.push(...more.disagreements.slice(0, MAX_DISAGREEMENTS - own.disagreements.length));
    });
  }

  /** In percent. */
  score(network: number): NetworkScore {
    const counts = this.#networks[network]!;
    const { hits, ties, nonFinite, both, onlyReference, onlyCandidate } = counts;
    const neither = this.#samples - both - onlyReference - onlyCandidate;
    const confusions = this.#confusions(counts);
    return {
      ...(this.#samples === 0 ? {} : { value: (100 * hits) / this.#samples }),
      hits,
      replicates: new Float64Array(0),
      perClass: this.#perClass(counts),
      ties,
      nonFinite,
      ...(network === 0 ? {} : { paired: { both, onlyReference, onlyCandidate, neither } }),
      ...(confusions.length === 0 ? {} : { confusions }),
    };
  }

  #perClass({ hitsByClass }: NetworkCounts): ClassScore[] {
    return [...this.#support]
      .sort(([a], [b]) => a - b)
      .map(([label, support]) => ({
        label,
        value: (100 * (hitsByClass.get(label) ?? 0)) / support,
        support,
      }));
  }

  #confusions({ excess }: NetworkCounts): Confusion[] {
    return [...excess]
      .filter(([, count]) => count > 0)
      .sort(([a, many], [b, more]) => more - many || a - b)
      .slice(0, MAX_CONFUSIONS)
      .map(([pair, count]) => {
        const from = Math.floor(pair / PAIR);
        return { from, to: pair % PAIR, share: count / this.#support.get(from)!, count };
      });
  }
}

function increment(counts: Map<number, number>, key: number, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
