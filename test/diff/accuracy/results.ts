/** Results of metrics, for the tests of what is said of them. */
import type { MetricResult, NetworkScore } from '../../../src/run/metrics/metric.js';

const BASE = {
  description: 'for tests',
  disagreements: [],
  leftOut: 0,
} as const;

export interface Counts {
  readonly samples: number;
  readonly both: number;
  readonly lost: number;
  readonly won: number;
}

function counted(hits: number, samples: number): NetworkScore {
  return { value: (100 * hits) / samples, hits, replicates: new Float64Array(0), ties: 0, nonFinite: 0 };
}

/** Two networks that are both right on `both` samples. */
export function countedResult({ samples, both, lost, won }: Counts): MetricResult {
  const paired = { both, onlyReference: lost, onlyCandidate: won, neither: samples - both - lost - won };
  return {
    ...BASE,
    metric: 'top1',
    unit: '%',
    better: 'higher',
    samples,
    networks: [counted(both + lost, samples), { ...counted(both + won, samples), paired }],
  };
}

/** Against the reference, which is right about itself. */
export function agreementResult({ samples, same }: { samples: number; same: number }): MetricResult {
  return { ...countedResult({ samples, both: same, lost: samples - same, won: 0 }), metric: 'agreement' };
}

/** Replicates of `resampledResult`. */
export const SHIFTED = 999;

/** A reference of 70 whose resamplings spread by 20, and a candidate that follows them at `change`, within 0.5. */
export function resampledResult({
  unit,
  better,
  change,
}: Pick<MetricResult, 'unit' | 'better'> & { change: number }): MetricResult {
  const reference = Float64Array.from({ length: SHIFTED }, (_, i) => 60 + (20 * i) / (SHIFTED - 1));
  const candidate = reference.map((value, i) => value + change + ((i * 41) % SHIFTED) / SHIFTED - 0.5);
  const score = (value: number, replicates: Float64Array): NetworkScore => ({
    value,
    replicates,
    ties: 0,
    nonFinite: 0,
  });
  return {
    ...BASE,
    metric: 'miou',
    unit,
    better,
    samples: 80,
    networks: [score(70, reference), score(70 + change, candidate)],
  };
}
