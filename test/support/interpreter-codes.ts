/** Tensors of an archive that fixtures/tflite/build.py recorded, in the IR's order of axes. */
import type { Graph, TensorId } from '../../src/ir/graph.js';
import { tensorOf } from '../../src/ir/graph.js';
import { entriesOf } from './golden-archive.js';

const READERS = {
  '|i1': Int8Array,
  '|u1': Uint8Array,
  '<i2': Int16Array,
} as const;

export interface Recorded {
  /** Codes; undefined for what was not recorded. */
  codes(sample: number, tensor: TensorId): Float32Array | undefined;
}

/** @throws Error for an array of floats or wide integers: those are no codes of activations. */
export function recorded(path: string, graph: Graph): Recorded {
  const entries = entriesOf(path);
  return {
    codes(sample, tensor) {
      const bytes = entries[`in${sample}/${tensor}.npy`] ?? entries[`t${sample}/${tensor}.npy`];
      if (bytes === undefined) return undefined;
      const start = 10 + (bytes[8] ?? 0) + 256 * (bytes[9] ?? 0);
      const header = Buffer.from(bytes.subarray(10, start)).toString();
      const descr = /'descr': '(.*?)'/.exec(header)?.[1] ?? '';
      const Reader = READERS[descr as keyof typeof READERS];
      if (Reader === undefined) throw new Error(`tensor ${tensor} is recorded as ${descr}`);
      const codes = Float32Array.from(new Reader(bytes.slice(start).buffer));
      return inIr(codes, tensorOf(graph, tensor));
    },
  };
}

/** Dimension k of the file is dimension fileAxes[k] of the IR. */
function inIr(codes: Float32Array, { shape = [], fileAxes }: Graph['tensors'][number]): Float32Array {
  if (fileAxes === undefined) return codes;
  const dims = shape as readonly number[];
  const fileDims = fileAxes.map((axis) => dims[axis] ?? 1);
  const index = dims.map(() => 0);
  return codes.map(() => {
    const from = fileAxes.reduce((at, axis, k) => at * (fileDims[k] ?? 1) + (index[axis] ?? 0), 0);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = ((index[axis] ?? 0) + 1) % (dims[axis] ?? 1);
      if (index[axis] !== 0) break;
    }
    return codes[from] ?? NaN;
  });
}
