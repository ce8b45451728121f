/**
 * What comes out of a network over several samples, in float (or of the reference) and as integers. Running sums for each element:
 * what is kept does not grow with the samples.
 */
import type { Edge } from '../compile/edges.js';
import { pairedProgram, type PairedProgram } from '../compile/paired-program.js';
import { tensorOf } from '../ir/graph.js';
import { collapseOf } from '../quant/output-collapse.js';
import type { Sample } from './data/dataset.js';
import { firstDead, type DeadTensor } from './output-study/first-dead.js';
import type { StudiedNetwork } from './output-study/network.js';
import { stepOf } from './output-study/step.js';
import { OutputSums } from './output-study/sums.js';
import type { StudiedOutput } from './output-study/studied-output.js';
import { openSession, type Session, type SessionOptions } from './runtime.js';
import type { Samples } from './samples.js';

export type { DeadTensor } from './output-study/first-dead.js';
export type { StudiedNetwork } from './output-study/network.js';
export type { Answers, StudiedOutput } from './output-study/studied-output.js';

/** What comes out of a network over several samples, in float and as integers. */
export interface OutputStudy {
  readonly samples: number;
  /** Outputs of fixed shape that have something to be compared with; for others the last tensors before them that have. */
  readonly outputs: readonly StudiedOutput[];
  /** Where an output collapsed: the first tensor that stands still although the float network's moves. */
  readonly dead?: DeadTensor;
}

export interface StudyOptions extends SessionOptions {
  /** Samples to look at, evenly spread; 16 at most. One in eight, and 8 at least, when absent. */
  readonly most?: number;
}

const MOST_SAMPLES = 16;
const LEAST_SAMPLES = 8;
const SAMPLE_SHARE = 8;
/** Elements of all outputs together that are followed: 64 bytes each. */
const MOST_ELEMENTS = 2 ** 18;
/** Samples that are kept for naming the first dead tensor. */
const MOST_KEPT = 4;

/** Runs the samples that it takes, and nothing else. */
export async function studyOutputs(
  network: StudiedNetwork,
  samples: Samples,
  options: StudyOptions,
): Promise<OutputStudy> {
  const watch = new OutputWatch(network, options);
  try {
    await watch.over(samples);
    return await watch.result();
  } finally {
    await watch.close();
  }
}

/** The study beside a pass that is made anyway: samples are not read twice. */
export class OutputWatch {
  readonly #network: StudiedNetwork;
  readonly #options: StudyOptions;
  readonly #ends: readonly Edge[];
  readonly #program: PairedProgram;
  readonly #sums: readonly OutputSums[];
  readonly #kept: Sample[] = [];
  #session: Session | undefined;
  #samples = 0;
  #isDone = false;

  constructor(network: StudiedNetwork, options: StudyOptions) {
    const { graph, lane, edges, ends, other } = network;
    this.#network = network;
    this.#options = options;
    this.#ends = edges.filter(({ tensor }) => ends.has(tensor));
    this.#program = pairedProgram(
      graph,
      lane,
      other,
      this.#ends.map((edge) => ({ edge })),
    );
    const most = Math.floor(MOST_ELEMENTS / Math.max(1, this.#ends.length));
    this.#sums = this.#ends.map((edge) => new OutputSums(edge, stepOf(graph, lane, edge.tensor), most));
  }

  /** Runs those that are looked at. */
  async over(samples: Samples): Promise<void> {
    const passing = this.beside(samples).samples()[Symbol.asyncIterator]();
    while ((await passing.next()).done !== true);
  }

  /** The same samples; during the first pass, those that are looked at are run before they are given. */
  beside(samples: Samples): Samples {
    const run = (sample: Sample): Promise<void> => this.#add(sample);
    const taken = (count: number): number => takenOf(count, this.#options.most);
    const isFirst = (): boolean => {
      const first = !this.#isDone;
      this.#isDone = true;
      return first;
    };
    return {
      get count() {
        return samples.count;
      },
      async *samples() {
        const share = isFirst() ? taken(samples.count) / Math.max(1, samples.count) : 0;
        let at = 0;
        for await (const sample of samples.samples()) {
          // Sample i is taken where i * share passes a whole number.
          if (Math.floor((at + 1) * share) > Math.floor(at * share)) await run(sample);
          at++;
          yield sample;
        }
      },
    };
  }

  /** Runs a few of the samples once more where an output collapsed. */
  async result(): Promise<OutputStudy> {
    const outputs = this.#sums.flatMap((sums, at): StudiedOutput[] => {
      const edge = this.#ends[at] as Edge;
      const studied = sums.result(edge.tensor, tensorOf(this.#network.graph, edge.tensor).name);
      if (studied === undefined) return [];
      const collapse = collapseOf({ samples: this.#samples, ...studied });
      return [{ ...studied, ...(collapse === undefined ? {} : { collapse }) }];
    });
    const hasCollapsed = outputs.some(({ collapse }) => collapse !== undefined);
    const dead = hasCollapsed ? await firstDead(this.#network, this.#kept, this.#options) : undefined;
    return { samples: this.#samples, outputs, ...(dead === undefined ? {} : { dead }) };
  }

  async close(): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }

  async #add(sample: Sample): Promise<void> {
    if (this.#program.pairs.every(({ reference }) => reference === undefined)) return;
    this.#session ??= await openSession(this.#program.model, this.#options);
    const fetched = await this.#session.run(sample.feeds, sample.id);
    this.#program.pairs.forEach(({ value, reference }, at) => {
      if (reference === undefined) return;
      this.#sums[at]?.add(fetched[reference] as Float32Array, fetched[value] as Float32Array);
    });
    this.#samples++;
    if (this.#kept.length < MOST_KEPT) this.#kept.push(sample);
  }
}

function takenOf(count: number, most: number | undefined): number {
  const wanted = most ?? Math.max(LEAST_SAMPLES, Math.ceil(count / SAMPLE_SHARE));
  return Math.min(count, wanted, MOST_SAMPLES);
}
