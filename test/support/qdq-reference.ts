/** A loaded lane beside what ONNX Runtime computed from the file with all optimizations off (recipe: fixtures/quantized-onnx). */
import { readFileSync } from 'node:fs';
import { inferenceProgram } from '../../src/compile/measurement-program.js';
import { toFloat64 } from '../../src/ir/elements.js';
import { isFloat, tensorOf, type DType, type Graph, type Tensor } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { storedParams } from '../../src/ir/stored.js';
import type { Elements, Feed } from '../../src/run/data/dataset.js';
import { openSession } from '../../src/run/runtime.js';

interface StoredArray {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Base64 of the elements. */
  readonly data: string;
}

interface StoredReference {
  readonly inputs: Readonly<Record<string, StoredArray>>;
  readonly values: Readonly<Record<string, StoredArray>>;
}

export interface Reference {
  readonly inputs: ReadonlyMap<string, ReferenceArray>;
  /** Every value that a node of the file writes, by name. */
  readonly values: ReadonlyMap<string, ReferenceArray>;
}

export interface ReferenceArray {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
  /** Exact. */
  readonly elements: Float64Array;
}

/** One tensor of the graph beside one value of the file. */
export interface Compared {
  readonly tensor: string;
  readonly value: string;
  /** What the distance is counted in: steps of the codes, or the largest magnitude of the value. */
  readonly unit: 'codes' | 'steps' | 'relative';
  readonly distance: number;
}

export function readReference(path: string): Reference {
  const { inputs, values } = JSON.parse(readFileSync(path, 'utf8')) as StoredReference;
  return { inputs: arraysOf(inputs), values: arraysOf(values) };
}

function arraysOf(stored: Readonly<Record<string, StoredArray>>): Map<string, ReferenceArray> {
  return new Map(
    Object.entries(stored).map(([name, { dtype, dims, data }]) => {
      const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
      const elements = toFloat64({ dtype, dims, byteLength: bytes.length, bytes: () => bytes });
      return [name, { dtype, dims, bytes, elements }];
    }),
  );
}

/** Every float tensor of the graph in the lane, beside all that the file has of it. */
export async function comparedWith(
  { graph: loaded, lane }: { readonly graph: Graph; readonly lane: Lane },
  reference: Reference,
): Promise<Compared[]> {
  const graph = inferShapes(loaded);
  const tensors = graph.tensors.filter(({ dtype, name }) => isFloat(dtype) && name !== '');
  const { model, positions } = inferenceProgram(
    graph,
    lane,
    tensors.map(({ id }) => id),
  );
  const session = await openSession(model, { threads: 1, optimization: 'none' });
  const results = await session.run(feedsOf(graph, lane, reference));
  await session.close();
  return tensors.flatMap((tensor, i) => {
    const bytes = bytesOf(results[positions[i]!] as Elements);
    const dtype = tensor.dtype ?? 'float32';
    const width = dtype === 'float16' ? 2 : 4;
    const found = toFloat64({
      dtype,
      dims: [bytes.length / width],
      byteLength: bytes.length,
      bytes: () => bytes,
    });
    return comparisons(tensor, found, lane, reference);
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: Elements): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function comparisons(
  tensor: Tensor,
  found: Float64Array,
  lane: Lane,
  { inputs, values }: Reference,
): Compared[] {
  const { id, name } = tensor;
  const params = lane.tensors.get(id);
  const { codes = [], values: readBack = [] } = lane.stored?.get(id) ?? {};
  const compared: Compared[] = [];
  const add = (value: string, unit: Compared['unit'], distanceTo: (wanted: Float64Array) => number): void => {
    const wanted = values.get(value)?.elements;
    if (wanted === undefined) return;
    if (wanted.length !== found.length)
      throw new Error(`${name}: ${found.length} values, ${value} has ${wanted.length}`);
    compared.push({ tensor: name, value, unit, distance: distanceTo(wanted) });
  };
  if (params === undefined) {
    add(name, 'relative', (wanted) => furthest(wanted, found) / Math.max(1e-6, ...wanted.map(Math.abs)));
    return compared;
  }
  const known = [...codes, ...readBack, name].flatMap(
    (value) => values.get(value) ?? inputs.get(value) ?? [],
  );
  const scaleAt = scaleOf(params, tensor.data?.dims ?? known[0]?.dims ?? []);
  const codesOf = Float64Array.from(
    found,
    (value, i) => Math.round(value / scaleAt(i).scale) + scaleAt(i).zeroPoint,
  );
  for (const value of codes) add(value, 'codes', (wanted) => furthest(wanted, codesOf));
  const inSteps = (wanted: Float64Array): number =>
    wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!) / scaleAt(i).scale), 0);
  for (const value of readBack) add(value, 'steps', inSteps);
  // A tensor of a name that holds neither the codes nor what was read back is the value before it is quantized.
  if (!codes.includes(name) && codes.length === 0) add(name, 'steps', inSteps);
  return compared;
}

function furthest(wanted: Float64Array, found: Float64Array): number {
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);
}

/** Scale and zero point by which an element is read. */
function scaleOf(
  params: QuantParams,
  dims: readonly number[],
): (index: number) => { readonly scale: number; readonly zeroPoint: number } {
  const { scale, zeroPoint } = params.read ?? params;
  const { granularity } = params;
  const axis = granularity.kind === 'per-tensor' ? dims.length : granularity.axis;
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  return (index) => {
    const along = granularity.kind === 'per-tensor' ? 0 : Math.floor(index / inner) % dims[axis]!;
    const at =
      granularity.kind === 'per-block'
        ? (Math.floor(index / inner / dims[axis]!) * Math.ceil(dims[axis]! / granularity.blockSize) +
            Math.floor(along / granularity.blockSize)) *
            inner +
          (index % inner)
        : along;
    return { scale: scale[at]!, zeroPoint: zeroPoint[at]! };
  };
}

function dequantized(codes: Float64Array, params: QuantParams, dims: readonly number[]): Float32Array {
  const scaleAt = scaleOf(params, dims);
  return Float32Array.from(codes, (code, i) => (code - scaleAt(i).zeroPoint) * scaleAt(i).scale);
}

/** Inputs as the file takes them; where those are codes, the values that they stand for. */
function feedsOf(graph: Graph, lane: Lane, { inputs }: Reference): Map<string, Feed> {
  return new Map(
    graph.inputs.map((id) => {
      const { name, dtype } = tensorOf(graph, id);
      const { dims, bytes, elements, dtype: stored } = inputs.get(name)!;
      const params = storedParams(graph, lane, id);
      const { buffer } = bytes;
      const data =
        params !== undefined
          ? dequantized(elements, params, dims)
          : stored === 'float32'
            ? new Float32Array(buffer)
            : stored === 'float16'
              ? new Uint16Array(buffer)
              : new Uint8Array(buffer);
      return [name, { dtype: dtype ?? 'float32', dims, data }];
    }),
  );
}
