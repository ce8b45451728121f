/** A lane as it is simulated, beside the file that carries it as ONNX Runtime computes it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { qdqModel, type QdqModel } from '../../../src/compile/export/qdq-model.js';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { bindInputs } from '../../../src/ir/bind-inputs.js';
import { isFloat, tensorOf, type Graph } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import type { Lane } from '../../../src/ir/lane.js';
import { loadModel } from '../../../src/loader/index.js';
import type { Scheme } from '../../../src/quant/scheme.js';
import { NO_SELECTION, type Selection } from '../../../src/quant/select.js';
import type { Sample } from '../../../src/run/data/dataset.js';
import { openSession } from '../../../src/run/runtime.js';
import { calibratedLane } from '../../support/calibrated-lane.js';
import { feedOf, streamed } from '../../support/measured-networks.js';
import { Random } from '../../quant/samples.js';

export interface Carried {
  readonly path: string;
  readonly file: Uint8Array;
  readonly graph: Graph;
  readonly lane: Lane;
  readonly samples: readonly Sample[];
}

export function pathOf(relative: string): string {
  return fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
}

/** The network quantized by the scheme, on random numbers from -1 to 1. */
export async function quantizedModel(
  relative: string,
  scheme: Scheme,
  extents: Readonly<Record<string, readonly number[]>> = {},
  selection: Selection = NO_SELECTION,
): Promise<Carried> {
  const path = relative.startsWith('/') ? relative : pathOf(relative);
  const { graph: loaded } = await loadModel(path);
  const graph = inferShapes(bindInputs(loaded, new Map(Object.entries(extents))));
  const random = new Random(5);
  const samples = Array.from({ length: 4 }, (_, index): Sample => {
    const feeds = graph.inputs.map((id) => {
      const { name, dtype, shape } = tensorOf(graph, id);
      const dims = (shape ?? []).map(Number);
      const values = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform() * 2 - 1);
      return [name, feedOf(dtype ?? 'float32', dims, values)] as const;
    });
    return { id: `sample${index}`, index, feeds: new Map(feeds) };
  });
  const { lane } = await calibratedLane(graph, scheme, streamed(samples), selection);
  return { path, file: readFileSync(path), graph, lane, samples };
}

export interface Agreement {
  readonly output: string;
  /** Share of values that are the very same. */
  readonly same: number;
  /** Largest difference, over the largest magnitude, and in steps of the output's quantizer where it has one. */
  readonly relative: number;
  readonly steps: number | undefined;
}

/** The outputs of the file beside those of the lane, both over all samples. */
export async function agreement(
  { graph, lane, samples }: Carried,
  { bytes }: QdqModel,
  optimization: 'none' | 'all' = 'none',
  fuses = true,
): Promise<Agreement[]> {
  const outputs = graph.outputs.filter((id) => isFloat(tensorOf(graph, id).dtype));
  const { model, positions } = inferenceProgram(graph, lane, outputs);
  const simulated = await openSession(model, { threads: 1, optimization: 'none' });
  const exported = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: optimization === 'all' ? 'all' : 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(fuses ? {} : { extra: { session: { disable_quant_qdq: '1' } } }),
  });
  const found = outputs.map(() => ({ count: 0, same: 0, largest: 0, away: 0 }));
  for (const { feeds } of samples) {
    const wanted = await simulated.run(feeds);
    const tensors = [...feeds].map(([name, { dtype, dims, data }]) => [
      name,
      new ort.Tensor(dtype as ort.Tensor.Type, data as Float32Array, dims),
    ]);
    const results = await exported.run(Object.fromEntries(tensors) as Record<string, ort.Tensor>);
    outputs.forEach((id, at) => {
      const { name } = tensorOf(graph, id);
      const given = floats(results[name]!.data as Float32Array);
      const sums = found[at]!;
      floats(wanted[positions[at]!] as Float32Array).forEach((value, i) => {
        sums.count++;
        if (value === given[i]) sums.same++;
        sums.largest = Math.max(sums.largest, Math.abs(value));
        sums.away = Math.max(sums.away, Math.abs(value - given[i]!));
      });
    });
  }
  await simulated.close();
  await exported.release();
  return outputs.map((id, at) => {
    const { count, same, largest, away } = found[at]!;
    const step = lane.tensors.get(id)?.scale[0];
    return {
      output: tensorOf(graph, id).name,
      same: same / count,
      relative: away / largest,
      steps: step === undefined ? undefined : away / step,
    };
  });
}

function floats(data: Float32Array | Uint16Array): ArrayLike<number> & { forEach: Float32Array['forEach'] } {
  return data instanceof Uint16Array ? Float32Array.from(data, ofHalf) : data;
}

function ofHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 32768 ? -1 : 1;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

export function exported({ file, graph, lane }: Carried): QdqModel {
  return qdqModel(file, graph, lane);
}
