/** What a rule says about one place of a network. */
import type { TensorId } from '../ir/graph.js';
import type { SchemeOverrides } from '../quant/presets.js';

export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
  /** Rule id, family.fault: `qdbg explain` knows it. */
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: { readonly node?: string; readonly tensor?: string };
  readonly message: string;
  readonly args: Readonly<Record<string, number | string>>;
  readonly fix?: Fix;
}

export interface Fix {
  readonly title: string;
  /** As the user types it: flags of qdbg, or a line for the tool that made the file. */
  readonly edit: string;
  /** What the edit gave when it was applied to the network and measured. */
  readonly measured?: MeasuredFix;
}

/** At the output with the lowest SQNR before the edit, cumulative, dB; absent where exact. */
export interface MeasuredFix {
  readonly tensor: string;
  readonly beforeDb?: number;
  readonly afterDb?: number;
  readonly samples: number;
  /** Places that the rule names, all of them changed at once; absent for one. */
  readonly places?: number;
}

/** A change of the network under test that stands for the fix, so that what it buys can be measured. */
export type Change = SchemeChange | LaneChange;

/** Of a simulation: flags that change its scheme, patterns of what to keep in float. */
export interface SchemeChange {
  readonly kind: 'scheme';
  readonly overrides: SchemeOverrides;
  readonly skip?: readonly string[];
}

/** Of a finished file: what is put in place of its own parameters. */
export interface LaneChange {
  readonly kind: 'lane';
  /** Activations whose range becomes that of the values measured; the type stays. */
  readonly ranges?: readonly TensorId[];
  /** Activations that lose their quantizer. */
  readonly float?: readonly TensorId[];
  /** Constants made again from the reference's, with one scale per channel where `perAxis` says so. */
  readonly constants?: readonly { readonly tensor: TensorId; readonly perAxis?: boolean }[];
}

/** A finding as a rule makes it, with what reports leave out. */
export interface Diagnosed extends Finding {
  readonly change?: Change;
  /** Names of nodes and tensors whose own findings follow from this one. */
  readonly explains?: readonly string[];
  /** Rules that tell the cause better where they speak of the same tensor or node, or of the whole network; this finding only adds its weight to theirs. */
  readonly yieldsTo?: readonly string[];
  /** Rules whose findings, wherever they are, follow from this one where it is an error: they become notes. */
  readonly overshadows?: readonly string[];
}

/** Whether it is said of the network as a whole, and of no place in it. */
export function isOfAll({ subject: { tensor, node } }: Pick<Finding, 'subject'>): boolean {
  return tensor === undefined && node === undefined;
}

const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

/** Worst first; findings of one severity keep their order. */
export function worstFirst<F extends Finding>(findings: readonly F[]): F[] {
  return [...findings].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}
