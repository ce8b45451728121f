/** TFLite bytes -> Graph and lane. */
import { LoadError, UnsupportedError, UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import { fileShape } from '../../ir/file-axes.js';
import { tensorOf, type Graph, type Tensor, type TensorId } from '../../ir/graph.js';
import { inferShapes } from '../../ir/infer/index.js';
import type { Lane } from '../../ir/lane.js';
import { buildGraph } from './lower/build-graph.js';
import { metadataEntries, readMetadata } from './metadata.js';
import type { TfliteModel, TfliteSubgraph } from './model.js';
import { readTflite } from './read-file.js';

export interface TfliteReadOptions {
  /** Extents of inputs by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * The main subgraph; the others belong to control flow, which is opaque.
 *
 * @throws LoadError when the file is broken, UnsupportedError when it is beyond what is read
 * @throws UnsupportedError also when its shapes are open until it runs
 * @throws UsageError when `shapes` has other extents than the file
 */
export function readTfliteModel(
  bytes: Uint8Array,
  { shapes }: TfliteReadOptions,
): { graph: Graph; lane: Lane | undefined } {
  const file = readTflite(bytes);
  const [main] = file.subgraphs;
  if (main === undefined) throw new RangeError('a file without subgraphs was let through');
  requireExtents(main);
  const { graph, lane } = buildGraph(main);
  const metadata = entriesOf(file, bytes);
  const made: Graph = { ...graph, metadata, producer: file.description };
  checkBindings(made, shapes);
  return { graph: withShapes(made), lane };
}

/** @throws LoadError naming all tensors with extents below 0 */
function requireExtents({ tensors }: TfliteSubgraph): void {
  const broken = tensors.filter(({ shape }) => shape.some((extent) => extent < 0));
  if (broken.length === 0) return;
  throw new LoadError('an extent below 0 holds no elements; 0 or more are wanted', {
    places: broken.map(
      ({ name, index, shape }) => `tensor ${index} '${name}' has shape ${formatDims(shape)}`,
    ),
  });
}

/** What the makers say of the model is not needed to compute it: a broken note is left out, and that is noted. */
function entriesOf(file: TfliteModel, bytes: Uint8Array): ReadonlyMap<string, string> {
  try {
    return metadataEntries(readMetadata(file, bytes));
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    return new Map([['metadata', `not read: ${error.message}`]]);
  }
}

/**
 * Padding and the like follow from the shapes that the file gives its tensors, which the interpreter computes anew. They are the
 * same but in files whose shapes are open until they run. Where the file gives none, the computed one is taken.
 */
function withShapes(graph: Graph): Graph {
  const inferred = inferShapes(graph);
  const found = new Map<TensorId, Tensor>();
  const places = graph.nodes.flatMap(({ origin, outputs }) =>
    outputs.flatMap((id) => {
      if (id === null || graph.inner?.has(id) === true) return [];
      const noted = fileShape(tensorOf(graph, id)) ?? [];
      const computed = fileShape(tensorOf(inferred, id)) ?? [];
      if (noted.length === 0) found.set(id, tensorOf(inferred, id));
      const isOpen = noted.length === 0 || computed.some((dim) => typeof dim !== 'number');
      if (isOpen || noted.join() === computed.join()) return [];
      const { name } = tensorOf(graph, id);
      return [
        `${origin.op}#${origin.index} writes ${formatDims(computed)} to '${name}', which the file says is ${formatDims(noted)}`,
      ];
    }),
  );
  if (places.length === 0) {
    return { ...graph, tensors: graph.tensors.map((tensor) => found.get(tensor.id) ?? tensor) };
  }
  throw new UnsupportedError(
    'the shapes in the file are not those that its operators compute; they are set when it runs',
    { places, hint: 'tf.lite.TFLiteConverter on a model whose inputs have fixed shapes' },
  );
}

/** A TFLite file has its extents in every tensor; operators such as RESHAPE hold them as constants. */
function checkBindings(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>): void {
  const inputs = graph.inputs.map((id) => tensorOf(graph, id));
  const problems = [...shapes].flatMap(([name, dims]) => {
    const input = inputs.find((tensor) => tensor.name === name);
    if (input === undefined) {
      const names = inputs.map((tensor) => tensor.name).join(', ');
      return [`the model has no input ${JSON.stringify(name)}; it has ${names}`];
    }
    const { shape = [] } = input;
    if (shape.join() === dims.join()) return [];
    return [
      `input ${JSON.stringify(name)} is given shape ${formatDims(dims)}; the file fixes ${formatDims(shape)}`,
    ];
  });
  if (problems.length === 0) return;
  throw new UsageError(problems[0] ?? '', {
    ...(problems.length > 1 ? { places: problems.slice(1) } : {}),
    hint: "convert the model again with the shape that is wanted; without --shape the file's own is used",
  });
}
