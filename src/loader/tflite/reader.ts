/** TFLite bytes -> Graph and lane. */
import { UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import { tensorOf, type Graph } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { buildGraph } from './lower/build-graph.js';
import { readTflite } from './read-file.js';

export interface TfliteReadOptions {
  /** Extents of inputs by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * The main subgraph; the others belong to control flow, which is opaque.
 *
 * @throws LoadError when the file is broken, UnsupportedError when it is beyond what is read
 * @throws UsageError when `shapes` has other extents than the file
 */
export function readTfliteModel(
  bytes: Uint8Array,
  { shapes }: TfliteReadOptions,
): { graph: Graph; lane: Lane | undefined } {
  const file = readTflite(bytes);
  const [main] = file.subgraphs;
  if (main === undefined) throw new RangeError('a file without subgraphs was let through');
  const { graph, lane } = buildGraph(main);
  const made: Graph = { ...graph, metadata: new Map(), producer: file.description };
  checkShapes(made, shapes);
  return { graph: made, lane };
}

/** A TFLite file has its extents in every tensor; operators such as RESHAPE hold them as constants. */
function checkShapes(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>): void {
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
