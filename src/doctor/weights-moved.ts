import type { With } from './evidence.js';
import { comparedWeights, isRounded } from './rules/w/not-same-model.js';

/** Fewer layers say nothing of a network. */
const LEAST_WEIGHTS = 3;

/**
 * Whether most weights are others than the reference's, or moved by more than any rounding moves them: of another checkpoint, or
 * trained further, however little.
 */
export function wereTrained(evidence: With<'compared'>): boolean {
  const { weights, trained } = comparedWeights(evidence);
  const moved = weights.filter(
    ({ channels }) => channels.filter((channel) => !isRounded(channel)).length > channels.length / 2,
  );
  return trained || (weights.length >= LEAST_WEIGHTS && moved.length > weights.length / 2);
}
