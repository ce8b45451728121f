/** One measuring pass and its float64 reference. */
import { expect } from 'vitest';
import { edgesOf, type Edge } from '../../src/compile/edges.js';
import { ERROR_KINDS, quantizerOf } from '../../src/compile/measurement-program.js';
import type { Graph, TensorId } from '../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { measure, type EdgeSums } from '../../src/run/measure.js';
import type { Samples } from '../../src/run/samples.js';
import type { Feeds } from './float64-network.js';
import { ONE_THREAD, UNWATCHED } from './measured-networks.js';
import { referenceSums, type ReferenceSums } from './reference-sums.js';

export interface Measured {
  readonly edges: readonly Edge[];
  readonly found: readonly EdgeSums[];
  readonly wanted: readonly ReferenceSums[];
}

export async function both(
  g: Graph,
  lane: Lane,
  samples: Samples & { readonly feeds: readonly Feeds[] },
  fusedAway: ReadonlySet<TensorId> = new Set(),
): Promise<Measured> {
  const { edges } = edgesOf(g, fusedAway);
  const quantizers = (tensor: TensorId): QuantParams | undefined => quantizerOf(g, lane, tensor);
  const clipping = new Set(edges.map(({ tensor }) => tensor));
  const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping };
  const found = await measure(g, lane, edges, fusedAway, samples, options, UNWATCHED);
  return { edges, found, wanted: referenceSums(g, lane, edges, fusedAway, samples.feeds, quantizers) };
}

/** Sums agree to the given share of the largest channel's; a mean error may cancel, so it is judged by |e|. */
export function expectEqualSums({ edges, found, wanted }: Measured, g: Graph, tolerance: number): void {
  expect(found).toHaveLength(wanted.length);
  let compared = 0;
  found.forEach(({ value, errors }, i) => {
    const reference = wanted[i]!;
    const name = g.tensors[edges[i]!.tensor]!.name;
    const near = (actual: number, expected: number, unit: number, what: string): void => {
      expect(
        Math.abs(actual - expected),
        `${name} ${what}: ${actual}, reference ${expected}`,
      ).toBeLessThanOrEqual(tolerance * unit);
    };
    expect(value.count).toBe(reference.count);
    expect(value.nonFinite).toBe(0);
    near(value.sumXX, reference.sumXX, reference.sumXX, 'sumXX');
    expect(value.clipped, `${name} clipped`).toBe(reference.clipped);
    expect([...errors.keys()].sort(), name).toEqual([...reference.errors.keys()].sort());
    for (const [kind, error] of errors) {
      const target = reference.errors.get(kind)!;
      const energy = target.sumEE.reduce((a, b) => a + b, 0);
      const peak = Math.max(...target.maxAbsE);
      near(error.clipEE, target.clipEE, energy, `${kind} clipEE`);
      target.sumEE.forEach((value, c) => {
        compared++;
        near(error.sumEE[c]!, value, energy, `${kind} sumEE #${c}`);
        near(
          error.sumE[c]!,
          target.sumE[c]!,
          peak * (reference.count / edges[i]!.channels),
          `${kind} sumE #${c}`,
        );
        near(error.maxAbsE[c]!, target.maxAbsE[c]!, peak, `${kind} max |e| #${c}`);
      });
      expect(error.sumEE).toHaveLength(edges[i]!.channels);
      expect(error.nonFinite).toBe(0);
      const worst = [...target.ratios].sort((a, b) => a.ratio - b.ratio).slice(0, 5);
      expect(
        error.worst.map(({ sample }) => sample),
        `${name} ${kind} worst samples`,
      ).toEqual(worst.map(({ sample }) => `sample${sample}`));
    }
  });
  expect(compared).toBeGreaterThan(10);
}
