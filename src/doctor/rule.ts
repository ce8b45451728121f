/** A rule: one cause of lost accuracy, how it shows, and what to do about it. */
import type { Evidence, Part, With } from './evidence.js';
import type { Diagnosed, Finding, Severity } from './finding.js';

/** What `qdbg explain` says. Plain sentences. */
export interface RuleText {
  /** What the rule looks for. */
  readonly what: string;
  /** Why that costs accuracy. */
  readonly why: string;
  /** What to do instead. */
  readonly instead: string;
  /** Specifications, papers and discussions: URLs, or ids of other rules. */
  readonly see: readonly string[];
}

/** Where a rule begins to speak: the table beside the rules says how far healthy models are from it. */
export interface Limit {
  readonly quantity: string;
  readonly unit: string;
  readonly warning?: number;
  readonly error?: number;
  /** Which end is bad. */
  readonly worse: 'higher' | 'lower';
}

export interface RuleSpec<P extends Part> {
  /** family.fault, the name of its file; never changed and never used again. */
  readonly id: string;
  /** One line: the fault, as somebody would say it. */
  readonly title: string;
  /** The worst that it takes. */
  readonly severity: Severity;
  /** Without one of these the rule is skipped, which is not the same as passed. */
  readonly needs: readonly P[];
  /** At least one of these, too. */
  readonly oneOf?: readonly Part[];
  readonly text: RuleText;
  /** Ids that the rule had. */
  readonly formerly?: readonly string[];
  readonly limits?: readonly Limit[];
  /** @param told what the rules before it say */
  readonly check: (evidence: With<P>, told: readonly Diagnosed[]) => readonly Diagnosed[];
}

export interface Rule extends Omit<RuleSpec<Part>, 'check'> {
  /** @throws RangeError when a part that the rule needs is missing */
  readonly check: (evidence: Evidence, told?: readonly Finding[]) => readonly Diagnosed[];
}

export function rule<const P extends Part>(spec: RuleSpec<P>): Rule {
  return {
    ...spec,
    check: (evidence, told = []) => {
      if (!hasAll(evidence, spec.needs)) throw new RangeError(`${spec.id} needs ${spec.needs.join(', ')}`);
      return spec.check(evidence, told);
    },
  };
}

function hasAll<P extends Part>(evidence: Evidence, needs: readonly P[]): evidence is With<P> {
  return needs.every((part) => evidence[part] !== undefined);
}

/** What a rule needs and does not have; of `oneOf` at least one would do. */
export interface Lack {
  readonly needs: readonly Part[];
  readonly oneOf: readonly Part[];
}

/** Undefined when the rule has all that it needs. */
export function lackOf(
  evidence: Evidence,
  { needs, oneOf = [] }: Pick<Rule, 'needs' | 'oneOf'>,
): Lack | undefined {
  const isMissing = (part: Part): boolean => evidence[part] === undefined;
  const lack = { needs: needs.filter(isMissing), oneOf: oneOf.every(isMissing) ? oneOf : [] };
  return lack.needs.length + lack.oneOf.length === 0 ? undefined : lack;
}
