/** Which layers a page shows in full where it cannot show all so. */
import type { AnyReport } from '../any-report.js';
import type { ReportedTensor, ReportedWeight } from '../report.js';

/**
 * Positions of the weights: those that findings name first, then by the SQNR of their layer, lowest first. Where layers were not
 * measured, by what one scale would leave of the weight.
 */
export function orderOf(weights: readonly ReportedWeight[], report: AnyReport): number[] {
  const named = new Set(
    'findings' in report
      ? report.findings
          .filter(({ severity }) => severity !== 'note')
          .flatMap(({ subject: { node, tensor } }) => [node, tensor])
      : [],
  );
  const layers = new Map<string, number>();
  const rows: readonly ReportedTensor[] =
    report.command === 'inspect' || report.command === 'sweep' ? [] : report.tensors;
  for (const { node, self, local, cumulative } of rows) {
    const db = local?.sqnrDb ?? self?.sqnrDb ?? cumulative?.sqnrDb;
    if (db !== undefined) layers.set(node, Math.min(db, layers.get(node) ?? Infinity));
  }
  const rankOf = ({ node, tensor, perTensorSqnrDb }: ReportedWeight): number =>
    named.has(node) || named.has(tensor) ? -Infinity : (layers.get(node) ?? perTensorSqnrDb ?? Infinity);
  const ranks = weights.map(rankOf);
  return [...weights.keys()].sort((a, b) => compared(ranks[a] ?? 0, ranks[b] ?? 0) || a - b);
}

function compared(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
