/** Spoken words of ../shared as the features that the networks read. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { tensorOf, type Graph } from '../../src/ir/graph.js';
import type { Samples } from '../../src/run/samples.js';
import { projectPath } from './tflite-network.js';

/** Of the codes in which the features are stored. */
const SCALE = Math.fround(0.5847029089927673);
const ZERO_POINT = 83;

export interface Features {
  /** The class that the name of each file ends in. */
  readonly labels: readonly number[];
  /** For the network's only input. */
  samples(graph: Graph): Samples;
}

/** The feature files in the order of their names. */
export function readFeatures(): Features {
  const folder = projectPath('../shared/data/kws');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.bin'))
    .sort();
  const labels = files.map((name) => Number(basename(name, '.bin').split('_').at(-1)));
  const all = files.map((name) =>
    Float32Array.from(new Int8Array(readFileSync(join(folder, name))), (code) => (code - ZERO_POINT) * SCALE),
  );
  return {
    labels,
    samples(graph) {
      const { name, shape = [] } = tensorOf(graph, graph.inputs[0]!);
      const dims = shape.map(Number);
      return {
        count: all.length,
        async *samples() {
          for (const [i, data] of all.entries())
            yield await Promise.resolve({
              id: files[i]!,
              index: i,
              feeds: new Map([[name, { dtype: 'float32', dims, data }]]),
            });
        },
      };
    },
  };
}
