/** The simulation that another implementation is set beside: values of tensors, sample by sample. */
import { valueProgram } from '../../compile/value-program.js';
import { tensorOf, type TensorId } from '../../ir/graph.js';
import type { Feed, Sample } from '../data/dataset.js';
import type { Candidate, OtherRunOptions } from '../other-run.js';
import { openSession } from '../runtime.js';
import type { Samples } from '../samples.js';
import type { Values } from './sums.js';
import type { Target } from './targets.js';

/** Bytes of values that are held at a time: of the simulation, and again of the other implementation and the reference. */
const GROUP_BYTES = 2 ** 27;

/** Which samples are run, where not all are. */
export interface Selection {
  readonly count: number;
  has(sample: Sample, index: number): boolean;
}

/** Values of one sample. */
export interface SimulatedSample {
  readonly sample: Sample;
  /** From 0, in the order of the samples. */
  readonly index: number;
  /** What the candidate's inputs are fed, by name. */
  readonly feeds: ReadonlyMap<string, Feed>;
  readonly targets: readonly SimulatedTarget[];
}

export interface SimulatedTarget {
  readonly target: Target;
  readonly values: Values;
  readonly reference: Values | undefined;
}

/**
 * Runs the candidate and its reference without optimizations, as written, for all samples. Networks whose activations take much
 * memory are run several times, for some of the tensors each.
 *
 * @param pass name of the pass, for `watch`
 * @param selection all samples when absent
 * @returns called again for every sample and group of targets
 */
export async function* simulate(
  candidate: Candidate,
  targets: readonly Target[],
  samples: Samples,
  { other, threads, watch }: OtherRunOptions,
  pass: string,
  selection?: Selection,
): AsyncGenerator<SimulatedSample> {
  const groups = groupsOf(targets);
  const inputs = candidate.graph.inputs.map((id) => tensorOf(candidate.graph, id));
  const total = (selection?.count ?? samples.count) * groups.length;
  let done = 0;
  watch(pass, done, total);
  for (const group of groups) {
    const program = valueProgram(
      candidate.graph,
      candidate.lane,
      other,
      group.map(({ tensor }): TensorId => tensor),
    );
    const session = await openSession(program.model, { threads, optimization: 'none' });
    try {
      let index = -1;
      let left = selection?.count ?? Infinity;
      for await (const sample of samples.samples()) {
        index++;
        if (selection?.has(sample, index) === false) continue;
        const fetched = await session.run(sample.feeds, sample.id);
        const feeds = inputs.map(({ name, dtype = 'float32', shape }, i): [string, Feed] => {
          const data = fetched[program.inputs[i]!] as Feed['data'];
          return [name, { dtype, dims: (shape ?? []).map(Number), data }];
        });
        yield {
          sample,
          index,
          feeds: new Map(feeds),
          targets: group.map((target, i) => {
            const { value, reference } = program.tensors[i]!;
            return {
              target,
              values: fetched[value] as Values,
              reference: reference === undefined ? undefined : (fetched[reference] as Values),
            };
          }),
        };
        watch(pass, ++done, total);
        if (--left === 0) break;
      }
    } finally {
      await session.close();
    }
  }
}

function groupsOf(targets: readonly Target[]): Target[][] {
  const groups: Target[][] = [];
  let bytes = Infinity;
  for (const target of targets) {
    const size = target.count * Float32Array.BYTES_PER_ELEMENT;
    if (bytes + size > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(target);
    bytes += size;
  }
  return groups;
}
