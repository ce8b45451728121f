/** One way of running the file beside the simulation: what is fetched, what it is compared with, and what stopped it. */
import { RunError } from '../../errors.js';
import type { TensorId } from '../../ir/graph.js';
import { dequantize } from '../../quant/affine.js';
import { convertElements, isFeedable } from '../data/convert.js';
import type { Feed } from '../data/dataset.js';
import { resultsOf } from '../other/departure.js';
import type { SimulatedSample } from '../other/simulation.js';
import { OtherSums, type Values } from '../other/sums.js';
import type { Target } from '../other/targets.js';
import type { Candidate, NotRun, OtherRun } from '../other-run.js';
import { feedsOf } from './feeds.js';
import type { NamedTensor } from './messages.js';
import { OutputSums, type OutputBesideReference } from './outputs.js';
import { isFetchable, openOriginal, type Original, type OriginalOptions } from './process.js';
import { outputsAppended } from './taps.js';

/** A tensor and the name under which the file has its codes or values. */
export interface Fetch {
  readonly target: Target;
  readonly name: string;
}

interface SideOptions extends OriginalOptions {
  readonly path: string;
  readonly directory: string;
  /** Outputs that the file does not have yet. */
  readonly added: readonly string[];
}

export class Side {
  readonly #candidate: Candidate;
  readonly #fetches = new Map<TensorId, Fetch>();
  readonly #sums = new Map<TensorId, OtherSums>();
  readonly #outputs = new Map<TensorId, OutputSums>();
  readonly #skipped: { readonly subject: string; readonly reason: string }[] = [];
  readonly #label: string;
  #original: Original | undefined;
  #version = '';
  #samples = 0;
  #notRun: string | undefined;

  private constructor(candidate: Candidate, label: string) {
    this.#candidate = candidate;
    this.#label = label;
  }

  /** Never rejects for what is wrong with the file or the runtime: then `result` says so. */
  static async open(
    candidate: Candidate,
    fetches: readonly Fetch[],
    { path, directory, added, ...options }: SideOptions,
  ): Promise<Side> {
    const side = new Side(candidate, `optimizations ${options.optimization === 'none' ? 'off' : 'on'}`);
    await side.#attempt(async () => {
      const original = await openOriginal(path, directory, outputsAppended(added), options);
      side.#original = original;
      side.#version = original.version;
      for (const fetch of fetches) side.#want(fetch, original.outputs.get(fetch.name));
    });
    return side;
  }

  #want(fetch: Fetch, type: string | undefined): void {
    const { target, name } = fetch;
    if (!isFetchable(type)) {
      const reason = `the runtime does not hand out ${type ?? 'what is no tensor'} (${name} in the file)`;
      this.#skipped.push({ subject: target.name, reason });
      return;
    }
    this.#fetches.set(target.tensor, fetch);
    this.#sums.set(target.tensor, new OtherSums(target));
    this.#outputs.set(target.tensor, new OutputSums(target));
  }

  /** Tensors that it compares; none once it has failed. */
  get targets(): Target[] {
    return this.#original === undefined ? [] : [...this.#fetches.values()].map(({ target }) => target);
  }

  /** Runs the file on one sample, as `open` without rejecting. */
  async add({ sample, index, feeds, targets }: SimulatedSample): Promise<void> {
    const original = this.#original;
    const wanted = targets.filter(({ target }) => this.#fetches.has(target.tensor));
    if (original === undefined || wanted.length === 0) return;
    await this.#attempt(async () => {
      const names = wanted.map(({ target }) => this.#fetches.get(target.tensor)!.name);
      const results = await original.run(feedsOf(original, this.#candidate, feeds), [...new Set(names)]);
      wanted.forEach(({ target, values, reference }, i) => {
        const result = results.get(names[i]!);
        if (result !== undefined) this.#compare(target, values, reference, result);
      });
      this.#samples = Math.max(this.#samples, index + 1);
    }, sample.id);
  }

  #compare(target: Target, values: Values, reference: Values | undefined, result: NamedTensor): void {
    const { type, data, name } = result;
    if (data.length !== values.length) {
      const reason = `${name} has ${data.length} values when the runtime runs the file, ${values.length} were expected`;
      this.#skipped.push({ subject: target.name, reason });
      this.#fetches.delete(target.tensor);
      this.#sums.delete(target.tensor);
      this.#outputs.delete(target.tensor);
      return;
    }
    if (!isFeedable(type as Feed['dtype'])) throw new RangeError(`${name} came as ${type}`);
    const hasCodes = target.coding !== undefined && /^u?int/.test(type);
    const actual = hasCodes
      ? Int32Array.from(data as Int8Array)
      : (convertElements(
          data,
          type as 'float32',
          /^float(?:16|32)$/.test(type) ? 'float32' : 'float64',
        ) as Values);
    this.#sums.get(target.tensor)?.add(values, actual, reference);
    if (reference === undefined) return;
    const real =
      actual instanceof Int32Array ? dequantize(actual, target.dims, target.coding!.decode) : actual;
    this.#outputs.get(target.tensor)?.add(real, reference);
  }

  async #attempt(work: () => Promise<void>, sample?: string): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      this.#notRun = sample === undefined ? error.message : `${error.message} (sample ${sample})`;
      await this.close();
    }
  }

  get result(): OtherRun | NotRun {
    if (this.#notRun !== undefined) return { notRun: this.#notRun };
    return {
      source: `onnxruntime-node ${this.#version}, ${this.#label}`,
      samples: this.#samples,
      ...resultsOf(this.#candidate.graph, [...this.#sums.values()]),
      skipped: this.#skipped,
    };
  }

  /** Empty once it has failed. */
  get outputs(): OutputBesideReference[] {
    if (this.#notRun !== undefined) return [];
    return [...this.#outputs.values()].flatMap(({ result }) => result ?? []);
  }

  async close(): Promise<void> {
    const original = this.#original;
    this.#original = undefined;
    await original?.close();
  }
}
