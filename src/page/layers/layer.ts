/** A layer, as pages show it: an activation, and the constants of the operator that computes it. */
import type { PageReport, PageTensor, PageWeight } from '../../report/html/page-document.js';
import type { ComparedTensor } from '../../report/compare-report.js';

export type LayerTensor = PageTensor & Partial<Pick<ComparedTensor, 'reference' | 'layout'>>;

export interface Layer {
  /** Name of the activation; what links name. */
  readonly tensor: string;
  readonly node: string;
  readonly op: string;
  readonly activation: LayerTensor;
  /** Weights and biases of the operator as quantized constants. */
  readonly constants: readonly LayerTensor[];
  /** Spread of the weights of the operator. */
  readonly weights: readonly PageWeight[];
}

export const SERIES = ['self', 'local', 'cumulative'] as const;
export type Series = (typeof SERIES)[number];

/** What the series are, for readers. */
export const SERIES_TEXT: Readonly<Record<Series, string>> = {
  self: 'what quantizing this tensor alone costs',
  local: 'what this operator adds, its inputs being exact',
  cumulative: 'what has gathered from the inputs of the network up to here',
};

/** Of reports that measure tensors; in graph order. */
export function layersOf(report: PageReport): Layer[] {
  if (report.command === 'inspect' || report.command === 'sweep') return [];
  const weights = groups(report.weights ?? [], ({ node }) => node);
  const rows: readonly LayerTensor[] = report.tensors;
  const constants = groups(
    rows.filter(({ role }) => role === 'weight' || role === 'bias'),
    ({ node }) => node,
  );
  const seen = new Set<string>();
  return rows
    .filter(({ role }) => role !== 'weight' && role !== 'bias')
    .map((activation) => {
      const { tensor, node, op, role } = activation;
      // An input is listed under the operator that reads it, whose weights are not its own.
      const isFirst = role !== 'input' && !seen.has(node);
      if (isFirst) seen.add(node);
      return {
        tensor,
        node,
        op,
        activation,
        constants: isFirst ? (constants.get(node) ?? []) : [],
        weights: isFirst ? (weights.get(node) ?? []) : [],
      };
    });
}

function groups<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const map = new Map<string, T[]>();
  for (const item of items) {
    const group = map.get(keyOf(item));
    if (group === undefined) map.set(keyOf(item), [item]);
    else group.push(item);
  }
  return map;
}
