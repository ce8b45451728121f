/**
 * A report as a page carries it. What can be without end is bounded, so that the page of any network opens at once: channels of
 * weights, per-axis parameters, classes, lists of samples. What was left out is told.
 */
import type { AnyReport } from '../any-report.js';
import {
  coarserHistogram,
  isAccuracy,
  isChannels,
  isHistogram,
  isQuant,
  sharesOf,
  thinnedChannels,
  thinnedClasses,
  thinnedQuant,
  usedNames,
  type Shares,
} from './page-bounds.js';
import type { PageReport } from './page-document.js';
import { cutText, longestText, rounded } from './page-values.js';
import { pageWeights } from './page-weights.js';

export interface PageContent {
  readonly report: PageReport;
  /** Sentences for the reader. */
  readonly leftOut: readonly string[];
}

/** Lists that are cut after the first ones, which are the worst ones where there is an order; words for the reader. */
const LISTS: Readonly<Record<string, readonly [most: number, what: string]>> = {
  findings: [3000, 'findings'],
  excluded: [500, 'samples that were left out'],
  disagreements: [500, 'samples on which the networks part'],
  fewLevelChannels: [256, 'numbers of channels'],
  outlierChannels: [256, 'numbers of channels'],
  nonFiniteChannels: [256, 'numbers of channels'],
};
const ANY_LIST: readonly [most: number, what: string] = [50_000, 'entries of long lists'];

type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** @throws RangeError for a metric without a value that is not absent, as the JSON report does */
export function pageReport(report: AnyReport): PageContent {
  const content = new Content(withoutState(report));
  return { report: content.report, leftOut: content.leftOut() };
}

/** What a shard hands on to other shards is for no reader. */
function withoutState(report: AnyReport): AnyReport {
  if (report.command !== 'analyze' || report.shard === undefined) return report;
  return { ...report, shard: { ...report.shard, state: '' } };
}

class Content {
  readonly report: PageReport;
  readonly #longest: number;
  readonly #shares: Shares;
  /** By what is counted. */
  readonly #counts = new Map<string, { kept: number; of: number }>();

  constructor(report: AnyReport) {
    this.#longest = longestText(report);
    this.#shares = sharesOf(report);
    this.report = this.#fields(this.#withWeights(report)) as unknown as PageReport;
  }

  leftOut(): string[] {
    return [...this.#counts]
      .filter(([, { kept, of }]) => kept < of)
      .map(
        ([what, { kept, of }]) => `${kept} of ${of} ${what} are shown here; the JSON report has all of them`,
      );
  }

  #count(what: string, kept: number, of: number): void {
    const before = this.#counts.get(what) ?? { kept: 0, of: 0 };
    this.#counts.set(what, { kept: before.kept + kept, of: before.of + of });
  }

  #withWeights(report: AnyReport): object {
    if (!('weights' in report) || report.weights === undefined) return report;
    const weights = pageWeights(report.weights, report);
    for (const { channels, channelCount } of weights)
      this.#count('channels of weights', channels.length, channelCount);
    return { ...report, weights };
  }

  #value(value: unknown, key: string): Plain | undefined {
    switch (typeof value) {
      case 'string':
        return cutText(value, this.#longest);
      case 'number':
        return this.#number(value, key);
      case 'boolean':
        return value;
      case 'object':
        if (value === null) return null;
        return Array.isArray(value) ? this.#list(value, key) : this.#fields(value);
      default:
        return undefined;
    }
  }

  #number(value: number, key: string): number | string {
    if (Number.isFinite(value)) return rounded(value);
    // As the JSON report has it: what a broken file has for a scale is told as it is.
    if (key === 'scale') return String(value);
    throw new RangeError(`${key} is ${value}: a metric without a value must be absent`);
  }

  #list(list: readonly unknown[], key: string): Plain[] {
    const [most, what] = LISTS[key] ?? ANY_LIST;
    const kept = list.slice(0, most);
    if (kept.length < list.length) this.#count(what, kept.length, list.length);
    // As JSON.stringify has what is no value among others.
    return kept.map((item) => this.#value(item, key) ?? null);
  }

  #fields(value: object): Plain {
    // Not by assignment: a name such as __proto__ is a name like any other.
    return Object.fromEntries(
      Object.entries(this.#bounded(value as Readonly<Record<string, unknown>>)).flatMap(([key, item]) => {
        const plain = this.#value(item, key);
        return plain === undefined ? [] : [[key, plain]];
      }),
    );
  }

  #bounded(fields: Readonly<Record<string, unknown>>): object {
    if (isQuant(fields)) {
      const quant = thinnedQuant(fields, this.#shares.scales);
      this.#count('scales', quant.scale.length, fields.scale.length);
      return quant;
    }
    if (isHistogram(fields)) return coarserHistogram(fields, this.#shares.bins);
    if (isChannels(fields)) {
      const channels = thinnedChannels(fields, this.#shares.channels);
      this.#count('channels of activations', channels.values.length, fields.values.length);
      return channels;
    }
    if (isAccuracy(fields)) {
      const { accuracy, kept, of } = thinnedClasses(fields);
      this.#count(`classes of ${fields.metric}`, kept, of);
      return accuracy;
    }
    const { classNames, ...rest } = fields;
    return typeof classNames === 'object' && classNames !== null
      ? { ...fields, classNames: usedNames(classNames as Readonly<Record<string, string>>, rest) }
      : fields;
  }
}
