/** The candidate's own file in ONNX Runtime as users run it, all optimizations on: its outputs, sample by sample. */
import { RunError } from '../../errors.js';
import { dequantize } from '../../quant/affine.js';
import { tensorOf, type TensorId } from '../../ir/graph.js';
import { convertElements } from '../data/convert.js';
import type { Feed } from '../data/dataset.js';
import type { Candidate } from '../other-run.js';
import { codingOf, type Coding } from '../other/targets.js';
import type { NetworkOutput } from '../predictions/prediction.js';
import { feedsOf } from './feeds.js';
import { isFetchable, openOriginal, type Original, type OriginalOptions } from './process.js';
import { fileTensors, outputInFile } from './taps.js';

interface Fetch {
  /** As the loaded network calls it, and as the file does. */
  readonly name: string;
  readonly inFile: string;
  readonly coding: Coding | undefined;
}

export class ExportedNetwork {
  readonly #candidate: Candidate;
  readonly #original: Original;
  readonly #fetches: readonly Fetch[];
  /** Such as "onnxruntime-node 1.30.0". */
  readonly runtime: string;

  private constructor(candidate: Candidate, original: Original, fetches: readonly Fetch[]) {
    this.#candidate = candidate;
    this.#original = original;
    this.#fetches = fetches;
    this.runtime = `onnxruntime-node ${original.version}`;
  }

  /**
   * @param file that the candidate was loaded from
   * @param outputs the candidate's outputs to give, in this order
   * @throws RunError with the reason in one line when the runtime refuses the file, crashes or hangs, or cannot hand out an output
   */
  static async open(
    file: { readonly path: string; readonly directory: string; readonly format: 'onnx' | 'tflite' },
    candidate: Candidate,
    outputs: readonly TensorId[],
    options: Omit<OriginalOptions, 'optimization'>,
  ): Promise<ExportedNetwork> {
    if (file.format === 'tflite') throw new RunError('ONNX Runtime does not run TFLite files');
    const inFile = await fileTensors(file.path).catch((cause: unknown) => {
      throw new RunError(`the file has changed since it was loaded: ${String(cause)}`, { cause });
    });
    const original = await openOriginal(file.path, file.directory, new Uint8Array(0), {
      ...options,
      optimization: 'all',
    });
    try {
      const { graph } = candidate;
      const fetches = outputs.map((id): Fetch => {
        const { name } = tensorOf(graph, id);
        const found = outputInFile(graph, id, inFile);
        const type = found === undefined ? undefined : original.outputs.get(found);
        if (found === undefined || !isFetchable(type)) {
          throw new RunError(`the runtime does not hand out the output ${name} (${type ?? 'no tensor'})`);
        }
        return {
          name,
          inFile: found,
          coding: /^u?int/.test(type ?? '') ? codingOf(candidate, id) : undefined,
        };
      });
      return new ExportedNetwork(candidate, original, fetches);
    } catch (error) {
      await original.close();
      throw error;
    }
  }

  /** @param feeds of the candidate's inputs, by name. @throws RunError */
  async outputs(feeds: ReadonlyMap<string, Feed>): Promise<NetworkOutput[]> {
    const fed = feedsOf(this.#original, this.#candidate, feeds);
    const results = await this.#original.run(fed, [...new Set(this.#fetches.map(({ inFile }) => inFile))]);
    return this.#fetches.map(({ name, inFile, coding }) => {
      const result = results.get(inFile);
      if (result === undefined) throw new RunError(`the runtime gave no output ${inFile}`);
      const { dims, data, type } = result;
      const values =
        coding === undefined
          ? convertElements(data, type as 'float32', /^float(?:16|32)$/.test(type) ? 'float32' : 'float64')
          : dequantize(Int32Array.from(data as Int8Array), dims, coding.decode);
      return { name, dims, data: values as Float32Array };
    });
  }

  close(): Promise<void> {
    return this.#original.close();
  }
}
