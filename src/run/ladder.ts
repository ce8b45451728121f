/** The ladder: several lanes beside a reference, at the outputs. */
import type { Edge } from '../compile/edges.js';
import { ladderProgram, type LadderProgram, type LadderStat } from '../compile/ladder-program.js';
import type { ReferenceNetwork } from '../compile/reference.js';
import type { Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import type { Sample } from './data/dataset.js';
import type { SessionOptions } from './runtime.js';
import { SheetRunner } from './sheet-runner.js';

/** Of one lane at one tensor, over all samples. */
export interface RungSums {
  sumXX: number;
  sumEE: number;
  /** Rows whose largest element is elsewhere than in the reference, and all rows. */
  moved: number;
  rows: number;
  /** Values that are not finite in one of the two, and in no sum. */
  nonFinite: number;
}

export interface LadderOptions extends SessionOptions {
  /** In tensors with more elements than this the largest are not looked for: `rows` is 0 there. All by default. */
  readonly mostRanked?: number;
}

export class Ladder {
  /** By lane, then by edge. */
  readonly sums: readonly (readonly RungSums[])[];
  samples = 0;
  readonly #program: LadderProgram;
  readonly #runner: SheetRunner<LadderStat>;

  constructor(
    graph: Graph,
    lanes: readonly Lane[],
    edges: readonly Edge[],
    other: ReferenceNetwork | undefined,
    { mostRanked = Infinity, ...options }: LadderOptions,
  ) {
    const build = (guarded: boolean): LadderProgram =>
      ladderProgram(graph, lanes, edges, other, { guarded, mostRanked });
    const fast = build(false);
    this.#program = fast;
    this.#runner = new SheetRunner<LadderStat>(
      (guarded) => (guarded ? build(true) : fast),
      graph.opsets.get('') ?? 1,
      options,
    );
    this.sums = lanes.map(() => edges.map(() => ({ sumXX: 0, sumEE: 0, moved: 0, rows: 0, nonFinite: 0 })));
  }

  async add(sample: Sample): Promise<void> {
    const { values, slots } = await this.#runner.run(sample);
    this.samples++;
    for (const { edge, name, offset } of slots) {
      const value = values[offset] as number;
      if (name === 'sumXX') for (const lane of this.sums) (lane[edge] as RungSums).sumXX += value;
      else {
        const [at, stat] = name.split('.') as [string, 'sumEE' | 'moved' | 'nonFinite'];
        const rung = this.sums[Number(at)]?.[edge] as RungSums;
        rung[stat] += value;
        if (stat === 'moved') rung.rows += this.#program.rows[edge] ?? 0;
      }
    }
  }

  close(): Promise<void> {
    return this.#runner.close();
  }
}
