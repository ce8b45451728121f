import type { TensorId } from '../../ir/graph.js';
import type { PlannedQuantizer, QuantPlan } from './plan.js';

/**
 * The plan without the quantizers whose range would have to be observed at one of `tensors`, and without those that take their
 * parameters from one that is gone. `dropped` lists the tensors that stay in float because of it.
 */
export function withoutObserving(
  plan: QuantPlan,
  tensors: ReadonlySet<TensorId>,
): { readonly plan: QuantPlan; readonly dropped: readonly TensorId[] } {
  const dropped = new Set<TensorId>();
  let kept: readonly PlannedQuantizer[] = plan.quantizers;
  for (;;) {
    const quantized = new Set(kept.map(({ tensor }) => tensor));
    const next = kept.filter(({ range }) => {
      if (range.kind === 'observed') return !tensors.has(range.tensor);
      if (range.kind === 'same-as') return quantized.has(range.tensor);
      return range.kind !== 'bias' || (quantized.has(range.input) && quantized.has(range.weight));
    });
    if (next.length === kept.length) return { plan: { ...plan, quantizers: kept }, dropped: [...dropped] };
    const left = new Set(next);
    for (const quantizer of kept) if (!left.has(quantizer)) dropped.add(quantizer.tensor);
    kept = next;
  }
}
