/** What a rule says about one place of a network. */
export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
  /** Rule id, family.fault: `qdbg explain` knows it. */
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: { readonly node?: string; readonly tensor?: string };
  readonly message: string;
  readonly args: Readonly<Record<string, number | string>>;
  readonly fix?: { readonly title: string; readonly edit: string };
}

const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

/** Worst first; findings of one severity keep their order. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}
